//! The oracle: do the systems hold what the store's final records ask for?
//!
//! It starts from the store's records and from a fixed table of what the example plan expects of each system
//! (`expect`), asks every system over its own HTTP API (`found`) and compares every mapped field (`compare`). It
//! knows nothing of Waybill: it reads neither its database nor its API, nor the plan file.

mod compare;
mod expect;
mod found;
mod http;
mod predicted;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;

use compare::{Found, Wanted};
use found::{hubspot, shipstation, shopify, tryton};

/// What is wrong with one object of a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The system, by its name in the example plan.
    pub system: &'static str,
    /// The kind of object there.
    pub object: &'static str,
    /// What it is recognised by: an order's name, an e-mail, a SKU and place.
    pub key: String,
    /// `missing`, `doubled`, `wrong_value` or `unexpected`.
    pub problem: &'static str,
    /// The field; empty unless a value is wrong.
    pub field: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// What came of the comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Objects that should be there and are not.
    pub missing_in_systems: usize,
    /// Objects that are there more than once.
    pub doubled: usize,
    /// Fields whose value is another one.
    pub wrong_values: usize,
    /// Objects that should not be there.
    pub unexpected: usize,
    /// Objects that were compared, by system.
    pub compared: BTreeMap<&'static str, usize>,
    /// Fields that were compared.
    pub fields: usize,
    /// What is wrong, object by object.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Whether everything is as it should be.
    pub fn agrees(&self) -> bool {
        self.findings.is_empty()
    }

    fn of(wanted: &[Wanted], found: &[Found]) -> Self {
        let (findings, fields) = compare::compare(wanted, found);
        let count = |problem: &str| findings.iter().filter(|one| one.problem == problem).count();
        let mut compared = BTreeMap::new();
        for one in wanted {
            *compared.entry(one.system).or_default() += 1;
        }
        Self {
            missing_in_systems: count("missing"),
            doubled: count("doubled"),
            wrong_values: count("wrong_value"),
            unexpected: count("unexpected"),
            compared,
            fields,
            findings,
        }
    }
}

/// Asks everyone, and compares with what a simulated plan says that they hold: `predicted` is the text of `waybill plan
/// simulate --json`.
///
/// # Errors
/// As [`run`], or if the text is no such answer.
pub async fn run_predicted(ready: &Value, predicted: &str) -> anyhow::Result<Verdict> {
    let store = records::read(&http::text(ready, &["shopify", "url"])?).await.context("the store's records")?;
    let mut found = hubspot::read(ready).await.context("HubSpot")?;
    found.extend(tryton::read(ready).await.context("Tryton")?.sales);
    found.extend(shipstation::read(ready).await.context("ShipStation")?.shipments(&store));
    found.extend(shopify::objects(&store));
    Ok(Verdict::of(&predicted::everything(predicted)?, &found))
}

/// Asks some of the CRM accounts (`crm`, `crm-2`, `crm-3`), the ERP and the shipping system, of the same flows: for runs
/// whose plan has no other systems. With `sent`, only these orders were told to anybody.
///
/// # Errors
/// As [`run`].
pub async fn run_of(ready: &Value, systems: &[String], sent: Option<&BTreeSet<String>>) -> anyhow::Result<Verdict> {
    let store = store(ready, sent).await?;
    let shipping = shipstation::read(ready).await.context("ShipStation")?;
    let mut wanted = expect::orders(&store, &shipping);
    let mut found = hubspot::read(ready).await.context("HubSpot")?;
    for (account, system) in [("hubspot_2", "crm-2"), ("hubspot_3", "crm-3")] {
        let Some(account) = ready.get(account) else { continue };
        let there = hubspot::read(&serde_json::json!({"hubspot": account})).await.context(system)?;
        found.extend(there.into_iter().map(|one| Found { system, ..one }));
        let also = wanted.iter().filter(|one| one.system == "crm").cloned().collect::<Vec<_>>();
        wanted.extend(also.into_iter().map(|one| Wanted { system, ..one }));
    }
    found.extend(shipping.shipments(&store));
    let is_asked = |system: &str| systems.iter().any(|one| one == system);
    if is_asked("erp") {
        found.extend(tryton::read(ready).await.context("Tryton")?.sales);
    }
    wanted.retain(|one| is_asked(one.system));
    found.retain(|one| is_asked(one.system));
    anyhow::ensure!(!wanted.is_empty(), "nothing is expected of {}", systems.join(", "));
    Ok(Verdict::of(&wanted, &found))
}

/// Asks everyone and compares. `ready` is what `waybill-simulator --ready` wrote; with a real ERP, its `tryton` entry
/// leads there. With `sent`, only these orders of the store were told to anybody.
///
/// # Errors
/// If a system does not answer, or not as its documentation says.
pub async fn run(ready: &Value, sent: Option<&BTreeSet<String>>) -> anyhow::Result<Verdict> {
    let store = store(ready, sent).await?;
    let crm = hubspot::read(ready).await.context("HubSpot")?;
    let erp = tryton::read(ready).await.context("Tryton")?;
    let shipping = shipstation::read(ready).await.context("ShipStation")?;
    let wanted = expect::everything(&store, &erp, &shipping);
    let mut found = crm;
    found.extend(erp.sales);
    found.extend(shipping.shipments(&store));
    found.extend(shopify::objects(&store));
    Ok(Verdict::of(&wanted, &found))
}

async fn store(ready: &Value, sent: Option<&BTreeSet<String>>) -> anyhow::Result<records::Records> {
    let url = http::text(ready, &["shopify", "url"])?;
    let mut store = records::read(&url).await.context("the store's records")?;
    if let Some(sent) = sent {
        store.orders.retain(|order| sent.contains(&order.id));
    }
    Ok(store)
}
