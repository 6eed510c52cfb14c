//! Deciding is pure: plan, snapshot and facts in, decision out.

mod audit;
mod decision;
mod facts;
mod fields;
mod merge;
mod order;
mod overrides;
mod people;
mod refund;
mod things;

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _};
use waybill_domain::{Body, Snapshot};

use crate::{
    expression::{Expression, ExpressionError},
    plan::{Flow, OnEdit, OnLeave, Plan},
    view,
};

pub use audit::{Differing, Held, Stands, differing, held, owner_of_kind};
pub use decision::{Decision, Document, WaitFor, Write};
pub use facts::{
    CustomerTotals, DeliveryFacts, Facts, ORDER_IGNORED, OrderFact, ReceiptFact, ReceiptState, StoreVariant, target_key,
};
use fields::fields;
pub use merge::Remote;
pub(crate) use merge::owned_by_target;
use overrides::Edits;
pub use overrides::{Override, Overrides, Planned};

/// Why a document cannot be made.
#[derive(Clone)]
struct Unfit {
    code: &'static str,
    field: String,
    message: String,
}

impl Unfit {
    fn new(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, field: field.into(), message: message.into() }
    }

    fn expression(field: impl Into<String>, error: &ExpressionError) -> Self {
        let code = match error {
            ExpressionError::Unmapped { .. } => "unmapped",
            ExpressionError::Failed { .. } => "map_error",
        };
        Self::new(code, field, error.to_string())
    }
}

impl From<Unfit> for Decision {
    fn from(unfit: Unfit) -> Self {
        Self::Park { code: unfit.code, field: unfit.field, message: unfit.message }
    }
}

/// Decides what becomes of a snapshot for the flow's system. The same input always gives the same decision.
pub fn decide(
    plan: &Plan,
    flow: &Flow,
    desired: &Snapshot,
    delivery: &DeliveryFacts,
    facts: &Facts,
    remote: &Remote,
) -> Decision {
    // What was decided stands as the error of each question that settles the matter.
    deciding(plan, flow, desired, delivery, facts, remote).unwrap_or_else(|decision| decision)
}

fn deciding(
    plan: &Plan,
    flow: &Flow,
    desired: &Snapshot,
    delivery: &DeliveryFacts,
    facts: &Facts,
    remote: &Remote,
) -> Result<Decision, Decision> {
    let Some(body) = &desired.body else {
        // Systems keep what was booked; erasing a person is a request of its own.
        return Err(Decision::Ignore { rule: "deleted".to_owned() });
    };
    let view = view::of(plan, desired, facts.totals.as_ref());
    let leaves = if delivery.applied_once || delivery.begun {
        leaves(flow, &view)?
    } else {
        first_write(flow, body, delivery, facts, &view)?;
        None
    };
    let edits = Edits::new(&delivery.overrides);
    let mut document = document(plan, flow, desired, body, facts, &view, &edits)?;
    if leaves == Some(OnLeave::Cancel)
        && let Document::Order(order) = &mut document
    {
        order.cancelled = true;
    }
    let hash = merge::without_foreign(plan, flow, &document).hash();
    let is_same = delivery.applied_hash.as_deref() == Some(hash.as_str()) && !delivery.unsure;
    if is_same && !delivery.again && !things::was_changed_there(&document, facts) {
        return Err(Decision::Nothing);
    }
    // What the system lost is no change: it was let through once, and the rules about changes are not asked again.
    let is_lost = is_same && delivery.again;
    if delivery.applied_once {
        past(flow, &view)?;
    }
    if delivery.applied_once && !is_lost {
        edit(flow, &document)?;
        if leaves == Some(OnLeave::Park) {
            let message = format!("the condition of flow '{}' no longer holds", flow.name);
            return Err(Unfit::new("left", "when", message).into());
        }
    }
    // What cannot be written is told before what has to wait: the mending can begin at once.
    let is_cancelled = matches!(&document, Document::Order(order) if order.cancelled);
    if facts.paused {
        let reason = format!("flow '{}' is paused", flow.name);
        return Err(Decision::Wait { on: WaitFor::Resume, reason, until: None });
    }
    // Whether the others accepted what may be there is not known either, and it has to be stopped.
    if !(is_lost || is_cancelled && delivery.unsure) {
        wait(flow, desired, delivery, facts, &view)?;
    }
    let sent = merge::sent(flow, &document);
    match merge::merge(plan, flow, &mut document, &delivery.sent, remote) {
        merge::Merged::Fit => {}
        merge::Merged::ReadFirst(fields) => {
            return Err(Decision::ReadFirst { document: Box::new(document), fields });
        }
        merge::Merged::Conflict { field } => {
            // The three values may name a person: they stay out of messages.
            let message = format!("the store and {} both changed '{field}'", flow.to);
            return Err(Unfit::new("conflict", field, message).into());
        }
    }
    let write = Box::new(Write { document, hash, sent });
    let is_shadow = plan.systems.get(&flow.to).is_some_and(|system| system.shadow);
    Ok(if is_shadow { Decision::Shadow(write) } else { Decision::Write(write) })
}

