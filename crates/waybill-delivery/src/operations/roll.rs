//! Settled deliveries of a flow decided anew, under the plan as it is now.

use tonic::Status;
use waybill_domain::{
    Snapshot,
    document::{Fields, WritePolicy},
};
use waybill_plan::{Decision, DeliveryFacts, Document, Flow, Plan, Remote};
use waybill_proto::wire::{FieldChange, RollRequest, RollResponse, RolledDelivery, State};

use super::{delivery, unavailable};
use crate::{
    deciding,
    engine::Engine,
    store::roll::{self, Settled},
};

const PAGE: i32 = 200;
const MOST: i32 = 500;

/// What would become of a settled delivery.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// What it is.
    Unchanged,
    /// Another.
    Changed(Change),
}

/// How a delivery would end, or what it would wait for.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) would_be: State,
    pub(super) code: String,
    pub(super) message: String,
    fields: Vec<FieldChange>,
    /// Whether fields are read at the system before it is written.
    reads_first: bool,
}

/// Looks at a page, and has what would change decided and written anew if that is asked for.
pub(super) async fn page(engine: &Engine, request: RollRequest) -> Result<RollResponse, Status> {
    let plan = engine.plan();
    let flow = plan.flows.iter().find(|flow| flow.name == request.flow);
    let flow = flow.ok_or_else(|| Status::not_found(format!("the plan has no flow '{}'", request.flow)))?;
    if !request.plan_hash.is_empty() && request.plan_hash != plan.hash {
        let message = format!("{} obeys the plan {}, not {}", engine.service(), plan.hash, request.plan_hash);
        return Err(Status::failed_precondition(message));
    }
    if !engine.is_ours(&plan, &flow.to, flow.kind) {
        return Ok(RollResponse::default());
    }
    if request.change && request.actor.is_empty() {
        return Err(Status::invalid_argument("say who rolls: give 'actor'"));
    }
    let after: i64 = match request.after.as_str() {
        "" => 0,
        text => text.parse().map_err(|_| Status::invalid_argument("'after' is no cursor: send one that was given"))?,
    };
    let mut answer = RollResponse { ours: true, plan_hash: plan.hash.clone(), ..RollResponse::default() };
    let limit = if request.limit <= 0 { PAGE } else { request.limit.min(MOST) };
    let looked_at = look(engine, &plan, flow, after, i64::from(limit), &request, &mut answer).await?;
    if request.change && !looked_at.is_empty() {
        let again = roll::again(engine.pool(), &looked_at, &request.actor, &request.reason).await;
        answer.changed = again.map_err(unavailable)?.try_into().unwrap_or(i64::MAX);
        engine.wake_workers();
    }
    Ok(answer)
}

/// Decides the page without effect, and adds it up. Gives the id and wake of what would change.
async fn look(
    engine: &Engine,
    plan: &Plan,
    flow: &Flow,
    after: i64,
    limit: i64,
    request: &RollRequest,
    answer: &mut RollResponse,
) -> Result<Vec<(i64, i64)>, Status> {
    let stores: Vec<String> = flow.stores.iter().map(ToString::to_string).collect();
    let page = roll::page(engine.pool(), flow.to.as_str(), flow.kind.as_str(), &stores, after, limit)
        .await
        .map_err(unavailable)?;
    answer.more = page.len() as i64 == limit;
    answer.cursor = page.last().map_or_else(|| request.after.clone(), |last| last.claim.id.to_string());
    let (claims, ends): (Vec<_>, Vec<_>) =
        page.into_iter().map(|Settled { claim, state, code }| (claim, (state, code))).unzip();
    let known = engine.gather(plan, &flow.to, claims).await.map_err(unavailable)?;
    let most = usize::try_from(request.most).ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
    let examples = usize::try_from(request.examples).unwrap_or(0);
    let (mut looked_at, mut told) = (Vec::new(), Vec::new());
    for ((claim, snapshot, known), (state, code)) in known.into_iter().zip(ends) {
        let outcome = match (snapshot, known) {
            (Some(snapshot), Some(known)) => {
                // A store's records may be another flow's, which comes first in the plan.
                let first = plan.flow(&snapshot.key.store, snapshot.key.kind, &flow.to);
                if first.is_none_or(|first| first.name != flow.name) {
                    continue;
                }
                outcome(plan, flow, &snapshot, &known, (&state, &code))
            }
            // It is parked for that already.
            _ => Outcome::Unchanged,
        };
        let Outcome::Changed(change) = outcome else {
            answer.unchanged += 1;
            continue;
        };
        count(&change, answer);
        looked_at.push((claim.id, claim.wake));
        if told.len() < examples {
            told.push((claim.id, change));
        }
        if looked_at.len() == most {
            (answer.cursor, answer.more) = (claim.id.to_string(), true);
            break;
        }
    }
    answer.examples = tell(engine, told).await?;
    Ok(looked_at)
}

