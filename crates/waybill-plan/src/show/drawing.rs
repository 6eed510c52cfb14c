//! The plan's flows as boxes and arrows, whatever draws them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use waybill_domain::{Kind, StoreName, SystemName, document::Severity};

use super::{Names, flows, words};
use crate::plan::Flow;

/// A condition longer than this is cut on an arrow.
const CONDITION_CHARS: usize = 48;

/// Boxes, arrows between them, and who waits for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drawing {
    /// Stores first, then systems, then who is told of incidents.
    pub nodes: Vec<Node>,
    /// A flow each, in the plan's order; then incidents.
    pub arrows: Vec<Arrow>,
    /// What flows wait for.
    pub waits: Vec<Wait>,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A store, with the system through which it is read and written.
    Store,
    /// A system that records come from or go to.
    System,
    /// Where incidents come from.
    Watch,
    /// A system that tells people.
    Pager,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it stands for.
    pub role: Role,
    /// Its name in the plan.
    pub name: String,
    /// The vendor, the shop.
    pub about: String,
    /// `shadow`, `paused`.
    pub marks: Vec<&'static str>,
}

/// Records on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Arrow {
    /// The flow's name; empty for incidents.
    pub flow: String,
    /// What moves.
    pub kind: Kind,
    /// What moves, under which condition, when.
    pub label: String,
    /// Numbers of the boxes where it begins.
    pub from: Vec<usize>,
    /// Numbers of the boxes where it ends.
    pub to: Vec<usize>,
}

/// A flow that waits until another system has accepted the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// The flow's name.
    pub flow: String,
    /// What moves.
    pub kind: Kind,
    /// The flow, and for what it waits.
    pub label: String,
    /// Numbers of the boxes that have to accept it first.
    pub from: Vec<usize>,
    /// Numbers of the boxes that it goes to then.
    pub to: Vec<usize>,
}

impl Drawing {
    /// Only the flows of one kind, and the boxes that they touch.
    pub fn of_kind(mut self, kind: &str) -> Self {
        self.arrows.retain(|arrow| arrow.kind.as_str() == kind);
        self.waits.retain(|wait| wait.kind.as_str() == kind);
        let mut ends: Vec<&mut Vec<usize>> = Vec::new();
        for arrow in &mut self.arrows {
            ends.extend([&mut arrow.from, &mut arrow.to]);
        }
        for wait in &mut self.waits {
            ends.extend([&mut wait.from, &mut wait.to]);
        }
        let touched: Vec<usize> =
            ends.iter().flat_map(|ends| ends.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect();
        for ends in ends {
            ends.iter_mut().for_each(|end| *end = touched.binary_search(end).unwrap_or_default());
        }
        self.nodes = touched.iter().map(|&at| self.nodes[at].clone()).collect();
        self
    }
}

pub(super) fn of(names: &Names<'_>) -> Drawing {
    let (nodes, places) = nodes(names);
    let at = |system: &SystemName| places.get(system).cloned().unwrap_or_default();
    let stores: Vec<&StoreName> = names.plan.stores.keys().collect();
    let mut arrows = Vec::new();
    let mut waits = Vec::new();
    for flow in &names.plan.flows {
        let from = match flows::source(names, flow) {
            Some(system) => at(system),
            None => (0..stores.len()).filter(|&index| flow.covers(stores[index])).collect(),
        };
        let to = at(&flow.to);
        for system in &flow.after {
            let what = if flow.after_same_revision { "waits for this revision" } else { "waits" };
            waits.push(Wait {
                flow: flow.name.clone(),
                kind: flow.kind,
                label: format!("{} {what}", flow.name),
                from: at(system),
                to: to.clone(),
            });
        }
        arrows.push(Arrow { flow: flow.name.clone(), kind: flow.kind, label: label(flow), from, to });
    }
    let watch: Vec<usize> = (0..nodes.len()).filter(|&index| nodes[index].role == Role::Watch).collect();
    for pager in &names.plan.pagers {
        let label = match pager.from {
            Severity::Info => "incidents",
            Severity::Warning => "incidents, warnings and worse",
            Severity::Error => "incidents, errors and worse",
            Severity::Critical => "critical incidents",
        };
        let (flow, label) = (String::new(), label.to_owned());
        arrows.push(Arrow { flow, kind: Kind::Incident, label, from: watch.clone(), to: at(&pager.system) });
    }
    Drawing { nodes, arrows, waits }
}

/// The boxes, and in which of them a system is.
fn nodes(names: &Names<'_>) -> (Vec<Node>, BTreeMap<SystemName, Vec<usize>>) {
    let plan = names.plan;
    let mut nodes = Vec::new();
    let mut places: BTreeMap<SystemName, Vec<usize>> = BTreeMap::new();
    for (name, store) in &plan.stores {
        places.entry(store.system.clone()).or_default().push(nodes.len());
        let about = format!("{}, through {}", store.shop, names.system(&store.system));
        nodes.push(Node { role: Role::Store, name: name.to_string(), about, marks: marks(names, &store.system) });
    }
    let tells = |name: &SystemName| plan.pagers.iter().any(|pager| pager.system == *name);
    let moves =
        |name: &SystemName| plan.flows.iter().any(|flow| flow.to == *name || flows::source(names, flow) == Some(name));
    let others = |name: &&SystemName| !plan.stores.values().any(|store| store.system == **name);
    let (systems, pagers): (Vec<_>, Vec<_>) =
        plan.systems.keys().filter(others).partition(|name| moves(name) || !tells(name));
    let mut place = |role, name: &SystemName, nodes: &mut Vec<Node>| {
        places.entry(name.clone()).or_default().push(nodes.len());
        let about = names.vendor(name).to_owned();
        nodes.push(Node { role, name: name.to_string(), about, marks: marks(names, name) });
    };
    for name in systems {
        place(Role::System, name, &mut nodes);
    }
    if !plan.pagers.is_empty() {
        let about = "what is parked, late or down".to_owned();
        nodes.push(Node { role: Role::Watch, name: "the watch".to_owned(), about, marks: Vec::new() });
    }
    for name in pagers {
        place(Role::Pager, name, &mut nodes);
    }
    (nodes, places)
}

fn marks(names: &Names<'_>, system: &SystemName) -> Vec<&'static str> {
    let Some(system) = names.plan.systems.get(system) else { return Vec::new() };
    [(system.shadow, "shadow"), (system.paused, "paused")]
        .into_iter()
        .filter_map(|(is_so, word)| is_so.then_some(word))
        .collect()
}

fn label(flow: &Flow) -> String {
    let condition = flow.condition().map(|condition| format!(" if {}", cut(condition)));
    let mut label = format!("{}{}", flow.kind, condition.unwrap_or_default());
    if let Some(timing) = words::timing_in_short(&flow.timing) {
        label.push_str(&format!(", {timing}"));
    }
    if flow.approval.is_some() {
        label.push_str(", approved");
    }
    label
}

fn cut(text: &str) -> String {
    if text.chars().count() <= CONDITION_CHARS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(CONDITION_CHARS - 1).collect();
    format!("{}…", kept.trim_end())
}
