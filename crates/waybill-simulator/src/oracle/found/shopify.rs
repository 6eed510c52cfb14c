//! The parcels, stock and prices that the store itself holds.

use std::collections::BTreeMap;

use super::{
    super::{compare::Found, records::Records},
    join_content,
};

/// Parcels with a tracking number, stock levels, and prices.
pub(crate) fn objects(store: &Records) -> Vec<Found> {
    let mut found = Vec::new();
    for order in &store.orders {
        // Goods of two places in one parcel are two fulfilments with one number.
        let mut parcels: BTreeMap<&str, Vec<(String, i64)>> = BTreeMap::new();
        for parcel in &order.parcels {
            for number in &parcel.tracking {
                parcels.entry(number).or_default().extend(parcel.content.iter().cloned());
            }
        }
        for (number, content) in parcels {
            let key = format!("{} {number}", order.name);
            found.push(Found::new("shop", "parcel", key).with("content", join_content(&content)));
        }
    }
    for level in &store.levels {
        // What only the store sells is in no other system's stock.
        if level.sku != crate::catalogue::UNKNOWN_ITEM.code {
            let key = format!("{} at {}", level.sku, level.location);
            found.push(Found::new("shop", "level", key).with("on_hand", level.on_hand.to_string()));
        }
    }
    for one in &store.prices {
        if one.sku != crate::catalogue::UNKNOWN_ITEM.code {
            found.push(Found::new("shop", "price", &one.sku).with("price", one.price.to_string()));
        }
    }
    found
}
