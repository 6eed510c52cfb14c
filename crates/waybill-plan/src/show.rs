//! A plan as people read it: what moves, when, who owns it, what happens when values differ, what happens when it
//! fails. Pure: a plan in, tables of plain words and a drawing out.
//!
//! Every struct of the plan is taken apart field by field here, so that a new key cannot be forgotten.

mod drawing;
mod flows;
mod maps;
mod mermaid;
mod parties;
mod rules;
mod text;
mod words;

#[cfg(test)]
mod tests;

use serde::Serialize;
use waybill_domain::{Kind, StoreName, SystemName, descriptor::Descriptor};

use crate::{
    check::{MOVED, OWNED},
    plan::{KindRule, Owner, Plan},
};

pub use drawing::{Arrow, Drawing, Node, Role, Wait};

/// A plan in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The plan's hash, as on receipts.
    pub hash: String,
    /// What is said of each kind of records that the plan names.
    pub kinds: Vec<KindShown>,
    /// Kinds that could move and do not: no flow brings them anywhere.
    pub unmoved: Vec<&'static str>,
    /// What concerns more than one flow: people, stock, stores, systems, alerts.
    pub sections: Vec<Section>,
}

/// What is said of a kind of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindShown {
    /// The kind, as the plan names it.
    pub kind: String,
    /// What holds for all of its records, a sentence each.
    pub rules: Vec<String>,
    /// Where they go. Each flow has the same answers in the same order.
    pub flows: Vec<FlowShown>,
}

/// One flow in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowShown {
    /// Its name.
    pub name: String,
    /// The five questions, answered.
    pub answers: Vec<Answer>,
    /// Fields, lines and match rules; a table each, and none that is empty.
    pub maps: Vec<Table>,
}

/// What the plan answers for each kind of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// What moves?
    What,
    /// When?
    When,
    /// Who owns it?
    Owner,
    /// What happens when values differ?
    Differ,
    /// What happens when it fails?
    Fail,
}

impl Question {
    /// The heading over its answers.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::What => "What moves",
            Self::When => "When",
            Self::Owner => "Who owns it",
            Self::Differ => "What happens when values differ",
            Self::Fail => "What happens when it fails",
        }
    }
}

/// A part of the answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The question.
    pub question: Question,
    /// Which part of it.
    pub about: &'static str,
    /// The answer.
    pub text: String,
}

/// Rows under headings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// What it is a table of; may be empty.
    pub title: String,
    /// The columns. None for rows that are a name and its meaning.
    pub headings: Vec<&'static str>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// What the plan says beside its flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Its tables.
    pub tables: Vec<Table>,
    /// The kinds that cannot be understood without it; none means that it concerns all alike.
    #[serde(skip)]
    of: &'static [Kind],
}

/// One row of a kind's table: a question, a part of it, and each flow's answer.
pub type Row<'a> = (Question, &'static str, Vec<&'a str>);

impl KindShown {
    /// The kind's table: a row per answer, a column per flow.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let first = self.flows.first().map(|flow| flow.answers.as_slice()).unwrap_or_default();
        let row = |(index, answer): (usize, &Answer)| {
            (answer.question, answer.about, self.flows.iter().map(|flow| flow.answers[index].text.as_str()).collect())
        };
        first.iter().enumerate().map(row).collect()
    }
}

impl Shown {
    /// Only what is said of one kind, and what it cannot be understood without.
    pub fn of_kind(mut self, kind: &str) -> Self {
        self.kinds.retain(|shown| shown.kind == kind);
        if self.kinds.is_empty() {
            let rules = vec!["The plan does not name them: none moves.".to_owned()];
            self.kinds.push(KindShown { kind: kind.to_owned(), rules, flows: Vec::new() });
        }
        self.unmoved.clear();
        self.sections.retain(|section| section.of.iter().any(|of| of.as_str() == kind));
        self
    }

    /// The kinds that a plan can speak of.
    pub const fn kinds() -> &'static [&'static str] {
        &OWNED
    }

    /// For a terminal of so many columns, at least 40.
    pub fn to_text(&self, columns: usize) -> String {
        text::render(self, columns.max(40))
    }
}

