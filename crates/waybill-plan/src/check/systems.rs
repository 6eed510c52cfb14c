//! Systems, stores, locations, tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use waybill_domain::{
    StoreName, SystemName,
    descriptor::{Budget, Capability, Descriptor},
};

use super::{Reading, References};
use crate::{
    diagnostic::{Place, close, nearest, nearest_or},
    plan::{Connectors, Store, System},
    read::{At, Node, Table},
};

/// The word for the store itself where an owner is named.
pub(super) const STORE: &str = "store";

/// The services that can use a system's account.
const SERVICES: [&str; 6] =
    ["shopify-ingest", "inventory-router", "crm-sync", "erp-sync", "fulfilment-sync", "alerter"];

/// Above so many creates the first writing run asks, unless the plan says otherwise.
const ASK_ABOVE: i64 = 1000;

/// A key with its place, and its text.
type Row = (At<String>, String);
/// A table of them, with its name.
type Rows = (At<String>, Vec<Row>);

impl Reading<'_, '_> {
    pub(super) fn read_systems(&mut self, root: &mut Table<'_, '_>) {
        let Some(table) = self.section(root, "systems", "at least one system: [systems.<name>]") else { return };
        self.named.systems = Some(table.names());
        for (name, node) in table.entries() {
            let Some(mut table) = node.table(&mut self.problems) else { continue };
            let key = self.name::<SystemName>(&name);
            if name.value == STORE {
                let what = "a system cannot be called 'store': owner = \"store\" means the store itself";
                self.problems.error("WB-P001", &name.place, what, "give it another name, such as \"shop\"");
            }
            let system = self.read_system(&mut table);
            if let (Some(key), Some(system)) = (key, system) {
                self.system_places.insert(key.clone(), name.place);
                self.systems.insert(key, system);
            }
        }
    }

    /// A table that has to be there, with something in it.
    fn section<'a, 't>(
        &mut self,
        root: &mut Table<'a, 't>,
        key: &'static str,
        about: &'static str,
    ) -> Option<Table<'a, 't>> {
        let table = root.needed(key, about, &mut self.problems)?.table(&mut self.problems)?;
        if table.entries().is_empty() {
            self.problems.error("WB-P012", &table.place, format!("'{key}' is empty"), format!("add {about}"));
        }
        Some(table)
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
        let mut parts = node.table_as("write { requests = 100, per_seconds = 10 }", &mut self.problems)?;
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
            && descriptor.budget_is_published
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
        let form = "write { crm-sync = 0.5, erp-sync = 0.5 }";
        let Some(parts) = node.table_as(form, &mut self.problems) else { return BTreeMap::new() };
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
        let mut misspelt = BTreeSet::new();
        for (name, node) in table.others() {
            let known = descriptor.map(|descriptor| descriptor.settings.iter().find(|known| known.name == name.value));
            if let (Some(None), Some(descriptor)) = (known, descriptor) {
                let all = ["budget", "concurrency", "paused", "shadow", "ask_above", "shares"];
                let names: Vec<&str> = descriptor.settings.iter().map(|setting| setting.name).chain(all).collect();
                let what = format!("{} has no setting '{}'", descriptor.title, name.value);
                let settings: Vec<&str> = descriptor.settings.iter().map(|setting| setting.name).collect();
                let many = format!("its settings are: {}", settings.join(", "));
                let mend = nearest_or(&name.value, names.iter().copied(), &many);
                self.problems.error("WB-P011", &name.place, what, mend);
                misspelt.extend(close(&name.value, names.into_iter()));
                if !is_reference(&node) {
                    // It may be a secret under a name that is misspelt.
                    self.problems.hide(&node.place);
                }
                continue;
            }
            let is_secret = known.flatten().is_some_and(|setting| setting.secret);
            if is_secret && !is_reference(&node) {
                self.problems.hide(&node.place);
            }
            let Some(text) = node.plain(&mut self.problems) else { continue };
            if descriptor.is_some() {
                self.check_reference(&text, is_secret);
            }
            settings.insert(name.value, text.value);
        }
        let there: BTreeSet<String> = table.others().into_iter().map(|(name, _)| name.value).collect();
        for setting in descriptor.iter().flat_map(|descriptor| descriptor.settings) {
            if setting.required && !there.contains(setting.name) && !misspelt.contains(setting.name) {
                let place = Place::new(format!("{}.{}", table.place.path, setting.name), table.place.span.clone());
                let what = format!("'{}' is missing", setting.name);
                let value = if setting.secret { "env:…" } else { "…" };
                let mend = format!("add {} = \"{value}\", {}", setting.name, setting.about);
                self.problems.error("WB-P012", &place, what, mend);
            }
        }
        settings
    }

