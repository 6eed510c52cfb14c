//! Reading a plan: all that is wrong with it, at once.

mod across;
mod flows;
mod literal;
mod maps;
mod names;
mod parties;
mod rules;
mod syntax;
mod systems;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, value::Serde};
use toml::de::DeTable;
use waybill_domain::{Kind, StoreName, SystemName, descriptor::Capability};

use crate::{
    diagnostic::{Collector, Place, Problems},
    plan::{Checked, Connectors, Plan, Store, System},
    read::Table,
};

pub(crate) use flows::MOVED;
pub(crate) use rules::OWNED;

/// Whether the reference to a secret at a place of the plan, such as `systems.erp.password`, resolves, and if not, why.
/// The place is given first. It is asked about systems whose connector is known, and about stores.
pub type Resolve<'a> = &'a dyn Fn(&str, &str) -> Result<(), String>;

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
        Kind::Price => Some(Capability::PriceSink),
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
    store_places: BTreeMap<StoreName, Place>,
    locations: BTreeMap<String, BTreeMap<SystemName, String>>,
    /// Where a location's name stands, by it, and what a system calls it, by `<location>.<system>`.
    location_places: BTreeMap<String, Place>,
    tables: BTreeMap<String, BTreeMap<String, String>>,
    /// What the file names, readable or not: a name of a part that could not be read is no wrong name.
    named: Named,
    /// Whether some flow could not be read: what is missing then may be that one.
    lacks_flows: bool,
}

/// Names of a section; `None` if the section itself could not be read.
type Section = Option<BTreeSet<String>>;

/// The names that the file gives.
#[derive(Default)]
struct Named {
    systems: Section,
    stores: Section,
    locations: Section,
    tables: Section,
    /// Whether there is a [stock], readable or not.
    stock: bool,
    /// The same of a [catalog].
    catalog: bool,
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
        store_places: BTreeMap::new(),
        locations: BTreeMap::new(),
        location_places: BTreeMap::new(),
        tables: BTreeMap::new(),
        named: Named::default(),
        lacks_flows: false,
    };
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What follows from a part that could not be read would only mislead.
        syntax::say(&errors, &mut reading.problems);
        return Err(reading.problems.finish());
    }
    if root.get_ref().is_empty() {
        let mend = "begin with [systems.<name>] and [stores.<name>]; examples/plans/example.toml shows every key";
        reading.problems.error("WB-P012", &Place::new("", 0..0), "the plan says nothing", mend);
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
    let catalog = reading.read_catalog(&mut table);
    let alerts = reading.read_alerts(&mut table);
    let flows = reading.read_flows(&mut table, &flows::Defaults { since, late_after: alerts.late_after });
    table.finish(&mut reading.problems);
    reading.check_parties();
    reading.check_across(&flows, &kinds, &across::Sources { stock: stock.as_ref(), catalog: catalog.as_ref() });
    let Reading { problems, systems, stores, locations, tables, .. } = reading;
    let problems = problems.finish();
    let (Some(customers), false) = (customers, problems.refuse()) else { return Err(problems) };
    let plan = Plan {
        stores,
        systems,
        locations,
        kinds: kinds.into_iter().map(|(kind, rule)| (kind, rule.value)).collect(),
        flows: flows.into_iter().map(|flow| flow.flow).collect(),
        stock: stock.map(|stock| stock.value),
        catalog: catalog.map(|catalog| catalog.value),
        pagers: alerts.pagers,
        expected: alerts.expected,
        hash: Plan::hash_of(text),
        customers,
        tables: Value::from(Serde(&tables)),
    };
    Ok(Checked { plan, warnings: problems })
}
