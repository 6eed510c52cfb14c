//! Associations between records, by the default ("unlabelled") types.
//!
//! Type ids: orders guide ("Contacts: 507", "Companies: 509") and associations guide, "Association type ID values".
//! Paths and answers: HubSpot's OpenAPI document of the associations API, v4, and the two paths of the same kind under
//! `/crm/objects/2026-03`.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    answers::Refusal,
    batch::{self, Answer},
    body,
    hub::Hub,
    record::Kind,
};

const TYPES: &[(Kind, Kind, u32)] = &[
    (Kind::Contacts, Kind::Companies, 279),
    (Kind::Companies, Kind::Contacts, 280),
    (Kind::Orders, Kind::Contacts, 507),
    (Kind::Contacts, Kind::Orders, 508),
    (Kind::Orders, Kind::Companies, 509),
    (Kind::Companies, Kind::Orders, 510),
];
const CATEGORIES: &[&str] = &["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"];
/// Most inputs of one call (associations guide: 2,000 for creating, 1,000 for reading).
const MOST_CREATED: usize = 2_000;
const MOST_READ: usize = 1_000;

/// All associations, each kept in both directions.
#[derive(Debug, Default)]
pub(super) struct Associations(BTreeSet<(Kind, u64, Kind, u64)>);

impl Associations {
    pub(super) fn add(&mut self, from: Kind, from_id: u64, to: Kind, to_id: u64) -> bool {
        let new = self.0.insert((from, from_id, to, to_id));
        self.0.insert((to, to_id, from, from_id));
        new
    }

    fn remove(&mut self, from: Kind, from_id: u64, to: Kind, to_id: u64) -> bool {
        self.0.remove(&(to, to_id, from, from_id));
        self.0.remove(&(from, from_id, to, to_id))
    }

    /// The records of a kind that a record is associated with.
    pub(super) fn of(&self, from: Kind, from_id: u64, to: Kind) -> impl Iterator<Item = u64> {
        self.0.range((from, from_id, to, 0)..=(from, from_id, to, u64::MAX)).map(|&(_, _, _, to_id)| to_id)
    }

    /// All that a record is associated with.
    pub(super) fn of_record(&self, kind: Kind, id: u64) -> Vec<(Kind, u64)> {
        Kind::ALL.into_iter().flat_map(|to| self.of(kind, id, to).map(move |to_id| (to, to_id))).collect()
    }

    /// Removes a record's associations.
    pub(super) fn forget(&mut self, kind: Kind, id: u64) {
        for (to, to_id) in self.of_record(kind, id) {
            self.remove(kind, id, to, to_id);
        }
    }

    /// Pairs, each counted once.
    pub(super) fn count(&self) -> usize {
        self.0.len() / 2
    }
}

fn type_id(from: Kind, to: Kind) -> Result<u32, Refusal> {
    TYPES.iter().find(|(a, b, _)| (*a, *b) == (from, to)).map(|(_, _, id)| *id).ok_or_else(|| {
        Refusal::validation(format!("No default association type between {} and {}", from.type_id(), to.type_id()))
    })
}

