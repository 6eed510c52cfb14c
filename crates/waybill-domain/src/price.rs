//! What goods cost, as a catalogue lists it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::Currency;

/// What a catalogue asks for one of an item. Source: erp-sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPrice {
    /// The merchant's own code.
    pub sku: String,
    /// The catalogue's currency.
    pub currency: Currency,
    /// Price of one unit, as the catalogue has it: with tax or without is the catalogue's way.
    pub amount: Decimal,
    /// What the catalogue taxes it as; absent if it does not say.
    pub category: Option<String>,
}
