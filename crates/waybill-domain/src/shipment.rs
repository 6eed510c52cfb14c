//! Parcels: the shipping system's and the store's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::RecordId;

/// Some of an order's line in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelLine {
    /// The order's line id at the store; empty where the shipping system knows the SKU only.
    pub line_id: String,
    /// The merchant's own code.
    pub sku: String,
    /// How many.
    pub quantity: i64,
}

/// A parcel that the shipping system sent. Source: fulfilment-sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The shipping system's id of the parcel.
    pub id: RecordId,
    /// The store's order.
    pub order_id: RecordId,
    /// The order's name, such as `#1001`.
    pub order_name: String,
    /// Who carries it.
    pub carrier: String,
    /// The number to follow it by.
    pub tracking_number: String,
    /// Where to follow it.
    pub tracking_url: String,
    /// When it left.
    pub shipped_at: Option<Timestamp>,
    /// Whether its label was voided.
    pub voided: bool,
    /// What is in it.
    pub lines: Vec<ParcelLine>,
}

/// The store's fulfilment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    /// Shopify's id.
    pub id: RecordId,
    /// The order.
    pub order_id: RecordId,
    /// Shopify's word: `pending`, `open`, `success`, `cancelled`, `error`, `failure`.
    pub status: String,
    /// Where it left from.
    pub location_id: Option<RecordId>,
    /// Who carries it.
    pub tracking_company: String,
    /// The numbers to follow it by.
    pub tracking_numbers: Vec<String>,
    /// What is in it.
    pub lines: Vec<ParcelLine>,
}
