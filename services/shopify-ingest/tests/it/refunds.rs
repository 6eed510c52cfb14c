//! Refunds: by their own webhook, within their order's, or read with their order, each is one record.

use futures::future::join_all;
use reqwest::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use waybill_domain::{Body, Snapshot, order::Refund};
use waybill_simulator::shopify::{NewLine, NewOrder, Payment};

use crate::{
    bench::Bench,
    webhook::{Webhook, webhook},
};

impl Bench {
    /// An order of the simulated store with one of its units given back: order, refund. No webhook is sent of it.
    fn with_refund(&self) -> (u64, String) {
        let order = self.place();
        let line = self.shop.order(order).unwrap().lines[0].id;
        self.shop.refund_units(order, line, 1, "Too small");
        (order, self.refunds_of(order).remove(0))
    }

    fn refunds_of(&self, order: u64) -> Vec<String> {
        let body = self.body("order", &order.to_string());
        body["refunds"].as_array().unwrap().iter().map(|refund| refund["id"].to_string()).collect()
    }

    /// A record of the simulated store as its webhook tells it now.
    fn body(&self, kind: &str, id: &str) -> Value {
        let records = self.shop.records();
        let mut records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.find(|record| record["kind"] == kind && record["id"] == id).expect("a record of the store")["body"]
            .take()
    }

    fn told_alone(&self, refund: &str) -> Webhook {
        webhook("refunds/create", &self.body("refund", refund))
    }

    fn told_by_order(&self, order: u64) -> Webhook {
        webhook("orders/updated", &self.body("order", &order.to_string()))
    }

    /// The refund's record and its revision, once all work is done.
    async fn refund(&self, id: &str) -> (Refund, i64) {
        self.settled().await;
        refund_in(self.record("main", "refund", id).await.expect("the refund's record"))
    }
}

fn refund_in(snapshot: Snapshot) -> (Refund, i64) {
    let Some(Body::Refund(refund)) = snapshot.body else { panic!("a refund") };
    (refund, snapshot.revision.number)
}

#[tokio::test]
async fn a_refund_whose_webhook_is_lost_is_told_by_its_order() {
    let Some(bench) = Bench::open().await else { return };
    let (order, id) = bench.with_refund();
    assert_eq!(bench.taken(&bench.told_by_order(order)).await.0, "applied");
    let (refund, _) = refund_in(bench.published_as("refund", &id, 1).await);
    assert_eq!((refund.order_id.to_string(), refund.note.as_str()), (order.to_string(), "Too small"));
    let line = &refund.lines[0];
    assert_eq!((line.sku.as_str(), line.quantity, line.taxes[0].title.as_str()), ("TEE-WHITE-S", 1, "AT VAT"));
    assert_eq!(refund.refunded.unwrap().shop.to_string(), "23.94 EUR");
    bench.close().await;
}

#[tokio::test]
async fn a_refund_told_alone_and_then_by_its_order_is_one_revision() {
    let Some(bench) = Bench::open().await else { return };
    let (order, id) = bench.with_refund();
    assert_eq!(bench.taken(&bench.told_alone(&id)).await.0, "applied");
    assert_eq!(bench.refund(&id).await.1, 1, "the order was read, and its refund with it");
    assert_eq!(bench.taken(&bench.told_by_order(order)).await.0, "echo");
    assert_eq!(bench.refund(&id).await.1, 1);
    bench.close().await;
}

#[tokio::test]
async fn a_refund_told_by_its_order_and_then_alone_is_one_revision() {
    let Some(bench) = Bench::open().await else { return };
    let (order, id) = bench.with_refund();
    assert_eq!(bench.taken(&bench.told_by_order(order)).await.0, "applied");
    let before = bench.refund(&id).await;
    // Nothing new, but the order is read again for what the refund does not tell of it.
    assert_eq!(bench.taken(&bench.told_alone(&id)).await.0, "refetch");
    assert_eq!(bench.refund(&id).await, before);
    bench.close().await;
}

