//! Orders into ShipStation: `order-sink`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::document::OrderDocument;

use crate::{
    ShipStation,
    amendment::{Baseline, amendment},
    mapping::{Wanted, needs_update, wanted},
    refusal::{CallError, Refusal, exposed},
    wire::{Address, NewShipment, Shipment},
};

/// The role of the one object that an order is in ShipStation.
pub(crate) const ORDER: &str = "order";
/// What is known of a shipment that was there when it was to be created.
const WAS_THERE: &str = "was_there";
const SHIPMENT: Step = Step::unkeyed("shipment", ORDER);
const DETAILS: Step = Step::idempotent("details", ORDER);
const UPDATE: Step = Step::idempotent("update", ORDER);
const CANCEL: Step = Step::idempotent("cancel", ORDER);

/// The vendor's document has no upper limit; its own MCP server allows 100.
const CREATES_AT_ONCE: usize = 25;

type Call<'a> = StepCall<'a, OrderDocument>;

#[async_trait]
impl Sink<OrderDocument> for ShipStation {
    fn steps(&self, order: &OrderDocument, known: &Known) -> Vec<Step> {
        if order.cancelled {
            return vec![CANCEL];
        }
        if known.contains_key(ORDER) {
            return vec![UPDATE];
        }
        if needs_update(order) { vec![SHIPMENT, DETAILS] } else { vec![SHIPMENT] }
    }

    fn batch_size(&self, step: &str) -> usize {
        if step == SHIPMENT.name { CREATES_AT_ONCE } else { 1 }
    }

    async fn apply(&self, calls: &[Call<'_>]) -> Vec<Result<Applied, Failure>> {
        if calls.first().is_some_and(|call| *call.step == SHIPMENT) {
            return self.create(calls).await;
        }
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            outcomes.push(if *call.step == CANCEL { self.cancel(call).await } else { self.amend(call).await });
        }
        outcomes
    }

    async fn find(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let Some(shipment) = self.client.shipment_by_external_id(call.object_key.as_str()).await? else {
            return Ok(None);
        };
        if *call.step == SHIPMENT {
            // Packers may have split it, or set its address right, before it was looked up.
            let baseline = if call.is_again {
                Baseline::of_wanted(&self.wanted(call, left_out(call), &self.origin().await?)?)
            } else {
                Baseline::of_shipment(&shipment)
            };
            return Ok(Some(applied(&shipment.id, baseline, true)));
        }
        if *call.step == CANCEL {
            return Ok((shipment.status == "cancelled").then(|| Applied::wrote(ORDER, shipment.id)));
        }
        let wanted = self.wanted(call, left_out(call), &self.origin().await?)?;
        let amendment = amendment(&shipment, &wanted, &Baseline::from_known(call.known))?;
        Ok(amendment.body.is_none().then(|| applied(&shipment.id, amendment.baseline, true)))
    }

    async fn look(&self, calls: &[LookCall<'_, OrderDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_for_orders(calls).await
    }
}

impl ShipStation {
    fn wanted(&self, call: &Call<'_>, left_out: &BTreeSet<String>, origin: &Address) -> Result<Wanted, Failure> {
        wanted(call.document, left_out, origin, self.fallback_phone.as_deref())
    }

