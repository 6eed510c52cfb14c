//! Flows.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{Timestamp, civil, tz::TimeZone};
use waybill_domain::{
    Kind, StoreName, SystemName,
    descriptor::{Capability, Descriptor},
};

use super::{Reading, maps, needs, systems::minutes};
use crate::{
    diagnostic::{Place, distance, nearest, nearest_or},
    plan::{Flow, OnConflict, OnEdit, OnLeave, Retry},
    read::{At, Node, Table},
    timing::Timing,
};

/// A flow, and where its parts stand.
pub(super) struct Written {
    pub(super) flow: Flow,
    /// Its name.
    pub(super) place: Place,
    pub(super) from: Option<Place>,
    pub(super) after: Vec<At<SystemName>>,
    /// The buyer's fields.
    pub(super) customer_fields: BTreeMap<String, Place>,
}

/// Keys of a flow that are easily written below the header of one of its tables, where they are something else.
pub(super) const BELOW: [&str; 11] = [
    "when",
    "after",
    "after_same_revision",
    "timing",
    "approval",
    "point_of_no_return",
    "on_edit",
    "on_leave",
    "on_conflict",
    "retry",
    "late_after_seconds",
];

/// What the plan says for flows that do not say it themselves.
pub(super) struct Defaults {
    pub(super) since: Option<Timestamp>,
    pub(super) late_after: Duration,
}

/// Kinds of records that a flow can bring.
pub(crate) const MOVED: [Kind; 6] =
    [Kind::Order, Kind::Customer, Kind::Shipment, Kind::StockLevel, Kind::Price, Kind::Refund];

pub(super) const ON_CONFLICT: [(&str, OnConflict); 3] =
    [("owner", OnConflict::Owner), ("park", OnConflict::Park), ("theirs", OnConflict::Theirs)];

const TIMINGS: &str =
    "write { every_minutes = 15 }, { hold_minutes = 10 } or { at = \"02:00\", zone = \"Europe/Vienna\" }";

/// A day and more: what a schedule cannot sensibly pass.
const MOST_MINUTES: i64 = 7 * 24 * 60;
const MOST_SECONDS: i64 = 30 * 24 * 3600;

impl Reading<'_, '_> {
    pub(super) fn read_flows(&mut self, root: &mut Table<'_, '_>, defaults: &Defaults) -> Vec<Written> {
        let Some(node) = root.get("flows") else { return Vec::new() };
        let mut flows: Vec<Written> = Vec::new();
        let mut names = BTreeSet::new();
        for node in node.list(&mut self.problems) {
            let Some(mut table) = node.table(&mut self.problems) else { continue };
            let name = table.required("name", "a name for people, such as \"orders-to-erp\"", &mut self.problems);
            // One without a name is read all the same: there may be more to mend.
            let name = name.unwrap_or_else(|| At { value: node.place.path.clone(), place: node.place.clone() });
            let path = if name.place == node.place { name.value.clone() } else { format!("flows.{}", name.value) };
            let mut table = table.called(path);
            if !names.insert(name.value.clone()) {
                let what = format!("there is a flow '{}' already", name.value);
                self.problems.error("WB-P001", &name.place, what, "give each flow a name of its own");
            }
            let flow = self.read_flow(&mut table, &name, defaults);
            table.finish(&mut self.problems);
            match flow {
                Some(flow) => flows.push(flow),
                None => self.lacks_flows = true,
            }
        }
        flows
    }

