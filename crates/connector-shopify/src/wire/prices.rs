//! Variants' prices.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Page, Ref, UserError, exact};

#[derive(Debug, Deserialize)]
pub(crate) struct VariantPricesData {
    /// In the order of the ids asked for; absent where there is no such variant.
    pub(crate) nodes: Vec<Option<VariantPrice>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct VariantPrice {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) sku: Option<String>,
    #[serde(deserialize_with = "exact")]
    pub(crate) price: Decimal,
    pub(crate) product: Ref,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VariantsBySkuData {
    pub(crate) product_variants: Page<VariantPrice>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdatePricesData {
    pub(crate) product_variants_bulk_update: Option<UpdatePricesPayload>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdatePricesPayload {
    pub(crate) user_errors: Vec<UserError>,
}
