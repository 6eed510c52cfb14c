//! One rule of the plan: what moves where, and when.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use waybill_domain::{
    Kind, StoreName, SystemName,
    document::{FieldValue, OnMatch, StockQuantity},
};

use super::OnConflict;
use crate::{expression::Expression, timing::Timing};

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
