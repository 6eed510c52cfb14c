//! The capability `shipment-sink`.

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::{ObjectKey, document::ShipmentDocument};

use super::{
    ROLE, has_number, notify, open_lines, refused, shows,
    spread::{Creation, Units, gathered, less, spread},
    stands, tracking, unfulfillable, wanted,
};
use crate::{
    Shopify,
    client::shipping::{FulfillmentInput, FulfillmentOrderInput, FulfillmentOrderLineInput, TrackingInput, Work},
    gid, wire,
};

const FULFIL: &str = "fulfil";
const CANCEL: &str = "cancel";

#[async_trait]
impl Sink<ShipmentDocument> for Shopify {
    fn steps(&self, document: &ShipmentDocument, _known: &Known) -> Vec<Step> {
        // Cancelling what is cancelled leaves it so; creating a second time would ship twice.
        if document.voided { vec![Step::idempotent(CANCEL, ROLE)] } else { vec![Step::unkeyed(FULFIL, ROLE)] }
    }

    async fn apply(&self, calls: &[StepCall<'_, ShipmentDocument>]) -> Vec<Result<Applied, Failure>> {
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            outcomes.push(match call.step.name.as_ref() {
                CANCEL => self.cancel(call).await,
                _ => self.fulfil(call).await,
            });
        }
        outcomes
    }

    async fn find(&self, call: &StepCall<'_, ShipmentDocument>) -> Result<Option<Applied>, Failure> {
        let Some(work) = self.client.fulfillment_work(&call.document.order_source_id).await? else {
            return Ok(None);
        };
        let ours = Ours::of(call.document, call.object_key, call.known, &work);
        if call.step.name == CANCEL {
            let cancelled = ours.standing.is_empty() && !ours.fallen.is_empty();
            return Ok(cancelled.then(|| applied(&[], false)));
        }
        if ours.standing.is_empty() {
            return Ok(None);
        }
        let held = self.held(&ours.standing).await?;
        let (missing, extra) = less(&wanted(call.document), held);
        let whole =
            missing.is_empty() && extra.is_empty() && ours.standing.iter().all(|one| shows(one, &ours.tracking));
        let gids: Vec<String> = ours.standing.into_iter().map(|one| one.id).collect();
        Ok(whole.then(|| applied(&ids(&gids), false)))
    }

    async fn look(&self, calls: &[LookCall<'_, ShipmentDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_at_parcels(calls).await
    }
}

impl Shopify {
    async fn fulfil(&self, call: &StepCall<'_, ShipmentDocument>) -> Result<Applied, Failure> {
        let (mut work, mut ours) = self.look(call).await?;
        if wanted(call.document).is_empty() && ours.standing.is_empty() {
            return Err(Failure::rejected("unfulfillable", "lines", "the parcel does not say what is in it"));
        }
        let mut missing = self.missing(call, &ours).await?;
        let mut created = Vec::new();
        let mut looked_again = false;
        while !missing.is_empty() {
            let creations = spread(&missing, &open_lines(&work)).map_err(|short| unfulfillable(&short, &work))?;
            match self.create_all(call.document, &ours.tracking, creations, &mut created).await? {
                None => break,
                // A refusal can mean that a call which was cut took effect after all: the order is read once more
                // before it counts.
                Some(refusal) if looked_again => return Err(refusal),
                Some(_) => {
                    looked_again = true;
                    (work, ours) = self.look(call).await?;
                    missing = self.missing(call, &ours).await?;
                }
            }
        }
        let mut wrote = !created.is_empty();
        for fulfillment in ours.standing.iter().filter(|one| !shows(one, &ours.tracking)) {
            let notify = notify(call.document);
            let updated = self.client.fulfillment_tracking(&fulfillment.id, &ours.tracking, notify).await?;
            updated.map_err(|errors| refused(&errors))?;
            wrote = true;
        }
        let mut gids: Vec<String> = ours.standing.into_iter().map(|one| one.id).chain(created).collect();
        gids.sort_by_key(|gid| number(gid));
        gids.dedup();
        Ok(applied(&ids(&gids), wrote))
    }

    /// One `fulfillmentCreate` per location; what they create is added to `created`. Answers the refusal that ended
    /// it, if one did.
    async fn create_all(
        &self,
        document: &ShipmentDocument,
        tracking: &TrackingInput,
        creations: Vec<Creation>,
        created: &mut Vec<String>,
    ) -> Result<Option<Failure>, Failure> {
        for creation in creations {
            let input = FulfillmentInput {
                line_items_by_fulfillment_order: creation.into_iter().map(order_input).collect(),
                tracking_info: tracking.clone(),
                notify_customer: notify(document),
            };
            match self.client.fulfillment_create(&input).await? {
                Ok(gid) => created.push(gid),
                Err(errors) => return Ok(Some(refused(&errors))),
            }
        }
        Ok(None)
    }

