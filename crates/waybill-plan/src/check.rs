//! Reading a plan: all that is wrong with it, at once.

mod across;
mod flows;
mod maps;
mod rules;
mod systems;

use std::collections::BTreeMap;

use minijinja::{Value, value::Serde};
use toml::de::DeTable;
use waybill_domain::{
    Kind, StoreName, SystemName,
    descriptor::{Capability, Descriptor},
};

use crate::{
    diagnostic::{Collector, Place, Problems, nearest},
    plan::{Checked, Connectors, Plan, Store, System},
    read::{At, Table},
    schema::{self, Type},
    typing::Scope,
};

pub(crate) use flows::MOVED;
pub(crate) use rules::OWNED;

/// Whether a reference to a secret resolves, and if not, why.
pub type Resolve<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// What is done about references to secrets.
#[derive(Clone, Copy)]
pub enum References<'a> {
    /// They are not looked at: whoever needs one looks for itself.
    Ignored,
    /// One that does not resolve is a warning.
    Warned(Resolve<'a>),
    /// One that does not resolve refuses the plan.
    Refused(Resolve<'a>),
}

/// What a flow of a kind needs its system to be able to do.
pub const fn needs(kind: Kind) -> Option<Capability> {
    match kind {
        Kind::Order => Some(Capability::OrderSink),
        Kind::Customer => Some(Capability::CustomerSink),
        Kind::Shipment => Some(Capability::ShipmentSink),
        Kind::StockLevel => Some(Capability::StockSink),
        Kind::Incident => Some(Capability::Pager),
        Kind::Refund => Some(Capability::RefundSink),
        Kind::Product | Kind::InventoryLevel | Kind::Fulfilment => None,
    }
}

/// A plan under construction.
struct Reading<'a, 't> {
    problems: Collector<'t>,
    connectors: Connectors<'a>,
    references: References<'a>,
    systems: BTreeMap<SystemName, System>,
    system_places: BTreeMap<SystemName, Place>,
    stores: BTreeMap<StoreName, Store>,
    locations: BTreeMap<String, BTreeMap<SystemName, String>>,
    tables: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether some flow could not be read: what is missing then may be that one.
    lacks_flows: bool,
}

impl<'a> Reading<'a, '_> {
    fn connector(&self, name: &str) -> Option<&'a Descriptor> {
        self.connectors.descriptors().iter().find(|descriptor| descriptor.connector == name)
    }

    /// What a system's connector says of itself; `None` if it is another service's to know.
    fn descriptor(&self, system: &SystemName) -> Option<&'a Descriptor> {
        self.systems.get(system).and_then(|system| self.connector(&system.connector))
    }

    fn name<T: std::str::FromStr>(&mut self, name: &At<String>) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let mend = "names are 1 to 32 of a-z, 0-9 and -";
        name.value
            .parse()
            .map_err(|error: T::Err| self.problems.error("WB-P001", &name.place, error.to_string(), mend))
            .ok()
    }

    fn system(&mut self, name: &At<String>) -> Option<SystemName> {
        let found = self.systems.keys().find(|known| known.as_str() == name.value).cloned();
        if found.is_none() {
            let mend = nearest(&name.value, self.systems.keys().map(SystemName::as_str));
            self.problems.error("WB-P003", &name.place, format!("there is no system '{}'", name.value), mend);
        }
        found
    }

    fn system_place(&self, name: &str) -> Place {
        let place = self.system_places.iter().find(|(known, _)| known.as_str() == name);
        place.map_or_else(|| Place::new("systems", 0..0), |(_, place)| place.clone())
    }

    fn store(&mut self, name: &At<String>) -> Option<StoreName> {
        let found = self.stores.keys().find(|known| known.as_str() == name.value).cloned();
        if found.is_none() {
            let mend = nearest(&name.value, self.stores.keys().map(StoreName::as_str));
            self.problems.error("WB-P018", &name.place, format!("there is no store '{}'", name.value), mend);
        }
        found
    }

    fn location(&mut self, name: &At<String>) -> Option<String> {
        if self.locations.contains_key(&name.value) {
            return Some(name.value.clone());
        }
        let mend = nearest(&name.value, self.locations.keys().map(String::as_str));
        self.problems.error("WB-P027", &name.place, format!("there is no location '{}'", name.value), mend);
        None
    }

    /// A system that must be able to do something.
    fn able(&mut self, name: &At<String>, capability: Capability, what: &str, mend: &str) -> Option<SystemName> {
        let system = self.system(name)?;
        if self.descriptor(&system).is_some_and(|descriptor| !descriptor.can(capability)) {
            self.problems.error("WB-P004", &name.place, format!("'{system}' {what}"), mend);
        }
        Some(system)
    }

    /// What expressions over records of a kind can name.
    fn scope(&self, kind: Option<Kind>) -> Scope {
        let words = |of: Vec<String>| Type::Word(of);
        let mut channels: Vec<String> = self.stores.values().map(|store| store.channel.clone()).collect();
        channels.dedup();
        let mut names = vec![
            ("store".to_owned(), words(self.stores.keys().map(ToString::to_string).collect())),
            ("channel".to_owned(), words(channels)),
            ("totals".to_owned(), schema::totals()),
            ("tables".to_owned(), Type::Tables),
        ];
        if let Some(kind) = kind {
            names.push((schema::variable(kind), schema::of_kind(kind)));
        }
        Scope::new(names, self.tables.keys().cloned().collect())
    }
}

/// Reads and checks a plan.
pub(crate) fn plan(text: &str, connectors: Connectors<'_>, references: References<'_>) -> Result<Checked, Problems> {
    let mut reading = Reading {
        problems: Collector::new(text, matches!(references, References::Refused(_))),
        connectors,
        references,
        systems: BTreeMap::new(),
        system_places: BTreeMap::new(),
        stores: BTreeMap::new(),
        locations: BTreeMap::new(),
        tables: BTreeMap::new(),
        lacks_flows: false,
    };
    let (root, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let place = Place::new("the file", error.span().unwrap_or(0..0));
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        reading.problems.error("WB-P020", &place, what, "write it as TOML: key = value, tables as [name]");
    }
    if !syntax.is_empty() {
        // What follows from a part that could not be read would only mislead.
        return Err(reading.problems.finish());
    }
    let mut table = Table::new(root.get_ref(), Place::new("", 0..0));
    reading.read_systems(&mut table);
    reading.read_stores(&mut table);
    reading.read_names(&mut table);
    let since = table.get("since").and_then(|node| node.instant(&mut reading.problems));
    let kinds = reading.read_kinds(&mut table);
    let customers = reading.read_customers(&mut table);
    let stock = reading.read_stock(&mut table);
    let alerts = reading.read_alerts(&mut table);
    let flows = reading.read_flows(&mut table, &flows::Defaults { since, late_after: alerts.late_after });
    table.finish(&mut reading.problems);
    reading.check_across(&flows, &kinds, stock.as_ref());
    let Reading { problems, systems, stores, locations, tables, .. } = reading;
    let problems = problems.finish();
    let (Some(customers), false) = (customers, problems.refuse()) else { return Err(problems) };
    let plan = Plan {
        stores,
        systems,
        locations,
        kinds: kinds.into_iter().map(|(kind, rule)| (kind, rule.value)).collect(),
        flows: flows.into_iter().map(|flow| flow.value).collect(),
        stock: stock.map(|stock| stock.value),
        pagers: alerts.pagers,
        expected: alerts.expected,
        hash: Plan::hash_of(text),
        customers,
        tables: Value::from(Serde(&tables)),
    };
    Ok(Checked { plan, warnings: problems })
}
