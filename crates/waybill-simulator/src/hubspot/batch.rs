//! The batch calls on records.
//!
//! Whether one bad input spoils a batch: with an `objectWriteTraceId` on every input the answer is 207 with the bad
//! inputs in `errors` (error-handling guide, "Multi-status errors", for create; seen for upsert and update too); without,
//! 400 and nothing is written. Upserts of contacts by e-mail are all or nothing either way: "Partial upserts are not
//! supported when using `email` as the `idProperty` for contacts" (contacts guide). Results come in another order than
//! the inputs (seen), which is simulated by turning them round.

use std::collections::{BTreeMap, HashSet};

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    account::{Account, Way, Written, comparable},
    answers::Refusal,
    associations, body,
    hub::Hub,
    record::{Kind, iso},
};
use crate::kit::now_ms;

/// A status with a body, or without one for 204.
pub(super) type Answer = (StatusCode, Option<Value>);

/// Most inputs of one call (objects guide, "Limits").
const MOST_INPUTS: usize = 100;
/// Most inputs of one read with property histories (seen).
const MOST_WITH_HISTORY: usize = 50;

/// One input of a write.
struct Input {
    id: String,
    id_property: Option<String>,
    trace: Option<String>,
    properties: BTreeMap<String, String>,
    associations: Vec<(Kind, String)>,
}

/// Refuses more inputs than a call takes, with the words that people quote.
pub(super) fn at_most(most: usize, inputs: usize) -> Result<(), Refusal> {
    if inputs <= most {
        return Ok(());
    }
    Err(Refusal::validation(format!(
        "The maximum number of inputs supported in a batch is {most}. Please reduce the number of items and try again"
    )))
}

/// The answer of a batch: 207 if there are errors.
pub(super) fn answer(status: StatusCode, results: Vec<Value>, errors: Vec<Value>) -> Answer {
    let now = iso(now_ms());
    let mut answer = json!({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now});
    if errors.is_empty() {
        return (status, Some(answer));
    }
    answer["numErrors"] = errors.len().into();
    answer["errors"] = errors.into();
    (StatusCode::MULTI_STATUS, Some(answer))
}

fn inputs(value: &Value, kind: Kind, required: &[&str]) -> Result<Vec<Input>, Refusal> {
    let listed = body::list(body::object(value, &["inputs"])?, "inputs")?;
    let inputs: Vec<Input> = listed
        .iter()
        .map(|value| {
            let object = body::object(value, required)?;
            Ok(Input {
                id: body::text(object, "id")?.unwrap_or_default(),
                id_property: body::text(object, "idProperty")?,
                trace: body::text(object, "objectWriteTraceId")?,
                properties: body::text_map(object, "properties")?,
                associations: associations::requested(kind, body::list(object, "associations")?)?,
            })
        })
        .collect::<Result<_, Refusal>>()?;
    at_most(MOST_INPUTS, inputs.len())?;
    Ok(inputs)
}

/// The same id twice spoils the whole batch, trace ids or not (seen).
fn no_duplicates<'a>(ids: impl Iterator<Item = (Option<&'a str>, &'a str)>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    let twice: Vec<String> = ids
        .filter(|(property, id)| !seen.insert((*property, comparable(property.unwrap_or_default(), id))))
        .map(|(_, id)| id.to_owned())
        .collect();
    if twice.is_empty() {
        return Ok(());
    }
    let message = format!("Duplicate IDs found in batch input: [{}]. IDs must be unique", twice.join(", "));
    Err(Refusal::validation(message).with_context("ids", twice))
}

/// Writes the inputs one after another; without `partial` all or none.
fn write(
    hub: &Hub,
    kind: Kind,
    status: StatusCode,
    inputs: &[Input],
    partial: bool,
    one: impl Fn(&mut Account, &Input) -> Result<Option<Written>, Refusal>,
    shows_new: bool,
) -> Result<Answer, Refusal> {
    let mut account = hub.account();
    if !partial {
        let wrong: Vec<_> = inputs.iter().flat_map(|input| account.wrong_values(kind, &input.properties)).collect();
        if !wrong.is_empty() {
            return Err(Refusal::values(&wrong));
        }
    }
    let (mut done, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        match one(&mut account, input) {
            Ok(Some(written)) => done.push(written),
            Ok(None) => {}
            Err(refusal) if partial || refusal.is_missing_record() => {
                errors.push(refusal.entry(input.trace.as_deref()))
            }
            Err(refusal) => {
                while let Some(written) = done.pop() {
                    account.undo(kind, written);
                }
                return Err(refusal);
            }
        }
    }
    let mut results: Vec<Value> = done
        .iter()
        .map(|written| {
            hub.note(&account, kind, written);
            let mut shown = hub.show_written(&account, kind, written);
            if shows_new {
                shown["new"] = written.is_new().into();
            }
            shown
        })
        .collect();
    results.reverse();
    Ok(answer(status, results, errors))
}

fn all_traced(inputs: &[Input]) -> bool {
    inputs.iter().all(|input| input.trace.is_some())
}

/// `POST …/batch/create`
pub(super) fn create(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let inputs = inputs(value, kind, &["associations", "properties"])?;
    let one = |account: &mut Account, input: &Input| {
        let written = account.write(kind, Way::Create, None, &input.properties, now_ms())?;
        if let Err(refusal) = associate(account, kind, written.id, &input.associations) {
            account.undo(kind, written);
            return Err(refusal);
        }
        Ok(Some(written))
    };
    write(hub, kind, StatusCode::CREATED, &inputs, all_traced(&inputs), one, false)
}

