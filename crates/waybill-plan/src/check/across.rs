//! What only shows across a plan's parts: two flows of one thing, circles, two owners, an account used twice.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use waybill_domain::{Kind, StoreName, SystemName, descriptor::Capability};

use super::{Reading, flows::Written, needs};
use crate::{
    diagnostic::Place,
    plan::{Catalog, Flow, KindRule, OnConflict, Owner, Stock, System},
    read::At,
};

type Kinds = BTreeMap<String, At<KindRule>>;

/// The parts of a plan that say once for all flows where a kind's records are read.
pub(super) struct Sources<'a> {
    pub(super) stock: Option<&'a At<Stock>>,
    pub(super) catalog: Option<&'a At<Catalog>>,
}

/// One of them.
struct Source<'a> {
    kind: Kind,
    /// Its header.
    header: &'static str,
    /// What comes from there.
    what: &'static str,
    needs: Capability,
    /// Whether it is there, readable or not.
    is_there: bool,
    read: Option<(&'a SystemName, &'a Place)>,
}

/// One account at a vendor: the connector, and what it is reached with.
type Account = (String, Vec<String>);

impl Reading<'_, '_> {
    pub(super) fn check_across(&mut self, flows: &[Written], kinds: &Kinds, sources: &Sources<'_>) {
        let sources = self.sources(sources);
        self.check_twins(flows);
        self.check_after(flows);
        self.check_circles(flows);
        self.check_echoes(flows);
        self.check_owners(flows, kinds, &sources);
        for written in flows {
            self.check_buyer_fields(written, flows);
            self.check_conflicts(written, kinds);
            self.check_source(&written.flow, &written.place);
        }
        for source in &sources {
            self.check_read_from(flows, source);
        }
        self.check_accounts();
    }

