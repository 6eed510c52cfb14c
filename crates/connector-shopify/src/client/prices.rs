//! Variants' prices, and setting them.

use serde::Serialize;
use serde_json::json;
use waybill_connector::{Effect, Failure};

use super::{Client, document, stock::of_sku};
use crate::wire;

/// One variant of `productVariantsBulkUpdate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PriceInput {
    pub(crate) id: String,
    /// The scalar `Money`: a decimal as text.
    pub(crate) price: String,
}

impl Client {
    /// What variants cost, in the order of `ids`; `None` where there is no such variant.
    pub(crate) async fn variant_prices(&self, ids: &[String]) -> Result<Vec<Option<wire::VariantPrice>>, Failure> {
        let data: wire::VariantPricesData = self.read(document::VARIANT_PRICES, json!({ "ids": ids })).await?;
        let in_order = |(one, id): (&Option<wire::VariantPrice>, &String)| one.as_ref().is_none_or(|one| one.id == *id);
        if data.nodes.len() != ids.len() || !data.nodes.iter().zip(ids).all(in_order) {
            return Err(Failure::malformed("the answer's variants are not the ones that were asked for", b""));
        }
        Ok(data.nodes)
    }

    /// The variants that a search for a SKU finds; the search may find more than the exact one.
    pub(crate) async fn variants_by_sku(&self, sku: &str) -> Result<Vec<wire::VariantPrice>, Failure> {
        let (mut variants, mut after) = (Vec::new(), None);
        loop {
            let variables = json!({ "query": of_sku(sku), "after": after });
            let data: wire::VariantsBySkuData = self.read(document::VARIANTS_BY_SKU, variables).await?;
            after = data.product_variants.page_info.next().map(str::to_owned);
            variants.extend(data.product_variants.nodes);
            if after.is_none() {
                return Ok(variants);
            }
        }
    }

    /// Sets prices of one product's variants, each for itself; answers what Shopify found wrong.
    pub(crate) async fn update_prices(
        &self,
        product: &str,
        variants: &[PriceInput],
    ) -> Result<Vec<wire::UserError>, Failure> {
        let variables = json!({ "product": product, "variants": variants });
        let data: wire::UpdatePricesData =
            self.run(Effect::IdempotentWrite, document::UPDATE_PRICES, variables).await?;
        let payload = data
            .product_variants_bulk_update
            .ok_or_else(|| Failure::malformed("productVariantsBulkUpdate has no payload", b""))?;
        Ok(payload.user_errors)
    }
}
