//! A refund becomes what Tryton's own wizard makes of a sale: a return, to the cent, or nothing.

use serde_json::{Value as Json, json};
use waybill_connector::{Failure, Known, contract::Delivery};
use waybill_domain::document::{FieldValue, OrderDocument, RefundDocument};

use crate::{
    before_us::{pressed, recognised, sale},
    bench::Bench,
    documents::{
        decimal, empty_order, empty_refund, order, order_record, refund, refund_record, with_given_back, with_line,
        with_returned,
    },
    on_both,
};

on_both!(
    a_refund_is_a_return_in_processing,
    what_comes_back_has_a_negative_quantity_and_the_prices_of_the_refund,
    a_return_is_of_the_orders_sale_and_party_and_addresses_and_warehouse,
    what_is_kept_back_is_sold,
    a_refund_without_goods_brings_nothing_back,
    goods_that_come_back_without_money_are_returned,
    a_refund_of_nothing_books_nothing,
    an_amount_that_does_not_divide_is_met_to_the_cent,
    a_returned_shirt_is_in_stock_once_it_is_received,
    a_refund_twice_is_one_return,
    a_return_that_is_processed_is_not_changed,
    a_draft_of_a_return_is_written_again,
    a_total_that_differs_is_rejected_and_stays_a_draft,
    a_refund_of_an_order_that_is_not_there_is_not_found,
    a_refund_of_an_order_that_is_not_booked_is_not_found,
    a_refund_in_another_currency_is_not_booked,
    a_refund_of_an_order_from_before_us_is_returned,
    a_refund_is_no_sale_from_before_us,
    the_description_is_the_orders_unless_it_is_mapped,
    what_the_connector_sets_cannot_be_mapped,
);

async fn booked(bench: &Bench, order: &OrderDocument) -> Json {
    bench.book(1, order, Known::new()).await.unwrap();
    bench.sale(order).await
}

async fn given_back(bench: &Bench, refund: &RefundDocument) -> Json {
    bench.give_back(1, refund, Known::new()).await.unwrap();
    bench.returned(refund).await
}

fn rejected(outcome: Result<Known, Failure>) -> (String, String, String) {
    match outcome {
        Err(Failure::Rejected { code, field, message }) => (code, field, message),
        other => panic!("not rejected: {other:?}"),
    }
}

fn amount(sale: &Json, field: &str) -> rust_decimal::Decimal {
    decimal(sale[field]["decimal"].as_str().unwrap())
}

fn count(sale: &Json, what: &str) -> usize {
    sale[what].as_array().unwrap().len()
}

async fn a_refund_is_a_return_in_processing(bench: &Bench) {
    booked(bench, &order(1)).await;
    let refund = refund(1, &order(1));
    let sale = given_back(bench, &refund).await;
    assert_eq!((&sale["state"], &sale["comment"]), (&json!("processing"), &json!("too small")));
    let seen = (amount(&sale, "untaxed_amount"), amount(&sale, "tax_amount"), amount(&sale, "total_amount"));
    assert_eq!(seen, (decimal("-21.00"), decimal("-4.00"), -refund.total));
    assert_eq!((count(&sale, "shipments."), count(&sale, "shipment_returns.")), (0, 1));
    assert_eq!(amount(&sale["invoices."][0], "total_amount"), -refund.total);
}

async fn what_comes_back_has_a_negative_quantity_and_the_prices_of_the_refund(bench: &Bench) {
    booked(bench, &order(1)).await;
    let sale = given_back(bench, &refund(1, &order(1))).await;
    let line = |line: &Json| {
        let tax = line["taxes."][0]["name"].as_str().unwrap();
        let price = line["unit_price"]["decimal"].as_str().unwrap();
        format!("{} {} {price} {tax} {}", line["quantity"], line["product."]["code"], line["description"])
    };
    let lines: Vec<String> = sale["lines."].as_array().unwrap().iter().map(line).collect();
    let expected =
        ["-1.0 \"TEE-M\" 18.50 VAT 19 % \"TEE-M as the buyer saw it\"", "-1.0 \"SHIPPING\" 2.50 VAT 19 % \"Standard\""];
    assert_eq!(lines, expected);
}

