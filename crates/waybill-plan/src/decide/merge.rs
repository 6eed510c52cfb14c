//! Whose value counts: what of a document's fields is written, kept, or for a person. Pure.
//!
//! As in server-side apply: ours now against what we sent last, theirs now against the same. What we did not change is
//! not written, so that a colleague's edit there survives; a field that the system owns is written at creation only.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;
use rust_decimal::Decimal;
use waybill_domain::{
    Kind, Personal,
    document::{CustomerDocument, FieldValue, Fields, MatchBy, MatchRule, WritePolicy},
    phone,
};

use super::{Document, Unfit};
use crate::{
    plan::{Flow, Map, Match, MatchKey, OnConflict, OnEdit, Owner, Plan},
    schema,
};

/// What a system holds of the mapped fields, by the object's role. A role that is not here cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Remote {
    /// Nobody looked yet.
    #[default]
    NotRead,
    /// Somebody looked: `None` where the system has no such object.
    Read(BTreeMap<String, Option<Fields>>),
}

/// A document's fields of one object.
pub(super) struct Part<'a> {
    pub(super) role: &'static str,
    pub(super) kind: Kind,
    pub(super) maps: &'a BTreeMap<String, Map>,
    pub(super) fields: &'a mut Fields,
    policy: &'a mut WritePolicy,
}

/// What became of the merge.
pub(super) enum Merged {
    /// It can be written.
    Fit,
    /// These fields have to be read first.
    ReadFirst(BTreeMap<String, BTreeSet<String>>),
    /// Both sides changed this field, and the plan wants a person.
    Conflict { field: String },
}

/// A record's write policy as far as its flow decides it.
pub(super) fn policy(flow: &Flow, view: &Value) -> Result<WritePolicy, Unfit> {
    let mut matching = Vec::new();
    for rule in &flow.matching {
        matching.extend(match_rule(rule, &Personal::default(), None, view)?);
    }
    Ok(WritePolicy { matching, amend: flow.on_edit == OnEdit::Amend, ..WritePolicy::default() })
}

/// A person's, as the plan decides it for all flows.
pub(super) fn person_policy(
    plan: &Plan,
    email: &Personal,
    phone: &Personal,
    view: &Value,
) -> Result<WritePolicy, Unfit> {
    let customers = &plan.customers;
    let normal = phone::normalise(phone.expose(), customers.phone_prefix.as_deref());
    let mut matching = Vec::new();
    for rule in &customers.matching {
        matching.extend(match_rule(rule, email, normal.clone(), view)?);
    }
    Ok(WritePolicy { matching, on_match: customers.on_match.clone(), ..WritePolicy::default() })
}

/// The rule with this record's value; `None` if the record has none.
fn match_rule(rule: &Match, email: &Personal, phone: Option<String>, view: &Value) -> Result<Option<MatchRule>, Unfit> {
    let (by, value) = match &rule.by {
        MatchKey::Email => (MatchBy::Email, email.expose().to_owned()),
        MatchKey::Phone => (MatchBy::Phone, phone.unwrap_or_default()),
        MatchKey::Field { name, value } => {
            let text = value.text(view).map_err(|error| Unfit::expression(format!("match.{name}"), &error))?;
            (MatchBy::Field(name.clone()), text)
        }
    };
    Ok((!value.is_empty()).then(|| MatchRule { by, value: value.into(), ask: rule.ask }))
}

/// Takes what the flow's system owns out of a document, for comparing: its changes are nothing to write.
pub(super) fn without_foreign(plan: &Plan, flow: &Flow, document: &Document) -> Document {
    let mut bare = document.clone();
    for part in parts(flow, &mut bare) {
        part.fields.retain(|name, _| !owned_by_target(plan, flow, part.maps, part.kind, name));
        *part.policy = WritePolicy::default();
    }
    let target = Owner::System(flow.to.clone());
    let foreign = |field: &str| plan.owner(Kind::Customer, field) == target;
    let person = match &mut bare {
        Document::Order(order) => order.customer.as_mut(),
        Document::Customer(customer) => Some(customer.as_mut()),
        Document::Refund(_)
        | Document::Shipment(_)
        | Document::Stock(_)
        | Document::Price(_)
        | Document::Incident(_) => None,
    };
    if let Some(person) = person {
        let CustomerDocument { first_name, last_name, phone, .. } = person;
        for (field, value) in [("first_name", first_name), ("last_name", last_name), ("phone", phone)] {
            if foreign(field) {
                *value = Personal::default();
            }
        }
    }
    bare
}

