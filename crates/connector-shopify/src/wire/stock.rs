//! Inventory items and levels.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Page, Ref, UserError};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InventoryLevelData {
    pub(crate) inventory_item: Option<StockItem>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StockLevelsData {
    /// In the order of the ids asked for; absent where there is no such item.
    pub(crate) nodes: Vec<Option<StockItem>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StockItem {
    pub(crate) id: String,
    /// Absent if the item is not stocked at the location.
    pub(crate) inventory_level: Option<Level>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Level {
    pub(crate) is_active: bool,
    pub(crate) updated_at: Timestamp,
    pub(crate) quantities: Vec<Quantity>,
}

impl Level {
    /// The quantity of this name: `available`, `on_hand`.
    pub(crate) fn quantity(&self, name: &str) -> Option<i64> {
        quantity(&self.quantities, name)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Quantity {
    pub(crate) name: String,
    pub(crate) quantity: i64,
}

fn quantity(quantities: &[Quantity], name: &str) -> Option<i64> {
    quantities.iter().find(|quantity| quantity.name == name).map(|quantity| quantity.quantity)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemsBySkuData {
    pub(crate) inventory_items: Page<SkuItem>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SkuItem {
    pub(crate) id: String,
    pub(crate) sku: Option<String>,
    pub(crate) tracked: bool,
    pub(crate) inventory_levels: Page<SkuLevel>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SkuLevel {
    pub(crate) location: Ref,
    pub(crate) quantities: Vec<Quantity>,
}

impl SkuLevel {
    pub(crate) fn quantity(&self, name: &str) -> Option<i64> {
        quantity(&self.quantities, name)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetQuantitiesData {
    pub(crate) inventory_set_quantities: Option<SetQuantities>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetQuantities {
    pub(crate) user_errors: Vec<UserError>,
}