async fn a_return_is_of_the_orders_sale_and_party_and_addresses_and_warehouse(bench: &Bench) {
    let graz = bench.another(&[("warehouse", "graz")]);
    let original = order(1);
    waybill_connector::contract::drive(&graz, &order_record(1), &original, Known::new()).await.unwrap();
    let original = bench.sale(&original).await;
    let sale = given_back(bench, &refund(1, &order(1))).await;
    assert_eq!(sale["origin"], format!("sale.sale,{}", original["id"]));
    let seen = |sale: &Json| {
        [
            sale["party."]["id"].clone(),
            sale["invoice_address."]["id"].clone(),
            sale["shipment_address."]["id"].clone(),
            sale["warehouse."]["code"].clone(),
        ]
    };
    assert_eq!(seen(&sale), seen(&original));
    assert_eq!(sale["warehouse."]["code"], "graz");
}

async fn what_is_kept_back_is_sold(bench: &Bench) {
    booked(bench, &order(1)).await;
    let refund = with_given_back(refund(1, &order(1)), "-3.00");
    let sale = given_back(bench, &refund).await;
    assert_eq!((&sale["lines."][2]["quantity"], amount(&sale, "total_amount")), (&json!(1.0), -refund.total));
}

async fn a_refund_without_goods_brings_nothing_back(bench: &Bench) {
    booked(bench, &order(1)).await;
    let sale = given_back(bench, &with_given_back(empty_refund(1, &order(1)), "5.00")).await;
    assert_eq!((&sale["state"], count(&sale, "shipment_returns.")), (&json!("processing"), 0));
    assert_eq!(amount(&sale["invoices."][0], "total_amount"), decimal("-5.95"));
}

async fn goods_that_come_back_without_money_are_returned(bench: &Bench) {
    booked(bench, &order(1)).await;
    let sale = given_back(bench, &with_returned(empty_refund(1, &order(1)), "MUG", 2, "0", None)).await;
    assert_eq!((&sale["state"], count(&sale, "shipment_returns.")), (&json!("processing"), 1));
    assert_eq!(amount(&sale, "total_amount"), decimal("0"));
}

async fn a_refund_of_nothing_books_nothing(bench: &Bench) {
    let refund = empty_refund(1, &order(1));
    bench.give_back(1, &refund, Known::new()).await.unwrap();
    assert_eq!(bench.returns(&refund).await, Vec::<Json>::new());
}

async fn an_amount_that_does_not_divide_is_met_to_the_cent(bench: &Bench) {
    let order = with_line(empty_order(1), "MUG", 400, "1.00", "0", None);
    booked(bench, &order).await;
    let sale = given_back(bench, &with_returned(empty_refund(1, &order), "MUG", 333, "332.98", None)).await;
    assert_eq!(amount(&sale, "total_amount"), decimal("-332.98"));
    let units: f64 = sale["lines."].as_array().unwrap().iter().map(|line| line["quantity"].as_f64().unwrap()).sum();
    assert!((units + 333.0).abs() < f64::EPSILON, "{units} units");
}

/// The shirts at a location of this code.
async fn stock(bench: &Bench, location: &str) -> f64 {
    let location = bench.vendor.model("stock.location.search", json!([[["code", "=", location]]])).await[0].clone();
    let product = bench.vendor.model("product.product.search", json!([[["code", "=", "TEE-M"]]])).await[0].clone();
    let mut context = bench.vendor.context.clone();
    context["locations"] = json!([location]);
    let (_, body) = bench.vendor.rpc("model.product.product.read", json!([[product], ["quantity"], context])).await;
    body["result"][0]["quantity"].as_f64().unwrap()
}

