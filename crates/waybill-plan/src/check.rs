//! All that is wrong with a plan, at once.

use std::{collections::BTreeMap, fmt, time::Duration};

use minijinja::{Value, value::Serde};
use waybill_domain::{
    Kind, SystemName,
    descriptor::{Budget, Capability, Descriptor},
    document::StockQuantity,
};

use crate::{
    expression::Expression,
    file::{File, FlowFile, MapFile, Missing, SystemFile},
    plan::{Connectors, Flow, Lines, Map, Plan, Stock, Store, System},
};

/// Something wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable: `WB-P004`.
    pub code: &'static str,
    /// Where in the plan: `flows.orders-to-erp.to`.
    pub at: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}; {}", self.code, self.at, self.what, self.mend)
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, code: &'static str, at: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Problem { code, at: at.into(), what: what.into(), mend: mend.into() });
    }

    fn name<T: std::str::FromStr>(&mut self, at: &str, text: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        text.parse().map_err(|error: T::Err| self.add("WB-P001", at, error.to_string(), "rename it")).ok()
    }

    fn expression(&mut self, at: &str, text: &str) -> Option<Expression> {
        Expression::new(text).map_err(|error| self.add("WB-P002", at, error.to_string(), "mend the expression")).ok()
    }
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

fn nearest<'a>(wanted: &str, there: impl Iterator<Item = &'a str>) -> String {
    let distance = |other: &str| {
        let (a, b): (Vec<char>, Vec<char>) = (wanted.chars().collect(), other.chars().collect());
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut corner = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let cost = corner + usize::from(x != y);
                corner = row[j + 1];
                row[j + 1] = cost.min(row[j] + 1).min(corner + 1);
            }
        }
        row[b.len()]
    };
    match there.map(|name| (distance(name), name)).min() {
        Some((close, name)) if close <= 2 => format!("did you mean '{name}'?"),
        _ => "name one that there is".to_owned(),
    }
}

pub(crate) fn build(file: &File, connectors: Connectors<'_>) -> Result<Plan, Vec<Problem>> {
    let mut problems = Problems::default();
    let (Connectors::All(descriptors) | Connectors::Some(descriptors)) = connectors;
    let find = |connector: &str| descriptors.iter().find(|d| d.connector == connector);
    let mut systems = BTreeMap::new();
    for (name, system) in &file.systems {
        let at = format!("systems.{name}");
        let Some(key) = problems.name::<SystemName>(&at, name) else { continue };
        systems.insert(key, build_system(&at, system, find(&system.connector), connectors, &mut problems));
    }
    let descriptor = |name: &SystemName| systems.get(name).and_then(|system: &System| find(&system.connector));
    let known = |at: &str, text: &str, problems: &mut Problems| -> Option<SystemName> {
        let found = systems.keys().find(|name| name.as_str() == text).cloned();
        if found.is_none() {
            let mend = nearest(text, systems.keys().map(SystemName::as_str));
            problems.add("WB-P003", at, format!("there is no system '{text}'"), mend);
        }
        found
    };
    let mut stores = BTreeMap::new();
    for (name, store) in &file.stores {
        let at = format!("stores.{name}");
        let key = problems.name(&at, name);
        let system = known(&format!("{at}.system"), &store.system, &mut problems);
        if let Some(system) = &system
            && descriptor(system).is_some_and(|d| !d.can(Capability::StoreSource))
        {
            problems.add("WB-P004", format!("{at}.system"), format!("'{system}' is no shop"), "name a shopify system");
        }
        if store.webhook_secrets.is_empty() {
            let mend = "give at least one reference, such as env:SHOPIFY_WEBHOOK_SECRET";
            problems.add("WB-P005", format!("{at}.webhook_secrets"), "there is no secret", mend);
        }
        if let (Some(key), Some(system)) = (key, system) {
            let webhook_secrets = store.webhook_secrets.clone();
            stores.insert(key, Store { shop: store.shop.clone(), system, webhook_secrets });
        }
    }
    let mut locations = BTreeMap::new();
    for (name, names) in &file.locations {
        let at = format!("locations.{name}");
        let names = names
            .iter()
            .filter_map(|(system, theirs)| Some((known(&at, system, &mut problems)?, theirs.clone())))
            .collect();
        locations.insert(name.clone(), names);
    }
    let mut flows: Vec<Flow> = Vec::new();
    for flow in &file.flows {
        if let Some(flow) =
            build_flow(flow, &known, &descriptor, &stores, &mut problems, file.alerts.late_after_seconds)
        {
            let twin = flows.iter().find(|other| {
                other.kind == flow.kind
                    && other.to == flow.to
                    && (flow.stores.is_empty()
                        || other.stores.is_empty()
                        || flow.stores.iter().any(|s| other.stores.contains(s)))
            });
            if let Some(twin) = twin {
                let what = format!("flow '{}' already brings {} to {}", twin.name, flow.kind, flow.to);
                problems.add("WB-P006", format!("flows.{}", flow.name), what, "join the two, or give each its stores");
            }
            flows.push(flow);
        }
    }
    for cycle in cycles(&flows) {
        problems.add("WB-P007", format!("flows.{cycle}.after"), "it waits for itself in the end", "break the circle");
    }
    let stock = file.stock.as_ref().and_then(|stock| {
        let from = known("stock.from", &stock.from, &mut problems)?;
        if descriptor(&from).is_some_and(|d| !d.can(Capability::StockSource)) {
            problems.add("WB-P004", "stock.from", format!("'{from}' gives no stock levels"), "name a system that does");
        }
        let quantity = match stock.quantity.as_str() {
            "on_hand" => StockQuantity::OnHand,
            "available" => StockQuantity::Available,
            other => {
                problems.add(
                    "WB-P008",
                    "stock.quantity",
                    format!("'{other}' is no quantity"),
                    "write on_hand or available",
                );
                return None;
            }
        };
        let every = Duration::from_secs(stock.every_seconds.max(1));
        Some(Stock { from, quantity, safety: stock.safety, every })
    });
    let mut pagers = Vec::new();
    for name in &file.alerts.pagers {
        if let Some(pager) = known("alerts.pagers", name, &mut problems) {
            if descriptor(&pager).is_some_and(|d| !d.can(Capability::Pager)) {
                problems.add(
                    "WB-P004",
                    "alerts.pagers",
                    format!("'{pager}' tells nobody"),
                    "name a pager, Slack or a webhook",
                );
            }
            pagers.push(pager);
        }
    }
    let counts = problems.expression("customers.counts", &file.customers.counts);
    match (counts, problems.0.is_empty()) {
        (Some(counts), true) => Ok(Plan {
            stores,
            systems,
            locations,
            flows,
            stock,
            pagers,
            hash: String::new(),
            counts,
            tables: Value::from(Serde(&file.tables)),
        }),
        _ => Err(problems.0),
    }
}

