//! Stock: the store's and the stock system's.

use serde::{Deserialize, Serialize};

use crate::names::RecordId;

/// The store's stock of one item at one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryLevel {
    /// Shopify's inventory item.
    pub inventory_item_id: RecordId,
    /// Shopify's location.
    pub location_id: RecordId,
    /// What can be sold; absent if the item is not stocked there.
    pub available: Option<i64>,
}

/// What the stock system holds of one item at one location of the plan. Source: inventory-router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// The merchant's own code.
    pub sku: String,
    /// The location's name in the plan.
    pub location: String,
    /// Physical quantity, in whole units.
    pub quantity: i64,
}