async fn a_returned_shirt_is_in_stock_once_it_is_received(bench: &Bench) {
    booked(bench, &order(1)).await;
    let refund = refund(1, &order(1));
    let parcel = given_back(bench, &refund).await["shipment_returns."][0]["id"].clone();
    let places = async || [stock(bench, "vienna-input").await, stock(bench, "vienna-storage").await];
    let press = async |button: &str| {
        bench.vendor.model(&format!("stock.shipment.out.return.{button}"), json!([[parcel]])).await;
        let sale = bench.returned(&refund).await["id"].clone();
        let row = bench.vendor.model("sale.sale.read", json!([[sale], ["shipment_state"]])).await;
        row[0]["shipment_state"].as_str().unwrap().to_owned()
    };
    assert_eq!(places().await, [0.0, 100.0]);
    assert_eq!((press("receive").await.as_str(), places().await), ("sent", [1.0, 100.0]));
    assert_eq!((press("do").await.as_str(), places().await), ("sent", [0.0, 101.0]));
}

async fn a_refund_twice_is_one_return(bench: &Bench) {
    booked(bench, &order(1)).await;
    let refund = refund(1, &order(1));
    let known = bench.give_back(1, &refund, Known::new()).await.unwrap();
    let before = bench.returned(&refund).await;
    for known in [Known::new(), known] {
        bench.give_back(1, &refund, known).await.unwrap();
        assert_eq!(bench.returned(&refund).await, before);
    }
}

async fn a_return_that_is_processed_is_not_changed(bench: &Bench) {
    booked(bench, &order(1)).await;
    let refund = refund(1, &order(1));
    let known = bench.give_back(1, &refund, Known::new()).await.unwrap();
    let before = bench.returned(&refund).await;
    let changed = with_given_back(refund.clone(), "1.00");
    let (code, field, _) = rejected(bench.give_back(1, &changed, known).await);
    assert_eq!((code.as_str(), field.as_str()), ("not_amendable", "charges.1"));
    assert_eq!(bench.returned(&refund).await, before);
}

async fn a_draft_of_a_return_is_written_again(bench: &Bench) {
    booked(bench, &order(1)).await;
    let (first, record) = (refund(1, &order(1)), refund_record(1));
    let mut delivery = Delivery::new(bench.refunds(), &record, &first, Known::new());
    delivery.advance().await.unwrap();
    let known = delivery.known().clone();
    let before = bench.returned(&first).await;
    assert_eq!(before["state"], "draft");
    let changed = with_given_back(first.clone(), "1.00");
    bench.give_back(1, &changed, known).await.unwrap();
    let sale = bench.returned(&first).await;
    assert_eq!((&sale["id"], &sale["origin"], count(&sale, "lines.")), (&before["id"], &before["origin"], 3));
    assert_eq!(amount(&sale, "total_amount"), -changed.total);
}

