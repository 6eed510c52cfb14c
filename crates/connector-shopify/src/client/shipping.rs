//! Fulfilment orders and fulfilments.

use serde::Serialize;
use serde_json::json;
use waybill_connector::{Effect, Failure};
use waybill_domain::RecordId;

use super::{Client, document};
use crate::{gid::gid, wire};

/// An order's fulfilments and all its fulfilment orders with all their lines.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) fulfillments: Vec<wire::Fulfillment>,
    pub(crate) orders: Vec<wire::FulfillmentOrder>,
}

/// The input of `fulfillmentCreate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentInput {
    pub(crate) line_items_by_fulfillment_order: Vec<FulfillmentOrderInput>,
    pub(crate) tracking_info: TrackingInput,
    pub(crate) notify_customer: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentOrderInput {
    pub(crate) fulfillment_order_id: String,
    pub(crate) fulfillment_order_line_items: Vec<FulfillmentOrderLineInput>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FulfillmentOrderLineInput {
    pub(crate) id: String,
    pub(crate) quantity: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TrackingInput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) company: Option<String>,
    pub(crate) number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// What a fulfilment mutation left: the fulfilment's global id, or what Shopify found wrong.
pub(crate) type Mutated = Result<String, Vec<wire::UserError>>;

impl Client {
    /// What of an order is fulfilled and what is still to be; `None` if there is no such order.
    pub(crate) async fn fulfillment_work(&self, order: &RecordId) -> Result<Option<Work>, Failure> {
        let mut work = Work { fulfillments: Vec::new(), orders: Vec::new() };
        let mut after: Option<String> = None;
        loop {
            let variables = json!({ "id": gid("Order", order), "after": after });
            let data: wire::FulfillmentWorkData = self.read(document::FULFILLMENT_WORK, variables).await?;
            let Some(page) = data.order else {
                return Ok(None);
            };
            after = page.fulfillment_orders.page_info.next().map(str::to_owned);
            work.fulfillments = page.fulfillments;
            work.orders.extend(page.fulfillment_orders.nodes);
            if after.is_none() {
                break;
            }
        }
        for order in &mut work.orders {
            self.rest_of_fulfillment_order(order).await?;
        }
        Ok(Some(work))
    }

    async fn rest_of_fulfillment_order(&self, order: &mut wire::FulfillmentOrder) -> Result<(), Failure> {
        let mut after = order.line_items.page_info.next().map(str::to_owned);
        while let Some(cursor) = after {
            let variables = json!({ "id": order.id, "after": cursor });
            let data: wire::FulfillmentOrderLinesData = self.read(document::FULFILLMENT_ORDER_LINES, variables).await?;
            let Some(page) = data.fulfillment_order else {
                return Ok(());
            };
            after = page.line_items.page_info.next().map(str::to_owned);
            order.line_items.nodes.extend(page.line_items.nodes);
        }
        Ok(())
    }

    /// What is in a fulfilment.
    pub(crate) async fn fulfillment_lines(&self, fulfillment_gid: &str) -> Result<Vec<wire::FulfillmentLine>, Failure> {
        let (mut lines, mut after) = (Vec::new(), None);
        loop {
            let variables = json!({ "id": fulfillment_gid, "after": after });
            let data: wire::FulfillmentLinesData = self.read(document::FULFILLMENT_LINES, variables).await?;
            let Some(fulfillment) = data.fulfillment else {
                return Ok(lines);
            };
            after = fulfillment.fulfillment_line_items.page_info.next().map(str::to_owned);
            lines.extend(fulfillment.fulfillment_line_items.nodes);
            if after.is_none() {
                return Ok(lines);
            }
        }
    }

    /// Fulfils lines of fulfilment orders of one location. Shopify has no idempotency key for it.
    pub(crate) async fn fulfillment_create(&self, input: &FulfillmentInput) -> Result<Mutated, Failure> {
        let data: wire::FulfillmentCreateData =
            self.run(Effect::UnkeyedWrite, document::FULFILLMENT_CREATE, json!({ "fulfillment": input })).await?;
        mutated(Effect::UnkeyedWrite, data.fulfillment_create)
    }

    /// Replaces a fulfilment's tracking.
    pub(crate) async fn fulfillment_tracking(
        &self,
        fulfillment_gid: &str,
        tracking: &TrackingInput,
        notify: bool,
    ) -> Result<Mutated, Failure> {
        let variables = json!({ "id": fulfillment_gid, "tracking": tracking, "notify": notify });
        let data: wire::FulfillmentTrackingData =
            self.run(Effect::IdempotentWrite, document::FULFILLMENT_TRACKING, variables).await?;
        mutated(Effect::IdempotentWrite, data.fulfillment_tracking_info_update)
    }

    /// Cancels a fulfilment; one that is cancelled already stays so.
    pub(crate) async fn fulfillment_cancel(&self, fulfillment_gid: &str) -> Result<Mutated, Failure> {
        let data: wire::FulfillmentCancelData =
            self.run(Effect::IdempotentWrite, document::FULFILLMENT_CANCEL, json!({ "id": fulfillment_gid })).await?;
        mutated(Effect::IdempotentWrite, data.fulfillment_cancel)
    }
}

fn mutated(effect: Effect, payload: Option<wire::FulfillmentMutation>) -> Result<Mutated, Failure> {
    match payload {
        Some(payload) if !payload.user_errors.is_empty() => Ok(Err(payload.user_errors)),
        Some(wire::FulfillmentMutation { fulfillment: Some(fulfillment), .. }) => Ok(Ok(fulfillment.id)),
        _ => {
            let message = "the answer has neither a fulfilment nor errors".to_owned();
            Err(match effect {
                Effect::UnkeyedWrite => Failure::Ambiguous { message },
                Effect::Read | Effect::IdempotentWrite => Failure::malformed(message, b""),
            })
        }
    }
}
