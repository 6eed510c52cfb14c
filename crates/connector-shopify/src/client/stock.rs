//! Inventory items, their levels, and setting them.

use serde::Serialize;
use serde_json::json;
use waybill_connector::{Effect, Failure};

use super::{Client, document};
use crate::wire;

/// The input of `inventorySetQuantities`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetQuantitiesInput<'a> {
    /// `available` or `on_hand`.
    pub(crate) name: &'a str,
    /// One of Shopify's reasons.
    pub(crate) reason: &'a str,
    /// What caused the change; shown in the shop's inventory history.
    pub(crate) reference_document_uri: String,
    pub(crate) quantities: Vec<QuantityInput>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuantityInput {
    pub(crate) inventory_item_id: String,
    pub(crate) location_id: String,
    pub(crate) quantity: i64,
    /// What the quantity must still be for the change to be made.
    pub(crate) change_from_quantity: i64,
}

/// A search for a SKU.
pub(crate) fn of_sku(sku: &str) -> String {
    format!("sku:\"{}\"", sku.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Client {
    /// The levels of items at one location, in the order of `items`; `None` where there is no such item.
    pub(crate) async fn stock_levels(
        &self,
        items: &[String],
        location: &str,
    ) -> Result<Vec<Option<wire::StockItem>>, Failure> {
        let variables = json!({ "items": items, "location": location });
        let data: wire::StockLevelsData = self.read(document::STOCK_LEVELS, variables).await?;
        let in_order =
            |(item, id): (&Option<wire::StockItem>, &String)| item.as_ref().is_none_or(|item| item.id == *id);
        if data.nodes.len() != items.len() || !data.nodes.iter().zip(items).all(in_order) {
            return Err(Failure::malformed("the answer's items are not the ones that were asked for", b""));
        }
        Ok(data.nodes)
    }

    /// The inventory items that a search for a SKU finds; the search may find more than the exact one.
    pub(crate) async fn items_by_sku(&self, sku: &str) -> Result<Vec<wire::SkuItem>, Failure> {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let variables = json!({ "query": of_sku(sku), "after": after });
            let data: wire::ItemsBySkuData = self.read(document::ITEMS_BY_SKU, variables).await?;
            after = data.inventory_items.page_info.next().map(str::to_owned);
            items.extend(data.inventory_items.nodes);
            if after.is_none() {
                return Ok(items);
            }
        }
    }

    /// Sets quantities, all or none of them; answers what Shopify found wrong.
    pub(crate) async fn set_quantities(
        &self,
        input: &SetQuantitiesInput<'_>,
        key: &str,
    ) -> Result<Vec<wire::UserError>, Failure> {
        let variables = json!({ "input": input, "key": key });
        let data: wire::SetQuantitiesData =
            self.run(Effect::IdempotentWrite, document::SET_QUANTITIES, variables).await?;
        let payload = data
            .inventory_set_quantities
            .ok_or_else(|| Failure::malformed("inventorySetQuantities has no payload", b""))?;
        Ok(payload.user_errors)
    }
}