fn count(change: &Change, answer: &mut RollResponse) {
    match change.would_be {
        State::Ignored => answer.ignored += 1,
        State::Parked => answer.parked += 1,
        State::Waiting => answer.waiting += 1,
        State::Applied | State::Unspecified | State::Pending | State::Applying | State::Superseded => {
            answer.written += 1;
        }
    }
    answer.read_first += i64::from(change.reads_first);
}

async fn tell(engine: &Engine, told: Vec<(i64, Change)>) -> Result<Vec<RolledDelivery>, Status> {
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = told.iter().map(|(id, _)| *id).collect();
    let rows = roll::rows(engine.pool(), &ids).await.map_err(unavailable)?;
    let told = told.into_iter().filter_map(|(id, change)| {
        let row = rows.iter().find(|row| row.id == id)?;
        Some(RolledDelivery {
            delivery: Some(delivery(engine.service(), row)),
            would_be: change.would_be.into(),
            code: change.code,
            message: change.message,
            fields: change.fields,
        })
    });
    Ok(told.collect())
}

/// What would become of a parked delivery. Pure.
pub(super) fn decided_anew(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    known: &(DeliveryFacts, waybill_plan::Facts),
) -> Change {
    let decision = deciding::decision(plan, Some(flow), snapshot, known, &Remote::NotRead);
    change(decision, &known.0)
}

/// What would become of a delivery that ended in a state with a code. Pure.
fn outcome(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    known: &(DeliveryFacts, waybill_plan::Facts),
    ended: (&str, &str),
) -> Outcome {
    let decision = deciding::decision(plan, Some(flow), snapshot, known, &Remote::NotRead);
    match (&decision, ended) {
        (Decision::Nothing, ("applied", _))
        // Which rule keeps it away is nothing to the system.
        | (Decision::Ignore { .. }, ("ignored", _))
        | (Decision::Shadow(_), ("ignored", "shadow")) => return Outcome::Unchanged,
        (Decision::Park { code, .. }, ("parked", was)) if *code == was => return Outcome::Unchanged,
        _ => {}
    }
    Outcome::Changed(change(decision, &known.0))
}

/// What a decision comes to for a delivery.
fn change(decision: Decision, delivery: &DeliveryFacts) -> Change {
    let change = |would_be, code: &str, message: &str| Change {
        would_be,
        code: code.to_owned(),
        message: message.to_owned(),
        fields: Vec::new(),
        reads_first: false,
    };
    let written = |document: &Document, reads_first| Change {
        fields: changes(document, delivery),
        reads_first,
        ..change(State::Applied, "", "")
    };
    match decision {
        Decision::Nothing => change(State::Applied, "", "the system holds it already"),
        Decision::Write(write) => written(&write.document, false),
        Decision::ReadFirst { document, .. } => written(&document, true),
        Decision::Shadow(write) => Change {
            fields: changes(&write.document, delivery),
            ..change(State::Ignored, "shadow", "in shadow: it would be written")
        },
        Decision::Ignore { rule } => change(State::Ignored, &rule, ""),
        Decision::Wait { on, reason, .. } => change(State::Waiting, on.as_str(), &reason),
        Decision::Park { code, field, message } => {
            let message = if field.is_empty() { message } else { format!("{field}: {message}") };
            change(State::Parked, code, &message)
        }
    }
}

/// The mapped fields that would be sent otherwise than the last time.
fn changes(document: &Document, delivery: &DeliveryFacts) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for (role, fields, policy) in mapped(document) {
        let before = delivery.sent.get(role);
        for (name, value) in fields {
            let was = before.and_then(|before| before.get(name));
            // What the system owns is written at creation only.
            if was == Some(value) || (delivery.applied_once && policy.keep.contains(name)) {
                continue;
            }
            changes.push(FieldChange {
                role: role.to_owned(),
                field: name.clone(),
                was: was.map(|was| was.to_text()),
                would_be: value.to_text(),
            });
        }
    }
    changes
}

/// The mapped fields of a document's objects, by role.
fn mapped(document: &Document) -> Vec<(&'static str, &Fields, &WritePolicy)> {
    match document {
        Document::Order(order) => {
            let customer = order.customer.as_ref().map(|customer| ("customer", &customer.fields, &customer.policy));
            std::iter::once(("order", &order.fields, &order.policy)).chain(customer).collect()
        }
        Document::Customer(customer) => vec![("customer", &customer.fields, &customer.policy)],
        Document::Shipment(shipment) => vec![("shipment", &shipment.fields, &shipment.policy)],
        Document::Refund(refund) => vec![("refund", &refund.fields, &refund.policy)],
        Document::Stock(_) | Document::Price(_) | Document::Incident(_) => Vec::new(),
    }
}
