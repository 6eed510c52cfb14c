//! What Tryton makes of sales whose quantities are negative or nothing, whoever entered them.

use serde_json::{Value as Json, json};

use crate::{
    before_us::{lines, pressed, sale},
    bench::Bench,
    documents::order,
    on_both,
};

on_both!(
    a_return_needs_no_shipment_address,
    a_sale_of_both_ways_ships_and_takes_back,
    a_sale_of_nothing_is_done_without_an_invoice,
    an_origin_that_is_gone_is_none,
);

/// A sale of the shirts with these quantities.
async fn of_quantities(bench: &Bench, quantities: &[i64], changed: Json) -> Json {
    let mut line = lines(bench, &order(1)).await.remove(0);
    let lines: Vec<Json> = quantities
        .iter()
        .map(|quantity| {
            line["quantity"] = json!(quantity);
            line.clone()
        })
        .collect();
    let mut all = json!({"lines": [["create", lines]]});
    all.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    sale(bench, &order(1), all).await
}

async fn seen(bench: &Bench, sale: &Json) -> Json {
    let fields = json!(["invoice_state", "invoices", "shipment_returns", "shipment_state", "shipments", "state"]);
    bench.vendor.model("sale.sale.read", json!([[sale], fields])).await[0].clone()
}

fn words(sale: &Json) -> [&str; 3] {
    ["state", "invoice_state", "shipment_state"].map(|name| sale[name].as_str().unwrap())
}

fn counts(sale: &Json) -> [usize; 3] {
    ["invoices", "shipments", "shipment_returns"].map(|name| sale[name].as_array().unwrap().len())
}

async fn a_return_needs_no_shipment_address(bench: &Bench) {
    let id = of_quantities(bench, &[-2], json!({"shipment_address": null})).await;
    pressed(bench, &id, &["quote", "confirm"]).await;
    let sale = seen(bench, &id).await;
    assert_eq!((words(&sale), counts(&sale)), (["processing", "pending", "waiting"], [1, 0, 1]));
}

async fn a_sale_of_both_ways_ships_and_takes_back(bench: &Bench) {
    let id = of_quantities(bench, &[2, -1], json!({})).await;
    pressed(bench, &id, &["quote", "confirm"]).await;
    let sale = seen(bench, &id).await;
    assert_eq!((words(&sale), counts(&sale)), (["processing", "pending", "waiting"], [1, 1, 1]));
    let parcel = &sale["shipment_returns"][0];
    bench.vendor.model("stock.shipment.out.return.receive", json!([[parcel]])).await;
    assert_eq!(words(&seen(bench, &id).await)[2], "partially shipped");
}

async fn a_sale_of_nothing_is_done_without_an_invoice(bench: &Bench) {
    let id = of_quantities(bench, &[0], json!({})).await;
    pressed(bench, &id, &["quote", "confirm"]).await;
    let sale = seen(bench, &id).await;
    assert_eq!((words(&sale), counts(&sale)), (["done", "none", "none"], [0, 0, 0]));
}

async fn an_origin_that_is_gone_is_none(bench: &Bench) {
    let original = of_quantities(bench, &[2], json!({})).await;
    let origin = format!("sale.sale,{original}");
    let id = of_quantities(bench, &[-2], json!({"origin": origin})).await;
    let seen = async || bench.vendor.model("sale.sale.read", json!([[id], ["origin"]])).await[0]["origin"].clone();
    assert_eq!(seen().await, origin);
    bench.vendor.model("sale.sale.delete", json!([[original]])).await;
    assert_eq!(seen().await, Json::Null);
}
