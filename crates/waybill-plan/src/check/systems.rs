//! Systems, stores, locations, tables.

use std::{collections::BTreeMap, time::Duration};

use waybill_domain::{
    SystemName,
    descriptor::{Budget, Capability, Descriptor},
};

use super::{Reading, References};
use crate::{
    diagnostic::nearest,
    plan::{Connectors, Store, System},
    read::{At, Table},
};

/// The services that can use a system's account.
const SERVICES: [&str; 6] =
    ["shopify-ingest", "inventory-router", "crm-sync", "erp-sync", "fulfilment-sync", "alerter"];

/// Above so many creates the first writing run asks, unless the plan says otherwise.
const ASK_ABOVE: i64 = 1000;

/// A key with its place, and its text.
type Row = (At<String>, String);

impl Reading<'_, '_> {
    pub(super) fn read_systems(&mut self, root: &mut Table<'_, '_>) {
        let Some(table) = self.section(root, "systems") else { return };
        for (name, node) in table.entries() {
            let Some(mut table) = node.table(&mut self.problems) else { continue };
            let key = self.name::<SystemName>(&name);
            let system = self.read_system(&mut table);
            if let (Some(key), Some(system)) = (key, system) {
                self.system_places.insert(key.clone(), name.place);
                self.systems.insert(key, system);
            }
        }
    }

    /// A table that has to be there.
    fn section<'a, 't>(&mut self, root: &mut Table<'a, 't>, key: &'static str) -> Option<Table<'a, 't>> {
        let found = root.get(key);
        if found.is_none() {
            let mend = format!("give at least one: [{key}.name]");
            self.problems.error("WB-P012", &root.place.clone(), format!("'{key}' is missing"), mend);
        }
        found?.table(&mut self.problems)
    }

    fn read_system(&mut self, table: &mut Table<'_, '_>) -> Option<System> {
        let connector = table.required("connector", "the connector's name, such as \"hubspot\"", &mut self.problems)?;
        let descriptor = self.connector(&connector.value);
        if descriptor.is_none()
            && let Connectors::All(all) = self.connectors
        {
            let mend = nearest(&connector.value, all.iter().map(|descriptor| descriptor.connector));
            let what = format!("there is no connector '{}'", connector.value);
            self.problems.error("WB-P010", &connector.place, what, mend);
        }
        let budget = self.read_budget(table, descriptor);
        let concurrency = table.number("concurrency", 1, 64, &mut self.problems).unwrap_or(4);
        let paused = table.flag("paused", &mut self.problems).unwrap_or(false);
        let shadow = table.flag("shadow", &mut self.problems).unwrap_or(false);
        let ask_above = table.number("ask_above", 0, 1_000_000_000, &mut self.problems).unwrap_or(ASK_ABOVE);
        let shares = self.read_shares(table);
        let settings = self.read_settings(table, descriptor);
        Some(System {
            connector: connector.value,
            budget,
            concurrency: usize::try_from(concurrency).unwrap_or(4),
            paused,
            shadow,
            ask_above: u32::try_from(ask_above).unwrap_or(u32::MAX),
            shares,
            settings,
        })
    }

    fn read_budget(&mut self, table: &mut Table<'_, '_>, descriptor: Option<&Descriptor>) -> Option<Budget> {
        let node = table.get("budget")?;
        let mut parts = node.table(&mut self.problems)?;
        let requests = parts.number("requests", 1, 1_000_000, &mut self.problems);
        let per = parts.seconds("per_seconds", 1, 86_400, &mut self.problems);
        parts.finish(&mut self.problems);
        let (Some(requests), Some(per)) = (requests, per) else {
            if !self.problems_at(&node.place.path) {
                let mend = "write { requests = 100, per_seconds = 10 }";
                self.problems.error("WB-P012", &node.place, "a budget has two parts", mend);
            }
            return None;
        };
        let budget = Budget { requests: u32::try_from(requests).unwrap_or(u32::MAX), per };
        let rate = |budget: Budget| f64::from(budget.requests) / budget.per.as_secs_f64();
        if let Some(descriptor) = descriptor
            && rate(budget) > rate(descriptor.budget) * 2.5
        {
            let published = descriptor.budget;
            let what = format!(
                "{requests} requests in {} s is far above what {} publishes: {} in {} s",
                per.as_secs(),
                descriptor.title,
                published.requests,
                published.per.as_secs()
            );
            self.problems.error("WB-P014", &node.place, what, "give your account's own limit");
        }
        Some(budget)
    }

    fn read_shares(&mut self, table: &mut Table<'_, '_>) -> BTreeMap<String, f64> {
        let Some(node) = table.get("shares") else { return BTreeMap::new() };
        let Some(parts) = node.table(&mut self.problems) else { return BTreeMap::new() };
        let mut sum = rust_decimal::Decimal::ZERO;
        let mut shares = BTreeMap::new();
        for (service, node) in parts.entries() {
            if !SERVICES.contains(&service.value.as_str()) {
                let mend = nearest(&service.value, SERVICES.into_iter());
                self.problems.error(
                    "WB-P037",
                    &service.place,
                    format!("there is no service '{}'", service.value),
                    mend,
                );
            }
            let Some(share) = node.fraction(&mut self.problems) else { continue };
            sum += share.value;
            shares.insert(service.value, share.value.try_into().unwrap_or(1.0));
        }
        if sum > rust_decimal::Decimal::ONE {
            let what = format!("the shares of this account come to {sum}");
            self.problems.error("WB-P028", &node.place, what, "give shares that come to 1 at most");
        }
        shares
    }