    /// Creates all shipments in one request. If the vendor refuses it for some of them, the others are sent again
    /// without those.
    async fn create(&self, calls: &[Call<'_>]) -> Vec<Result<Applied, Failure>> {
        let origin = match self.origin().await {
            Ok(origin) => origin,
            Err(failure) => return calls.iter().map(|_| Err(failure.clone())).collect(),
        };
        let mut creation = Creation::new(calls.iter().map(|call| self.wanted(call, left_out(call), &origin)).collect());
        while let Some(group) = creation.groups.pop() {
            let shipments: Vec<&NewShipment> = group.iter().filter_map(|at| creation.shipment(*at)).collect();
            match self.client.create_shipments(&shipments).await {
                Ok(created) => {
                    for at in group {
                        let own = created.iter().find(|created| {
                            created.external_shipment_id.as_deref() == Some(calls[at].object_key.as_str())
                        });
                        let outcome = match own {
                            Some(created) if created.errors.is_empty() => match &created.shipment_id {
                                Some(id) => Ok(creation.applied(at, id)),
                                None => Err(ambiguous("a shipment was answered without its id")),
                            },
                            Some(created) => self.refused(&calls[at], &Refusal::in_element(&created.errors)).await,
                            None => Err(ambiguous("a shipment is not among those answered")),
                        };
                        creation.outcomes[at] = Some(outcome);
                    }
                }
                Err(CallError::Refused(refusal)) if group.len() > 1 => {
                    let named = refusal.named();
                    let (bad, good): (Vec<_>, Vec<_>) = (0..group.len()).partition(|at| named.contains(at));
                    if bad.is_empty() {
                        creation.groups.extend(group.into_iter().map(|at| vec![at]));
                        continue;
                    }
                    for at in bad {
                        let outcome = self.refused(&calls[group[at]], &refusal.of_element(at)).await;
                        creation.outcomes[group[at]] = Some(outcome);
                    }
                    if !good.is_empty() {
                        creation.groups.push(good.into_iter().map(|at| group[at]).collect());
                    }
                }
                Err(CallError::Refused(refusal)) => {
                    creation.outcomes[group[0]] = Some(self.refused(&calls[group[0]], &refusal).await);
                }
                Err(CallError::Failed(failure)) => {
                    for at in group {
                        creation.outcomes[at] = Some(Err(failure.clone()));
                    }
                }
            }
        }
        let missing = || Err(ambiguous("a shipment was not answered"));
        creation.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect()
    }

    /// A refused create. The vendor refuses a second shipment with the same `external_shipment_id` without a code of its
    /// own, so unless it names wrong fields alone, the shipment is looked up, and brought to what is wanted if it is
    /// there.
    async fn refused(&self, call: &Call<'_>, refusal: &Refusal) -> Result<Applied, Failure> {
        if refusal.may_be_a_second_create()
            && let Some(shipment) = self.client.shipment_by_external_id(call.object_key.as_str()).await?
        {
            let mut applied = self.amend_shipment(call, &call.document.policy.keep, shipment).await?;
            applied.known.insert(WAS_THERE.to_owned(), true.to_string());
            return Ok(applied);
        }
        Err(refusal.failure(&people(call.document)))
    }

    /// Brings a shipment that is there to what is wanted.
    async fn amend(&self, call: &Call<'_>) -> Result<Applied, Failure> {
        match self.current(call).await? {
            Some(shipment) => self.amend_shipment(call, left_out(call), shipment).await,
            None => Err(not_amendable("the shipment is gone: it was deleted, or merged into another, in ShipStation")),
        }
    }

    async fn amend_shipment(
        &self,
        call: &Call<'_>,
        left_out: &BTreeSet<String>,
        shipment: Shipment,
    ) -> Result<Applied, Failure> {
        let wanted = self.wanted(call, left_out, &self.origin().await?)?;
        let amendment = amendment(&shipment, &wanted, &Baseline::from_known(call.known))?;
        let Some(body) = amendment.body else {
            return Ok(applied(&shipment.id, amendment.baseline, false));
        };
        match refuse_if_past(&shipment, "change the parcel by hand") {
            // A refund of money after the parcel left: no one has anything to do in ShipStation.
            Err(_) if amendment.amounts_only => {
                return Ok(applied(&shipment.id, amendment.baseline, false));
            }
            open_or_past => open_or_past?,
        }
        match self.client.update_shipment(&shipment.id, &body).await {
            Ok(_) => Ok(applied(&shipment.id, amendment.baseline, true)),
            Err(CallError::Refused(refusal)) if refusal.is_of_status() => {
                Err(not_amendable("ShipStation no longer allows the change; make it by hand there"))
            }
            Err(CallError::Refused(refusal)) => Err(refusal.failure(&people(call.document))),
            Err(CallError::Failed(failure)) => Err(failure),
        }
    }

    async fn cancel(&self, call: &Call<'_>) -> Result<Applied, Failure> {
        let Some(shipment) = self.current(call).await? else {
            return Ok(Applied::default());
        };
        if shipment.status == "cancelled" {
            return Ok(Applied::unchanged(ORDER, shipment.id));
        }
        refuse_if_past(&shipment, "stop the parcel, void its label in ShipStation, then retry")?;
        match self.client.cancel_shipment(&shipment.id).await {
            Ok(()) if Baseline::from_known(call.known).holds_items_of(&shipment) => {
                Ok(Applied::wrote(ORDER, shipment.id))
            }
            Ok(()) => Err(not_amendable(
                "the shipment is cancelled, but its items were changed in ShipStation: if it was split, cancel the \
                 other parts there, then retry",
            )),
            Err(CallError::Refused(refusal)) if refusal.is_of_status() => {
                Err(not_amendable("ShipStation no longer allows it: void the shipment's labels there, then retry"))
            }
            Err(error) => Err(error.into_failure()),
        }
    }

    /// The shipment as it is, by its id if that is known.
    async fn current(&self, call: &Call<'_>) -> Result<Option<Shipment>, Failure> {
        match call.known.get(ORDER) {
            Some(id) => self.client.shipment(id).await,
            None => self.client.shipment_by_external_id(call.object_key.as_str()).await,
        }
    }
}

/// The mapped fields that a step leaves as they are: those that are kept, once the shipment is there. The details of a
/// new one belong to its creation.
fn left_out<'a>(call: &Call<'a>) -> &'a BTreeSet<String> {
    const NONE: &BTreeSet<String> = &BTreeSet::new();
    let creates = *call.step == SHIPMENT || *call.step == DETAILS && !call.known.contains_key(WAS_THERE);
    if creates { NONE } else { &call.document.policy.keep }
}

