//! The plan as typed values.

use std::{collections::BTreeMap, time::Duration};

use minijinja::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;
use waybill_domain::{
    Kind, StoreName, SystemName,
    descriptor::{Budget, Descriptor},
    document::StockQuantity,
};

use crate::{
    check::{self, Problem},
    expression::Expression,
    file::{File, Missing},
};

/// Which connectors a reader of the plan knows.
#[derive(Debug, Clone, Copy)]
pub enum Connectors<'a> {
    /// All that there are: another name is an error.
    All(&'a [Descriptor]),
    /// Those of one service: systems of other connectors are other services' to check.
    Some(&'a [Descriptor]),
}

/// Why a plan is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The file is not TOML of the plan's form: says line, column and what was expected.
    #[error("{0}")]
    Form(String),
    /// Everything that is wrong with it, at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
}

/// One shop.
#[derive(Debug, Clone)]
pub struct Store {
    /// The shop's address at Shopify.
    pub shop: String,
    /// The system through which its records are read.
    pub system: SystemName,
    /// References to every active webhook secret.
    pub webhook_secrets: Vec<String>,
}

/// One configured connector.
#[derive(Debug, Clone)]
pub struct System {
    /// The connector's name.
    pub connector: String,
    /// Requests over time; smaller than or equal to the vendor's published limit.
    pub budget: Option<Budget>,
    /// Calls in flight at once, per process.
    pub concurrency: usize,
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
}

/// A field's map.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) value: Expression,
    pub(crate) missing: Missing,
}

/// How an order's lines are named to a system.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) item: Expression,
    pub(crate) tax: Option<Expression>,
    pub(crate) charges: BTreeMap<String, String>,
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
    /// How late is late.
    pub late_after: Duration,
    pub(crate) when: Option<Expression>,
    pub(crate) lines: Option<Lines>,
    pub(crate) fields: BTreeMap<String, Map>,
    pub(crate) customer_fields: BTreeMap<String, Map>,
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

    /// Whether mapped fields use the customer's totals, so that a new order changes the customer's record too.
    pub fn uses_totals(&self) -> bool {
        self.fields.values().chain(self.customer_fields.values()).any(|map| map.value.source().contains("totals."))
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
    /// How often the system is read.
    pub every: Duration,
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
    /// The rules.
    pub flows: Vec<Flow>,
    /// Where stock comes from.
    pub stock: Option<Stock>,
    /// Systems that tell people.
    pub pagers: Vec<SystemName>,
    /// The first 12 hexadecimal digits of the file's SHA-256; on every receipt.
    pub hash: String,
    pub(crate) counts: Expression,
    pub(crate) tables: Value,
}

impl Plan {
    /// Reads and checks a plan.
    ///
    /// # Errors
    /// [`PlanError::Form`] if it is not TOML of the plan's form, else all problems at once.
    pub fn parse(text: &str, connectors: Connectors<'_>) -> Result<Self, PlanError> {
        let file: File = toml::from_str(text).map_err(|error| PlanError::Form(error.to_string()))?;
        let plan = check::build(&file, connectors).map_err(PlanError::Problems)?;
        let digest = Sha256::digest(text.as_bytes());
        let hash = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { hash, ..plan })
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
    pub fn counts(&self, snapshot: &waybill_domain::Snapshot) -> Result<bool, crate::expression::ExpressionError> {
        self.counts.holds(&crate::view::of(snapshot, None, &self.tables))
    }

    /// The store that a system gives and takes the records of, if it is a shop.
    pub fn store_of(&self, system: &SystemName) -> Option<&StoreName> {
        self.stores.iter().find(|(_, store)| store.system == *system).map(|(name, _)| name)
    }
}
