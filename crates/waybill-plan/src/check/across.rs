//! What only shows across a plan's parts: two flows of one thing, circles, two owners, an account used twice.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use waybill_domain::{Kind, StoreName, SystemName};

use super::{Reading, needs};
use crate::{
    diagnostic::Place,
    plan::{Flow, KindRule, OnConflict, Owner, Stock, System},
    read::At,
};

impl Reading<'_, '_> {
    pub(super) fn check_across(
        &mut self,
        flows: &[At<Flow>],
        kinds: &BTreeMap<String, At<KindRule>>,
        stock: Option<&At<Stock>>,
    ) {
        self.check_twins(flows);
        self.check_after(flows);
        self.check_circles(flows);
        self.check_owners(flows, kinds, stock);
        self.check_fields(flows, kinds);
        self.check_stock(flows, stock);
        self.check_accounts();
    }

    fn check_twins(&mut self, flows: &[At<Flow>]) {
        for (index, flow) in flows.iter().enumerate() {
            let twin = flows[..index].iter().find(|other| {
                other.value.kind == flow.value.kind
                    && other.value.to == flow.value.to
                    && meet(&other.value, &flow.value)
            });
            if let Some(twin) = twin {
                let what = format!(
                    "flow '{}' already brings {} records to {}",
                    twin.value.name, flow.value.kind, flow.value.to
                );
                self.problems.error("WB-P006", &flow.place, what, "join the two, or give each its own stores");
            }
        }
    }

    /// What a flow waits for has to come: a flow of the same kind and stores to that system.
    fn check_after(&mut self, flows: &[At<Flow>]) {
        for flow in flows {
            for system in &flow.value.after {
                let comes = flows.iter().any(|other| {
                    other.value.kind == flow.value.kind && other.value.to == *system && meet(&other.value, &flow.value)
                });
                if *system == flow.value.to {
                    let what = format!("it waits for {system}, where it goes itself");
                    self.problems.error("WB-P007", &flow.place, what, "take the system out of 'after'");
                } else if !comes && !self.lacks_flows {
                    let what = format!("it waits for {system}, and no flow brings {} records there", flow.value.kind);
                    self.problems.error(
                        "WB-P038",
                        &flow.place,
                        what,
                        "add that flow, or take the system out of 'after'",
                    );
                }
            }
        }
    }

    fn check_circles(&mut self, flows: &[At<Flow>]) {
        for flow in flows {
            if let Some(circle) = waits_for_itself(flows, flow) {
                let what = format!("it waits for itself in the end: {}", circle.join(" after "));
                self.problems.error("WB-P007", &flow.place, what, "break the circle: take one of them out of 'after'");
            }
        }
        // Records of a kind that go from one system to another and back: each would be the other's echo.
        for flow in flows {
            let (from, to) = (self.source(&flow.value), flow.value.to.clone());
            let back = flows.iter().find(|other| {
                other.value.kind == flow.value.kind && self.source(&other.value) == to && other.value.to == from
            });
            if let Some(back) = back
                && back.place.span.start < flow.place.span.start
            {
                let what = format!(
                    "'{}' brings {} records from {to} to {from}, and this one brings them back",
                    back.value.name, flow.value.kind
                );
                self.problems.error("WB-P026", &flow.place, what, "keep the flow that comes from the owner");
            }
        }
    }

    /// Where a flow's records come from: a system, or the store's own.
    fn source(&self, flow: &Flow) -> SystemName {
        let of_store = || self.stores.iter().find(|(name, _)| flow.covers(name)).map(|(_, store)| store.system.clone());
        flow.from.clone().or_else(of_store).unwrap_or_else(|| flow.to.clone())
    }

    /// A kind's owner, and the system that its records come from, are one.
    fn check_owners(&mut self, flows: &[At<Flow>], kinds: &BTreeMap<String, At<KindRule>>, stock: Option<&At<Stock>>) {
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
        if let (Some(stock), Some(rule)) = (stock, kinds.get("stock-level")) {
            say(rule, &stock.place, "stock-level", &stock.value.from);
        }
        for flow in flows.iter().filter(|flow| flow.value.kind != Kind::StockLevel) {
            if let (Some(from), Some(rule)) = (&flow.value.from, kinds.get(flow.value.kind.as_str())) {
                say(rule, &flow.place, flow.value.kind.as_str(), from);
            }
        }
    }

    /// One field of one object has one map.
    fn check_fields(&mut self, flows: &[At<Flow>], kinds: &BTreeMap<String, At<KindRule>>) {
        for order in flows.iter().filter(|flow| flow.value.kind == Kind::Order) {
            let customers = flows.iter().filter(|flow| {
                flow.value.kind == Kind::Customer && flow.value.to == order.value.to && meet(&flow.value, &order.value)
            });
            for customer in customers {
                let theirs: BTreeMap<&str, &str> = customer.value.maps().collect();
                for (field, source) in order.value.customer_maps() {
                    if theirs.get(field).is_some_and(|other| *other != source) {
                        let what = format!(
                            "'{field}' of a customer in {} has two maps: customer_fields here, and fields of '{}'",
                            order.value.to, customer.value.name
                        );
                        self.problems.error("WB-P025", &order.place, what, "write the same expression in both");
                    }
                }
            }
        }
        for flow in flows {
            self.check_conflicts(flow, kinds);
        }
    }

