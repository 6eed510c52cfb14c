//! The plan as typed values.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use minijinja::Value;
use sha2::{Digest, Sha256};
use waybill_domain::{
    Kind, Snapshot, StoreName, SystemName,
    descriptor::{Budget, Descriptor},
    document::{FieldValue, OnMatch, Severity, StockQuantity},
};

use crate::{
    check::{self, References},
    diagnostic::Problems,
    expression::{Expression, ExpressionError},
    timing::Timing,
};

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

/// What becomes of a change that comes after the record was handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnEdit {
    /// It is written.
    #[default]
    Update,
    /// It is written so far as the record need not be taken back.
    Amend,
    /// A person looks.
    Park,
    /// The system keeps what it has.
    Ignore,
}

/// What becomes of a record that was handed over and no longer meets the flow's condition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnLeave {
    /// It goes on being written.
    #[default]
    Update,
    /// It is cancelled in the system.
    Cancel,
    /// A person looks.
    Park,
}

/// What to do where an expression gives nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Missing {
    /// `none` clears the field; a value that does not exist is an error.
    #[default]
    Error,
    /// The field is left as it is.
    Skip,
    /// The field is cleared.
    Clear,
}

/// A field's map.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) value: Expression,
    pub(crate) missing: Missing,
    /// Instead of what is missing.
    pub(crate) default: Option<FieldValue>,
}

/// How an order's lines are named to a system.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) item: Expression,
    pub(crate) tax: Option<Expression>,
    pub(crate) charges: BTreeMap<String, String>,
}

/// By what a record from before us is recognised.
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) by: MatchKey,
    pub(crate) ask: bool,
}

/// What a match rule compares.
#[derive(Debug)]
pub(crate) enum MatchKey {
    Email,
    Phone,
    Field { name: String, value: Expression },
}

/// How people are recognised.
#[derive(Debug)]
pub(crate) struct Customers {
    pub(crate) counts: Expression,
    pub(crate) matching: Vec<Match>,
    pub(crate) on_match: OnMatch,
    pub(crate) phone_prefix: Option<String>,
}

/// A customer of the system that stands for a flow's buyers.
#[derive(Debug)]
pub(crate) struct Buyer {
    /// Names the customer for ever.
    pub(crate) key: Expression,
    /// What people call it.
    pub(crate) name: Expression,
}

/// How often a delivery is tried while its system is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// So many tries, then it is parked.
    pub tries: u32,
    /// When it was tried for so long, then it is parked. Waiting and a system that is down do not count.
    pub for_at_most: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { tries: 20, for_at_most: Duration::from_secs(24 * 60 * 60) }
    }
}

/// One rule: records of a kind, under a condition, to a system.
#[derive(Debug)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// What moves.
    pub kind: Kind,
    /// Where to.
    pub to: SystemName,
    /// Which system the records come from, where that is not the store.
    pub from: Option<SystemName>,
    /// Which stores' records; none means all.
    pub stores: Vec<StoreName>,
    /// Systems that must have accepted the record first.
    pub after: Vec<SystemName>,
    /// Whether they must have accepted this very revision.
    pub after_same_revision: bool,
    /// Records from before this are left alone; when the flow was first active unless given.
    pub since: Option<Timestamp>,
    /// When a change is written.
    pub timing: Timing,
    /// How late is late.
    pub late_after: Duration,
    /// What becomes of later changes.
    pub on_edit: OnEdit,
    /// What becomes of a record that leaves the condition.
    pub on_leave: OnLeave,
    /// How often it is tried.
    pub retry: Retry,
    pub(crate) on_conflict: Option<OnConflict>,
    pub(crate) when: Option<Expression>,
    pub(crate) approval: Option<Expression>,
    pub(crate) point_of_no_return: Option<Expression>,
    pub(crate) lines: Option<Lines>,
    pub(crate) matching: Vec<Match>,
    pub(crate) fields: BTreeMap<String, Map>,
    pub(crate) customer_fields: BTreeMap<String, Map>,
    pub(crate) buyer: Option<Buyer>,
}

impl Flow {
    /// Whether the flow concerns a store's records.
    pub fn covers(&self, store: &StoreName) -> bool {
        self.stores.is_empty() || self.stores.contains(store)
    }

    /// The mapped fields' names at the system.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// The mapped fields' names of an order's buyer at the system.
    pub fn customer_field_names(&self) -> impl Iterator<Item = &str> {
        self.customer_fields.keys().map(String::as_str)
    }

    /// The mapped fields with their expressions, as written.
    pub fn maps(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, map)| (name.as_str(), map.value.source()))
    }

    /// The same of an order's buyer.
    pub fn customer_maps(&self) -> impl Iterator<Item = (&str, &str)> {
        self.customer_fields.iter().map(|(name, map)| (name.as_str(), map.value.source()))
    }

    /// The condition of the first write, as written.
    pub fn condition(&self) -> Option<&str> {
        self.when.as_ref().map(Expression::source)
    }

    /// The condition under which a person has to approve, as written.
    pub fn approval_condition(&self) -> Option<&str> {
        self.approval.as_ref().map(Expression::source)
    }

    /// The name of the one customer that stands for this flow's buyers, as written.
    pub fn buyer(&self) -> Option<&str> {
        self.buyer.as_ref().map(|buyer| buyer.name.source())
    }

    /// The point of no return, as written.
    pub fn point_of_no_return(&self) -> Option<&str> {
        self.point_of_no_return.as_ref().map(Expression::source)
    }

    /// Whether mapped fields use the customer's totals, so that a new order changes the customer's record too.
    pub fn uses_totals(&self) -> bool {
        self.fields.values().chain(self.customer_fields.values()).any(|map| map.value.uses("totals"))
    }
}

/// Where stock comes from.
#[derive(Debug, Clone)]
pub struct Stock {
    /// The system that holds the physical stock.
    pub from: SystemName,
    /// Which of the store's quantities is set.
    pub quantity: StockQuantity,
    /// Units held back at each location.
    pub safety: i64,
    /// Units held back of some items at some locations; the first that fits counts.
    pub holds: Vec<Hold>,
    /// Channel → the locations that sell to it; a channel that is not here is sold to by all.
    pub sells: BTreeMap<String, Vec<String>>,
    /// How often the system is read.
    pub every: Duration,
}

/// Where list prices come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The system whose catalogue it is.
    pub from: SystemName,
    /// How often it is read.
    pub every: Duration,
}

/// Safety stock of some items at some locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The location; all unless given.
    pub location: Option<String>,
    /// The SKU, or its beginning with `*` behind it; all unless given.
    pub sku: Option<String>,
    /// So many units.
    pub units: i64,
}

impl Stock {
    /// Units held back of an item at a location.
    pub fn held_back(&self, location: &str, sku: &str) -> i64 {
        let fits = |hold: &&Hold| {
            hold.location.as_deref().is_none_or(|wanted| wanted == location)
                && hold.sku.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
                    Some(beginning) => sku.starts_with(beginning),
                    None => wanted == sku,
                })
        };
        self.holds.iter().find(fits).map_or(self.safety, |hold| hold.units)
    }

    /// Whether a location sells to a channel.
    pub fn sells_to(&self, location: &str, channel: &str) -> bool {
        self.sells.get(channel).is_none_or(|locations| locations.iter().any(|name| name == location))
    }
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
