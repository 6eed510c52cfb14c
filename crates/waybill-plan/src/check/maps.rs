//! Expressions: conditions, fields, lines, match rules.

mod matching;

use std::collections::{BTreeMap, BTreeSet};

use waybill_domain::{
    Kind,
    descriptor::{Capability, Descriptor},
    document::FieldValue,
};

use super::{Reading, flows::BELOW, literal, needs};
use crate::{
    diagnostic::{Place, nearest},
    expression::{self, Expression, Read},
    plan::{Buyer, Lines, Map, Match, Missing},
    read::{At, Node, Table},
    schema::{self, Type},
    typing::{Scope, Wanted},
};

/// The charges of an order that are no lines.
const CHARGES: [&str; 5] = ["shipping", "tip", "duty", "fee", "rounding"];
/// The parts of a refund that are no lines.
const REFUND_CHARGES: [&str; 1] = ["adjustment"];

/// What a flow maps.
#[derive(Default)]
pub(super) struct Maps {
    pub(super) fields: BTreeMap<String, Map>,
    pub(super) customer_fields: BTreeMap<String, Map>,
    /// Where those stand.
    pub(super) customer_places: BTreeMap<String, Place>,
    pub(super) lines: Option<Lines>,
    pub(super) matching: Vec<Match>,
    pub(super) buyer: Option<Buyer>,
}

/// The same as it stands in the plan.
pub(super) struct Written<'a, 't> {
    pub(super) fields: Option<Node<'a, 't>>,
    pub(super) customer_fields: Option<Node<'a, 't>>,
    pub(super) lines: Option<Node<'a, 't>>,
    pub(super) matching: Option<Node<'a, 't>>,
    pub(super) buyer: Option<Node<'a, 't>>,
    /// The flow that it stands in.
    pub(super) flow: Place,
}

/// What becomes of a record for which an expression cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lacking {
    /// It is parked.
    Parks,
    /// The same, and the plan could say otherwise.
    InMap,
    /// What the plan says.
    Answered,
}

/// A table of fields within a flow.
struct FieldTable {
    of: Capability,
    /// Its header.
    header: &'static str,
}

impl Reading<'_, '_> {
    /// Reads an expression that stands as a text; what is wrong is said at its place within that text.
    fn expression(&mut self, text: &At<String>, scope: &Scope, wanted: Wanted, lacking: Lacking) -> Option<Read> {
        let mut read = expression::read(&text.value, scope, wanted);
        let map =
            literal::positions(self.problems.text().get(text.place.span.clone()).unwrap_or_default(), &text.value);
        let is_several = matches!(read.of, Type::List(_) | Type::Record(_));
        if wanted == Wanted::Value && is_several {
            // That it may be empty is no news where it is of no use at all.
            read.findings.retain(|finding| !finding.parks);
        }
        for finding in std::mem::take(&mut read.findings)
            .into_iter()
            .filter(|finding| !(lacking == Lacking::Answered && finding.parks))
        {
            let place = match &map {
                Some(map) => {
                    let (from, to) = (map[finding.from.min(map.len() - 1)], map[finding.to.min(map.len() - 1)]);
                    let start = text.place.span.start;
                    Place::new(text.place.path.clone(), start + from..start + to.max(from))
                }
                None => text.place.clone(),
            };
            let mend = match (lacking, finding.parks) {
                (Lacking::InMap, true) => {
                    format!("{}; {{ value = \"…\", missing = \"skip\" }} leaves the field alone", finding.mend)
                }
                _ => finding.mend,
            };
            self.problems.add(finding.severity, finding.code, &place, finding.what, mend);
        }
        read.compiled.is_some().then_some(read)
    }

    /// An expression that gives yes or no.
    pub(super) fn condition(&mut self, text: &At<String>, scope: &Scope, must_match: bool) -> Option<Expression> {
        let Read { of, never, compiled, .. } = self.expression(text, scope, Wanted::Condition, Lacking::Parks)?;
        if !matches!(of, Type::Flag | Type::Unknown) {
            let what = format!("this gives {}, not yes or no", of.describe());
            let it = shortly(&text.value);
            let mend = match of {
                Type::Text | Type::Word(_) | Type::NumberText => format!("compare it with something: {it} != ''"),
                Type::List(_) => format!("ask for one, 'vip' in {it}, or for any, {it} | length > 0"),
                Type::Record(_) | Type::Time | Type::Nothing => format!("ask whether there is one: {it} is not none"),
                Type::Amount => format!("compare it with something: {it} > decimal(\"100\")"),
                _ => format!("compare it with something: {it} > 1"),
            };
            self.problems.error("WB-P023", &text.place, what, mend);
        } else if let (Some(never), true) = (never, must_match) {
            let what = format!("no record can match: {}", never.why);
            self.problems.error("WB-P024", &text.place, what, never.mend);
        }
        compiled
    }

