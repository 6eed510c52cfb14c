//! Owners, customers, stock, alerts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use waybill_domain::{
    Kind,
    descriptor::Capability,
    document::{OnMatch, Severity, StockQuantity},
};

use super::{Reading, flows::ON_CONFLICT, systems::STORE};
use crate::{
    diagnostic::nearest,
    expression,
    plan::{Catalog, Customers, Expected, Hold, KindRule, Owner, Pager, Stock},
    read::{At, Node, Table, choose},
    schema::{self, Type},
    typing::Wanted,
};

/// What records can be owned, as the plan names it. A return has no records of its own yet; who owns it can be said.
pub(crate) const OWNED: [&str; 8] =
    ["order", "customer", "product", "stock-level", "price", "shipment", "refund", "return"];
const COUNTS: &str = "order.captured and not order.cancelled";
const MOST_UNITS: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// What the plan says of alerts.
pub(super) struct Alerts {
    pub(super) pagers: Vec<Pager>,
    pub(super) expected: Vec<Expected>,
    pub(super) late_after: Duration,
}

impl Reading<'_, '_> {
    pub(super) fn read_kinds(&mut self, root: &mut Table<'_, '_>) -> BTreeMap<String, At<KindRule>> {
        let Some(table) = root.table("kinds", &mut self.problems) else { return BTreeMap::new() };
        let mut kinds = BTreeMap::new();
        for (name, node) in table.entries() {
            if !OWNED.contains(&name.value.as_str()) {
                let mend = nearest(&name.value, OWNED.into_iter());
                self.problems.error("WB-P008", &name.place, format!("there is no kind '{}'", name.value), mend);
            }
            let Some(mut table) = node.table(&mut self.problems) else { continue };
            let owner = table.required("owner", "\"store\" or a system", &mut self.problems);
            let owner = owner.and_then(|owner| self.owner(&owner));
            let on_conflict = table.choice("on_conflict", &ON_CONFLICT, &mut self.problems).unwrap_or_default();
            let mut fields = BTreeMap::new();
            for (field, node) in table.table("fields", &mut self.problems).iter().flat_map(Table::entries) {
                self.check_owned_field(&name.value, &field);
                let owner = node.text(&mut self.problems).and_then(|text| self.owner(&text));
                fields.extend(owner.map(|owner| (field.value, owner)));
            }
            table.finish(&mut self.problems);
            if let Some(owner) = owner {
                kinds.insert(name.value, At { value: KindRule { owner, on_conflict, fields }, place: name.place });
            }
        }
        kinds
    }

    fn owner(&mut self, text: &At<String>) -> Option<Owner> {
        if text.value == STORE {
            return Some(Owner::Store);
        }
        self.system(text).map(Owner::System)
    }

    /// A field whose owner differs is named as in the snapshot.
    fn check_owned_field(&mut self, kind: &str, field: &At<String>) {
        let Ok(kind) = kind.parse::<Kind>() else { return };
        if let Type::Record(fields) = schema::of_kind(kind)
            && !fields.contains_key(field.value.as_str())
        {
            let mend = nearest(&field.value, fields.keys().copied());
            self.problems.error("WB-P040", &field.place, format!("a {kind} has no field '{}'", field.value), mend);
        }
    }

