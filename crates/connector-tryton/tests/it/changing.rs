//! A later revision of an order: what Tryton lets us change in which state.

use serde_json::{Value as Json, json};
use waybill_connector::{Failure, Known, contract::Delivery};
use waybill_domain::{
    customer::Address,
    document::{FieldValue, OrderDocument},
    names::RecordKey,
};

use crate::{
    bench::{Bench, Held},
    documents::{address, customer, order, order_record, totalled, with_comment, with_line},
    on_both,
};

on_both!(
    a_draft_is_written_again,
    a_quotation_is_taken_back_and_written_again,
    a_quotation_keeps_its_number,
    a_confirmed_sale_is_taken_back_and_written_again,
    processing_that_fails_is_told,
    a_comment_is_changed_while_the_sale_is_processed,
    an_unchanged_order_writes_nothing,
    a_colleagues_comment_survives_an_order_without_news,
    a_changed_quantity_is_not_amendable_while_the_sale_is_processed,
    a_removed_line_is_not_amendable_while_the_sale_is_processed,
    an_added_line_is_not_amendable_while_the_sale_is_processed,
    another_address_is_not_amendable_while_the_sale_is_processed,
    another_buyer_is_not_amendable_while_the_sale_is_processed,
    a_changed_description_is_not_amendable_while_the_sale_is_processed,
    a_sale_that_a_colleague_cancelled_is_not_written_again,
    a_party_is_left_as_it_is_by_later_orders,
    an_amended_quotation_is_not_taken_back,
    an_amended_sale_that_is_confirmed_is_not_taken_back,
    an_amended_draft_is_written_again,
);

/// Runs the steps up to and with one of them.
async fn advanced(bench: &Bench, record: &RecordKey, order: &OrderDocument, last: &str) -> Known {
    let mut delivery = Delivery::new(bench.orders(), record, order, Known::new());
    while delivery.next().is_some_and(|step| step.name != last) {
        delivery.advance().await.unwrap();
    }
    delivery.advance().await.unwrap();
    delivery.known().clone()
}

/// An order whose sale is confirmed and cannot be processed.
pub(crate) async fn confirmed_only(bench: &Bench, order: &OrderDocument) -> (Known, Held) {
    let record = order_record(1);
    let mut delivery = Delivery::new(bench.orders(), &record, order, Known::new());
    delivery.advance().await.unwrap();
    let held = bench.hold_processing(order).await;
    while delivery.next().is_some_and(|step| step.name != "process") {
        delivery.advance().await.unwrap();
    }
    (delivery.known().clone(), held)
}

