//! What a connector says of itself, so that plan and documentation know it without calling it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a connector can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Takes orders.
    OrderSink,
    /// Takes customers.
    CustomerSink,
    /// Takes parcels: fulfilments, shipping status.
    ShipmentSink,
    /// Takes stock levels.
    StockSink,
    /// Takes prices.
    PriceSink,
    /// Takes refunds of orders that it holds.
    RefundSink,
    /// Gives parcels.
    ShipmentSource,
    /// Gives stock levels.
    StockSource,
    /// Gives list prices.
    CatalogSource,
    /// Gives the store's records: webhooks and reads.
    StoreSource,
    /// Tells a person.
    Pager,
}

/// A setting that a connector needs in the plan's `[systems.<name>]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it is a secret: the plan then holds a reference (`env:NAME` or `file:/path`).
    pub secret: bool,
    /// What it is.
    pub about: &'static str,
}

/// A field that a connector takes in a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The capability whose documents carry it.
    pub of: Capability,
    /// The vendor's name of it.
    pub name: &'static str,
    /// Whether a map must give it.
    pub required: bool,
    /// Longest text, in characters; 0 if no limit is known.
    pub max_chars: usize,
}

/// A vendor's published limit: so many requests per so long a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Requests.
    pub requests: u32,
    /// In this time.
    pub per: Duration,
}

/// What a connector says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The connector's name in plans: `hubspot`.
    pub connector: &'static str,
    /// The vendor's name for people: `HubSpot`.
    pub title: &'static str,
    /// What it can do.
    pub capabilities: &'static [Capability],
    /// What it needs to be told.
    pub settings: &'static [Setting],
    /// The fields that maps may name.
    pub fields: &'static [Field],
    /// The sinks whose records' mapped fields can be read back: a colleague's value can be told from ours.
    pub reads: &'static [Capability],
    /// The sinks that look for records from before us by the plan's match rules.
    pub adopts: &'static [Capability],
    /// The sinks that can be told to change a record without taking it back (`on_edit = "amend"`).
    pub amends: &'static [Capability],
    /// Whether maps may also name fields of the merchant's own making.
    pub custom_fields: bool,
    /// The vendor's published limit; a plan may set a smaller one.
    pub budget: Budget,
    /// Whether it is the vendor's. Where none is published, what the account's own server takes is the business's to say.
    pub budget_is_published: bool,
    /// How long after a write the vendor's own search may not find it yet.
    pub find_lag: Duration,
    /// The longest that a call may take: what is not answered by then was cut, and may have had its effect until then.
    pub call_timeout: Duration,
}

impl Descriptor {
    /// Whether the connector has a capability.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// How long after a call began its effect is there and found, or will never be.
    pub fn call_is_over_after(&self) -> Duration {
        self.call_timeout + self.find_lag
    }
}