    pub(super) fn read_customers(&mut self, root: &mut Table<'_, '_>) -> Option<Customers> {
        let mut table = root.table("customers", &mut self.problems);
        let orders = self.scope(Some(Kind::Order), &[]);
        let counts = match table.as_mut().and_then(|table| table.text("counts", &mut self.problems)) {
            Some(text) => self.condition(&text, &orders, false),
            None => expression::read(COUNTS, &orders, Wanted::Condition).compiled,
        };
        let Some(mut table) = table else {
            let (matching, on_match) = (Vec::new(), OnMatch::default());
            return Some(Customers { counts: counts?, matching, on_match, phone_prefix: None });
        };
        let people = self.scope(None, &[]).with("customer", schema::buyer());
        let rules = table.get("match");
        let matching = rules.map(|node| self.match_rules(&node, &people, true)).unwrap_or_default();
        let on_match = table.get("on_match").map(|node| self.read_on_match(&node)).unwrap_or_default();
        let phone_prefix = table.text("phone_prefix", &mut self.problems);
        if let Some(prefix) = &phone_prefix
            && !(prefix.value.starts_with('+')
                && prefix.value.len() > 1
                && prefix.value[1..].bytes().all(|b| b.is_ascii_digit()))
        {
            let what = format!("'{}' begins no phone number", prefix.value);
            self.problems.error("WB-P030", &prefix.place, what, "write + and the country's digits: \"+43\"");
        }
        table.finish(&mut self.problems);
        Some(Customers { counts: counts?, matching, on_match, phone_prefix: phone_prefix.map(|prefix| prefix.value) })
    }

    fn read_on_match(&mut self, node: &Node<'_, '_>) -> OnMatch {
        if node.is_list() {
            let fields: BTreeSet<String> = node.texts(&mut self.problems).into_iter().map(|name| name.value).collect();
            return OnMatch::Fields(fields);
        }
        let Some(text) = node.text(&mut self.problems) else { return OnMatch::default() };
        match choose(&text, &[("merge", false), ("create-second", true)], &mut self.problems) {
            Some(true) => OnMatch::CreateSecond,
            _ => OnMatch::Merge,
        }
    }

    pub(super) fn read_stock(&mut self, root: &mut Table<'_, '_>) -> Option<At<Stock>> {
        const WORDS: [(&str, StockQuantity); 2] =
            [("on_hand", StockQuantity::OnHand), ("available", StockQuantity::Available)];
        let node = root.get("stock")?;
        self.named.stock = true;
        let mut table = node.table(&mut self.problems)?;
        let from = table.required("from", "the system that holds the physical stock", &mut self.problems);
        let from = from.and_then(|from| {
            self.able(&from, Capability::StockSource, "gives no stock levels", "name a system that does")
        });
        let quantity = table.choice("quantity", &WORDS, &mut self.problems).unwrap_or(StockQuantity::OnHand);
        let safety = table.number("safety", 0, MOST_UNITS, &mut self.problems).unwrap_or(0);
        let every = table.seconds("every_seconds", 1, DAY_SECONDS, &mut self.problems);
        let holds = self.read_holds(&mut table);
        let sells = self.read_sells(&mut table);
        table.finish(&mut self.problems);
        let every = every.unwrap_or(Duration::from_secs(60));
        let stock = Stock { from: from?, quantity, safety, holds, sells, every };
        Some(At { value: stock, place: node.place })
    }

    pub(super) fn read_catalog(&mut self, root: &mut Table<'_, '_>) -> Option<At<Catalog>> {
        let node = root.get("catalog")?;
        self.named.catalog = true;
        let mut table = node.table(&mut self.problems)?;
        let from = table.required("from", "the system whose list prices these are", &mut self.problems);
        let from = from.and_then(|from| {
            self.able(&from, Capability::CatalogSource, "gives no list prices", "name a system that does")
        });
        let every = table.seconds("every_seconds", 1, DAY_SECONDS, &mut self.problems);
        table.finish(&mut self.problems);
        Some(At { value: Catalog { from: from?, every: every.unwrap_or(Duration::from_secs(60)) }, place: node.place })
    }

    fn read_holds(&mut self, table: &mut Table<'_, '_>) -> Vec<Hold> {
        let Some(node) = table.get("holds") else { return Vec::new() };
        let mut holds = Vec::new();
        for node in node.list(&mut self.problems) {
            let Some(mut table) = node.table(&mut self.problems) else { continue };
            let location = table.text("location", &mut self.problems);
            let location = location.and_then(|location| self.location(&location));
            let sku = table.text("sku", &mut self.problems).map(|sku| sku.value);
            let units = table.needed("units", "the units held back", &mut self.problems);
            let units = units.and_then(|node| node.number(0, MOST_UNITS, &mut self.problems));
            table.finish(&mut self.problems);
            holds.extend(units.map(|units| Hold { location, sku, units }));
        }
        holds
    }