#[tokio::test]
async fn refunds_told_at_once_alone_and_by_their_orders_are_one_revision_each() {
    let Some(mut bench) = Bench::open().await else { return };
    bench.join_by_a_replica().await;
    let told: Vec<(u64, String)> = (0..30).map(|_| bench.with_refund()).collect();
    let mut webhooks = Vec::new();
    for (order, id) in &told {
        webhooks.extend([bench.told_alone(id), bench.told_by_order(*order)]);
        webhooks.push(webhook("orders/edited", &json!({"order_edit": {"id": 5, "order_id": order}})));
        webhooks.extend([bench.told_by_order(*order), bench.told_alone(id)]);
    }
    for answer in join_all(webhooks.iter().map(|webhook| bench.send(webhook))).await {
        assert_eq!(answer, StatusCode::OK);
    }
    for (order, id) in &told {
        assert_eq!(bench.refund(id).await.1, 1, "refund {id}");
        assert_eq!(bench.order(*order).await.1, 1, "order {order}");
    }
    assert_eq!(bench.count("select count(*) from record").await, 60);
    bench.close().await;
}

#[tokio::test]
async fn an_order_that_is_read_tells_its_refunds() {
    let Some(bench) = Bench::open().await else { return };
    let (order, id) = bench.with_refund();
    bench.shop.refund_money(order, Decimal::new(200, 2), "Arrived late");
    let edited = webhook("orders/edited", &json!({"order_edit": {"id": 5, "order_id": order}}));
    assert_eq!(bench.taken(&edited).await.0, "refetch");
    assert_eq!(bench.refund(&id).await.0.lines[0].sku, "TEE-WHITE-S");
    let money = &bench.refunds_of(order)[1];
    let (refund, revision) = bench.refund(money).await;
    assert_eq!((refund.lines.len(), refund.refunded.unwrap().shop.to_string(), revision), (0, "2.00 EUR".into(), 1));
    assert_eq!(bench.taken(&bench.told_alone(money)).await.0, "refetch");
    assert_eq!(bench.refund(money).await.1, 1);
    bench.close().await;
}

#[tokio::test]
async fn a_refund_in_two_currencies_is_read_and_known_in_both() {
    let Some(bench) = Bench::open().await else { return };
    let line = NewLine {
        sku: Some("MUG-300".to_owned()),
        title: "Mug".to_owned(),
        quantity: 2,
        price: Decimal::new(1295, 2),
        taxes: vec![("AT VAT".to_owned(), Decimal::new(2, 1))],
        duty: Decimal::ZERO,
    };
    let presentment = Some(("CAD".to_owned(), Decimal::new(148, 2)));
    let new = NewOrder { lines: vec![line], presentment, payment: Payment::Paid, ..NewOrder::default() };
    let order = bench.shop.place(new);
    let line = bench.shop.order(order).unwrap().lines[0].id;
    bench.shop.refund_units(order, line, 1, "Broken");
    let id = bench.refunds_of(order).remove(0);
    for told in [bench.told_alone(&id), bench.told_by_order(order)] {
        assert_eq!(bench.taken(&told).await.0, "refetch");
        let (refund, revision) = bench.refund(&id).await;
        let refunded = refund.refunded.unwrap();
        assert_eq!(
            (refunded.shop.to_string(), refunded.presentment.to_string()),
            ("15.54 EUR".into(), "23.01 CAD".into())
        );
        assert_eq!((refund.lines[0].sku.as_str(), revision), ("MUG-300", 1));
    }
    bench.close().await;
}

#[tokio::test]
async fn money_that_was_pending_when_the_refund_was_made_is_its_next_revision() {
    let Some(bench) = Bench::open().await else { return };
    let (order, id) = bench.with_refund();
    let mut pending = bench.body("order", &order.to_string());
    pending["updated_at"] = json!("2020-01-01T00:00:00Z");
    pending["refunds"][0]["transactions"][0]["status"] = json!("pending");
    bench.taken(&webhook("orders/updated", &pending)).await;
    let (refund, revision) = bench.refund(&id).await;
    assert_eq!((refund.refunded, revision), (None, 1));
    bench.taken(&bench.told_by_order(order)).await;
    let (refund, revision) = bench.refund(&id).await;
    assert_eq!((refund.refunded.unwrap().shop.to_string(), revision), ("23.94 EUR".into(), 2));
    bench.close().await;
}

#[tokio::test]
async fn of_two_states_of_a_refund_at_one_time_its_orders_api_tells_which_it_is() {
    let Some(bench) = Bench::open().await else { return };
    let (order, id) = bench.with_refund();
    bench.taken(&bench.told_alone(&id)).await;
    bench.settled().await;
    let mut other = bench.body("order", &order.to_string());
    other["refunds"][0]["note"] = json!("Too large");
    assert_eq!(bench.taken(&webhook("orders/updated", &other)).await.0, "refetch");
    let (refund, revision) = bench.refund(&id).await;
    assert_eq!((refund.note.as_str(), revision), ("Too small", 1));
    bench.close().await;
}
