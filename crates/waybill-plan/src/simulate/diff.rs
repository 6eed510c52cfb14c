//! The same day under two plans.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use waybill_domain::{RecordKey, SystemName};

use super::{Outcome, State};

/// How one delivery differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The system.
    pub system: SystemName,
    /// Which record.
    pub key: RecordKey,
    /// What people call it.
    pub name: String,
    /// Under the old plan; absent if it had no flow for it.
    pub old: Option<State>,
    /// Under the new plan; absent if it has no flow for it.
    pub new: Option<State>,
    /// Field → its value under the old and under the new plan; absent where there is none.
    pub fields: BTreeMap<String, (Option<String>, Option<String>)>,
}

impl Change {
    /// The kind of change, in a few words.
    pub fn kind(&self) -> String {
        let word = |state: &Option<State>| match state {
            None => "no flow".to_owned(),
            Some(state @ (State::Ignored { .. } | State::Parked { .. } | State::Waiting { .. })) => {
                format!("{} ({})", state.word(), state.reason())
            }
            Some(state) => state.word().to_owned(),
        };
        let (old, new) = (word(&self.old), word(&self.new));
        if old == new { format!("{old}, other values") } else { format!("{old} → {new}") }
    }
}

/// What differs between two plans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Deliveries under either plan.
    pub deliveries: usize,
    /// System → kind of change → deliveries.
    pub counts: BTreeMap<SystemName, BTreeMap<String, usize>>,
    /// Each delivery that differs.
    pub changes: Vec<Change>,
}

/// Compares what became of the same day under two plans.
pub fn diff(old: &[Outcome], new: &[Outcome]) -> Difference {
    let by_delivery = |outcomes: &'_ [Outcome]| -> BTreeMap<(RecordKey, SystemName), Outcome> {
        outcomes.iter().map(|one| ((one.key.clone(), one.system.clone()), one.clone())).collect()
    };
    let (old, new) = (by_delivery(old), by_delivery(new));
    let all: BTreeSet<_> = old.keys().chain(new.keys()).cloned().collect();
    let mut difference = Difference { deliveries: all.len(), ..Difference::default() };
    for which in all {
        let (before, after) = (old.get(&which), new.get(&which));
        let fields = fields(before, after);
        let states = |outcome: Option<&Outcome>| {
            outcome.map(|outcome| (outcome.state.word(), outcome.state.reason().to_owned()))
        };
        if fields.is_empty() && states(before) == states(after) {
            continue;
        }
        let Some(name) = after.or(before).map(|outcome| outcome.name.clone()) else { continue };
        let (key, system) = which;
        let change = Change {
            system: system.clone(),
            key,
            name,
            old: before.map(|outcome| outcome.state.clone()),
            new: after.map(|outcome| outcome.state.clone()),
            fields,
        };
        *difference.counts.entry(system).or_default().entry(change.kind()).or_default() += 1;
        difference.changes.push(change);
    }
    difference
}

type Values = (Option<String>, Option<String>);

fn fields(before: Option<&Outcome>, after: Option<&Outcome>) -> BTreeMap<String, Values> {
    let none = BTreeMap::new();
    let (old, new) = (before.map_or(&none, |one| &one.fields), after.map_or(&none, |one| &one.fields));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| (name.clone(), (old.get(name).cloned(), new.get(name).cloned())))
        .collect()
}