    fn read_flow(&mut self, table: &mut Table<'_, '_>, name: &At<String>, defaults: &Defaults) -> Option<Written> {
        let named = self.read_kind(table);
        let to = table.required("to", "the system that the records go to", &mut self.problems);
        let to_system = to.as_ref().and_then(|to| self.system(to));
        let descriptor = to_system.as_ref().and_then(|to| self.descriptor(to));
        // Where the system cannot take the kind, either may be meant to be another: nothing else is told then.
        let kind = match (named, descriptor, &to) {
            (Some(kind), Some(able), Some(to)) if !self.takes(kind, able, to) => None,
            _ => named,
        };
        let from = table.text("from", &mut self.problems);
        let from_system = from.as_ref().and_then(|from| self.read_from(from, named));
        let stores = self.read_stores_of(table);
        let after = table.texts("after", &mut self.problems);
        let after = after.into_iter().filter_map(|name| Some(At { value: self.system(&name)?, place: name.place }));
        let after: Vec<At<SystemName>> = after.collect();
        let after_same_revision = table.flag("after_same_revision", &mut self.problems).unwrap_or(false);
        let since = table.get("since").and_then(|node| node.instant(&mut self.problems)).or(defaults.since);
        let timing = self.read_timing(table);
        let late_after = table.seconds("late_after_seconds", 1, MOST_SECONDS, &mut self.problems);
        let on_edit = self.read_on_edit(table, kind, descriptor);
        let on_leave = self.read_on_leave(table, kind);
        let on_conflict = self.read_on_conflict(table, kind, descriptor);
        let retry = self.read_retry(table);
        let theirs = stores.clone().unwrap_or_default();
        let when = self.read_condition(table, "when", kind, &theirs);
        let approval = self.read_condition(table, "approval", kind, &theirs);
        let point_of_no_return = self.read_condition(table, "point_of_no_return", kind, &theirs);
        let maps = self.read_maps(table, kind, descriptor, &theirs);
        if from.is_some() && from_system.is_none() {
            return None;
        }
        let flow = Flow {
            name: name.value.clone(),
            kind: kind?,
            to: to_system?,
            from: from_system,
            stores: stores?,
            after: after.iter().map(|system| system.value.clone()).collect(),
            after_same_revision,
            since,
            timing: timing?,
            late_after: late_after.unwrap_or(defaults.late_after),
            on_edit,
            on_leave,
            on_conflict,
            retry,
            when,
            approval,
            point_of_no_return,
            lines: maps.lines,
            matching: maps.matching,
            fields: maps.fields,
            customer_fields: maps.customer_fields,
            buyer: maps.buyer,
        };
        let place = Place::new(format!("flows.{}", name.value), name.place.span.clone());
        let customer_fields = maps.customer_places;
        Some(Written { flow, place, from: from.map(|from| from.place), after, customer_fields })
    }

    /// The stores whose records a flow brings, all if there are none; `None` if that cannot be told.
    fn read_stores_of(&mut self, table: &mut Table<'_, '_>) -> Option<Vec<StoreName>> {
        let Some(node) = table.get("stores") else { return Some(Vec::new()) };
        let named = node.list(&mut self.problems);
        if named.is_empty() && !self.problems_at(&node.place.path) {
            let mend = "name some, or leave it out: then it is all of them";
            self.problems.error("WB-P039", &node.place, "an empty list names no store", mend);
        }
        let store = |node: &Node<'_, '_>| node.text(&mut self.problems).and_then(|name| self.store(&name));
        let stores: Vec<StoreName> = named.iter().filter_map(store).collect();
        (stores.len() == named.len() && !named.is_empty()).then_some(stores)
    }

    fn read_kind(&mut self, table: &mut Table<'_, '_>) -> Option<Kind> {
        let text = table.required("kind", "what moves, such as \"order\"", &mut self.problems)?;
        let found = MOVED.into_iter().find(|kind| kind.as_str() == text.value);
        if found.is_none() {
            let (what, mend) = match text.value.as_str() {
                "product" | "return" | "inventory-level" | "fulfilment" => (
                    format!("no connector takes {} records", text.value),
                    "leave the flow out; [kinds] can still say who owns them".to_owned(),
                ),
                other => {
                    (format!("there is no kind '{other}'"), nearest(other, MOVED.iter().map(|kind| kind.as_str())))
                }
            };
            self.problems.error("WB-P008", &text.place, what, mend);
        }
        found
    }

