//! A cancelled order: Tryton cancels what is not being processed.

use serde_json::json;
use waybill_connector::{Failure, Known, contract::Delivery};
use waybill_domain::document::OrderDocument;

use crate::{
    bench::Bench,
    changing::confirmed_only,
    documents::{order, order_record},
    on_both,
};

on_both!(
    a_draft_is_cancelled,
    a_quotation_is_cancelled,
    a_confirmed_sale_is_cancelled,
    a_sale_in_processing_is_not_cancelled_by_us,
    a_cancelled_sale_is_left_alone,
    an_order_that_never_arrived_leaves_nothing,
);

fn cancelled(order: &OrderDocument) -> OrderDocument {
    OrderDocument { cancelled: true, ..order.clone() }
}

async fn is_cancelled_after(bench: &Bench, last: &str) {
    let order = order(1);
    let record = order_record(1);
    let mut delivery = Delivery::new(bench.orders(), &record, &order, Known::new());
    while delivery.next().is_some_and(|step| step.name != last) {
        delivery.advance().await.unwrap();
    }
    delivery.advance().await.unwrap();
    is_cancelled(bench, delivery.known().clone()).await;
}

async fn is_cancelled(bench: &Bench, known: Known) {
    let order = order(1);
    let known = bench.book(1, &cancelled(&order), known).await.unwrap();
    assert_eq!(known["sale_state"], "cancelled");
    assert_eq!(bench.sale(&order).await["state"], "cancelled");
}

async fn a_draft_is_cancelled(bench: &Bench) {
    is_cancelled_after(bench, "draft").await;
}

async fn a_quotation_is_cancelled(bench: &Bench) {
    is_cancelled_after(bench, "quote").await;
}

async fn a_confirmed_sale_is_cancelled(bench: &Bench) {
    let (known, _held) = confirmed_only(bench, &order(1)).await;
    is_cancelled(bench, known).await;
}

async fn a_sale_in_processing_is_not_cancelled_by_us(bench: &Bench) {
    let order = order(1);
    let known = bench.book(1, &order, Known::new()).await.unwrap();
    let failure = bench.book(1, &cancelled(&order), known).await.unwrap_err();
    let Failure::Rejected { code, field, message } = failure else { panic!("{failure:?}") };
    assert_eq!((code.as_str(), field.as_str()), ("not_amendable", "cancelled"));
    assert!(message.contains("processing"), "{message}");
    assert_eq!(bench.sale(&order).await["state"], "processing");
}

async fn a_cancelled_sale_is_left_alone(bench: &Bench) {
    is_cancelled_after(bench, "quote").await;
    bench.book(1, &cancelled(&order(1)), Known::new()).await.unwrap();
    assert_eq!(bench.sale(&order(1)).await["state"], "cancelled");
}

async fn an_order_that_never_arrived_leaves_nothing(bench: &Bench) {
    let order = cancelled(&order(1));
    bench.book(1, &order, Known::new()).await.unwrap();
    assert_eq!(json!(bench.sales(&order).await), json!([]));
}
