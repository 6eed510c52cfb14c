//! The plan as typed values.

mod flow;

use std::{collections::BTreeMap, time::Duration};

use minijinja::Value;
use sha2::{Digest, Sha256};
use waybill_domain::{
    Kind, Snapshot, StoreName, SystemName,
    descriptor::{Budget, Descriptor},
    document::Severity,
};

use crate::{
    check::{self, References},
    diagnostic::Problems,
    expression::ExpressionError,
};

pub use flow::*;

/// Which connectors a reader of the plan knows.
#[derive(Debug, Clone, Copy)]
pub enum Connectors<'a> {
    /// All that there are: another name is an error.
    All(&'a [Descriptor]),
    /// Those of one service: systems of other connectors are other services' to check.
    Some(&'a [Descriptor]),
}

impl<'a> Connectors<'a> {
    pub(crate) const fn descriptors(self) -> &'a [Descriptor] {
        let (Self::All(descriptors) | Self::Some(descriptors)) = self;
        descriptors
    }
}

/// One shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The shop's address at Shopify.
    pub shop: String,
    /// The system through which its records are read.
    pub system: SystemName,
    /// What it sells through, such as `retail` or `wholesale`; the store's name unless given.
    pub channel: String,
    /// References to every active webhook secret.
    pub webhook_secrets: Vec<String>,
}

/// One configured connector.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// The connector's name.
    pub connector: String,
    /// Requests over time; smaller than or equal to the vendor's published limit.
    pub budget: Option<Budget>,
    /// Calls in flight at once, per process.
    pub concurrency: usize,
    /// Whether it is paused when it is first seen.
    pub paused: bool,
    /// Whether deliveries are decided and shown and nothing is written.
    pub shadow: bool,
    /// How many records the first writing run may create without a person's word.
    pub ask_above: u32,
    /// Service → its share of the budget, where several services use the account.
    pub shares: BTreeMap<String, f64>,
    /// Plain settings and references to secrets, as written.
    pub settings: BTreeMap<String, String>,
}

impl System {
    /// The settings that the descriptor calls secret, which hold references, and the others.
    pub fn split(&self, descriptor: &Descriptor) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        self.settings
            .clone()
            .into_iter()
            .partition(|(name, _)| !descriptor.settings.iter().any(|setting| setting.secret && setting.name == name))
    }

    /// A service's part of the account's budget.
    pub fn budget_of(&self, service: &str, descriptor: &Descriptor) -> Budget {
        let budget = self.budget.unwrap_or(descriptor.budget);
        match self.shares.get(service) {
            Some(share) => Budget { requests: budget.requests, per: budget.per.div_f64(*share) },
            None => budget,
        }
    }
}

/// Who has the last word on a record or a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The store.
    Store,
    /// A system.
    System(SystemName),
}

/// What happens where the store and a system both changed a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// The field's owner wins.
    #[default]
    Owner,
    /// A person chooses.
    Park,
    /// The system's value stays.
    Theirs,
}

/// Who owns records of a kind, and which of their fields belong to another.
#[derive(Debug, Clone)]
pub struct KindRule {
    /// The owner of the record.
    pub owner: Owner,
    /// What happens where values differ.
    pub on_conflict: OnConflict,
    /// The snapshot's field → its owner, where that is not the record's.
    pub fields: BTreeMap<String, Owner>,
}

/// A system that tells people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    /// The system.
    pub system: SystemName,
    /// Incidents less bad than this are not told here.
    pub from: Severity,
}

/// How many orders are usual at a time of day; fewer are silence.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Of which stores; none means each.
    pub stores: Vec<StoreName>,
    /// From this time of day.
    pub from: jiff::civil::Time,
    /// To this one; before `from` if it is on the next day.
    pub to: jiff::civil::Time,
    /// In this time zone.
    pub zone: jiff::tz::TimeZone,
    /// So many orders an hour at least.
    pub orders_per_hour: u32,
}

/// The plan.
#[derive(Debug)]
pub struct Plan {
    /// The shops.
    pub stores: BTreeMap<StoreName, Store>,
    /// The outside parties.
    pub systems: BTreeMap<SystemName, System>,
    /// Location → system → the system's name of it.
    pub locations: BTreeMap<String, BTreeMap<SystemName, String>>,
    /// Who owns what, by kind as the plan names it.
    pub kinds: BTreeMap<String, KindRule>,
    /// The rules.
    pub flows: Vec<Flow>,
    /// Where stock comes from.
    pub stock: Option<Stock>,
    /// Where list prices come from.
    pub catalog: Option<Catalog>,
    /// Systems that tell people.
    pub pagers: Vec<Pager>,
    /// What is usual.
    pub expected: Vec<Expected>,
    /// The first 12 hexadecimal digits of the file's SHA-256; on every receipt.
    pub hash: String,
    pub(crate) customers: Customers,
    pub(crate) tables: Value,
}

