//! The store's product.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::names::RecordId;

/// One sellable form of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Shopify's id.
    pub id: RecordId,
    /// The merchant's own code; empty if there is none.
    pub sku: String,
    /// Such as `Small`.
    pub title: String,
    /// Price in the shop's currency.
    pub price: Decimal,
    /// The inventory item that stock is kept under.
    pub inventory_item_id: Option<RecordId>,
}

/// The store's product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Shopify's id.
    pub id: RecordId,
    /// Title.
    pub title: String,
    /// `active`, `draft`, `archived`.
    pub status: String,
    /// Vendor as the merchant wrote it.
    pub vendor: String,
    /// The merchant's labels.
    pub tags: Vec<String>,
    /// Its variants.
    pub variants: Vec<Variant>,
}