/// Associates a new record with those that its request names.
pub(super) fn associate(account: &mut Account, kind: Kind, id: u64, wanted: &[(Kind, String)]) -> Result<(), Refusal> {
    let mut found = Vec::new();
    for (to, to_id) in wanted {
        let to_id = account
            .find(*to, None, to_id)?
            .ok_or_else(|| Refusal::validation(format!("No {} with ID {to_id} exists", to.singular())))?;
        found.push((*to, to_id));
    }
    for (to, to_id) in found {
        account.associations.add(kind, id, to, to_id);
    }
    Ok(())
}

/// `POST …/batch/update`
pub(super) fn update(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let inputs = inputs(value, kind, &["id", "properties"])?;
    no_duplicates(inputs.iter().map(|input| (input.id_property.as_deref(), input.id.as_str())))?;
    let one = |account: &mut Account, input: &Input| {
        let Some(id) = account.find(kind, input.id_property.as_deref(), &input.id)? else {
            // A record that was merged into another is left out of the results without an error (seen).
            let merged = input.id.parse().ok().and_then(|id: u64| account.table(kind).records.get(&id));
            if merged.is_some_and(|record| record.merged_into.is_some()) {
                return Ok(None);
            }
            return Err(Refusal::not_found_in_batch(kind.legacy_name(), std::slice::from_ref(&input.id)));
        };
        account.write(kind, Way::Update, Some(id), &input.properties, now_ms()).map(Some)
    };
    write(hub, kind, StatusCode::OK, &inputs, all_traced(&inputs), one, false)
}

/// `POST …/batch/upsert`
pub(super) fn upsert(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let inputs = inputs(value, kind, &["id", "properties"])?;
    no_duplicates(inputs.iter().map(|input| (input.id_property.as_deref(), input.id.as_str())))?;
    {
        // A property that cannot identify spoils the batch, whatever else is in it.
        let account = hub.account();
        for input in &inputs {
            account.find(kind, input.id_property.as_deref(), &input.id)?;
        }
    }
    let by_email = inputs.iter().any(|input| input.id_property.as_deref() == Some("email"));
    let partial = all_traced(&inputs) && (!by_email || hub.settings.partial_by_email);
    // The property that identifies is set like the others.
    let identified: Vec<Input> = inputs
        .into_iter()
        .map(|mut input| {
            if let Some(name) = input.id_property.clone().filter(|name| name != "hs_object_id") {
                input.properties.entry(name).or_insert_with(|| input.id.clone());
            }
            input
        })
        .collect();
    let one = |account: &mut Account, input: &Input| {
        let target = account.find(kind, input.id_property.as_deref(), &input.id)?;
        if target.is_none() && input.id_property.as_deref().is_none_or(|name| name == "hs_object_id") {
            return Err(Refusal::not_found_in_batch(kind.legacy_name(), std::slice::from_ref(&input.id)));
        }
        let way = if target.is_some() { Way::Update } else { Way::Upsert };
        account.write(kind, way, target, &input.properties, now_ms()).map(Some)
    };
    write(hub, kind, StatusCode::OK, &identified, partial, one, true)
}

/// `POST …/batch/read`
pub(super) fn read(hub: &Hub, kind: Kind, value: &Value, archived: bool) -> Result<Answer, Refusal> {
    let object = body::object(value, &["inputs", "properties", "propertiesWithHistory"])?;
    let ids: Vec<String> = body::list(object, "inputs")?
        .iter()
        .map(|input| body::required_text(body::object(input, &["id"])?, "id"))
        .collect::<Result<_, _>>()?;
    let id_property = body::text(object, "idProperty")?;
    let properties = body::texts(object, "properties")?;
    let with_history = body::texts(object, "propertiesWithHistory")?;
    at_most(MOST_INPUTS, ids.len())?;
    if !with_history.is_empty() && ids.len() > MOST_WITH_HISTORY {
        return Err(Refusal::validation(format!(
            "The maximum number of inputs supported in a batch request for property histories is {MOST_WITH_HISTORY}"
        )));
    }
    no_duplicates(ids.iter().map(|id| (id_property.as_deref(), id.as_str())))?;
    let account = hub.account();
    let (mut results, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        let found = if archived {
            let id = id.parse().ok();
            id.and_then(|id| account.table(kind).records.get(&id)).filter(|record| record.archived_ms.is_some())
        } else {
            account.find(kind, id_property.as_deref(), &id)?.and_then(|id| account.record(kind, id))
        };
        match found {
            Some(record) => results.push(hub.show(&account, kind, record, &properties, &with_history)),
            None => missing.push(id),
        }
    }
    results.reverse();
    let mut errors = Vec::new();
    if !missing.is_empty() {
        errors.push(Refusal::not_found_in_batch(kind.legacy_name(), &missing).entry(None));
    }
    Ok(answer(StatusCode::OK, results, errors))
}

/// `POST …/batch/archive`: 204 whether the records are there or not.
pub(super) fn archive(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let inputs = body::list(body::object(value, &["inputs"])?, "inputs")?;
    let ids: Vec<String> = inputs
        .iter()
        .map(|input| body::required_text(body::object(input, &["id"])?, "id"))
        .collect::<Result<_, _>>()?;
    at_most(MOST_INPUTS, ids.len())?;
    for id in ids {
        hub.archive(kind, &id);
    }
    Ok((StatusCode::NO_CONTENT, None))
}