async fn a_total_that_differs_is_rejected_and_stays_a_draft(bench: &Bench) {
    booked(bench, &order(1)).await;
    let mut refund = refund(1, &order(1));
    refund.total += decimal("0.01");
    let (code, field, message) = rejected(bench.give_back(1, &refund, Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("total_differs", "total"));
    assert!(message.contains("-25.00") && message.contains("-25.01"), "{message}");
    assert_eq!(bench.returned(&refund).await["state"], "draft");
}

async fn is_not_found(bench: &Bench, why: &str) {
    let refund = refund(1, &order(1));
    let (code, field, message) = rejected(bench.give_back(1, &refund, Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("not_found", "order_key"));
    assert!(message.contains(order(1).key.as_str()) && message.contains(why), "{message}");
    assert_eq!(bench.returns(&refund).await, Vec::<Json>::new());
}

async fn a_refund_of_an_order_that_is_not_there_is_not_found(bench: &Bench) {
    is_not_found(bench, "no sale").await;
}

/// Nothing was invoiced, so that nothing could be given back.
async fn a_refund_of_an_order_that_is_not_booked_is_not_found(bench: &Bench) {
    let (order, record) = (order(1), order_record(1));
    let mut delivery = Delivery::new(bench.orders(), &record, &order, Known::new());
    while delivery.next().is_some_and(|step| step.name != "quote") {
        delivery.advance().await.unwrap();
    }
    is_not_found(bench, "'draft'").await;
    let id = bench.sale(&order).await["id"].clone();
    pressed(bench, &id, &["cancel"]).await;
    is_not_found(bench, "'cancelled'").await;
}

async fn a_refund_in_another_currency_is_not_booked(bench: &Bench) {
    booked(bench, &order(1)).await;
    let refund = RefundDocument { currency: "USD".parse().unwrap(), ..refund(1, &order(1)) };
    let (code, field, _) = rejected(bench.give_back(1, &refund, Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("total_differs", "currency"));
    assert_eq!(bench.returns(&refund).await, Vec::<Json>::new());
}

async fn a_refund_of_an_order_from_before_us_is_returned(bench: &Bench) {
    let order = recognised(order(1));
    let id = sale(bench, &order, json!({})).await;
    pressed(bench, &id, &["quote", "confirm"]).await;
    bench.book(1, &order, Known::new()).await.unwrap();
    let sale = given_back(bench, &refund(1, &order)).await;
    assert_eq!(sale["origin"], format!("sale.sale,{id}"));
}

async fn a_refund_is_no_sale_from_before_us(bench: &Bench) {
    booked(bench, &order(1)).await;
    let id = sale(bench, &order(2), json!({})).await;
    let mut refund = refund(1, &order(1));
    refund.policy = recognised(order(2)).policy;
    assert_ne!(given_back(bench, &refund).await["id"], id);
    let row = bench.vendor.model("sale.sale.read", json!([[id], ["reference", "state"]])).await;
    assert_eq!((&row[0]["reference"], &row[0]["state"]), (&Json::Null, &json!("draft")));
}

async fn the_description_is_the_orders_unless_it_is_mapped(bench: &Bench) {
    booked(bench, &order(1)).await;
    let mut mapped = refund(2, &order(1));
    mapped.fields.insert("description".to_owned(), FieldValue::Text("too\nsmall".into()));
    bench.give_back(2, &mapped, Known::new()).await.unwrap();
    let plain = given_back(bench, &refund(1, &order(1))).await;
    let mapped = bench.returned(&mapped).await;
    assert_eq!((&plain["description"], &mapped["description"]), (&json!("Refund of #1001"), &json!("too small")));
}

async fn what_the_connector_sets_cannot_be_mapped(bench: &Bench) {
    booked(bench, &order(1)).await;
    let mut refund = refund(1, &order(1));
    refund.fields.insert("origin".to_owned(), FieldValue::Text("sale.sale,1".into()));
    let (code, field, _) = rejected(bench.give_back(1, &refund, Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("map_error", "origin"));
}

/// What is no longer sold can still come back.
async fn an_item_that_is_no_longer_sold_comes_back(mut bench: Bench) {
    booked(&bench, &order(1)).await;
    bench.stop_selling("TEE-M").await;
    // The connector believes what it knew until Tryton refuses it.
    let (code, ..) = rejected(bench.book(2, &order(2), Known::new()).await);
    assert_eq!(code, "UserError");
    let (code, ..) = rejected(bench.book(2, &order(2), Known::new()).await);
    assert_eq!(code, "unknown_item");
    assert_eq!(given_back(&bench, &refund(1, &order(1))).await["state"], "processing");
}

#[tokio::test]
async fn an_item_that_is_no_longer_sold_comes_back_to_the_simulated_tryton() {
    an_item_that_is_no_longer_sold_comes_back(Bench::simulated().await).await;
}

#[tokio::test]
async fn an_item_that_is_no_longer_sold_comes_back_to_a_real_tryton() {
    if let Some(bench) = Bench::real().await {
        an_item_that_is_no_longer_sold_comes_back(bench).await;
    }
}