    fn read_settings(&mut self, table: &Table<'_, '_>, descriptor: Option<&Descriptor>) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        for (name, node) in table.others() {
            let known = descriptor.map(|descriptor| descriptor.settings.iter().find(|known| known.name == name.value));
            if let (Some(None), Some(descriptor)) = (known, descriptor) {
                let all = ["budget", "concurrency", "paused", "shadow", "ask_above", "shares"];
                let mend = nearest(&name.value, descriptor.settings.iter().map(|setting| setting.name).chain(all));
                let what = format!("{} has no setting '{}'", descriptor.title, name.value);
                self.problems.error("WB-P011", &name.place, what, mend);
            }
            let Some(text) = node.plain(&mut self.problems) else { continue };
            let is_secret = known.flatten().is_some_and(|setting| setting.secret);
            self.check_reference(&text, is_secret);
            settings.insert(name.value, text.value);
        }
        for setting in descriptor.iter().flat_map(|descriptor| descriptor.settings) {
            if setting.required && !table.others().iter().any(|(name, _)| name.value == setting.name) {
                let what = format!("'{}' is missing", setting.name);
                self.problems.error("WB-P012", &table.place, what, format!("give {}", setting.about));
            }
        }
        settings
    }

    /// A secret is a reference; whatever is one has to resolve where the plan is used.
    pub(super) fn check_reference(&mut self, text: &At<String>, is_secret: bool) {
        let is_reference = text.value.starts_with("env:") || text.value.starts_with("file:");
        if is_secret && !is_reference {
            let mend = "write a reference, env:NAME or file:/path, and change the secret if this file was shared";
            self.problems.error("WB-P013", &text.place, "a secret stands in the plan", mend);
        }
        if is_reference
            && let References::Warned(resolve) | References::Refused(resolve) = self.references
            && let Err(why) = resolve(&text.value)
        {
            let mend = "set it where the services run; nothing else can be checked for it here";
            self.problems.unresolved(&text.place, why, mend);
        }
    }

    pub(super) fn read_stores(&mut self, root: &mut Table<'_, '_>) {
        let Some(table) = self.section(root, "stores") else { return };
        for (name, node) in table.entries() {
            let Some(mut table) = node.table(&mut self.problems) else { continue };
            let key = self.name(&name);
            let shop = table.required("shop", "the shop's address: example.myshopify.com", &mut self.problems);
            let system = table.required("system", "the system through which its records are read", &mut self.problems);
            let system = system.and_then(|system| {
                self.able(
                    &system,
                    Capability::StoreSource,
                    "is no shop",
                    "name a system whose connector is \"shopify\"",
                )
            });
            let channel = table.text("channel", &mut self.problems).map(|channel| channel.value);
            let secrets = table.texts("webhook_secrets", &mut self.problems);
            for secret in &secrets {
                self.check_reference(secret, true);
            }
            if secrets.is_empty() && !self.problems_at(&format!("{}.webhook_secrets", table.place.path)) {
                let mend = "give webhook_secrets = [\"env:SHOPIFY_WEBHOOK_SECRET\"]";
                self.problems.error("WB-P005", &table.place, "there is no secret that webhooks are signed with", mend);
            }
            table.finish(&mut self.problems);
            if let (Some(key), Some(shop), Some(system)) = (key, shop, system) {
                let webhook_secrets = secrets.into_iter().map(|secret| secret.value).collect();
                let channel = channel.unwrap_or(name.value);
                self.stores.insert(key, Store { shop: shop.value, system, channel, webhook_secrets });
            }
        }
    }

    /// Locations, and the tables that `lookup` reads.
    pub(super) fn read_names(&mut self, root: &mut Table<'_, '_>) {
        for (name, names) in self.tables_of_texts(root, "locations") {
            let mut theirs = BTreeMap::new();
            for (system, text) in names {
                if let Some(system) = self.system(&system) {
                    theirs.insert(system, text);
                }
            }
            self.locations.insert(name, theirs);
        }
        for (name, rows) in self.tables_of_texts(root, "tables") {
            self.tables.insert(name, rows.into_iter().map(|(key, text)| (key.value, text)).collect());
        }
    }

    fn tables_of_texts(&mut self, root: &mut Table<'_, '_>, key: &'static str) -> Vec<(String, Vec<Row>)> {
        let Some(table) = root.table(key, &mut self.problems) else { return Vec::new() };
        let mut tables = Vec::new();
        for (name, node) in table.entries() {
            let Some(rows) = node.table(&mut self.problems) else { continue };
            let row = |(key, node): (At<String>, crate::read::Node<'_, '_>)| {
                Some((key, node.text(&mut self.problems)?.value))
            };
            tables.push((name.value, rows.entries().into_iter().filter_map(row).collect()));
        }
        tables
    }

    /// Whether something was said already about a place or what is in it.
    pub(super) fn problems_at(&self, path: &str) -> bool {
        self.problems.at(path)
    }
}

/// Seconds of a whole number of minutes.
pub(super) fn minutes(number: i64) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(0) * 60)
}