fn spec(from: Kind, to: Kind) -> Result<Value, Refusal> {
    Ok(json!({"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id(from, to)?}))
}

/// The `associations` of a record in a read.
pub(super) fn of_object(associations: &Associations, from: Kind, id: u64, to: &[Kind]) -> Map<String, Value> {
    to.iter()
        .filter_map(|&to| {
            let found: Vec<Value> = associations
                .of(from, id, to)
                .map(|to_id| {
                    json!({"id": to_id.to_string(), "type": format!("{}_to_{}", from.singular(), to.singular())})
                })
                .collect();
            (!found.is_empty()).then(|| (to.plural().to_owned(), json!({"results": found})))
        })
        .collect()
}

/// The `associations` of a create request: who is to be associated. Only default types are known.
pub(super) fn requested(from: Kind, values: &[Value]) -> Result<Vec<(Kind, String)>, Refusal> {
    let mut wanted = Vec::new();
    for value in values {
        let object = body::object(value, &["to", "types"])?;
        let id = body::id_of(object, "to")?;
        for to in types(body::list(object, "types")?, from)? {
            wanted.push((to, id.clone()));
        }
    }
    Ok(wanted)
}

/// The kinds that association types lead to.
fn types(values: &[Value], from: Kind) -> Result<Vec<Kind>, Refusal> {
    values
        .iter()
        .map(|value| {
            let object = body::object(value, &["associationCategory", "associationTypeId"])?;
            body::word(object, "associationCategory", CATEGORIES)?;
            let id = body::integer(object, "associationTypeId")?.unwrap_or_default();
            let found = TYPES.iter().find(|(a, _, known)| *a == from && i64::from(*known) == id);
            found.map(|(_, to, _)| *to).ok_or_else(|| {
                Refusal::validation(format!("associationTypeId {id} is not valid for {}", from.type_id()))
            })
        })
        .collect()
}

struct Pair {
    from_id: String,
    to_id: String,
}

fn pairs(value: &Value, required: &[&str], from: Kind, to: Kind) -> Result<Vec<Pair>, Refusal> {
    let inputs = body::list(body::object(value, &["inputs"])?, "inputs")?;
    batch::at_most(MOST_CREATED, inputs.len())?;
    inputs
        .iter()
        .map(|input| {
            let object = body::object(input, required)?;
            let pair = Pair { from_id: body::id_of(object, "from")?, to_id: body::id_of(object, "to")? };
            if required.contains(&"types") && types(body::list(object, "types")?, from)?.iter().any(|kind| *kind != to)
            {
                return Err(Refusal::validation(format!("An association type does not lead to {}", to.type_id())));
            }
            Ok(pair)
        })
        .collect()
}

/// Associates two records; the journal has it even if they were associated before.
fn associate(hub: &Hub, from: Kind, to: Kind, pair: &Pair) -> Result<(u64, u64), Refusal> {
    let mut account = hub.account();
    let id = |kind: Kind, id: &str| -> Result<u64, Refusal> {
        account.find(kind, None, id)?.ok_or_else(|| {
            Refusal::new(
                StatusCode::NOT_FOUND,
                "OBJECT_NOT_FOUND",
                format!("No {} with ID {id} exists", kind.singular()),
            )
            .with_context("type", [kind.singular().to_owned()])
            .with_context("id", [id.to_owned()])
        })
    };
    let (from_id, to_id) = (id(from, &pair.from_id)?, id(to, &pair.to_id)?);
    let changed = account.associations.add(from, from_id, to, to_id);
    let reference = account.reference(from, from_id);
    drop(account);
    hub.journal.write(
        "create",
        "association",
        format!("{}-{from_id}:{}-{to_id}", from.singular(), to.singular()),
        &reference,
        json!({"from": from_id.to_string(), "to": to_id.to_string(), "changed": changed}),
    );
    Ok((from_id, to_id))
}

/// `POST …/batch/associate/default` and `PUT …/associations/default/…`
pub(super) fn associate_default(hub: &Hub, from: Kind, to: Kind, value: &Value) -> Result<Answer, Refusal> {
    let pairs = pairs(value, &["from", "to"], from, to)?;
    associate_pairs(hub, from, to, &pairs)
}

/// `PUT …/objects/{from}/{id}/associations/default/{to}/{id}`
pub(super) fn associate_one_default(hub: &Hub, from: (Kind, &str), to: (Kind, &str)) -> Result<Answer, Refusal> {
    let pair = Pair { from_id: from.1.to_owned(), to_id: to.1.to_owned() };
    associate_pairs(hub, from.0, to.0, &[pair])
}

fn associate_pairs(hub: &Hub, from: Kind, to: Kind, pairs: &[Pair]) -> Result<Answer, Refusal> {
    let (there, back) = (spec(from, to)?, spec(to, from)?);
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for pair in pairs {
        match associate(hub, from, to, pair) {
            Ok((from_id, to_id)) => {
                let (from_id, to_id) = (json!({"id": from_id.to_string()}), json!({"id": to_id.to_string()}));
                results.push(json!({"from": from_id, "to": to_id, "associationSpec": there}));
                results.push(json!({"from": to_id, "to": from_id, "associationSpec": back}));
            }
            Err(refusal) => errors.push(refusal.entry(None)),
        }
    }
    Ok(batch::answer(StatusCode::OK, results, errors))
}

/// `POST …/batch/create`: associations by type.
pub(super) fn create(hub: &Hub, from: Kind, to: Kind, value: &Value) -> Result<Answer, Refusal> {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for pair in pairs(value, &["from", "to", "types"], from, to)? {
        match associate(hub, from, to, &pair) {
            Ok(ids) => results.push(labels(from, to, ids)),
            Err(refusal) => errors.push(refusal.entry(None)),
        }
    }
    Ok(batch::answer(StatusCode::CREATED, results, errors))
}

/// `PUT …/objects/{from}/{id}/associations/{to}/{id}`: associations by type.
pub(super) fn create_one(hub: &Hub, from: (Kind, &str), to: (Kind, &str), value: &Value) -> Result<Answer, Refusal> {
    let Value::Array(values) = value else {
        return Err(Refusal::body("Cannot deserialize an array"));
    };
    if types(values, from.0)?.iter().any(|kind| *kind != to.0) {
        return Err(Refusal::validation(format!("An association type does not lead to {}", to.0.type_id())));
    }
    let pair = Pair { from_id: from.1.to_owned(), to_id: to.1.to_owned() };
    let ids = associate(hub, from.0, to.0, &pair)?;
    Ok((StatusCode::CREATED, Some(labels(from.0, to.0, ids))))
}

fn labels(from: Kind, to: Kind, (from_id, to_id): (u64, u64)) -> Value {
    json!({
        "fromObjectTypeId": from.type_id(),
        "fromObjectId": from_id.to_string(),
        "toObjectTypeId": to.type_id(),
        "toObjectId": to_id.to_string(),
        "labels": [],
    })
}

/// `POST …/batch/archive`
pub(super) fn archive(hub: &Hub, from: Kind, to: Kind, value: &Value) -> Result<Answer, Refusal> {
    let inputs = body::list(body::object(value, &["inputs"])?, "inputs")?;
    batch::at_most(MOST_CREATED, inputs.len())?;
    for input in inputs {
        let object = body::object(input, &["from", "to"])?;
        let from_id = body::id_of(object, "from")?;
        for to_value in body::list(object, "to")? {
            let to_id = body::required_text(body::object(to_value, &["id"])?, "id")?;
            remove(hub, (from, &from_id), (to, &to_id));
        }
    }
    Ok((StatusCode::NO_CONTENT, None))
}

/// `DELETE …/objects/{from}/{id}/associations/{to}/{id}`
pub(super) fn remove(hub: &Hub, from: (Kind, &str), to: (Kind, &str)) -> Answer {
    if let (Ok(from_id), Ok(to_id)) = (from.1.parse(), to.1.parse()) {
        let mut account = hub.account();
        let reference = account.reference(from.0, from_id);
        let changed = account.associations.remove(from.0, from_id, to.0, to_id);
        drop(account);
        let id = format!("{}-{from_id}:{}-{to_id}", from.0.singular(), to.0.singular());
        hub.journal.write("delete", "association", id, &reference, json!({"changed": changed}));
    }
    (StatusCode::NO_CONTENT, None)
}

/// `POST …/batch/read`
pub(super) fn read(hub: &Hub, from: Kind, to: Kind, value: &Value) -> Result<Answer, Refusal> {
    let inputs = body::list(body::object(value, &["inputs"])?, "inputs")?;
    batch::at_most(MOST_READ, inputs.len())?;
    let account = hub.account();
    let (mut results, mut missing) = (Vec::new(), Vec::new());
    for input in inputs {
        let object = body::object(input, &["id"])?;
        let id = body::required_text(object, "id")?;
        // All are on one page, so that there is none after it.
        body::text(object, "after")?;
        match account.find(from, None, &id)? {
            Some(found) => {
                let to = associated(&account.associations, from, found, to)?;
                results.push(json!({"from": {"id": id}, "to": to}));
            }
            None => missing.push(id),
        }
    }
    let errors = missing
        .is_empty()
        .then(Vec::new)
        .unwrap_or_else(|| vec![Refusal::not_found_in_batch(from.legacy_name(), &missing).entry(None)]);
    Ok(batch::answer(StatusCode::OK, results, errors))
}

/// `GET …/objects/{type}/{id}/associations/{to}`: all on one page, where HubSpot gives at most 500.
pub(super) fn list(hub: &Hub, from: (Kind, &str), to: Kind) -> Result<Answer, Refusal> {
    let account = hub.account();
    let id = account.find(from.0, None, from.1)?.ok_or_else(Refusal::not_found)?;
    Ok((StatusCode::OK, Some(json!({"results": associated(&account.associations, from.0, id, to)?}))))
}

fn associated(associations: &Associations, from: Kind, id: u64, to: Kind) -> Result<Vec<Value>, Refusal> {
    let type_id = type_id(from, to)?;
    let types = json!([{"category": "HUBSPOT_DEFINED", "typeId": type_id}]);
    Ok(associations
        .of(from, id, to)
        .map(|to_id| json!({"toObjectId": to_id.to_string(), "associationTypes": types}))
        .collect())
}
