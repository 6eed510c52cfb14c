//! What the systems hold, asked of each over its own API.

pub(super) mod hubspot;
pub(super) mod shipstation;
pub(super) mod shopify;
pub(super) mod tryton;

use std::collections::BTreeMap;

/// SKUs with their units, sorted, as one text: `MUG-300 ×1, TEE-WHITE-M ×2`.
pub(super) fn join_content(content: &[(String, i64)]) -> String {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (sku, units) in content {
        *sums.entry(sku).or_default() += units;
    }
    let parts: Vec<String> =
        sums.iter().filter(|(_, units)| **units != 0).map(|(sku, units)| format!("{sku} ×{units}")).collect();
    parts.join(", ")
}
