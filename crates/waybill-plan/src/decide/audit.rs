//! What a system is to hold of a record that was brought there, and whose a value is that is otherwise now. Pure.

use std::collections::{BTreeMap, BTreeSet};

use waybill_domain::{
    Kind, Snapshot,
    document::{FieldValue, Fields},
};

use super::{
    Decision, DeliveryFacts, Document, Facts, document, leaves,
    merge::{self, owned_by_target, parts, same},
    overrides::Edits,
    past,
};
use crate::{
    plan::{Flow, Map, OnConflict, OnLeave, Owner, Plan},
    schema, view,
};

/// What a system is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The document.
    pub document: Document,
    /// Whether it is what was applied last. The plan, or what is known beside the snapshot, may have changed since.
    pub is_current: bool,
    /// Whether the flow's point of no return is past, so that nothing is written any more.
    pub is_past: bool,
    /// The mapped fields that were sent, by the object's role: what can be compared.
    pub fields: BTreeMap<String, BTreeSet<String>>,
}

/// What the flow's system is to hold of a record that it was given.
///
/// # Errors
/// What is decided where no document can be made.
pub fn held(
    plan: &Plan,
    flow: &Flow,
    desired: &Snapshot,
    delivery: &DeliveryFacts,
    facts: &Facts,
) -> Result<Held, Decision> {
    let Some(body) = &desired.body else { return Err(Decision::Ignore { rule: "deleted".to_owned() }) };
    let view = view::of(plan, desired, facts.totals.as_ref());
    let leaves = leaves(flow, &view)?;
    let mut document = document(plan, flow, desired, body, facts, &view, &Edits::new(&delivery.overrides))?;
    if leaves == Some(OnLeave::Cancel)
        && let Document::Order(order) = &mut document
    {
        order.cancelled = true;
    }
    let hash = merge::without_foreign(plan, flow, &document).hash();
    let names = |role: &str, fields: &Fields| {
        let sent = delivery.sent.get(role);
        fields.keys().filter(|name| sent.is_some_and(|sent| sent.contains_key(*name))).cloned().collect()
    };
    let fields: BTreeMap<String, BTreeSet<String>> = parts(flow, &mut document)
        .into_iter()
        .map(|part| (part.role.to_owned(), names(part.role, part.fields)))
        .filter(|(_, names): &(_, BTreeSet<String>)| !names.is_empty())
        .collect();
    let is_current = delivery.applied_hash.as_deref() == Some(hash.as_str());
    let is_past = past(flow, &view).is_err();
    Ok(Held { document, is_current, is_past, fields })
}

/// Whose value of a field stands, where the system shows another one than it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Ours: it is written again.
    Ours,
    /// The system's.
    Theirs,
    /// The plan wants a person to say.
    Person,
}

/// A mapped field of which a system shows another value than it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The object's role.
    pub role: String,
    /// The system's name of the field.
    pub field: String,
    /// As it was sent last.
    pub sent: FieldValue,
    /// As it is there.
    pub there: FieldValue,
    /// Who owns it by the plan: `store`, or a system's name.
    pub owner: String,
    /// Whose value stands by the plan.
    pub stands: Stands,
}

/// The mapped fields of which the system shows another value than it was sent, by `there`: what was read of each role.
/// What the store changed since is no matter: it is on its way.
pub fn differing(
    plan: &Plan,
    flow: &Flow,
    document: &Document,
    sent: &BTreeMap<String, Fields>,
    there: &BTreeMap<String, Fields>,
) -> Vec<Differing> {
    let mut document = document.clone();
    let mut differing = Vec::new();
    for part in parts(flow, &mut document) {
        let (Some(sent), Some(there)) = (sent.get(part.role), there.get(part.role)) else { continue };
        let on_conflict = merge::on_conflict(plan, flow, part.kind);
        for name in part.fields.keys() {
            let (Some(sent), Some(there)) = (sent.get(name), there.get(name)) else { continue };
            if same(sent, there) {
                continue;
            }
            let stands = match on_conflict {
                _ if owned_by_target(plan, flow, part.maps, part.kind, name) => Stands::Theirs,
                OnConflict::Owner => Stands::Ours,
                OnConflict::Park => Stands::Person,
                OnConflict::Theirs => Stands::Theirs,
            };
            differing.push(Differing {
                role: part.role.to_owned(),
                field: name.clone(),
                sent: sent.clone(),
                there: there.clone(),
                owner: owner(plan, flow, part.maps, part.kind, name),
                stands,
            });
        }
    }
    differing
}

/// Who owns what a document holds beside its mapped fields.
pub fn owner_of_kind(plan: &Plan, kind: Kind) -> String {
    word(plan.kinds.get(kind.as_str()).map_or(&Owner::Store, |rule| &rule.owner))
}

/// A map may be made of several fields: the flow's system comes first, as its fields are never written over, then
/// whichever system owns one of them.
fn owner(plan: &Plan, flow: &Flow, maps: &BTreeMap<String, Map>, kind: Kind, name: &str) -> String {
    if owned_by_target(plan, flow, maps, kind, name) {
        return flow.to.to_string();
    }
    let variable = schema::variable(kind);
    let owners = maps.get(name).into_iter().flat_map(|map| map.value.paths()).filter_map(|path| {
        let mut names = path.split('.');
        (names.next() == Some(variable.as_str())).then(|| names.next()).flatten().map(|field| plan.owner(kind, field))
    });
    word(&owners.max().unwrap_or(Owner::Store))
}

fn word(owner: &Owner) -> String {
    match owner {
        Owner::Store => "store".to_owned(),
        Owner::System(system) => system.to_string(),
    }
}