/// Says a plan in words. What `connectors` tells of the vendors is used where it is known: their titles, their limits,
/// which settings are secret. A setting of an unknown connector is named, and its value is left out unless it is a
/// reference.
pub fn show(plan: &Plan, connectors: &[Descriptor]) -> Shown {
    let names = Names { plan, connectors };
    // Named one by one, see above.
    let Plan {
        stores: _,
        systems: _,
        locations: _,
        kinds,
        flows,
        stock: _,
        catalog: _,
        pagers: _,
        expected: _,
        hash,
        customers: _,
        tables: _,
    } = plan;
    let is_said = |kind: &str| kinds.contains_key(kind) || flows.iter().any(|flow| flow.kind.as_str() == kind);
    let kinds = OWNED.iter().filter(|kind| is_said(kind)).map(|kind| kind_shown(&names, kind)).collect();
    let moves = |kind: &&Kind| flows.iter().any(|flow| flow.kind == **kind);
    let sections = [
        rules::customers(&names),
        rules::stock(&names),
        rules::prices(&names),
        parties::locations(&names),
        parties::stores(&names),
        parties::systems(&names),
        parties::tables(&names),
        rules::alerts(&names),
    ];
    Shown {
        hash: hash.clone(),
        kinds,
        unmoved: MOVED.iter().filter(|kind| !moves(kind)).map(|kind| kind.as_str()).collect(),
        sections: sections.into_iter().filter(|section| !section.tables.is_empty()).collect(),
    }
}

/// The plan's flows as a drawing.
pub fn draw(plan: &Plan, connectors: &[Descriptor]) -> Drawing {
    drawing::of(&Names { plan, connectors })
}

fn kind_shown(names: &Names<'_>, kind: &str) -> KindShown {
    let flows = names.plan.flows.iter().filter(|flow| flow.kind.as_str() == kind);
    let flows: Vec<FlowShown> = flows.map(|flow| flows::shown(names, flow)).collect();
    let mut rules = flows::fixed(kind);
    if flows.is_empty() {
        rules = vec!["No flow moves them.".to_owned()];
        if let Some(rule) = names.plan.kinds.get(kind) {
            rules.push(format!("Their owner is {}.", names.owner(&rule.owner)));
            rules.extend(others(names, rule).map(|others| format!("Fields with another owner: {others}.")));
            rules.push(format!("When values differ: {}.", words::on_conflict(rule.on_conflict)));
        }
    }
    KindShown { kind: kind.to_owned(), rules, flows }
}

/// The fields with another owner than the record; `None` if there are none.
fn others(names: &Names<'_>, rule: &KindRule) -> Option<String> {
    let KindRule { owner: _, on_conflict: _, fields } = rule;
    let said: Vec<String> = fields.iter().map(|(field, owner)| format!("{field}: {}", names.owner(owner))).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// What things of the plan are called.
struct Names<'a> {
    plan: &'a Plan,
    connectors: &'a [Descriptor],
}

impl Names<'_> {
    fn descriptor(&self, system: &SystemName) -> Option<&Descriptor> {
        let connector = &self.plan.systems.get(system)?.connector;
        self.connectors.iter().find(|descriptor| descriptor.connector == connector)
    }

    /// The vendor's name, or the connector's where the vendor is not known here.
    fn vendor(&self, system: &SystemName) -> &str {
        let connector = || self.plan.systems.get(system).map_or("", |system| system.connector.as_str());
        self.descriptor(system).map_or_else(connector, |descriptor| descriptor.title)
    }

    /// A system with its vendor: `erp (Tryton)`.
    fn system(&self, system: &SystemName) -> String {
        format!("{system} ({})", self.vendor(system))
    }

    fn owner(&self, owner: &Owner) -> String {
        match owner {
            Owner::Store => "the store".to_owned(),
            Owner::System(system) => system.to_string(),
        }
    }

    /// The stores that are meant; none means all.
    fn stores(&self, stores: &[StoreName]) -> String {
        let named = |stores: &[&str]| match stores {
            [one] => format!("store {one}"),
            many => format!("stores {}", words::list(many)),
        };
        if stores.is_empty() {
            let all: Vec<&str> = self.plan.stores.keys().map(StoreName::as_str).collect();
            return format!("every store ({})", words::list(&all));
        }
        named(&stores.iter().map(StoreName::as_str).collect::<Vec<_>>())
    }
}