/// A condition of the plan; one that cannot be computed is for a person.
fn holds(expression: &Expression, name: &str, view: &minijinja::Value) -> Result<bool, Decision> {
    expression.holds(view).map_err(|error| Unfit::expression(name, &error).into())
}

/// What keeps a record away that the system never got.
fn first_write(
    flow: &Flow,
    body: &Body,
    delivery: &DeliveryFacts,
    facts: &Facts,
    view: &minijinja::Value,
) -> Result<(), Decision> {
    let is_cancelled = matches!(body, Body::Order(order) if order.cancelled_at.is_some());
    // One that is to be there again, or may be, is told.
    if is_cancelled && !delivery.unsure && !delivery.again {
        return Err(Decision::Ignore { rule: "cancelled-before-applied".to_owned() });
    }
    if let (Some(since), Some(began)) = (flow.since.or(facts.active_since), began_at(body))
        && began < since
    {
        return Err(Decision::Ignore { rule: format!("since:{}", flow.name) });
    }
    match &flow.when {
        // It may have met the condition, and be there, before it was cancelled.
        Some(_) if is_cancelled => Ok(()),
        Some(when) if !holds(when, "when", view)? => Err(Decision::Ignore { rule: format!("when:{}", flow.name) }),
        _ => Ok(()),
    }
}

/// When the record came to be, as its source says.
pub fn began_at(body: &Body) -> Option<Timestamp> {
    match body {
        Body::Order(order) => Some(order.created_at),
        Body::Customer(customer) => customer.created_at,
        Body::Refund(refund) => Some(refund.created_at),
        // A label names the day only, as its midnight: it is before an instant when all of the day is.
        Body::Shipment(shipment) => shipment.shipped_at.and_then(|day| day.checked_add(24.hours()).ok()),
        // Levels and prices are states, not events.
        Body::StockLevel(_)
        | Body::Price(_)
        | Body::InventoryLevel(_)
        | Body::Product(_)
        | Body::Fulfilment(_)
        | Body::Incident(_) => None,
    }
}

/// What the plan wants of a record that was handed over, if it no longer meets the condition.
fn leaves(flow: &Flow, view: &minijinja::Value) -> Result<Option<OnLeave>, Decision> {
    match &flow.when {
        Some(when) if flow.on_leave != OnLeave::Update => Ok((!holds(when, "when", view)?).then_some(flow.on_leave)),
        _ => Ok(None),
    }
}

/// Once the point of no return is past, nothing is written any more.
fn past(flow: &Flow, view: &minijinja::Value) -> Result<(), Decision> {
    match &flow.point_of_no_return {
        Some(point) if holds(point, "point_of_no_return", view)? => {
            let message = format!("{} holds; the change is not written", point.source());
            Err(Unfit::new("point_of_no_return", "", message).into())
        }
        _ => Ok(()),
    }
}

