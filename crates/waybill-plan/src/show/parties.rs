//! Stores, systems, and what things are called in them.

use waybill_domain::{Kind, StoreName, SystemName, descriptor::Budget};

use super::{Names, Section, Table, words};
use crate::plan::{Store, System};

pub(super) fn stores(names: &Names<'_>) -> Section {
    let row = |(name, store): (&StoreName, &Store)| {
        let Store { shop, system, channel, webhook_secrets } = store;
        vec![name.to_string(), shop.clone(), names.system(system), channel.clone(), webhook_secrets.join(", ")]
    };
    let rows = names.plan.stores.iter().map(row).collect();
    let headings = vec!["Store", "Shop", "Read through", "Channel", "Webhooks are signed with"];
    Section { title: "Stores", tables: vec![Table { title: String::new(), headings, rows }], of: &[] }
}

pub(super) fn systems(names: &Names<'_>) -> Section {
    let row = |(name, system): (&SystemName, &System)| {
        let (state, asks) = state(system);
        vec![
            name.to_string(),
            system.connector.clone(),
            state,
            asks,
            pace(names, name, system),
            settings(names, name, system),
        ]
    };
    let rows = names.plan.systems.iter().map(row).collect();
    let headings = vec!["System", "Connector", "State", "First run asks", "Pace", "Settings"];
    Section { title: "Systems", tables: vec![Table { title: String::new(), headings, rows }], of: &[] }
}

/// Whether it is written, and when a person is asked first.
fn state(system: &System) -> (String, String) {
    // Named one by one, so that a new key cannot be forgotten: what is not here is in the other columns.
    let System { connector: _, budget: _, concurrency: _, paused, shadow, ask_above, shares: _, settings: _ } = system;
    let written = if *shadow { "in shadow: decided and shown, never written" } else { "written" };
    let paused = if *paused { "; paused when it is first seen" } else { "" };
    (format!("{written}{paused}"), format!("above {ask_above} creates"))
}

fn pace(names: &Names<'_>, name: &SystemName, system: &System) -> String {
    let said =
        |budget: Budget| format!("{} in {}", words::count(budget.requests, "request"), words::duration(budget.per));
    let mut pace = match (system.budget, names.descriptor(name)) {
        (Some(budget), _) => said(budget),
        (None, Some(descriptor)) => format!("{}, the vendor's own limit", said(descriptor.budget)),
        (None, None) => "the vendor's own limit".to_owned(),
    };
    pace.push_str(&format!(
        "; {} at once in each process",
        words::count(u32::try_from(system.concurrency).unwrap_or(u32::MAX), "call")
    ));
    for (service, share) in &system.shares {
        pace.push_str(&format!("; {service} has {share} of it"));
    }
    pace
}

/// Settings as they are written. A secret is a reference there; what may be one and is none is not shown.
fn settings(names: &Names<'_>, name: &SystemName, system: &System) -> String {
    let known = names.descriptor(name);
    let said = |(key, value): (&String, &String)| {
        let is_plain = known
            .is_some_and(|connector| connector.settings.iter().any(|setting| setting.name == key && !setting.secret));
        let is_reference = value.starts_with("env:") || value.starts_with("file:");
        if is_plain || is_reference { format!("{key} = {value}") } else { format!("{key} (not shown)") }
    };
    system.settings.iter().map(said).collect::<Vec<_>>().join(", ")
}

pub(super) fn locations(names: &Names<'_>) -> Section {
    let row = |(name, theirs): (&String, &std::collections::BTreeMap<SystemName, String>)| {
        let theirs: Vec<String> = theirs.iter().map(|(system, name)| format!("{name} in {system}")).collect();
        vec![name.clone(), theirs.join(", ")]
    };
    let rows: Vec<_> = names.plan.locations.iter().map(row).collect();
    let table = Table { title: String::new(), headings: vec!["Location", "Is called"], rows };
    let tables = if table.rows.is_empty() { Vec::new() } else { vec![table] };
    Section { title: "Locations", tables, of: &[Kind::StockLevel] }
}

/// The tables that `lookup` reads.
pub(super) fn tables(names: &Names<'_>) -> Section {
    let tables = &names.plan.tables;
    let keys = |value: &minijinja::Value| {
        let mut keys: Vec<String> = value.try_iter().into_iter().flatten().map(|key| key.to_string()).collect();
        keys.sort();
        keys
    };
    let shown = |name: String| {
        let rows = tables.get_attr(&name).unwrap_or_default();
        let row = |key: String| {
            let value = rows.get_attr(&key).unwrap_or_default().to_string();
            vec![key, value]
        };
        Table { title: name, headings: vec!["Key", "Becomes"], rows: keys(&rows).into_iter().map(row).collect() }
    };
    let tables = keys(tables).into_iter().map(shown).filter(|table| !table.rows.is_empty()).collect();
    Section { title: "Tables", tables, of: &[Kind::Order, Kind::Customer, Kind::Refund, Kind::Shipment, Kind::Price] }
}
