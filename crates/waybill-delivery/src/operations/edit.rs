//! A person gives values in place of the plan's, and has the delivery tried again.

use rust_decimal::Decimal;
use tonic::Status;
use waybill_domain::{Snapshot, document::FieldValue};
use waybill_plan::{DeliveryFacts, Facts, Flow, Override, Overrides, Plan, Planned, editable};
use waybill_proto::wire::{self, EditRequest, EditResponse, State, edit_response::Change};
use waybill_runtime::database;

use super::{roll, unavailable};
use crate::{
    engine::Engine,
    store::edits::{self, Edit},
};

const MOST: usize = 50;

pub(super) async fn edit(engine: &Engine, request: EditRequest) -> Result<EditResponse, Status> {
    if request.reason.is_empty() || request.actor.is_empty() {
        return Err(Status::invalid_argument("an edit needs who and why: give 'actor' and 'reason'"));
    }
    if request.values.is_empty() || request.values.len() > MOST {
        return Err(Status::invalid_argument(format!("give from 1 to {MOST} 'values'")));
    }
    let key = request.key.as_ref().ok_or_else(|| Status::invalid_argument("'key' is missing: one record is edited"))?;
    let named = format!("{}/{}/{} for {}", key.store, key.kind, key.id, request.system);
    let looked = edits::look(engine.pool(), &request.system, (&key.store, &key.kind, &key.id)).await;
    let looked = looked.map_err(unavailable)?.ok_or_else(|| Status::not_found(format!("there is no {named}")))?;
    if looked.state != "parked" {
        return Err(Status::failed_precondition(format!("{named} is not parked: it is {}", looked.state)));
    }
    let revision = (looked.claim.desired_epoch, looked.claim.desired_number);
    if request.seen.is_some_and(|seen| (seen.epoch, seen.number) != revision) {
        return Err(Status::failed_precondition("the record has changed since it was looked at: look again"));
    }
    let plan = engine.plan();
    let system = request.system.parse().map_err(|error| Status::invalid_argument(format!("{error}")))?;
    let gathered = engine.gather(&plan, &system, vec![looked.claim]).await.map_err(unavailable)?;
    let Some((claim, Some(snapshot), Some(mut known))) = gathered.into_iter().next() else {
        return Err(Status::failed_precondition(format!("the stored snapshot of {named} cannot be read")));
    };
    if claim.lacks_other {
        return Err(Status::unavailable("another record that it hangs on is fetched from its source; try again"));
    }
    let flow = plan.flow(&snapshot.key.store, snapshot.key.kind, &system);
    let flow = flow.ok_or_else(|| Status::failed_precondition(format!("the plan has no flow that brings {named}")))?;
    let edits = read(&plan, flow, &snapshot, &known, &request.values)?;
    known.0.overrides.extend(edits.iter().map(given));
    let decided = roll::decided_anew(&plan, flow, &snapshot, &known);
    if decided.would_be == State::Parked && !request.dry_run {
        let message = format!("it would still be parked ({}): {}; nothing was changed", decided.code, decided.message);
        return Err(Status::failed_precondition(message));
    }
    if !request.dry_run {
        let mut transaction = database::begin(engine.pool()).await.map_err(unavailable)?;
        let kept = edits::keep(&mut transaction, &claim, &edits, &request.actor, &request.reason).await;
        if !kept.map_err(unavailable)? {
            return Err(Status::failed_precondition("something happened to it meanwhile: look again"));
        }
        transaction.commit().await.map_err(unavailable)?;
        engine.wake_workers();
    }
    Ok(EditResponse {
        changes: edits.into_iter().map(change).collect(),
        would_be: decided.would_be.into(),
        code: decided.code,
        message: decided.message,
        revision: Some(wire::Revision { epoch: revision.0, number: revision.1 }),
    })
}

fn given(edit: &Edit) -> (String, Override) {
    (edit.path.clone(), Override { value: edit.value.clone(), instead_of: Some(edit.instead_of.clone()) })
}

fn change(edit: Edit) -> Change {
    let (was, was_error) = match edit.was {
        Ok(was) => (was, String::new()),
        Err(error) => (String::new(), error),
    };
    Change { path: edit.path, was, was_error, would_be: edit.value.to_text() }
}