    /// The order's fulfilments and what is left to fulfil, and which of the fulfilments are the parcel's.
    async fn look(&self, call: &StepCall<'_, ShipmentDocument>) -> Result<(Work, Ours), Failure> {
        let work = self.work(call).await?;
        let ours = Ours::of(call.document, call.object_key, call.known, &work);
        ours.refuse_if_cancelled(call)?;
        Ok((work, ours))
    }

    async fn cancel(&self, call: &StepCall<'_, ShipmentDocument>) -> Result<Applied, Failure> {
        let work = self.work(call).await?;
        let ours = Ours::of(call.document, call.object_key, call.known, &work);
        for fulfillment in &ours.standing {
            self.client.fulfillment_cancel(&fulfillment.id).await?.map_err(|errors| refused(&errors))?;
        }
        Ok(applied(&[], !ours.standing.is_empty()))
    }

    async fn work(&self, call: &StepCall<'_, ShipmentDocument>) -> Result<Work, Failure> {
        let order = &call.document.order_source_id;
        self.client.fulfillment_work(order).await?.ok_or_else(|| {
            Failure::rejected(
                "not_found",
                "order",
                format!("Shopify has no order {order}, or the token may not see it"),
            )
        })
    }

    /// What of the parcel is in no fulfilment of ours yet.
    async fn missing(&self, call: &StepCall<'_, ShipmentDocument>, ours: &Ours) -> Result<Units, Failure> {
        let (missing, extra) = less(&wanted(call.document), self.held(&ours.standing).await?);
        if extra.is_empty() {
            return Ok(missing);
        }
        Err(Failure::rejected(
            "not_amendable",
            "lines",
            "the fulfilment holds more than the parcel does now, and Shopify takes nothing out of a fulfilment",
        ))
    }

    pub(super) async fn held(&self, fulfillments: &[wire::Fulfillment]) -> Result<Units, Failure> {
        let mut rows = Vec::new();
        for fulfillment in fulfillments {
            let lines = self.client.fulfillment_lines(&fulfillment.id).await?;
            rows.extend(lines.iter().map(|line| (super::item(&line.line_item), line.quantity.unwrap_or(0))));
        }
        Ok(gathered(rows))
    }
}

fn order_input((order, lines): (String, Vec<(String, i64)>)) -> FulfillmentOrderInput {
    let lines = lines.into_iter().map(|(id, quantity)| FulfillmentOrderLineInput { id, quantity });
    FulfillmentOrderInput { fulfillment_order_id: order, fulfillment_order_line_items: lines.collect() }
}

/// The fulfilments that a parcel already has.
pub(super) struct Ours {
    pub(super) tracking: TrackingInput,
    /// Those that count, lowest id first.
    pub(super) standing: Vec<wire::Fulfillment>,
    /// Those that were cancelled.
    pub(super) fallen: Vec<wire::Fulfillment>,
}

impl Ours {
    /// By the ids that earlier revisions left, or by the parcel's number.
    pub(super) fn of(document: &ShipmentDocument, key: &ObjectKey, known: &Known, work: &Work) -> Self {
        let tracking = tracking(document, key);
        let known = known_ids(known);
        let ours = |one: &&wire::Fulfillment| known.contains(&one.id) || has_number(one, &tracking.number);
        let (mut standing, fallen): (Vec<_>, Vec<_>) = work.fulfillments.iter().filter(ours).cloned().partition(stands);
        standing.sort_by_key(|one| number(&one.id));
        Self { tracking, standing, fallen }
    }

    /// Somebody cancelled in Shopify what an earlier revision created: that is theirs to say, so it is not made again.
    fn refuse_if_cancelled(&self, call: &StepCall<'_, ShipmentDocument>) -> Result<(), Failure> {
        let known = known_ids(call.known);
        if self.fallen.iter().any(|one| known.contains(&one.id)) {
            let message = "the parcel's fulfilment was cancelled in Shopify";
            return Err(Failure::rejected("not_amendable", "fulfilment", message));
        }
        Ok(())
    }
}

/// A fulfilment's id as a number, to sort by.
fn number(gid: &str) -> Option<u64> {
    gid::record_id("Fulfillment", gid)?.as_str().parse().ok()
}

pub(super) fn ids(gids: &[String]) -> Vec<String> {
    gids.iter().filter_map(|gid| gid::record_id("Fulfillment", gid)).map(|id| id.to_string()).collect()
}

/// The fulfilments' global ids that earlier revisions left.
pub(super) fn known_ids(known: &Known) -> Vec<String> {
    let ids = known.get(ROLE).map(String::as_str).unwrap_or_default();
    ids.split(',').filter(|id| !id.is_empty()).map(|id| gid::gid("Fulfillment", id)).collect()
}

/// What the step left: the lowest fulfilment's id to show, all of them to know.
fn applied(ids: &[String], wrote: bool) -> Applied {
    Applied { external_id: ids.first().cloned(), known: Known::from([(ROLE.to_owned(), ids.join(","))]), wrote }
}