/// A plan that passed, with what somebody should look at all the same.
#[derive(Debug)]
pub struct Checked {
    /// The plan.
    pub plan: Plan,
    /// Warnings only.
    pub warnings: Problems,
}

impl Plan {
    /// Reads and checks a plan.
    ///
    /// # Errors
    /// All problems at once, if one of them refuses the plan.
    pub fn parse(text: &str, connectors: Connectors<'_>) -> Result<Self, Problems> {
        check::plan(text, connectors, References::Ignored).map(|checked| checked.plan)
    }

    /// Whether a service built of the other plan is what it would be if it were built of this one: the same systems with
    /// the same settings, stores, and sources. All else is obeyed as it changes.
    pub fn builds_as(&self, other: &Self) -> bool {
        let source = |plan: &Self| plan.stock.as_ref().map(|stock| (stock.from.clone(), stock.every));
        self.systems == other.systems
            && self.stores == other.stores
            && source(self) == source(other)
            && self.catalog == other.catalog
    }

    /// Reads and checks a plan, and says warnings too.
    ///
    /// # Errors
    /// All problems at once, if one of them refuses the plan.
    pub fn check(text: &str, connectors: Connectors<'_>, references: References<'_>) -> Result<Checked, Problems> {
        check::plan(text, connectors, references)
    }

    /// The system that records of a kind are read from, where the plan says it once for all flows.
    pub fn read_from(&self, kind: Kind) -> Option<(&SystemName, Duration)> {
        match kind {
            Kind::StockLevel => self.stock.as_ref().map(|stock| (&stock.from, stock.every)),
            Kind::Price => self.catalog.as_ref().map(|catalog| (&catalog.from, catalog.every)),
            Kind::Order
            | Kind::Customer
            | Kind::Product
            | Kind::InventoryLevel
            | Kind::Fulfilment
            | Kind::Refund
            | Kind::Shipment
            | Kind::Incident => None,
        }
    }

    pub(crate) fn hash_of(text: &str) -> String {
        Sha256::digest(text.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The flow that brings a kind of a store's records to a system.
    pub fn flow(&self, store: &StoreName, kind: Kind, system: &SystemName) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.kind == kind && flow.to == *system && flow.covers(store))
    }

    /// Each flow with each of the stores whose records it brings.
    pub fn ways(&self) -> impl Iterator<Item = (&Flow, &StoreName)> {
        self.flows
            .iter()
            .flat_map(|flow| self.stores.keys().filter(move |store| flow.covers(store)).map(move |store| (flow, store)))
    }

    /// Every system that the plan names for a kind of a store's records.
    pub fn systems_for(&self, store: &StoreName, kind: Kind) -> impl Iterator<Item = &SystemName> {
        self.flows.iter().filter(move |flow| flow.kind == kind && flow.covers(store)).map(|flow| &flow.to)
    }

    /// Whether an order counts in its buyer's totals.
    ///
    /// # Errors
    /// If the plan's `customers.counts` cannot be computed.
    pub fn counts(&self, snapshot: &Snapshot) -> Result<bool, ExpressionError> {
        self.customers.counts.holds(&crate::view::of(self, snapshot, None))
    }

    /// The store that a system gives and takes the records of, if it is a shop.
    pub fn store_of(&self, system: &SystemName) -> Option<&StoreName> {
        self.stores.iter().find(|(_, store)| store.system == *system).map(|(name, _)| name)
    }

    /// What a store sells through.
    pub fn channel<'a>(&'a self, store: &'a StoreName) -> &'a str {
        self.stores.get(store).map_or(store.as_str(), |store| store.channel.as_str())
    }

    /// Who owns a field of a kind of records, named as in the snapshot.
    pub fn owner(&self, kind: Kind, field: &str) -> Owner {
        match self.kinds.get(kind.as_str()) {
            None => Owner::Store,
            Some(rule) => rule.fields.get(field).unwrap_or(&rule.owner).clone(),
        }
    }

    pub(crate) fn on_conflict(&self, flow: &Flow) -> OnConflict {
        flow.on_conflict
            .unwrap_or_else(|| self.kinds.get(flow.kind.as_str()).map_or(OnConflict::Owner, |rule| rule.on_conflict))
    }
}