fn build_system(
    at: &str,
    file: &SystemFile,
    descriptor: Option<&Descriptor>,
    connectors: Connectors<'_>,
    problems: &mut Problems,
) -> System {
    let mut settings = BTreeMap::new();
    for (name, value) in &file.settings {
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            _ => {
                problems.add("WB-P009", format!("{at}.{name}"), "not a text, number or flag", "write one value");
                continue;
            }
        };
        settings.insert(name.clone(), text);
    }
    match descriptor {
        None => {
            if let Connectors::All(descriptors) = connectors {
                let mend = nearest(&file.connector, descriptors.iter().map(|d| d.connector));
                problems.add(
                    "WB-P010",
                    format!("{at}.connector"),
                    format!("there is no connector '{}'", file.connector),
                    mend,
                );
            }
        }
        Some(descriptor) => {
            for name in settings.keys().filter(|name| !descriptor.settings.iter().any(|s| s.name == *name)) {
                let mend = nearest(name, descriptor.settings.iter().map(|s| s.name));
                problems.add(
                    "WB-P011",
                    format!("{at}.{name}"),
                    format!("{} has no such setting", descriptor.title),
                    mend,
                );
            }
            for setting in descriptor.settings.iter().filter(|s| s.required && !settings.contains_key(s.name)) {
                problems.add(
                    "WB-P012",
                    format!("{at}.{}", setting.name),
                    "it is missing",
                    format!("give {}", setting.about),
                );
            }
            for setting in descriptor.settings.iter().filter(|s| s.secret) {
                if let Some(text) = settings.get(setting.name)
                    && !text.starts_with("env:")
                    && !text.starts_with("file:")
                {
                    let mend =
                        "write a reference, env:NAME or file:/path, and change the secret if this file was shared";
                    problems.add("WB-P013", format!("{at}.{}", setting.name), "a secret stands in the plan", mend);
                }
            }
        }
    }
    let budget = file.budget.map(|budget| Budget {
        requests: budget.requests,
        per: Duration::from_secs(u64::from(budget.per_seconds.max(1))),
    });
    if let (Some(budget), Some(descriptor)) = (budget, descriptor) {
        let rate = |b: Budget| f64::from(b.requests) / b.per.as_secs_f64();
        if rate(budget) > rate(descriptor.budget) * 2.5 || budget.requests == 0 {
            let what =
                format!("{} requests in {:?} is not what {} allows", budget.requests, budget.per, descriptor.title);
            problems.add("WB-P014", format!("{at}.budget"), what, "give your account's own limit");
        }
    }
    System { connector: file.connector.clone(), budget, concurrency: file.concurrency.clamp(1, 64), settings }
}