/// Shipments on their way into the account, by their place among the calls.
struct Creation {
    wanted: Vec<Option<Wanted>>,
    outcomes: Vec<Option<Result<Applied, Failure>>>,
    /// What is sent together.
    groups: Vec<Vec<usize>>,
}

impl Creation {
    fn new(wanted: Vec<Result<Wanted, Failure>>) -> Self {
        let (mut kept, mut outcomes, mut first) = (Vec::new(), Vec::new(), Vec::new());
        for (at, wanted) in wanted.into_iter().enumerate() {
            match wanted {
                Ok(wanted) => {
                    first.push(at);
                    kept.push(Some(wanted));
                    outcomes.push(None);
                }
                Err(failure) => {
                    kept.push(None);
                    outcomes.push(Some(Err(failure)));
                }
            }
        }
        let groups = if first.is_empty() { Vec::new() } else { vec![first] };
        Self { wanted: kept, outcomes, groups }
    }

    fn shipment(&self, at: usize) -> Option<&NewShipment> {
        self.wanted[at].as_ref().map(|wanted| &wanted.shipment)
    }

    fn applied(&self, at: usize, id: &str) -> Applied {
        let baseline = self.wanted[at].as_ref().map(Baseline::of_wanted).unwrap_or_default();
        applied(id, baseline, true)
    }
}

fn applied(id: &str, baseline: Baseline, wrote: bool) -> Applied {
    let mut applied = Applied { wrote, ..Applied::wrote(ORDER, id) };
    baseline.into_known(&mut applied.known);
    applied
}

fn ambiguous(message: &str) -> Failure {
    Failure::Ambiguous { message: message.to_owned() }
}

fn not_amendable(message: &str) -> Failure {
    Failure::rejected("not_amendable", "", message)
}

/// A shipment can be changed while it waits for a label. ShipStation's own pages put it on hold or let it wait for its
/// payment; both still wait (docs.shipstation.com/split-merge-shipments).
fn refuse_if_past(shipment: &Shipment, then: &str) -> Result<(), Failure> {
    let past = match shipment.status.as_str() {
        "pending" | "on_hold" | "awaiting_payment" => return Ok(()),
        "label_purchased" => "it has a label",
        "processing" => "its label is being made",
        "cancelled" => "it was cancelled in ShipStation",
        _ => "of its status there",
    };
    Err(not_amendable(&format!("the shipment cannot be changed because {past}; {then}")))
}

/// The texts of the buyer that a refusal might repeat.
fn people(order: &OrderDocument) -> Vec<&str> {
    let address = order.shipping_address.iter().flat_map(|address| {
        [
            &address.first_name,
            &address.last_name,
            &address.company,
            &address.address1,
            &address.address2,
            &address.city,
            &address.zip,
            &address.phone,
        ]
    });
    let buyer =
        order.customer.iter().flat_map(|buyer| [&buyer.first_name, &buyer.last_name, &buyer.email, &buyer.phone]);
    exposed(address.chain(buyer))
}