    /// An expression that gives one value.
    fn value(&mut self, text: &At<String>, scope: &Scope, lacking: Lacking) -> Option<Expression> {
        let Read { of, compiled, .. } = self.expression(text, scope, Wanted::Value, lacking)?;
        if matches!(of, Type::List(_) | Type::Record(_) | Type::Tables) {
            let what = format!("this gives {}, and a field takes one value", of.describe());
            let mend = match &of {
                Type::List(of) if matches!(**of, Type::Text | Type::Word(_)) => {
                    format!("join its texts: {} | join(', ')", shortly(&text.value))
                }
                Type::List(of) if matches!(**of, Type::Record(_)) => {
                    format!("join a field of each: {} | join(', ', 'sku')", shortly(&text.value))
                }
                Type::List(_) => "name one of them: … [0]".to_owned(),
                _ => "name one of its fields".to_owned(),
            };
            self.problems.error("WB-P023", &text.place, what, mend);
        }
        compiled
    }

    pub(super) fn maps_of(
        &mut self,
        kind: Kind,
        to: Option<&Descriptor>,
        written: &Written<'_, '_>,
        scope: &Scope,
    ) -> Maps {
        let mut maps = Maps::default();
        if let Some(of) = needs(kind) {
            let table = FieldTable { of, header: "[flows.fields]" };
            maps.fields = self.read_fields(written.fields.as_ref(), &table, to, scope);
            if written.fields.is_none() {
                self.check_required(&table, to, &BTreeSet::new(), &written.flow);
            }
        }
        maps.customer_fields = self.read_customer_fields(written.customer_fields.as_ref(), kind, to, scope);
        let entries = written.customer_fields.iter().flat_map(Node::entries);
        maps.customer_places = entries.map(|(name, _)| (name.value, name.place)).collect();
        maps.buyer = written.buyer.as_ref().and_then(|node| self.read_buyer(node, kind, scope));
        if let Some(node) = &written.lines {
            maps.lines = self.read_lines(node, kind, scope);
        }
        if let Some(node) = &written.matching {
            maps.matching = self.read_matching(node, kind, to, scope);
        }
        maps
    }

    fn read_customer_fields(
        &mut self,
        node: Option<&Node<'_, '_>>,
        kind: Kind,
        to: Option<&Descriptor>,
        scope: &Scope,
    ) -> BTreeMap<String, Map> {
        let Some(place) = node.map(|node| &node.place) else { return BTreeMap::new() };
        if kind != Kind::Order {
            let mend = "only an order has a buyer; write [flows.fields]";
            self.problems.error("WB-P039", place, format!("a {kind} has no customer_fields"), mend);
            return BTreeMap::new();
        }
        if let Some(descriptor) = to.filter(|descriptor| !descriptor.can(Capability::CustomerSink)) {
            let what = format!("{} takes no customers", descriptor.title);
            self.problems.error("WB-P039", place, what, "leave customer_fields out");
            return BTreeMap::new();
        }
        let scope = scope.with("customer", schema::buyer());
        let table = FieldTable { of: Capability::CustomerSink, header: "[flows.customer_fields]" };
        self.read_fields(node, &table, to, &scope)
    }

    /// The one customer that stands for an order's buyers.
    fn read_buyer(&mut self, node: &Node<'_, '_>, kind: Kind, scope: &Scope) -> Option<Buyer> {
        if kind != Kind::Order {
            let mend = "only an order has a buyer; leave it out";
            self.problems.error("WB-P039", &node.place, format!("a {kind} has no buyer"), mend);
            return None;
        }
        let mut table = node.table(&mut self.problems)?;
        let key =
            table.required("key", "what names the customer for ever, such as \"'web-retail'\"", &mut self.problems);
        let name = table.required("name", "what people call the customer", &mut self.problems);
        table.finish(&mut self.problems);
        let key = key.and_then(|text| self.value(&text, scope, Lacking::Parks));
        let name = name.and_then(|text| self.value(&text, scope, Lacking::Parks));
        Some(Buyer { key: key?, name: name? })
    }

    fn read_fields(
        &mut self,
        node: Option<&Node<'_, '_>>,
        of: &FieldTable,
        to: Option<&Descriptor>,
        scope: &Scope,
    ) -> BTreeMap<String, Map> {
        let Some(node) = node else { return BTreeMap::new() };
        let Some(table) = node.table(&mut self.problems) else { return BTreeMap::new() };
        let mut maps = BTreeMap::new();
        for (name, node) in table.entries() {
            if !self.is_field(&name, of, to) {
                continue;
            }
            if let Some(map) = self.read_map(&node, scope) {
                maps.insert(name.value, map);
            }
        }
        // A buyer's fields are asked for only where the plan maps any.
        self.check_required(of, to, &table.names(), &node.place);
        maps
    }