    fn read_sells(&mut self, table: &mut Table<'_, '_>) -> BTreeMap<String, Vec<String>> {
        let mut sells = BTreeMap::new();
        let Some(parts) = table.table("sells", &mut self.problems) else { return sells };
        for (channel, node) in parts.entries() {
            let channels: BTreeSet<&str> = self.stores.values().map(|store| store.channel.as_str()).collect();
            let known = self.named.stores.as_ref().is_some_and(|named| named.len() == self.stores.len());
            if known && !channels.contains(channel.value.as_str()) {
                let mend = nearest(&channel.value, channels.into_iter());
                let what = format!("no store sells through '{}'", channel.value);
                self.problems.error("WB-P018", &channel.place, what, mend);
            }
            let names = node.texts(&mut self.problems);
            sells.insert(channel.value, names.iter().filter_map(|name| self.location(name)).collect());
        }
        sells
    }

    pub(super) fn read_alerts(&mut self, root: &mut Table<'_, '_>) -> Alerts {
        let mut alerts = Alerts { pagers: Vec::new(), expected: Vec::new(), late_after: Duration::from_secs(600) };
        let Some(mut table) = root.table("alerts", &mut self.problems) else { return alerts };
        if let Some(late_after) = table.seconds("late_after_seconds", 1, 30 * DAY_SECONDS, &mut self.problems) {
            alerts.late_after = late_after;
        }
        let pagers = table.get("pagers").map(|node| node.list(&mut self.problems)).unwrap_or_default();
        alerts.pagers = pagers.iter().filter_map(|node| self.read_pager(node)).collect();
        let expected = table.get("expect").map(|node| node.list(&mut self.problems)).unwrap_or_default();
        alerts.expected = expected.iter().filter_map(|node| self.read_expected(node)).collect();
        table.finish(&mut self.problems);
        alerts
    }

    fn read_pager(&mut self, node: &Node<'_, '_>) -> Option<Pager> {
        const WORDS: [(&str, Severity); 4] = [
            ("info", Severity::Info),
            ("warning", Severity::Warning),
            ("error", Severity::Error),
            ("critical", Severity::Critical),
        ];
        let (name, from) = if !node.is_table() {
            (node.text(&mut self.problems), Severity::Info)
        } else {
            let mut table = node.table(&mut self.problems)?;
            let name = table.required("to", "the system that tells people", &mut self.problems);
            let from = table.choice("from", &WORDS, &mut self.problems).unwrap_or(Severity::Info);
            table.finish(&mut self.problems);
            (name, from)
        };
        let system = self.able(
            &name?,
            Capability::Pager,
            "tells nobody",
            "add a system that does: pagerduty, slack or webhook",
        )?;
        Some(Pager { system, from })
    }

    fn read_expected(&mut self, node: &Node<'_, '_>) -> Option<Expected> {
        let mut table = node.table(&mut self.problems)?;
        let stores = table.texts("stores", &mut self.problems).iter().filter_map(|name| self.store(name)).collect();
        let from = table.required("from", "a time of day: \"08:00\"", &mut self.problems);
        let to = table.required("to", "a time of day: \"20:00\"", &mut self.problems);
        let zone = table.required("zone", "a time zone: \"Europe/Vienna\"", &mut self.problems);
        let about = "how many orders an hour are the least that is usual then";
        let orders = table.needed("orders_per_hour", about, &mut self.problems);
        let orders = orders.and_then(|node| node.number(1, 1_000_000, &mut self.problems));
        table.finish(&mut self.problems);
        let from = from.and_then(|text| self.time_of_day(&text));
        let to = to.and_then(|text| self.time_of_day(&text));
        let zone = zone.and_then(|text| self.zone(&text));
        let orders_per_hour = u32::try_from(orders?).ok()?;
        Some(Expected { stores, from: from?, to: to?, zone: zone?, orders_per_hour })
    }
}