/// What the plan wants of a change after the record was handed over. A cancellation is told in any case, unless the
/// point of no return is past.
fn edit(flow: &Flow, document: &Document) -> Result<(), Decision> {
    let is_cancelled = matches!(document, Document::Order(order) if order.cancelled);
    match flow.on_edit {
        OnEdit::Park if !is_cancelled => {
            let message = format!("flow '{}' asks a person to look at changes after the hand-over", flow.name);
            Err(Unfit::new("edited", "", message).into())
        }
        OnEdit::Ignore if !is_cancelled => Err(Decision::Ignore { rule: format!("on_edit:{}", flow.name) }),
        OnEdit::Update | OnEdit::Amend | OnEdit::Park | OnEdit::Ignore => Ok(()),
    }
}

/// What has to come first: another system, a person, a time.
fn wait(
    flow: &Flow,
    desired: &Snapshot,
    delivery: &DeliveryFacts,
    facts: &Facts,
    view: &minijinja::Value,
) -> Result<(), Decision> {
    let until = |on, reason, until| Err(Decision::Wait { on, reason, until });
    for system in &flow.after {
        let receipt = facts.receipts.get(system);
        let accepted = receipt.is_some_and(|receipt| receipt.accepts(flow.after_same_revision, desired.revision));
        if !accepted {
            let parked = receipt.is_some_and(|receipt| receipt.state == ReceiptState::Parked);
            let parked = if parked { ", and it is parked there" } else { "" };
            return until(WaitFor::After, format!("{system} has to accept it first{parked}"), None);
        }
    }
    if let Some(approval) = &flow.approval
        && !delivery.applied_once
        && !facts.approved
        && holds(approval, "approval", view)?
    {
        let reason = format!("a person has to approve it: {}", approval.source());
        return until(WaitFor::Approval, reason, None);
    }
    let due = flow.timing.due(delivery.first_unapplied_at.unwrap_or(facts.now));
    if due > facts.now {
        return until(WaitFor::Time, format!("flow '{}' writes at {due}", flow.name), Some(due));
    }
    Ok(())
}

fn document(
    plan: &Plan,
    flow: &Flow,
    desired: &Snapshot,
    body: &Body,
    facts: &Facts,
    view: &minijinja::Value,
    edits: &Edits<'_>,
) -> Result<Document, Decision> {
    Ok(match body {
        Body::Order(order) => {
            Document::Order(Box::new(order::document(plan, flow, desired, order, facts, view, edits)?))
        }
        Body::Customer(customer) => {
            Document::Customer(Box::new(people::document(plan, flow, desired, customer, view, edits)?))
        }
        Body::Shipment(shipment) => {
            Document::Shipment(Box::new(things::shipment(flow, desired, shipment, view, edits)?))
        }
        Body::Refund(refund) => {
            let order = facts::order_of(refund, flow, facts)?;
            Document::Refund(Box::new(refund::document(flow, desired, refund, order, view, edits)?))
        }
        Body::StockLevel(level) => {
            let channel = plan.channel(&desired.key.store);
            if plan.stock.as_ref().is_some_and(|stock| !stock.sells_to(&level.location, channel)) {
                return Err(Decision::Ignore { rule: "stock.sells".to_owned() });
            }
            Document::Stock(things::stock(plan, flow, desired, level, facts)?)
        }
        Body::Price(price) => Document::Price(things::price(flow, desired, price, facts, view, edits)?),
        Body::Incident(incident) => Document::Incident(incident.as_ref().clone()),
        Body::Product(_) | Body::InventoryLevel(_) | Body::Fulfilment(_) => {
            return Err(Decision::Ignore { rule: "no-sink".to_owned() });
        }
    })
}

/// Every value of a record that a person may give in place of the plan's, with what the plan by itself comes to.
pub fn editable(
    plan: &Plan,
    flow: &Flow,
    desired: &Snapshot,
    facts: &Facts,
    given: &Overrides,
) -> BTreeMap<String, Planned> {
    let Some(body) = &desired.body else { return BTreeMap::new() };
    let view = view::of(plan, desired, facts.totals.as_ref());
    let edits = Edits::watched(given);
    // What is wrong beside the values that were seen is told by deciding.
    let _ = document(plan, flow, desired, body, facts, &view, &edits);
    edits.into_seen()
}