/// Settles every field of a document.
pub(super) fn merge(
    plan: &Plan,
    flow: &Flow,
    document: &mut Document,
    sent: &BTreeMap<String, Fields>,
    remote: &Remote,
) -> Merged {
    let mut to_read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for part in parts(flow, document) {
        let before = sent.get(part.role);
        let on_conflict = on_conflict(plan, flow, part.kind);
        for (name, ours) in part.fields.iter() {
            if owned_by_target(plan, flow, part.maps, part.kind, name) {
                part.policy.keep.insert(name.clone());
                continue;
            }
            let base = before.and_then(|before| before.get(name));
            if base == Some(ours) {
                part.policy.keep.insert(name.clone());
                continue;
            }
            if on_conflict == OnConflict::Owner {
                continue;
            }
            let theirs = match remote {
                Remote::NotRead => {
                    to_read.entry(part.role.to_owned()).or_default().insert(name.clone());
                    continue;
                }
                Remote::Read(objects) => {
                    objects.get(part.role).and_then(Option::as_ref).and_then(|seen| seen.get(name))
                }
            };
            match (theirs, on_conflict) {
                (None, _) => {}
                (Some(theirs), _) if !conflicts(ours, theirs, base) => {}
                (Some(_), OnConflict::Park) => return Merged::Conflict { field: name.clone() },
                (Some(_), _) => {
                    part.policy.keep.insert(name.clone());
                }
            }
        }
    }
    if to_read.is_empty() { Merged::Fit } else { Merged::ReadFirst(to_read) }
}

/// What happens to fields of one of a flow's objects that both sides changed.
pub(super) fn on_conflict(plan: &Plan, flow: &Flow, kind: Kind) -> OnConflict {
    match kind {
        kind if kind == flow.kind => plan.on_conflict(flow),
        // The buyer of an order is a customer.
        kind => plan.kinds.get(kind.as_str()).map_or(OnConflict::Owner, |rule| rule.on_conflict),
    }
}

/// What was sent once a document is written, by role.
pub(super) fn sent(flow: &Flow, document: &Document) -> BTreeMap<String, Fields> {
    let mut document = document.clone();
    parts(flow, &mut document).into_iter().map(|part| (part.role.to_owned(), part.fields.clone())).collect()
}

/// The objects of a document that have mapped fields.
pub(super) fn parts<'a>(flow: &'a Flow, document: &'a mut Document) -> Vec<Part<'a>> {
    let own = |role, kind, fields, policy| Part { role, kind, maps: &flow.fields, fields, policy };
    match document {
        Document::Order(order) => {
            let order = order.as_mut();
            let mut parts = vec![own("order", Kind::Order, &mut order.fields, &mut order.policy)];
            if let Some(customer) = &mut order.customer {
                parts.push(Part {
                    role: "customer",
                    kind: Kind::Customer,
                    maps: &flow.customer_fields,
                    fields: &mut customer.fields,
                    policy: &mut customer.policy,
                });
            }
            parts
        }
        Document::Customer(customer) => {
            let customer = customer.as_mut();
            vec![own("customer", Kind::Customer, &mut customer.fields, &mut customer.policy)]
        }
        Document::Shipment(shipment) => {
            let shipment = shipment.as_mut();
            vec![own("shipment", Kind::Shipment, &mut shipment.fields, &mut shipment.policy)]
        }
        Document::Refund(refund) => {
            let refund = refund.as_mut();
            vec![own("refund", Kind::Refund, &mut refund.fields, &mut refund.policy)]
        }
        Document::Stock(_) | Document::Price(_) | Document::Incident(_) => Vec::new(),
    }
}

/// Whether a mapped field's value comes from a field of the snapshot that the flow's system owns.
pub(crate) fn owned_by_target(plan: &Plan, flow: &Flow, maps: &BTreeMap<String, Map>, kind: Kind, name: &str) -> bool {
    let variable = schema::variable(kind);
    let target = Owner::System(flow.to.clone());
    maps.get(name).is_some_and(|map| {
        map.value.paths().any(|path| {
            let mut names = path.split('.');
            names.next() == Some(variable.as_str())
                && names.next().is_some_and(|field| plan.owner(kind, field) == target)
        })
    })
}

/// Whether theirs is a change of theirs that ours would undo.
fn conflicts(ours: &FieldValue, theirs: &FieldValue, base: Option<&FieldValue>) -> bool {
    let is_empty = theirs.to_text().trim().is_empty();
    !same(ours, theirs)
        && match base {
            // Both know what was there: theirs is a change only if it is not what we sent.
            Some(base) => !same(base, theirs),
            // It was there before us: what is empty is filled.
            None => !is_empty,
        }
}

/// Whether two values are one: vendors change the case of texts, the form of numbers, times and phones.
pub(super) fn same(one: &FieldValue, other: &FieldValue) -> bool {
    let (a, b) = (one.to_text(), other.to_text());
    let (a, b) = (a.trim(), b.trim());
    if a.to_lowercase() == b.to_lowercase() {
        return true;
    }
    if let (Ok(a), Ok(b)) = (a.parse::<Decimal>(), b.parse::<Decimal>()) {
        return a == b;
    }
    if let (Ok(a), Ok(b)) = (a.parse::<jiff::Timestamp>(), b.parse::<jiff::Timestamp>()) {
        return a == b;
    }
    let is_phone = |text: &str| text.starts_with('+') && !text.contains(|letter: char| letter.is_alphabetic());
    is_phone(a) && is_phone(b) && phone::normalise(a, None) == phone::normalise(b, None)
}
