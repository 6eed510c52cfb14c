//! List prices.

use rust_decimal::Decimal;
use serde_json::json;
use waybill_connector::source::CatalogSource;

use crate::{bench::Bench, on_both};

on_both!(prices_are_told_per_item_with_currency_and_category, a_price_that_a_colleague_changes_is_told,);

async fn prices(bench: &Bench) -> Vec<String> {
    let readings = bench.connector.prices().await.unwrap();
    let mut told: Vec<_> = readings
        .into_iter()
        .map(|one| {
            let category = one.category.unwrap_or_default();
            format!("{} {} {} {category}", one.item, one.amount.round_dp(2), one.currency)
        })
        .collect();
    told.sort();
    told
}

async fn prices_are_told_per_item_with_currency_and_category(bench: &Bench) {
    assert_eq!(
        prices(bench).await,
        ["MUG 7.99 EUR Sold in the store", "SHIPPING 5.00 EUR Sold in the store", "TEE-M 20.00 EUR Sold in the store"]
    );
}

async fn a_price_that_a_colleague_changes_is_told(bench: &Bench) {
    let found =
        bench.vendor.model("product.product.search_read", json!([[["code", "=", "MUG"]], 0, 1, null, ["template"]]));
    let template = found.await[0]["template"].clone();
    let price = json!({"__class__": "Decimal", "decimal": "8.4950"});
    bench.vendor.model("product.template.write", json!([[template], {"list_price": price}])).await;
    let readings = bench.connector.prices().await.unwrap();
    let mug = readings.iter().find(|reading| reading.item == "MUG").unwrap();
    // With all of its digits: rounding is the plan's.
    assert_eq!(mug.amount, Decimal::new(84_950, 4));
}
