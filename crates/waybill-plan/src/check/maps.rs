//! Expressions: conditions, fields, lines, match rules.

use std::collections::BTreeMap;

use waybill_domain::{
    Kind,
    descriptor::{Capability, Descriptor},
    document::FieldValue,
};

use super::{Reading, needs};
use crate::{
    diagnostic::{Place, nearest},
    expression::{self, Expression},
    plan::{Buyer, Lines, Map, Match, MatchKey, Missing},
    read::{At, Node, Table},
    schema::{self, Type},
    typing::Scope,
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
    pub(super) lines: Option<Lines>,
    pub(super) matching: Vec<Match>,
    pub(super) buyer: Option<Buyer>,
}

impl Reading<'_, '_> {
    /// Reads an expression that stands as a text; what is wrong is said at its place within that text.
    pub(super) fn expression(&mut self, text: &At<String>, scope: &Scope) -> Option<(Expression, Type, bool)> {
        let read = expression::read(&text.value, scope);
        for finding in read.findings {
            let place = self.within(text, finding.from, finding.to);
            self.problems.error(finding.code, &place, finding.what, finding.mend);
        }
        read.compiled.map(|compiled| (compiled, read.of, read.never))
    }

    /// Bytes of a text's value as bytes of the file, where the text stands there as it is; else the whole text.
    fn within(&self, text: &At<String>, from: usize, to: usize) -> Place {
        let span = &text.place.span;
        let written = self.problems.text().get(span.clone()).unwrap_or_default();
        let found = (!text.value.is_empty()).then(|| written.find(&text.value)).flatten();
        match found {
            Some(at) => {
                let start = span.start + at;
                Place::new(text.place.path.clone(), start + from..start + to.max(from))
            }
            None => text.place.clone(),
        }
    }

    /// An expression that gives yes or no.
    pub(super) fn condition(&mut self, text: &At<String>, scope: &Scope, must_match: bool) -> Option<Expression> {
        let (compiled, of, never) = self.expression(text, scope)?;
        if !matches!(of, Type::Flag | Type::Unknown) {
            let what = format!("this gives {}, not yes or no", of.describe());
            self.problems.error("WB-P023", &text.place, what, "compare it with something: order.note != ''");
        } else if never && must_match {
            let mend = "correct the condition, or drop the flow";
            self.problems.error("WB-P024", &text.place, "this is never true: no record can match", mend);
        }
        Some(compiled)
    }

    /// An expression that gives one value.
    pub(super) fn value(&mut self, text: &At<String>, scope: &Scope) -> Option<Expression> {
        let (compiled, of, _) = self.expression(text, scope)?;
        if matches!(of, Type::List(_) | Type::Record(_) | Type::Tables) {
            let what = format!("this gives {}, and a field takes one value", of.describe());
            self.problems.error("WB-P023", &text.place, what, "name one of its fields, or join a list: | join(', ')");
        }
        Some(compiled)
    }

    pub(super) fn maps_of(
        &mut self,
        kind: Kind,
        to: Option<&Descriptor>,
        fields: Option<Node<'_, '_>>,
        customer_fields: Option<Node<'_, '_>>,
        lines: Option<Node<'_, '_>>,
        matching: Option<Node<'_, '_>>,
    ) -> Maps {
        let scope = self.scope(Some(kind));
        let mut maps = Maps::default();
        if let Some(of) = needs(kind) {
            maps.fields = self.read_fields(fields, of, to, &scope);
        }
        match (kind, customer_fields) {
            (Kind::Order, node) => {
                let scope = scope.with("customer", schema::buyer());
                maps.customer_fields = self.read_fields(node, Capability::CustomerSink, to, &scope);
            }
            (_, Some(node)) => {
                let mend = "only an order has a buyer; write [flows.fields]";
                self.problems.error("WB-P039", &node.place, format!("a {kind} has no customer_fields"), mend);
            }
            (_, None) => {}
        }
        if let Some(node) = lines {
            maps.lines = self.read_lines(&node, kind, &scope);
        }
        if let Some(node) = matching {
            maps.matching = self.read_matching(&node, kind, to, &scope);
        }
        maps
    }

    /// The one customer that stands for an order's buyers.
    pub(super) fn read_buyer(&mut self, node: &Node<'_, '_>, kind: Kind) -> Option<Buyer> {
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
        let scope = self.scope(Some(kind));
        let (key, name) = (key.map(|text| self.value(&text, &scope)), name.map(|text| self.value(&text, &scope)));
        Some(Buyer { key: key??, name: name?? })
    }

