//! Physical stock.

use serde_json::json;
use waybill_connector::{Failure, Known, source::StockSource};

use crate::{
    bench::Bench,
    documents::{order, order_record},
    on_both,
};

on_both!(
    stock_is_told_per_item_and_location,
    services_have_no_stock,
    an_order_that_is_not_shipped_leaves_the_physical_stock,
    a_shipped_order_lowers_the_stock,
    an_unknown_location_is_named,
);

async fn stock(bench: &Bench, locations: &[&str]) -> Vec<String> {
    let locations: Vec<String> = locations.iter().map(|code| (*code).to_owned()).collect();
    let mut readings: Vec<_> = bench
        .connector
        .stock(&locations)
        .await
        .unwrap()
        .into_iter()
        .map(|reading| format!("{} {} {}", reading.location, reading.item, reading.quantity))
        .collect();
    readings.sort();
    readings
}

async fn stock_is_told_per_item_and_location(bench: &Bench) {
    let all = stock(bench, &["vienna", "graz"]).await;
    assert_eq!(all, ["graz MUG 0", "graz TEE-M 7", "vienna MUG 50", "vienna TEE-M 100"]);
}

async fn services_have_no_stock(bench: &Bench) {
    assert!(stock(bench, &["vienna"]).await.iter().all(|reading| !reading.contains("SHIPPING")));
}

async fn an_order_that_is_not_shipped_leaves_the_physical_stock(bench: &Bench) {
    bench.book(1, &order(1), Known::new()).await.unwrap();
    assert_eq!(stock(bench, &["vienna"]).await, ["vienna MUG 50", "vienna TEE-M 100"]);
}

async fn a_shipped_order_lowers_the_stock(bench: &Bench) {
    waybill_connector::contract::drive(bench.orders(), &order_record(1), &order(1), Known::new()).await.unwrap();
    let sale = bench.sale(&order(1)).await["id"].clone();
    let shipments = bench.vendor.model("sale.sale.read", json!([[sale], ["shipments"]])).await[0]["shipments"].clone();
    for button in ["wait", "assign_try", "pick", "pack", "ship", "do"] {
        bench.vendor.model(&format!("stock.shipment.out.{button}"), json!([shipments])).await;
    }
    assert_eq!(stock(bench, &["vienna"]).await, ["vienna MUG 47", "vienna TEE-M 98"]);
}

async fn an_unknown_location_is_named(bench: &Bench) {
    let failure = bench.connector.stock(&["linz".to_owned()]).await.unwrap_err();
    let Failure::Rejected { code, message, .. } = failure else { panic!("{failure:?}") };
    assert!(code == "unmapped" && message.contains("linz"), "{message}");
}