fn build_flow<'d>(
    file: &FlowFile,
    known: &dyn Fn(&str, &str, &mut Problems) -> Option<SystemName>,
    descriptor: &dyn Fn(&SystemName) -> Option<&'d Descriptor>,
    stores: &BTreeMap<waybill_domain::StoreName, Store>,
    problems: &mut Problems,
    late_after_seconds: u64,
) -> Option<Flow> {
    let at = format!("flows.{}", file.name);
    let kind: Option<Kind> = problems.name(&format!("{at}.kind"), &file.kind);
    let to = known(&format!("{at}.to"), &file.to, problems);
    let from = file.from.as_ref().and_then(|from| known(&format!("{at}.from"), from, problems));
    if let (Some(kind), Some(to)) = (kind, &to)
        && let Some(descriptor) = descriptor(to)
    {
        match needs(kind) {
            Some(capability) if descriptor.can(capability) => {}
            _ => problems.add(
                "WB-P015",
                format!("{at}.to"),
                format!("{} cannot take {kind} records", descriptor.title),
                "name a system that can, or drop the flow",
            ),
        }
        let fields = descriptor.fields;
        let names = |of: Capability| fields.iter().filter(move |field| field.of == of);
        let check = |map: &BTreeMap<String, MapFile>, of: Capability, key: &str, problems: &mut Problems| {
            for name in map.keys().filter(|_| !descriptor.custom_fields) {
                if !names(of).any(|field| field.name == name) {
                    let mend = nearest(name, names(of).map(|field| field.name));
                    problems.add(
                        "WB-P016",
                        format!("{at}.{key}.{name}"),
                        format!("{} has no such field", descriptor.title),
                        mend,
                    );
                }
            }
            for field in names(of).filter(|field| field.required && !map.contains_key(field.name)) {
                problems.add(
                    "WB-P017",
                    format!("{at}.{key}.{}", field.name),
                    format!("{} requires it", descriptor.title),
                    "map it",
                );
            }
        };
        if let Some(of) = needs(kind) {
            check(&file.fields, of, "fields", problems);
        }
        if kind == Kind::Order && !file.customer_fields.is_empty() {
            check(&file.customer_fields, Capability::CustomerSink, "customer_fields", problems);
        }
    }
    let mut named_stores = Vec::new();
    for name in &file.stores {
        match stores.keys().find(|store| store.as_str() == name) {
            Some(store) => named_stores.push(store.clone()),
            None => problems.add(
                "WB-P018",
                format!("{at}.stores"),
                format!("there is no store '{name}'"),
                nearest(name, stores.keys().map(|s| s.as_str())),
            ),
        }
    }
    let after: Vec<_> = file.after.iter().filter_map(|name| known(&format!("{at}.after"), name, problems)).collect();
    let when = match &file.when {
        None => None,
        Some(text) => Some(problems.expression(&format!("{at}.when"), text)?),
    };
    let maps = |table: &BTreeMap<String, MapFile>, key: &str, problems: &mut Problems| {
        table
            .iter()
            .filter_map(|(name, map)| {
                let (text, missing) = match map {
                    MapFile::Expression(text) => (text, Missing::default()),
                    MapFile::Full(map) => (&map.value, map.missing),
                };
                let value = problems.expression(&format!("{at}.{key}.{name}"), text)?;
                Some((name.clone(), Map { value, missing }))
            })
            .collect()
    };
    let fields = maps(&file.fields, "fields", problems);
    let customer_fields = maps(&file.customer_fields, "customer_fields", problems);
    let lines = match &file.lines {
        None => None,
        Some(lines) => Some(Lines {
            item: problems.expression(&format!("{at}.lines.item"), &lines.item)?,
            tax: match &lines.tax {
                None => None,
                Some(tax) => Some(problems.expression(&format!("{at}.lines.tax"), tax)?),
            },
            charges: lines.charges.clone(),
        }),
    };
    Some(Flow {
        name: file.name.clone(),
        kind: kind?,
        to: to?,
        from,
        stores: named_stores,
        after,
        late_after: Duration::from_secs(file.late_after_seconds.unwrap_or(late_after_seconds)),
        when,
        lines,
        fields,
        customer_fields,
    })
}

/// Flows that wait for themselves, by name.
fn cycles(flows: &[Flow]) -> Vec<String> {
    flows
        .iter()
        .filter(|start| {
            let mut reached = start.after.clone();
            let mut seen = Vec::new();
            while let Some(system) = reached.pop() {
                if system == start.to {
                    return true;
                }
                if !seen.contains(&system) {
                    let next = flows.iter().filter(|flow| flow.kind == start.kind && flow.to == system);
                    reached.extend(next.flat_map(|flow| flow.after.clone()));
                    seen.push(system);
                }
            }
            false
        })
        .map(|flow| flow.name.clone())
        .collect()
}
