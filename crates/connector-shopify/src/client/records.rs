//! Reads of the store's records.

use serde_json::json;
use waybill_connector::Failure;
use waybill_domain::RecordId;

use super::{Client, document};
use crate::{gid::gid, wire};

/// Lines in the first page of an order: most orders have fewer.
const FIRST_LINES: u32 = 50;
/// Lines in each further page; 250 is the most that Shopify takes.
const MORE_LINES: u32 = 250;
/// How often an order is read from the start because it changed between two pages.
const ATTEMPTS: usize = 3;

impl Client {
    /// A whole order with all its lines and refunds; `None` if there is none.
    pub(crate) async fn order(&self, id: &RecordId) -> Result<Option<wire::Order>, Failure> {
        for _ in 0..ATTEMPTS {
            let variables = json!({ "id": gid("Order", id), "lines": FIRST_LINES });
            let data: wire::OrderData = self.read(document::ORDER, variables).await?;
            let Some(mut order) = data.order else {
                return Ok(None);
            };
            if order.shipping_lines.page_info.has_next_page {
                return Err(Failure::malformed("the order has more than 20 shipping lines", b""));
            }
            if self.rest_of_lines(&mut order).await? {
                for refund in &mut order.refunds {
                    refund.lines = self.refund_lines(&refund.id).await?;
                }
                return Ok(Some(order));
            }
        }
        Err(Failure::Transient { message: "the order kept changing while its lines were read".to_owned() })
    }

    /// Reads the pages after the first; false if the order changed meanwhile, so that its parts may not fit.
    async fn rest_of_lines(&self, order: &mut wire::Order) -> Result<bool, Failure> {
        let mut after = order.line_items.page_info.next().map(str::to_owned);
        while let Some(cursor) = after {
            let variables = json!({ "id": order.id, "lines": MORE_LINES, "after": cursor });
            let data: wire::OrderLinesData = self.read(document::ORDER_LINES, variables).await?;
            let Some(page) = data.order.filter(|page| page.updated_at == order.updated_at) else {
                return Ok(false);
            };
            after = page.line_items.page_info.next().map(str::to_owned);
            order.line_items.nodes.extend(page.line_items.nodes);
        }
        Ok(true)
    }

    async fn refund_lines(&self, refund_gid: &str) -> Result<Vec<wire::RefundLineItem>, Failure> {
        let (mut lines, mut after) = (Vec::new(), None);
        loop {
            let variables = json!({ "id": refund_gid, "after": after });
            let data: wire::RefundLinesData = self.read(document::REFUND_LINES, variables).await?;
            let Some(refund) = data.refund else {
                return Ok(lines);
            };
            after = refund.refund_line_items.page_info.next().map(str::to_owned);
            lines.extend(refund.refund_line_items.nodes);
            if after.is_none() {
                return Ok(lines);
            }
        }
    }

    /// A customer; `None` if there is none.
    pub(crate) async fn customer(&self, id: &RecordId) -> Result<Option<wire::Customer>, Failure> {
        let data: wire::CustomerData = self.read(document::CUSTOMER, json!({ "id": gid("Customer", id) })).await?;
        Ok(data.customer)
    }

    /// A product with all its variants; `None` if there is none.
    pub(crate) async fn product(&self, id: &RecordId) -> Result<Option<wire::Product>, Failure> {
        let id = gid("Product", id);
        let data: wire::ProductData = self.read(document::PRODUCT, json!({ "id": id, "after": null })).await?;
        let Some(mut product) = data.product else {
            return Ok(None);
        };
        let mut after = product.variants.page_info.next().map(str::to_owned);
        while let Some(cursor) = after {
            let data: wire::ProductData = self.read(document::PRODUCT, json!({ "id": id, "after": cursor })).await?;
            let Some(page) = data.product else {
                return Ok(None);
            };
            after = page.variants.page_info.next().map(str::to_owned);
            product.variants.nodes.extend(page.variants.nodes);
        }
        Ok(Some(product))
    }

    /// An item's stock at a location; `None` if there is no such item or it is not stocked there.
    pub(crate) async fn inventory_level(
        &self,
        item: &RecordId,
        location: &RecordId,
    ) -> Result<Option<wire::Level>, Failure> {
        let variables = json!({ "item": gid("InventoryItem", item), "location": gid("Location", location) });
        let data: wire::InventoryLevelData = self.read(document::INVENTORY_LEVEL, variables).await?;
        Ok(data.inventory_item.and_then(|item| item.inventory_level).filter(|level| level.is_active))
    }
}
