//! Looking at what a shop shows of levels and prices without touching it.

use std::collections::BTreeMap;

use waybill_connector::{Failure, Finding, Look, LookCall, look::in_parts};
use waybill_domain::document::{FieldValue, PriceDocument, StockDocument};

use crate::{Shopify, gid::gid, prices, stock};

/// Items or documents in one request.
const MOST: usize = 100;

impl Shopify {
    /// Levels by location, as they are read before they are set.
    pub(crate) async fn look_at_stock(&self, calls: &[LookCall<'_, StockDocument>]) -> Vec<Result<Look, Failure>> {
        in_parts(calls, MOST, |part| self.look_at_levels(part)).await
    }

    async fn look_at_levels(&self, calls: &[LookCall<'_, StockDocument>]) -> Result<Vec<Look>, Failure> {
        let mut looks = vec![Look::whole(); calls.len()];
        let mut by_location: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, call) in calls.iter().enumerate() {
            by_location.entry(call.document.location_id.as_str()).or_default().push(at);
        }
        for (location, members) in by_location {
            let items: Vec<_> =
                members.iter().map(|at| gid("InventoryItem", &calls[*at].document.inventory_item_id)).collect();
            let levels = self.client.stock_levels(&items, &gid("Location", location)).await?;
            for (at, item) in members.into_iter().zip(levels) {
                let document = calls[at].document;
                looks[at] = match item {
                    None => Look::missing(stock::ROLE),
                    Some(item) => {
                        // Not stocked there is what none there comes to.
                        let level = item.inventory_level.filter(|level| level.is_active);
                        let there = level.and_then(|level| level.quantity(stock::name(document.name))).unwrap_or(0);
                        differing(stock::ROLE, "quantity", document.quantity, there)
                    }
                };
            }
        }
        Ok(looks)
    }

    pub(crate) async fn look_at_prices(&self, calls: &[LookCall<'_, PriceDocument>]) -> Vec<Result<Look, Failure>> {
        in_parts(calls, MOST, |part| async move {
            let ids: Vec<String> = part.iter().flat_map(|call| &call.document.variants).map(prices::gid_of).collect();
            let mut there = self.prices_of(&ids).await?.into_iter();
            let look = |call: &LookCall<'_, PriceDocument>| {
                let of_variants: Vec<_> = there.by_ref().take(call.document.variants.len()).collect();
                let ours = call.document.price;
                match of_variants.iter().find(|one| one.as_ref().is_none_or(|one| one.price != ours)) {
                    None => Look::whole(),
                    Some(None) => Look::missing(prices::ROLE),
                    Some(Some(one)) => differing(prices::ROLE, "price", ours, one.price),
                }
            };
            Ok(part.iter().map(look).collect())
        })
        .await
    }
}

fn differing<T: Into<rust_decimal::Decimal> + PartialEq>(role: &str, field: &str, ours: T, theirs: T) -> Look {
    if ours == theirs {
        return Look::whole();
    }
    let (ours, theirs) = (FieldValue::Number(ours.into()), FieldValue::Number(theirs.into()));
    Look::found(Finding::Differs { role: role.to_owned(), field: field.to_owned(), ours, theirs, is_writable: true })
}