    fn sources<'a>(&self, written: &Sources<'a>) -> [Source<'a>; 2] {
        [
            Source {
                kind: Kind::StockLevel,
                header: "[stock]",
                what: "levels",
                needs: Capability::StockSource,
                is_there: self.named.stock,
                read: written.stock.map(|stock| (&stock.value.from, &stock.place)),
            },
            Source {
                kind: Kind::Price,
                header: "[catalog]",
                what: "prices",
                needs: Capability::CatalogSource,
                is_there: self.named.catalog,
                read: written.catalog.map(|catalog| (&catalog.value.from, &catalog.place)),
            },
        ]
    }

    /// A record follows one flow to a system.
    fn check_twins(&mut self, flows: &[Written]) {
        let mut same: BTreeMap<(Kind, &SystemName), Vec<&Written>> = BTreeMap::new();
        for written in flows {
            let flow = &written.flow;
            let before = same.entry((flow.kind, &flow.to)).or_default();
            // Of two flows of one name this was said already.
            let twin = before.iter().find(|other| other.flow.name != flow.name && meet(&other.flow, flow));
            if let Some(twin) = twin {
                let what = format!("flow '{}' brings {} records to {} already", twin.flow.name, flow.kind, flow.to);
                let mend = match (twin.flow.condition(), flow.condition()) {
                    _ if self.stores.len() > 1 => {
                        "a record follows one flow: give each its own stores, or join the two".to_owned()
                    }
                    (Some(one), Some(other)) => {
                        format!("a record follows one flow: join the two by when = \"({one}) or ({other})\"")
                    }
                    _ => "a record follows one flow: join the two, or drop one".to_owned(),
                };
                self.problems.error("WB-P006", &written.place, what, mend);
            }
            before.push(written);
        }
    }

    /// What a flow waits for has to come: a flow of the same kind and stores to that system.
    fn check_after(&mut self, flows: &[Written]) {
        for Written { flow, after, .. } in flows {
            for At { value: system, place } in after {
                let mut to_it = flows.iter().filter(|other| other.flow.kind == flow.kind && other.flow.to == *system);
                if *system == flow.to {
                    let mend = "take the system out of 'after'";
                    self.problems.error("WB-P007", place, format!("the flow goes to {system} itself"), mend);
                } else if !self.lacks_flows && !to_it.any(|other| meet(&other.flow, flow)) {
                    let what = format!("no flow brings {} records to {system}", flow.kind);
                    let mend = "add that flow, or take the system out of 'after': the wait would never end";
                    self.problems.error("WB-P038", place, what, mend);
                }
            }
        }
    }

    /// Flows that wait for each other; each circle is told once.
    fn check_circles(&mut self, flows: &[Written]) {
        let mut told: BTreeSet<(Kind, Vec<SystemName>)> = BTreeSet::new();
        for written in flows {
            let Some(circle) = waits_for_itself(flows, written) else { continue };
            let mut systems = circle.clone();
            systems.sort();
            systems.dedup();
            if told.insert((written.flow.kind, systems)) {
                let way: Vec<&str> = circle.iter().map(SystemName::as_str).collect();
                let what = format!("the flows wait for each other: {}", way.join(" after "));
                let place = written.after.iter().find(|after| after.value == circle[1]).map(|after| &after.place);
                let mend = "break the circle: take one of them out of 'after'";
                self.problems.error("WB-P007", place.unwrap_or(&written.place), what, mend);
            }
        }
    }

    /// Records of a kind that go from one system to another and back: each would be the other's echo.
    fn check_echoes(&mut self, flows: &[Written]) {
        let mut ways: BTreeMap<(Kind, SystemName, SystemName), &str> = BTreeMap::new();
        for Written { flow, place, .. } in flows {
            let Some(from) = self.source(flow) else { continue };
            if let Some(back) = ways.get(&(flow.kind, flow.to.clone(), from.clone())) {
                let what =
                    format!("'{back}' brings {} records from {} to {from}, and this one back", flow.kind, flow.to);
                let mend = "keep the flow that comes from the owner";
                self.problems.error("WB-P026", place, what, mend);
            }
            ways.insert((flow.kind, from, flow.to.clone()), &flow.name);
        }
    }

    /// Where a flow's records come from: a system, or the store's own.
    fn source(&self, flow: &Flow) -> Option<SystemName> {
        let of_store = || self.stores.iter().find(|(name, _)| flow.covers(name)).map(|(_, store)| store.system.clone());
        flow.from.clone().or_else(of_store)
    }

    /// Parcels come from a system that gives some.
    fn check_source(&mut self, flow: &Flow, place: &Place) {
        if flow.kind == Kind::Shipment && flow.from.is_none() && !self.somebody_can(Capability::ShipmentSource) {
            let mend = "add a system whose connector gives parcels, and from = \"…\"";
            self.problems.error("WB-P012", place, "no system of the plan gives parcels", mend);
        }
    }

    /// A kind's owner, and the system that its records come from, are one.
    fn check_owners(&mut self, flows: &[Written], kinds: &Kinds, sources: &[Source<'_>]) {
        let mut say = |rule: &At<KindRule>, place: &Place, kind: &str, from: &SystemName| {
            if rule.value.owner != Owner::System(from.clone()) {
                let owner = match &rule.value.owner {
                    Owner::Store => "the store".to_owned(),
                    Owner::System(system) => system.to_string(),
                };
                let what = format!("{kind} records come from {from}, and [kinds.{kind}] says that {owner} owns them");
                self.problems.error("WB-P025", place, what, "name one owner in both places");
            }
        };
        for source in sources {
            if let (Some((from, place)), Some(rule)) = (source.read, kinds.get(source.kind.as_str())) {
                say(rule, place, source.kind.as_str(), from);
            }
        }
        let is_told = |kind| sources.iter().any(|source| source.kind == kind);
        for Written { flow, from: place, .. } in flows.iter().filter(|written| !is_told(written.flow.kind)) {
            if let (Some(from), Some(place), Some(rule)) = (&flow.from, place, kinds.get(flow.kind.as_str())) {
                say(rule, place, flow.kind.as_str(), from);
            }
        }
    }

    /// One field of one customer has one map.
    fn check_buyer_fields(&mut self, order: &Written, flows: &[Written]) {
        if order.flow.kind != Kind::Order || order.flow.customer_fields.is_empty() {
            return;
        }
        let to_same = |other: &&Written| other.flow.kind == Kind::Customer && other.flow.to == order.flow.to;
        for customer in flows.iter().filter(to_same).filter(|other| meet(&other.flow, &order.flow)) {
            let theirs: BTreeMap<&str, &str> = customer.flow.maps().collect();
            for (field, source) in order.flow.customer_maps() {
                let Some(other) = theirs.get(field).filter(|other| **other != source) else { continue };
                let what = format!("flow '{}' gives {field} of the same customer another value", customer.flow.name);
                let mend = format!("write one expression in both; there it is {other}");
                let place = order.customer_fields.get(field).unwrap_or(&order.place);
                self.problems.error("WB-P025", place, what, mend);
            }
        }
    }

    /// What a kind's `on_conflict` asks for must be seen in the flow's system.
    fn check_conflicts(&mut self, written: &Written, kinds: &Kinds) {
        let flow = &written.flow;
        let Some(rule) = kinds.get(flow.kind.as_str()) else { return };
        let asks = rule.value.on_conflict != OnConflict::Owner && flow.on_conflict.is_none();
        if !asks || flow.fields.is_empty() {
            return;
        }
        if let (Some(needed), Some(descriptor)) = (needs(flow.kind), self.descriptor(&flow.to))
            && !descriptor.reads.contains(&needed)
        {
            let what = format!(
                "[kinds.{}] asks for conflicts, and the fields of {} cannot be read back",
                flow.kind, descriptor.title
            );
            self.problems.error("WB-P035", &written.place, what, "give this flow on_conflict = \"owner\"");
        }
    }

    /// What a part says once for all flows is there where a flow needs it, is used, and is what the flows say too.
    fn check_read_from(&mut self, flows: &[Written], source: &Source<'_>) {
        let Source { kind, header, what, .. } = *source;
        let mut flows = flows.iter().filter(|written| written.flow.kind == kind).peekable();
        // A [stock] without a flow was let pass from the first, and stays so.
        let must_be_used = kind == Kind::Price && !self.lacks_flows;
        if let (Some((_, place)), None, true) = (source.read, flows.peek(), must_be_used) {
            let what = format!("{what} are read, and no flow brings them anywhere");
            let mend = format!("add a flow with kind = \"{kind}\", or leave {header} out");
            self.problems.error("WB-P012", place, what, mend);
        }
        for written in flows {
            let Some((read_from, _)) = source.read else {
                if !source.is_there {
                    let what = format!("the plan has no {header} to say where {what} come from");
                    let able = self.able_systems(source.needs);
                    let from = if let [one] = able[..] { one } else { "…" };
                    let mend = format!("add {header} with from = \"{from}\"");
                    self.problems.error("WB-P012", &written.place, what, mend);
                }
                continue;
            };
            if let (Some(from), Some(place)) = (&written.flow.from, &written.from)
                && from != read_from
            {
                let word = header.trim_matches(['[', ']']);
                let what = format!(
                    "{} is read from {read_from}, says {header}",
                    if kind == Kind::Price { "the catalogue" } else { word }
                );
                self.problems.error("WB-P025", place, what, "name the same system in both places");
            }
            if kind == Kind::StockLevel {
                self.check_location_names(&written.flow.to, read_from);
            }
        }
    }

    /// A location that the stock's system knows needs its name in the system that gets its levels.
    fn check_location_names(&mut self, to: &SystemName, from: &SystemName) {
        let nameless = |names: &BTreeMap<SystemName, String>| names.contains_key(from) && !names.contains_key(to);
        let nameless = self.locations.iter().filter(|(_, names)| nameless(names)).map(|(location, _)| location);
        let places: Vec<_> = nameless.filter_map(|location| self.location_places.get(location).cloned()).collect();
        for place in places {
            // A name that is misspelt was told already.
            if !self.problems_at(&place.path) {
                let what = format!("stock levels go to {to}, which has no name for this location");
                self.problems.error("WB-P027", &place, what, format!("add {to} = \"…\" to it"));
            }
        }
    }

    /// Systems with the same credentials are one account: their budgets come from one.
    fn check_accounts(&mut self) {
        let mut accounts: BTreeMap<Account, Vec<(SystemName, Decimal)>> = BTreeMap::new();
        for (name, system) in &self.systems {
            if let Some(account) = self.account(system) {
                let share: f64 = if system.shares.is_empty() { 1.0 } else { system.shares.values().sum() };
                let share = Decimal::try_from(share).unwrap_or(Decimal::ONE).round_dp(6).normalize();
                accounts.entry((system.connector.clone(), account)).or_default().push((name.clone(), share));
            }
        }
        for users in accounts.into_values().filter(|users| users.len() > 1) {
            let sum: Decimal = users.iter().map(|(_, share)| share).sum();
            if sum > Decimal::ONE {
                let names: Vec<&str> = users.iter().map(|(name, _)| name.as_str()).collect();
                let what = format!("{} use one account, and their shares come to {sum}", names.join(" and "));
                let last = users.iter().map(|(name, _)| self.system_place(name)).max_by_key(|place| place.span.start);
                let mend = "give each a part of it, such as shares = { crm-sync = 0.5 }";
                self.problems.error("WB-P028", &last.unwrap_or_else(|| Place::new("systems", 0..0)), what, mend);
            }
        }
    }

    /// What makes an account: all that a system cannot do without, and where it is.
    fn account(&self, system: &System) -> Option<Vec<String>> {
        let descriptor = self.connector(&system.connector)?;
        let needed = descriptor.settings.iter().filter(|setting| setting.required || setting.name == "url");
        let is_secret = descriptor.settings.iter().any(|setting| setting.secret && setting.required);
        let setting = |name: &str| system.settings.get(name).cloned().unwrap_or_default();
        is_secret.then(|| needed.map(|needed| setting(needed.name)).collect())
    }
}

/// Whether two flows concern a store both.
fn meet(one: &Flow, other: &Flow) -> bool {
    let named = |flow: &Flow, store: &StoreName| flow.covers(store);
    one.stores.is_empty() || other.stores.is_empty() || one.stores.iter().any(|store| named(other, store))
}

/// The systems on the way back to a flow's own, if it waits for itself.
fn waits_for_itself(flows: &[Written], start: &Written) -> Option<Vec<SystemName>> {
    let start = &start.flow;
    let mut paths: Vec<Vec<SystemName>> = start.after.iter().map(|system| vec![system.clone()]).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop() {
        let system = path.last()?.clone();
        if system == start.to {
            let way: Vec<SystemName> = std::iter::once(&start.to).chain(&path).cloned().collect();
            if path.len() > 1 {
                return Some(way);
            }
            continue;
        }
        if !seen.insert(system.clone()) {
            continue;
        }
        let next = flows.iter().map(|written| &written.flow).filter(|flow| flow.kind == start.kind);
        let next = next.filter(|flow| flow.to == system && meet(flow, start));
        for after in next.flat_map(|flow| &flow.after) {
            paths.push(path.iter().chain([after]).cloned().collect());
        }
    }
    None
}