    /// Whether a connector takes records of a kind.
    fn takes(&mut self, kind: Kind, descriptor: &Descriptor, to: &At<String>) -> bool {
        if needs(kind).is_some_and(|needed| descriptor.can(needed)) {
            return true;
        }
        let able: Vec<&str> = MOVED
            .into_iter()
            .filter(|kind| needs(*kind).is_some_and(|needed| descriptor.can(needed)))
            .map(Kind::as_str)
            .collect();
        let mend = match able[..] {
            [] => format!("{} takes no records; name another system, or drop the flow", descriptor.title),
            _ => format!("it takes: {}; name another system, or drop the flow", able.join(", ")),
        };
        self.problems.error("WB-P015", &to.place, format!("{} cannot take {kind} records", descriptor.title), mend);
        false
    }

    fn read_from(&mut self, from: &At<String>, kind: Option<Kind>) -> Option<waybill_domain::SystemName> {
        let needed = match kind {
            Some(Kind::Shipment) => Capability::ShipmentSource,
            Some(Kind::StockLevel) => Capability::StockSource,
            Some(Kind::Price) => Capability::CatalogSource,
            _ => Capability::StoreSource,
        };
        let what = format!("gives no {} records", kind.map_or("such", Kind::as_str));
        self.able(from, needed, &what, "name a system that does, or leave 'from' out: then they come from the store")
    }

    fn read_timing(&mut self, table: &mut Table<'_, '_>) -> Option<Timing> {
        let Some(node) = table.get("timing") else { return Some(Timing::AtOnce) };
        let mut parts = node.table_as(TIMINGS, &mut self.problems)?;
        let every = parts.number("every_minutes", 1, MOST_MINUTES, &mut self.problems);
        let hold = parts.number("hold_minutes", 1, MOST_MINUTES, &mut self.problems);
        let at = parts.text("at", &mut self.problems);
        let zone = parts.text("zone", &mut self.problems);
        parts.finish(&mut self.problems);
        if self.problems_at(&node.place.path) {
            return None;
        }
        match (every, hold, at, zone) {
            (Some(every), None, None, None) => Some(Timing::Every(minutes(every))),
            (None, Some(hold), None, None) => Some(Timing::Hold(minutes(hold))),
            (None, None, Some(at), Some(zone)) => {
                let (at, zone) = (self.time_of_day(&at), self.zone(&zone));
                Some(Timing::At(at?, zone?))
            }
            (None, None, Some(at), None) => {
                let mend = format!("write {{ at = \"{}\", zone = \"Europe/Vienna\" }}", at.value);
                self.problems.error("WB-P032", &node.place, "a time of day needs its zone", mend);
                None
            }
            _ => {
                self.problems.error("WB-P032", &node.place, "this is not one of the timings", TIMINGS);
                None
            }
        }
    }

    pub(super) fn time_of_day(&mut self, text: &At<String>) -> Option<civil::Time> {
        let time = civil::Time::strptime("%H:%M", &text.value).ok();
        if time.is_none() {
            let what = format!("'{}' is no time of day", text.value);
            self.problems.error("WB-P031", &text.place, what, "write hours and minutes: \"02:00\"");
        }
        time
    }

    pub(super) fn zone(&mut self, text: &At<String>) -> Option<TimeZone> {
        let zone = TimeZone::get(&text.value).ok();
        if zone.is_none() {
            let zones = jiff::tz::db();
            let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
            let many = "name one of the IANA database, such as \"Europe/Vienna\"";
            // Most names of places are two letters away from another place.
            let near = |name: &&str| distance(&text.value, name) < 2 || name.contains(&text.value);
            let mend = nearest_or(&text.value, names.iter().map(String::as_str).filter(near), many);
            self.problems.error("WB-P031", &text.place, format!("there is no time zone '{}'", text.value), mend);
        }
        zone
    }