/// What is given, each in place of what the plan comes to now.
fn read(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    (delivery, facts): &(DeliveryFacts, Facts),
    values: &[wire::edit_request::Value],
) -> Result<Vec<Edit>, Status> {
    let kinds: Vec<Option<Scalar>> = values.iter().map(|value| Scalar::named(&value.path).1).collect();
    let mut asked: Vec<(String, &str)> =
        values.iter().map(|value| (Scalar::named(&value.path).0.to_owned(), value.value.as_str())).collect();
    let planned = seen(plan, flow, snapshot, facts, &delivery.overrides, &asked);
    for (path, _) in &mut asked {
        *path = meant(path, &planned)?;
    }
    // What the plan comes to may hang on the others.
    let planned = seen(plan, flow, snapshot, facts, &delivery.overrides, &asked);
    let mut edits: Vec<Edit> = Vec::with_capacity(asked.len());
    for ((path, text), kind) in asked.into_iter().zip(kinds) {
        if edits.iter().any(|edit| edit.path == path) {
            return Err(Status::invalid_argument(format!("'{path}' is given twice")));
        }
        let Some(planned) = planned.get(&path) else { return Err(unknown(&path, &planned)) };
        let value = value(&path, text, kind.unwrap_or_else(|| Scalar::of(planned)))?;
        let was = planned.value.clone().map(|was| was.map(|was| was.to_text()).unwrap_or_default());
        edits.push(Edit { path, value, instead_of: planned.mark.clone(), was });
    }
    Ok(edits)
}

type AllPlanned = std::collections::BTreeMap<String, Planned>;

fn seen(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    facts: &Facts,
    overrides: &Overrides,
    asked: &[(String, &str)],
) -> AllPlanned {
    let mut given = overrides.clone();
    given.extend(asked.iter().map(|(path, text)| {
        let value = FieldValue::Text((*text).into());
        (path.clone(), Override { value, instead_of: None })
    }));
    editable(plan, flow, snapshot, facts, &given)
}

/// The full name of a value: `email` is `customer.email` where there is no other.
fn meant(path: &str, planned: &AllPlanned) -> Result<String, Status> {
    if planned.contains_key(path) {
        return Ok(path.to_owned());
    }
    let behind = format!(".{path}");
    let mut longer = planned.keys().filter(|known| known.ends_with(&behind));
    match (longer.next(), longer.next()) {
        (Some(only), None) => Ok(only.clone()),
        _ => Err(unknown(path, planned)),
    }
}

fn unknown(path: &str, planned: &AllPlanned) -> Status {
    let known: Vec<&str> = planned.keys().map(String::as_str).collect();
    Status::invalid_argument(format!("there is no one value '{path}' to edit; there are: {}", known.join(", ")))
}

/// What a value is, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalar {
    Text,
    Number,
    Bool,
    Time,
}

impl Scalar {
    const NAMES: [(&str, Self); 4] =
        [(":text", Self::Text), (":number", Self::Number), (":bool", Self::Bool), (":time", Self::Time)];

    /// A place, and what its value is if that is said behind it: `hours:number`.
    fn named(path: &str) -> (&str, Option<Self>) {
        let named = Self::NAMES.into_iter().find_map(|(name, scalar)| Some((path.strip_suffix(name)?, Some(scalar))));
        named.unwrap_or((path, None))
    }

    /// What the plan's own value is; a text where it comes to none.
    const fn of(planned: &Planned) -> Self {
        match &planned.value {
            Ok(Some(FieldValue::Number(_))) => Self::Number,
            Ok(Some(FieldValue::Bool(_))) => Self::Bool,
            Ok(Some(FieldValue::Time(_))) => Self::Time,
            Ok(None | Some(FieldValue::Null | FieldValue::Text(_))) | Err(_) => Self::Text,
        }
    }
}

/// A value as it is written; nothing clears it.
fn value(path: &str, text: &str, scalar: Scalar) -> Result<FieldValue, Status> {
    let wrong = |what: &str| Status::invalid_argument(format!("'{path}' takes {what}"));
    if text.is_empty() {
        return Ok(FieldValue::Null);
    }
    Ok(match scalar {
        Scalar::Number => {
            FieldValue::Number(Decimal::from_str_exact(text).map_err(|_| wrong("a number such as 12.50"))?)
        }
        Scalar::Bool => FieldValue::Bool(text.parse().map_err(|_| wrong("true or false"))?),
        Scalar::Time => FieldValue::Time(text.parse().map_err(|_| wrong("an instant such as 2026-01-31T12:00:00Z"))?),
        Scalar::Text => FieldValue::Text(text.into()),
    })
}