    fn read_fields(
        &mut self,
        node: Option<Node<'_, '_>>,
        of: Capability,
        to: Option<&Descriptor>,
        scope: &Scope,
    ) -> BTreeMap<String, Map> {
        let place = node.as_ref().map(|node| node.place.clone());
        let mut maps = BTreeMap::new();
        if let Some(table) = node.and_then(|node| node.table(&mut self.problems)) {
            for (name, node) in table.entries() {
                if let Some(descriptor) = to {
                    self.check_field(&name, of, descriptor);
                }
                if let Some(map) = self.read_map(&node, scope) {
                    maps.insert(name.value, map);
                }
            }
        }
        // A buyer's fields are asked for only where the plan maps any.
        let required = to.into_iter().flat_map(|descriptor| descriptor.fields);
        for field in required.filter(|field| field.required && field.of == of && !maps.contains_key(field.name)) {
            if let (Some(place), Some(descriptor)) = (&place, to) {
                let what = format!("{} requires '{}'", descriptor.title, field.name);
                self.problems.error("WB-P017", place, what, "map it");
            }
        }
        maps
    }

    fn check_field(&mut self, name: &At<String>, of: Capability, descriptor: &Descriptor) {
        let mut names = descriptor.fields.iter().filter(|field| field.of == of).map(|field| field.name);
        if descriptor.custom_fields || names.clone().any(|known| known == name.value) {
            return;
        }
        let mend = nearest(&name.value, &mut names);
        let what = format!("{} has no field '{}' there", descriptor.title, name.value);
        self.problems.error("WB-P016", &name.place, what, mend);
    }

    fn read_map(&mut self, node: &Node<'_, '_>, scope: &Scope) -> Option<Map> {
        const WORDS: [(&str, Missing); 3] =
            [("error", Missing::Error), ("skip", Missing::Skip), ("clear", Missing::Clear)];
        if node.is_text() {
            let text = node.text(&mut self.problems)?;
            let value = self.value(&text, scope)?;
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
        let value = self.value(&value?, scope)?;
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
        let item = item.and_then(|text| self.value(&text, &scope));
        let tax = table.text("tax", &mut self.problems);
        let tax = tax.and_then(|text| self.value(&text, &scope.with("tax", schema::tax())));
        let charges = self.read_charges(&mut table, kind);
        table.finish(&mut self.problems);
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

    /// The match rules of a kind's records; those of people stand under `[customers]`.
    fn read_matching(&mut self, node: &Node<'_, '_>, kind: Kind, to: Option<&Descriptor>, scope: &Scope) -> Vec<Match> {
        if kind == Kind::Customer {
            let mend = "write it once, under [customers]";
            self.problems.error("WB-P039", &node.place, "people are matched the same way everywhere", mend);
            return Vec::new();
        }
        if let (Some(needed), Some(descriptor)) = (needs(kind), to)
            && !descriptor.adopts.contains(&needed)
        {
            let what = format!("{} cannot look for {kind} records from before", descriptor.title);
            self.problems.error("WB-P036", &node.place, what, "leave 'match' out");
        }
        self.match_rules(node, scope, false)
    }

    /// A list of match rules; `people` are matched by e-mail and phone too.
    pub(super) fn match_rules(&mut self, node: &Node<'_, '_>, scope: &Scope, people: bool) -> Vec<Match> {
        let mut rules = Vec::new();
        for node in node.list(&mut self.problems) {
            let rule = if node.is_text() {
                let text = node.text(&mut self.problems);
                text.and_then(|text| self.match_word(&text, people)).map(|by| Match { by, ask: false })
            } else {
                self.match_table(&node, scope, people)
            };
            rules.extend(rule);
        }
        rules
    }

    fn match_word(&mut self, text: &At<String>, people: bool) -> Option<MatchKey> {
        match (text.value.as_str(), people) {
            ("email", true) => Some(MatchKey::Email),
            ("phone", true) => Some(MatchKey::Phone),
            (other, _) => {
                let words: &[&str] = if people { &["email", "phone"] } else { &[] };
                let mend = match words {
                    [] => "write { field = \"…\", value = \"…\" }".to_owned(),
                    words => format!(
                        "{}; or write {{ field = \"…\", value = \"…\" }}",
                        nearest(other, words.iter().copied())
                    ),
                };
                self.problems.error("WB-P008", &text.place, format!("nothing is matched by '{other}'"), mend);
                None
            }
        }
    }

    fn match_table(&mut self, node: &Node<'_, '_>, scope: &Scope, people: bool) -> Option<Match> {
        let mut table = node.table(&mut self.problems)?;
        let by = table.text("by", &mut self.problems);
        let field = table.text("field", &mut self.problems);
        let value = table.text("value", &mut self.problems);
        let ask = table.flag("ask", &mut self.problems).unwrap_or(false);
        table.finish(&mut self.problems);
        let by = match (by, field, value) {
            (Some(by), None, None) => self.match_word(&by, people)?,
            (None, Some(field), Some(value)) => {
                MatchKey::Field { name: field.value, value: self.value(&value, scope)? }
            }
            _ => {
                let mend = "write { field = \"…\", value = \"…\" }, or { by = \"email\" } for people";
                self.problems.error("WB-P012", &node.place, "this is no whole match rule", mend);
                return None;
            }
        };
        Some(Match { by, ask })
    }
}