    fn read_on_edit(&mut self, table: &mut Table<'_, '_>, kind: Option<Kind>, to: Option<&Descriptor>) -> OnEdit {
        const WORDS: [(&str, OnEdit); 4] =
            [("update", OnEdit::Update), ("amend", OnEdit::Amend), ("park", OnEdit::Park), ("ignore", OnEdit::Ignore)];
        let Some(text) = table.text("on_edit", &mut self.problems) else { return OnEdit::default() };
        let choice = crate::read::choose(&text, &WORDS, &mut self.problems).unwrap_or_default();
        if choice == OnEdit::Amend
            && let (Some(needed), Some(descriptor)) = (kind.and_then(needs), to)
            && !descriptor.amends.contains(&needed)
        {
            let what = format!("{} has no amendments", descriptor.title);
            self.problems.error("WB-P034", &text.place, what, "write \"update\", \"park\" or \"ignore\"");
        }
        choice
    }

    fn read_on_leave(&mut self, table: &mut Table<'_, '_>, kind: Option<Kind>) -> OnLeave {
        const WORDS: [(&str, OnLeave); 3] =
            [("update", OnLeave::Update), ("cancel", OnLeave::Cancel), ("park", OnLeave::Park)];
        let Some(text) = table.text("on_leave", &mut self.problems) else { return OnLeave::default() };
        let choice = crate::read::choose(&text, &WORDS, &mut self.problems).unwrap_or_default();
        if choice == OnLeave::Cancel && kind.is_some_and(|kind| kind != Kind::Order) {
            let mend = "write \"update\" or \"park\"";
            self.problems.error("WB-P039", &text.place, "only orders are cancelled", mend);
        }
        choice
    }

    fn read_on_conflict(
        &mut self,
        table: &mut Table<'_, '_>,
        kind: Option<Kind>,
        to: Option<&Descriptor>,
    ) -> Option<OnConflict> {
        let text = table.text("on_conflict", &mut self.problems)?;
        let choice = crate::read::choose(&text, &ON_CONFLICT, &mut self.problems)?;
        if choice != OnConflict::Owner
            && let (Some(needed), Some(descriptor)) = (kind.and_then(needs), to)
            && !descriptor.reads.contains(&needed)
        {
            let what = format!("the fields of {} cannot be read back, so no conflict is seen", descriptor.title);
            self.problems.error("WB-P035", &text.place, what, "write \"owner\", or leave it out");
        }
        Some(choice)
    }

    fn read_retry(&mut self, table: &mut Table<'_, '_>) -> Retry {
        let mut retry = Retry::default();
        let Some(mut parts) = table.table("retry", &mut self.problems) else { return retry };
        if let Some(tries) = parts.number("tries", 1, 1000, &mut self.problems) {
            retry.tries = u32::try_from(tries).unwrap_or(retry.tries);
        }
        if let Some(hours) = parts.number("hours", 1, 24 * 30, &mut self.problems) {
            retry.for_at_most = minutes(hours * 60);
        }
        parts.finish(&mut self.problems);
        retry
    }

    fn read_condition(
        &mut self,
        table: &mut Table<'_, '_>,
        key: &'static str,
        kind: Option<Kind>,
        stores: &[StoreName],
    ) -> Option<crate::expression::Expression> {
        let text = table.text(key, &mut self.problems)?;
        let scope = self.scope(Some(kind?), stores);
        self.condition(&text, &scope, key == "when")
    }

    fn read_maps(
        &mut self,
        table: &mut Table<'_, '_>,
        kind: Option<Kind>,
        to: Option<&Descriptor>,
        stores: &[StoreName],
    ) -> maps::Maps {
        let written = maps::Written {
            fields: table.get("fields"),
            customer_fields: table.get("customer_fields"),
            lines: table.get("lines"),
            matching: table.get("match"),
            buyer: table.get("buyer"),
            flow: table.place.clone(),
        };
        // Without its kind nothing can be said of an expression.
        let Some(kind) = kind else { return maps::Maps::default() };
        let scope = self.scope(Some(kind), stores);
        self.maps_of(kind, to, &written, &scope)
    }
}