    /// What a kind's `on_conflict` asks for must be seen in the flow's system.
    fn check_conflicts(&mut self, flow: &At<Flow>, kinds: &BTreeMap<String, At<KindRule>>) {
        let Some(rule) = kinds.get(flow.value.kind.as_str()) else { return };
        let asks = rule.value.on_conflict != OnConflict::Owner && flow.value.on_conflict.is_none();
        if !asks || flow.value.fields.is_empty() {
            return;
        }
        if let (Some(needed), Some(descriptor)) = (needs(flow.value.kind), self.descriptor(&flow.value.to))
            && !descriptor.reads.contains(&needed)
        {
            let what = format!(
                "[kinds.{}] asks for conflicts, and the fields of {} cannot be read back",
                flow.value.kind, descriptor.title
            );
            self.problems.error("WB-P035", &flow.place, what, "give this flow on_conflict = \"owner\"");
        }
    }

    fn check_stock(&mut self, flows: &[At<Flow>], stock: Option<&At<Stock>>) {
        for flow in flows.iter().filter(|flow| flow.value.kind == Kind::StockLevel) {
            match stock {
                None => {
                    let mend = "add [stock] with from = \"…\"";
                    self.problems.error(
                        "WB-P012",
                        &flow.place,
                        "the plan has no [stock] to say where levels come from",
                        mend,
                    );
                }
                Some(stock) if flow.value.from.as_ref().is_some_and(|from| *from != stock.value.from) => {
                    let what = format!("stock is read from {}, says [stock]", stock.value.from);
                    self.problems.error("WB-P025", &flow.place, what, "name the same system in both places");
                }
                Some(_) => {}
            }
            let nameless: Vec<&str> = self
                .locations
                .iter()
                .filter(|(_, names)| {
                    stock.is_some_and(|stock| names.contains_key(&stock.value.from))
                        && !names.contains_key(&flow.value.to)
                })
                .map(|(name, _)| name.as_str())
                .collect();
            if !nameless.is_empty() {
                let what = format!("{} has no name for: {}", flow.value.to, nameless.join(", "));
                self.problems.error("WB-P027", &flow.place, what, "add the system's name under [locations]");
            }
        }
    }

    /// Systems with the same credentials are one account: their budgets come from one.
    fn check_accounts(&mut self) {
        let mut accounts: BTreeMap<(String, String), Vec<(SystemName, Decimal)>> = BTreeMap::new();
        for (name, system) in &self.systems {
            if let Some(secret) = self.account(system) {
                let share: f64 = if system.shares.is_empty() { 1.0 } else { system.shares.values().sum() };
                let share = Decimal::try_from(share).unwrap_or(Decimal::ONE).round_dp(6);
                accounts.entry((system.connector.clone(), secret)).or_default().push((name.clone(), share));
            }
        }
        for users in accounts.into_values().filter(|users| users.len() > 1) {
            let sum: Decimal = users.iter().map(|(_, share)| share).sum();
            if sum > Decimal::ONE {
                let names: Vec<&str> = users.iter().map(|(name, _)| name.as_str()).collect();
                let what = format!("{} use one account, and their shares come to {sum}", names.join(" and "));
                let place = self.system_place(names[names.len() - 1]);
                self.problems.error("WB-P028", &place, what, "give each `shares` that come to 1 together");
            }
        }
    }

    /// The first secret that a system cannot do without, as its reference.
    fn account(&self, system: &System) -> Option<String> {
        let descriptor = self.connector(&system.connector)?;
        let setting = descriptor.settings.iter().find(|setting| setting.secret && setting.required)?;
        system.settings.get(setting.name).cloned()
    }
}

/// Whether two flows concern a store both.
fn meet(one: &Flow, other: &Flow) -> bool {
    let named = |flow: &Flow, store: &StoreName| flow.covers(store);
    one.stores.is_empty() || other.stores.is_empty() || one.stores.iter().any(|store| named(other, store))
}

/// The systems on the way back to a flow's own, if it waits for itself.
fn waits_for_itself(flows: &[At<Flow>], start: &At<Flow>) -> Option<Vec<String>> {
    let mut paths: Vec<Vec<SystemName>> = start.value.after.iter().map(|system| vec![system.clone()]).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop() {
        let system = path.last()?.clone();
        if system == start.value.to {
            let way = std::iter::once(&start.value.to).chain(&path);
            return (path.len() > 1).then(|| way.map(ToString::to_string).collect());
        }
        if !seen.insert(system.clone()) {
            continue;
        }
        let next = flows.iter().filter(|flow| {
            flow.value.kind == start.value.kind && flow.value.to == system && meet(&flow.value, &start.value)
        });
        for after in next.flat_map(|flow| &flow.value.after) {
            paths.push(path.iter().chain([after]).cloned().collect());
        }
    }
    None
}
