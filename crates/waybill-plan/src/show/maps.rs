//! What a flow writes, field by field.

use std::collections::BTreeMap;

use waybill_domain::{Kind, document::FieldValue};

use super::{Names, Table, words};
use crate::{
    decide::owned_by_target,
    plan::{Buyer, Flow, Lines, Map, Match, MatchKey, Missing, OnConflict},
    schema,
};

pub(super) fn of(names: &Names<'_>, flow: &Flow) -> Vec<Table> {
    let to = &flow.to;
    let title = match flow.kind {
        Kind::Order => format!("Fields of the order in {to}"),
        kind => format!("Fields of the {kind} in {to}"),
    };
    let tables = [
        fields(names, flow, flow.kind, &flow.fields, title),
        fields(names, flow, Kind::Customer, &flow.customer_fields, format!("Fields of the buyer in {to}")),
        buyer(flow),
        lines(flow),
        matching(flow),
    ];
    tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

fn fields(names: &Names<'_>, flow: &Flow, kind: Kind, maps: &BTreeMap<String, Map>, title: String) -> Table {
    let row = |(name, map): (&String, &Map)| {
        let Map { value, missing, default } = map;
        vec![
            name.clone(),
            value.source().to_owned(),
            lacking(*missing, default.as_ref()),
            owners(names, flow, kind, map),
            later(names, flow, kind, maps, name),
        ]
    };
    let headings = vec!["Field", "Value", "If there is none", "Owner", "Written"];
    Table { title, headings, rows: maps.iter().map(row).collect() }
}

fn lacking(missing: Missing, default: Option<&FieldValue>) -> String {
    match (default, missing) {
        (Some(default), _) => format!("“{}”", default.to_text()),
        (None, Missing::Error) => "cleared; an error is parked".to_owned(),
        (None, Missing::Skip) => "left as it is".to_owned(),
        (None, Missing::Clear) => "cleared".to_owned(),
    }
}

/// Whose the values are that a map reads.
fn owners(names: &Names<'_>, flow: &Flow, kind: Kind, map: &Map) -> String {
    let mut owners: Vec<String> = Vec::new();
    for path in map.value.paths() {
        let mut parts = path.split('.');
        let (variable, field) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let of = [kind, flow.kind].into_iter().find(|kind| schema::variable(*kind) == variable);
        let owner = match of {
            Some(of) if names.plan.kinds.contains_key(of.as_str()) => names.owner(&names.plan.owner(of, field)),
            Some(_) => super::flows::source(names, flow).map_or_else(|| "the store".to_owned(), ToString::to_string),
            // A buyer's totals are counted over the store's orders.
            None if variable == "totals" => "the store".to_owned(),
            None => continue,
        };
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    if owners.is_empty() { "the plan".to_owned() } else { words::list(&owners) }
}

/// When a field is written: at creation alone, or with changes, and what happens to somebody else's change.
fn later(names: &Names<'_>, flow: &Flow, kind: Kind, maps: &BTreeMap<String, Map>, name: &str) -> String {
    let to = &flow.to;
    if owned_by_target(names.plan, flow, maps, kind, name) {
        return format!("at creation, or where {to} has none; then {to}'s own stays");
    }
    // The buyer of an order is a customer: the flow's own word is about orders.
    let choice = if kind == flow.kind {
        names.plan.on_conflict(flow)
    } else {
        names.plan.kinds.get(kind.as_str()).map_or(OnConflict::Owner, |rule| rule.on_conflict)
    };
    match choice {
        OnConflict::Owner => "when it changes".to_owned(),
        OnConflict::Park => format!("when it changes; parked if {to}'s changed too"),
        OnConflict::Theirs => format!("when it changes, unless {to}'s changed too"),
    }
}

/// The one customer that stands for a flow's buyers.
fn buyer(flow: &Flow) -> Table {
    let mut rows = Vec::new();
    if let Some(Buyer { key, name }) = &flow.buyer {
        rows.push(vec!["known by".to_owned(), key.source().to_owned()]);
        rows.push(vec!["called".to_owned(), name.source().to_owned()]);
    }
    Table { title: format!("One customer in {} stands for all buyers", flow.to), headings: Vec::new(), rows }
}

fn lines(flow: &Flow) -> Table {
    let mut rows = Vec::new();
    if let Some(Lines { item, tax, charges }) = &flow.lines {
        let no_tax = "no tax is named";
        rows.push(vec!["a line's item".to_owned(), item.source().to_owned()]);
        rows.push(vec!["a tax".to_owned(), tax.as_ref().map_or(no_tax, |tax| tax.source()).to_owned()]);
        rows.extend(charges.iter().map(|(name, item)| vec![format!("{name}, as a line"), item.clone()]));
        rows.push(vec!["any other charge".to_owned(), "parked: the plan has no item for it".to_owned()]);
    }
    Table { title: format!("Lines in {}", flow.to), headings: Vec::new(), rows }
}

fn matching(flow: &Flow) -> Table {
    let title = format!("How a {} that was in {} before us is recognised", flow.kind, flow.to);
    Table { title, headings: Vec::new(), rows: match_rows(&flow.matching) }
}

/// Match rules in their order.
pub(super) fn match_rows(rules: &[Match]) -> Vec<Vec<String>> {
    let row = |(index, rule): (usize, &Match)| {
        let Match { by, ask } = rule;
        let by = match by {
            MatchKey::Email => "by e-mail".to_owned(),
            MatchKey::Phone => "by phone".to_owned(),
            MatchKey::Field { name, value } => format!("where {name} is {}", value.source()),
        };
        let found = if *ask { "; a person looks at what is found" } else { "" };
        vec![format!("rule {}", index + 1), format!("{by}{found}")]
    };
    rules.iter().enumerate().map(row).collect()
}