    /// A secret is a reference; whatever is one has to resolve where the plan is used.
    pub(super) fn check_reference(&mut self, text: &At<String>, is_secret: bool) {
        let is_reference = text.value.starts_with("env:") || text.value.starts_with("file:");
        if is_secret && !is_reference {
            let mend = "write a reference, env:NAME or file:/path, and change the secret if this file was shared";
            self.problems.hide(&text.place);
            self.problems.error("WB-P013", &text.place, "a secret stands in the plan", mend);
        }
        if is_reference
            && let References::Warned(resolve) | References::Refused(resolve) = self.references
            && let Err(why) = resolve(&text.place.path, &text.value)
        {
            let mend = "set it where this runs";
            self.problems.unresolved(&text.place, &text.value, why, mend);
        }
    }

    pub(super) fn read_stores(&mut self, root: &mut Table<'_, '_>) {
        let Some(table) = self.section(root, "stores", "at least one store: [stores.<name>]") else { return };
        self.named.stores = Some(table.names());
        for (name, node) in table.entries() {
            let Some(mut table) = node.table(&mut self.problems) else { continue };
            let key = self.name::<StoreName>(&name);
            let shop = table.required("shop", "the shop's address: example.myshopify.com", &mut self.problems);
            let system = table.required("system", "the system through which its records are read", &mut self.problems);
            let system = system.and_then(|system| {
                self.able(&system, Capability::StoreSource, "is no shop", "add a system whose connector is \"shopify\"")
            });
            let channel = table.text("channel", &mut self.problems).map(|channel| channel.value);
            for node in table.get("webhook_secrets").iter().flat_map(Node::leaves) {
                if !is_reference(&node) {
                    self.problems.hide(&node.place);
                }
            }
            let secrets = table.texts("webhook_secrets", &mut self.problems);
            for secret in &secrets {
                self.check_reference(secret, true);
            }
            if secrets.is_empty() && !self.problems_at(&format!("{}.webhook_secrets", table.place.path)) {
                let mend = "add webhook_secrets = [\"env:SHOPIFY_WEBHOOK_SECRET\"]";
                self.problems.error("WB-P005", &table.place, "there is no secret that webhooks are signed with", mend);
            }
            table.finish(&mut self.problems);
            if let (Some(key), Some(shop), Some(system)) = (key, shop, system) {
                let webhook_secrets = secrets.into_iter().map(|secret| secret.value).collect();
                let channel = channel.unwrap_or(name.value);
                self.store_places.insert(key.clone(), shop.place);
                self.stores.insert(key, Store { shop: shop.value, system, channel, webhook_secrets });
            }
        }
    }

    /// Locations, and the tables that `lookup` reads.
    pub(super) fn read_names(&mut self, root: &mut Table<'_, '_>) {
        let locations = self.tables_of_texts(root, "locations");
        self.named.locations = locations.as_ref().map(|tables| names(tables));
        for (location, names) in locations.into_iter().flatten() {
            let mut theirs = BTreeMap::new();
            for (name, text) in names {
                if let Some(system) = self.system(&name) {
                    self.location_places.insert(format!("{}.{system}", location.value), name.place);
                    theirs.insert(system, text);
                }
            }
            self.location_places.insert(location.value.clone(), location.place);
            self.locations.insert(location.value, theirs);
        }
        let tables = self.tables_of_texts(root, "tables");
        self.named.tables = tables.as_ref().map(|tables| names(tables));
        for (name, rows) in tables.into_iter().flatten() {
            self.tables.insert(name.value, rows.into_iter().map(|(key, text)| (key.value, text)).collect());
        }
    }

    /// Tables of texts by name, those that could not be read too; `None` if the section itself could not be.
    fn tables_of_texts(&mut self, root: &mut Table<'_, '_>, key: &'static str) -> Option<Vec<Rows>> {
        let Some(node) = root.get(key) else { return Some(Vec::new()) };
        let mut tables = Vec::new();
        for (name, node) in node.table(&mut self.problems)?.entries() {
            let rows = node.table(&mut self.problems).map(|rows| rows.entries()).unwrap_or_default();
            let row = |(key, node): (At<String>, Node<'_, '_>)| Some((key, node.text(&mut self.problems)?.value));
            tables.push((name, rows.into_iter().filter_map(row).collect()));
        }
        Some(tables)
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

/// Whether a value refers to a secret that stands elsewhere.
fn is_reference(node: &Node<'_, '_>) -> bool {
    node.as_text().is_some_and(|text| text.starts_with("env:") || text.starts_with("file:"))
}

fn names(tables: &[Rows]) -> BTreeSet<String> {
    tables.iter().map(|(name, _)| name.value.clone()).collect()
}