/// The step after a confirmation that could not be processed is refused with Tryton's reason, and nobody's name.
async fn processing_that_fails_is_told(bench: &Bench) {
    let order = order(1);
    let (known, _held) = confirmed_only(bench, &order).await;
    match bench.book(1, &order, known).await {
        Err(Failure::Rejected { message, .. }) => {
            assert!(message.contains("customer location") && !message.contains("Jane"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

fn with_five_shirts(order: &OrderDocument) -> OrderDocument {
    let mut changed = OrderDocument { lines: Vec::new(), ..order.clone() };
    changed = with_line(changed, "TEE-M", 5, "20.00", "0", Some("VAT 19 %"));
    totalled(changed)
}

fn not_amendable(outcome: Result<Known, Failure>) -> String {
    match outcome {
        Err(Failure::Rejected { code, field, .. }) if code == "not_amendable" => field,
        other => panic!("amended: {other:?}"),
    }
}

fn first_quantity(sale: &Json) -> &Json {
    &sale["lines."][0]["quantity"]
}

async fn is_written_again(bench: &Bench, last: &str, state: &str) -> (Json, Json) {
    let order = order(1);
    let known = advanced(bench, &order_record(1), &order, last).await;
    let before = bench.sale(&order).await;
    assert_eq!(before["state"], state);
    let changed = with_five_shirts(&order);
    bench.book(1, &changed, known).await.unwrap();
    let after = bench.sale(&order).await;
    assert_eq!((first_quantity(&after), after["lines."].as_array().unwrap().len()), (&json!(5.0), 2));
    assert_eq!(after["total_amount"]["decimal"], changed.total.to_string());
    assert_eq!((&after["id"], &after["state"]), (&before["id"], &json!("processing")));
    (before, after)
}

async fn a_draft_is_written_again(bench: &Bench) {
    is_written_again(bench, "draft", "draft").await;
}

async fn a_quotation_is_taken_back_and_written_again(bench: &Bench) {
    is_written_again(bench, "quote", "quotation").await;
}

async fn a_quotation_keeps_its_number(bench: &Bench) {
    let (before, after) = is_written_again(bench, "quote", "quotation").await;
    assert_eq!(before["number"], after["number"]);
}

/// Tryton processes a confirmed sale at once unless `sale_process_after` delays it, or processing fails.
async fn a_confirmed_sale_is_taken_back_and_written_again(bench: &Bench) {
    let order = order(1);
    let (known, held) = confirmed_only(bench, &order).await;
    assert_eq!(bench.sale(&order).await["state"], "confirmed");
    bench.release(&held).await;
    bench.book(1, &with_five_shirts(&order), known).await.unwrap();
    let sale = bench.sale(&order).await;
    assert_eq!((first_quantity(&sale), &sale["state"]), (&json!(5.0), &json!("processing")));
}

async fn a_comment_is_changed_while_the_sale_is_processed(bench: &Bench) {
    let order = order(1);
    let known = bench.book(1, &order, Known::new()).await.unwrap();
    bench.book(1, &with_comment(order.clone(), "ring twice"), known).await.unwrap();
    assert_eq!(bench.sale(&order).await["comment"], "ring twice");
}

async fn an_unchanged_order_writes_nothing(bench: &Bench) {
    let order = order(1);
    let record = order_record(1);
    let known = bench.book(1, &order, Known::new()).await.unwrap();
    let delivery = Delivery::new(bench.orders(), &record, &order, known);
    let found = delivery.find(&delivery.steps()[0]).await.unwrap().unwrap();
    assert!(!found.wrote, "{found:?}");
}

async fn a_colleagues_comment_survives_an_order_without_news(bench: &Bench) {
    let order = order(1);
    let known = bench.book(1, &order, Known::new()).await.unwrap();
    let id = bench.sale(&order).await["id"].clone();
    bench.vendor.model("sale.sale.write", json!([[id], {"comment": "by a colleague"}])).await;
    bench.book(1, &order, known).await.unwrap();
    assert_eq!(bench.sale(&order).await["comment"], "by a colleague");
}

async fn what_is_not_amendable(bench: &Bench, change: impl Fn(OrderDocument) -> OrderDocument) -> String {
    let order = order(1);
    let known = bench.book(1, &order, Known::new()).await.unwrap();
    let before = bench.sale(&order).await;
    let field = not_amendable(bench.book(1, &change(order.clone()), known).await);
    assert_eq!(bench.sale(&order).await, before, "a refused change has changed something");
    field
}

async fn a_changed_quantity_is_not_amendable_while_the_sale_is_processed(bench: &Bench) {
    let change = |mut order: OrderDocument| {
        order.lines[1].quantity = 4;
        order.lines[1].net = order.lines[1].unit_price * rust_decimal::Decimal::from(4);
        totalled(order)
    };
    assert_eq!(what_is_not_amendable(bench, change).await, "lines.1.quantity");
}

async fn a_removed_line_is_not_amendable_while_the_sale_is_processed(bench: &Bench) {
    let change = |mut order: OrderDocument| {
        order.lines.pop();
        totalled(order)
    };
    assert_eq!(what_is_not_amendable(bench, change).await, "lines");
}

async fn an_added_line_is_not_amendable_while_the_sale_is_processed(bench: &Bench) {
    let change = |order| with_line(order, "TEE-M", 1, "20.00", "0", None);
    assert_eq!(what_is_not_amendable(bench, change).await, "lines.2");
}

async fn another_address_is_not_amendable_while_the_sale_is_processed(bench: &Bench) {
    let change = |order| OrderDocument {
        shipping_address: Some(Address { city: "Bonn".into(), ..address("Nebenstraße 2") }),
        ..order
    };
    assert_eq!(what_is_not_amendable(bench, change).await, "shipping_address");
}

async fn another_buyer_is_not_amendable_while_the_sale_is_processed(bench: &Bench) {
    let order = order(1);
    let mut known = bench.book(1, &order, Known::new()).await.unwrap();
    known.remove("party");
    let changed = OrderDocument { customer: Some(customer(2)), ..order };
    assert_eq!(not_amendable(bench.book(1, &changed, known).await), "customer");
}

async fn a_changed_description_is_not_amendable_while_the_sale_is_processed(bench: &Bench) {
    let change = |mut order: OrderDocument| {
        order.fields.insert("description".to_owned(), FieldValue::Text("another".into()));
        order
    };
    assert_eq!(what_is_not_amendable(bench, change).await, "description");
}

async fn a_sale_that_a_colleague_cancelled_is_not_written_again(bench: &Bench) {
    let order = order(1);
    let known = advanced(bench, &order_record(1), &order, "quote").await;
    let id = bench.sale(&order).await["id"].clone();
    bench.vendor.model("sale.sale.cancel", json!([[id]])).await;
    assert_eq!(not_amendable(bench.book(1, &with_five_shirts(&order), known).await), "state");
}

async fn a_party_is_left_as_it_is_by_later_orders(bench: &Bench) {
    let first = order(1);
    bench.book(1, &first, Known::new()).await.unwrap();
    let mut second = order(2);
    let mut moved = first.customer.clone().unwrap();
    moved.email = "other@example.com".into();
    second.customer = Some(moved.clone());
    bench.book(2, &second, Known::new()).await.unwrap();
    assert_eq!(bench.parties(&moved).await[0]["email"], "jane1@example.com");
}

fn amended(mut order: OrderDocument) -> OrderDocument {
    order.policy.amend = true;
    order
}

async fn is_left_as_far_as_it_is(bench: &Bench, known: Known, state: &str) {
    let order = order(1);
    let before = bench.sale(&order).await;
    assert_eq!(before["state"], state);
    let field = not_amendable(bench.book(1, &amended(with_five_shirts(&order)), known.clone()).await);
    assert_eq!((field.as_str(), &bench.sale(&order).await), ("lines.0.quantity", &before));
    let changed = amended(with_comment(order.clone(), "ring twice"));
    let record = order_record(1);
    let mut delivery = Delivery::new(bench.orders(), &record, &changed, known);
    while delivery.next().is_some_and(|step| step.name != "quote") {
        delivery.advance().await.unwrap();
    }
    let sale = bench.sale(&order).await;
    assert_eq!((&sale["comment"], &sale["state"]), (&json!("ring twice"), &json!(state)));
}

async fn an_amended_quotation_is_not_taken_back(bench: &Bench) {
    let known = advanced(bench, &order_record(1), &order(1), "quote").await;
    is_left_as_far_as_it_is(bench, known, "quotation").await;
}

async fn an_amended_sale_that_is_confirmed_is_not_taken_back(bench: &Bench) {
    let (known, _held) = confirmed_only(bench, &order(1)).await;
    is_left_as_far_as_it_is(bench, known, "confirmed").await;
}

async fn an_amended_draft_is_written_again(bench: &Bench) {
    let order = order(1);
    let known = advanced(bench, &order_record(1), &order, "draft").await;
    bench.book(1, &amended(with_five_shirts(&order)), known).await.unwrap();
    assert_eq!(first_quantity(&bench.sale(&order).await), &json!(5.0));
}