    /// What the vendor refuses records without has to be mapped.
    fn check_required(&mut self, of: &FieldTable, to: Option<&Descriptor>, mapped: &BTreeSet<String>, place: &Place) {
        let Some(descriptor) = to else { return };
        let required = descriptor.fields.iter().filter(|field| field.required && field.of == of.of);
        for field in required.filter(|field| !mapped.contains(field.name)) {
            let what = format!("{} requires '{}'", descriptor.title, field.name);
            let mend = format!("map it below {}: {} = \"…\"", of.header, field.name);
            self.problems.error("WB-P017", place, what, mend);
        }
    }

    fn is_field(&mut self, name: &At<String>, table: &FieldTable, to: Option<&Descriptor>) -> bool {
        let fields = || to.into_iter().flat_map(|to| to.fields).filter(|field| field.of == table.of);
        if fields().any(|field| field.name == name.value) {
            return true;
        }
        if BELOW.contains(&name.value.as_str()) {
            let what = format!("'{}' stands below {}, so it names a field there", name.value, table.header);
            let mend = format!("write it above {}: what stands below belongs to that", table.header);
            self.problems.error("WB-P039", &name.place, what, mend);
            return false;
        }
        let Some(descriptor) = to.filter(|descriptor| !descriptor.custom_fields) else { return true };
        let mend = nearest(&name.value, fields().map(|field| field.name));
        let what = format!("{} has no field '{}' there", descriptor.title, name.value);
        self.problems.error("WB-P016", &name.place, what, mend);
        false
    }

    fn read_map(&mut self, node: &Node<'_, '_>, scope: &Scope) -> Option<Map> {
        const WORDS: [(&str, Missing); 3] =
            [("error", Missing::Error), ("skip", Missing::Skip), ("clear", Missing::Clear)];
        if !node.is_table() {
            let text = node.text(&mut self.problems)?;
            let value = self.value(&text, scope, Lacking::InMap)?;
            return Some(Map { value, missing: Missing::default(), default: None });
        }
        let mut table = node.table(&mut self.problems)?;
        let value = table.required("value", "the expression", &mut self.problems);
        let missing = table.choice("missing", &WORDS, &mut self.problems);
        let default = table.get("default");
        if let (Some(default), Some(_)) = (&default, missing) {
            let mend = "give one of the two";
            self.problems.error("WB-P039", &default.place, "a default leaves nothing missing", mend);
        }
        let default = default.and_then(|node| node.plain(&mut self.problems));
        table.finish(&mut self.problems);
        let is_answered = default.is_some() || matches!(missing, Some(Missing::Skip | Missing::Clear));
        let lacking = if is_answered { Lacking::Answered } else { Lacking::InMap };
        let value = self.value(&value?, scope, lacking)?;
        let default = default.map(|text| FieldValue::Text(text.value.into()));
        Some(Map { value, missing: missing.unwrap_or_default(), default })
    }

    fn read_lines(&mut self, node: &Node<'_, '_>, kind: Kind, scope: &Scope) -> Option<Lines> {
        let line = match kind {
            Kind::Order => schema::order_line(),
            Kind::Refund => schema::refund_line(),
            _ => {
                let mend = "leave it out";
                self.problems.error("WB-P039", &node.place, format!("a {kind} has no lines that are mapped"), mend);
                return None;
            }
        };
        let mut table = node.table(&mut self.problems)?;
        let scope = scope.with("line", line);
        let item =
            table.required("item", "the system's code of a line's item, such as \"line.sku\"", &mut self.problems);
        let item = item.and_then(|text| self.value(&text, &scope, Lacking::Parks));
        let tax = table.text("tax", &mut self.problems);
        let tax = tax.and_then(|text| self.value(&text, &scope.with("tax", schema::tax()), Lacking::Parks));
        let charges = self.read_charges(&mut table, kind);
        table.finish_within(&BELOW, "[flows.lines]", &mut self.problems);
        Some(Lines { item: item?, tax, charges })
    }

    fn read_charges(&mut self, table: &mut Table<'_, '_>, kind: Kind) -> BTreeMap<String, String> {
        let known: &[&str] = if kind == Kind::Refund { &REFUND_CHARGES } else { &CHARGES };
        let mut charges = BTreeMap::new();
        let Some(parts) = table.table("charges", &mut self.problems) else { return charges };
        for (name, node) in parts.entries() {
            if !known.contains(&name.value.as_str()) {
                let mend = nearest(&name.value, known.iter().copied());
                self.problems.error("WB-P019", &name.place, format!("there is no charge '{}'", name.value), mend);
            }
            if let Some(item) = node.text(&mut self.problems) {
                charges.insert(name.value, item.value);
            }
        }
        charges
    }
}

/// An expression within a mending: a long one is not said again.
fn shortly(expression: &str) -> &str {
    if expression.len() <= 40 { expression } else { "…" }
}
