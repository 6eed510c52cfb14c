//! A store's history, imported by bulk operation.

use std::time::Duration;

use jiff::Timestamp;
use tonic::Code;
use waybill_domain::Body;
use waybill_proto::{
    convert::to_timestamp,
    wire::{Backfill, CancelBackfillRequest, ListBackfillsRequest, StartBackfillRequest},
};
use waybill_simulator::shopify::{BulkFailure, NewCustomer, Settings};
use waybill_testkit::wait_for_async;

use crate::{
    bench::{Bench, DEADLINE},
    webhook::webhook,
};

/// Nothing else asks the store, which is polled often and imported as fast as it goes.
const QUICK: &str = "reconcile_seconds = 3600\nbackfill_poll_seconds = 1\nbackfill_records_per_second = 100000";

fn generous() -> Settings {
    Settings { bucket: 10_000_000, ..Settings::default() }
}

fn request(kinds: &[&str]) -> StartBackfillRequest {
    StartBackfillRequest {
        store: "main".to_owned(),
        kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
        since: Some(to_timestamp(Timestamp::UNIX_EPOCH)),
    }
}

impl Bench {
    async fn backfill(&self, kinds: &[&str]) -> Vec<Backfill> {
        self.healing().start_backfill(request(kinds)).await.unwrap().into_inner().backfills
    }

    async fn backfills(&self) -> Vec<Backfill> {
        self.healing().list_backfills(ListBackfillsRequest {}).await.unwrap().into_inner().backfills
    }

    /// Waits until every backfill has ended; they, newest first.
    async fn backfilled(&self) -> Vec<Backfill> {
        wait_for_async("an end of all backfills", DEADLINE, async || {
            let all = self.backfills().await;
            all.iter().all(|one| one.finished_at.is_some()).then_some(all)
        })
        .await
    }
}

#[tokio::test]
async fn history_is_imported_whole() {
    let Some(bench) = Bench::with(QUICK, generous()).await else { return };
    let orders: Vec<u64> = (0..120).map(|_| bench.place()).collect();
    let email = Some("jo@example.com".to_owned());
    let customer = bench.shop.add_customer(NewCustomer { email, ..NewCustomer::default() });
    assert_eq!(bench.backfill(&[]).await.len(), 3);
    let done = bench.backfilled().await;
    for one in &done {
        assert_eq!((one.state.as_str(), one.message.as_str()), ("done", ""), "{one:?}");
        assert_eq!(one.records, one.changed, "{one:?}");
    }
    let of_orders = done.iter().find(|one| one.kind == "order").unwrap();
    assert_eq!(of_orders.records, 120);
    // Each order, its line, its agreement.
    assert_eq!((of_orders.objects, of_orders.lines), (360, 360));
    for id in [orders[0], orders[119]] {
        assert_eq!(bench.order(id).await.0.note, "as the API tells it");
    }
    bench.published_as("customer", &customer.to_string(), 1).await;
    assert!(bench.count("select count(*) from record where kind = 'product'").await > 5);
    bench.settled().await;
    bench.close().await;
}

#[tokio::test]
async fn what_a_webhook_told_since_is_newer_than_the_file() {
    let Some(bench) = Bench::with(QUICK, Settings { bulk_takes: Duration::from_secs(3), ..generous() }).await else {
        return;
    };
    let id = bench.place();
    bench.backfill(&["order"]).await;
    wait_for_async("an operation", DEADLINE, async || {
        bench.backfills().await.iter().all(|one| one.state == "gathering").then_some(())
    })
    .await;
    // The file has the order as it was; its webhook tells how it became.
    bench.next_second().await;
    bench.shop.cancel(id, "customer", false);
    let told = bench.shop.body("order", id);
    assert_eq!(bench.taken(&webhook("orders/updated", &told)).await.0, "applied");
    let done = bench.backfilled().await.remove(0);
    assert_eq!((done.state.as_str(), done.records, done.changed, done.to_read), ("done", 1, 0, 0));
    let (order, revision) = bench.order(id).await;
    assert!(order.cancelled_at.is_some());
    assert_eq!(revision, 1);
    bench.close().await;
}

#[tokio::test]
async fn a_service_that_was_stopped_goes_on_where_it_was() {
    let slow = "reconcile_seconds = 3600\nbackfill_poll_seconds = 1\nbackfill_records_per_second = 50";
    let Some(mut bench) = Bench::with(slow, generous()).await else { return };
    (0..160).for_each(|_| {
        bench.place();
    });
    bench.backfill(&["order"]).await;
    let imported = "select records from backfill";
    wait_for_async("a batch", DEADLINE, async || (bench.count(imported).await >= 50).then_some(())).await;
    bench.stop().await;
    let before = bench.count(imported).await;
    assert!(before < 160, "{before}");
    // The lease of the stopped one is not waited for here.
    sqlx::query("update backfill set lease_until = now()").execute(&bench.db).await.unwrap();
    bench.start().await;
    let done = bench.backfilled().await.remove(0);
    assert_eq!((done.state.as_str(), done.records, done.changed, done.lines), ("done", 160, 160, 480));
    assert_eq!(bench.count("select count(*) from record where kind = 'order' and number = 1").await, 160);
    bench.close().await;
}

#[tokio::test]
async fn a_failed_operation_says_what_to_do_and_can_be_begun_again() {
    let Some(bench) = Bench::with(QUICK, generous()).await else { return };
    bench.place();
    bench.shop.fail_next_bulk(BulkFailure::InternalServerError);
    bench.backfill(&["order"]).await;
    let failed = bench.backfilled().await.remove(0);
    assert_eq!((failed.state.as_str(), failed.records), ("failed", 0));
    assert!(failed.message.starts_with("INTERNAL_SERVER_ERROR: Shopify had trouble of its own"), "{}", failed.message);
    bench.backfill(&["order"]).await;
    assert_eq!(bench.backfilled().await[0].state, "done");
    bench.close().await;
}

#[tokio::test]
async fn a_file_that_is_gone_fails_the_backfill_and_says_so() {
    let Some(bench) = Bench::with(QUICK, Settings { bulk_kept: Duration::ZERO, ..generous() }).await else { return };
    bench.place();
    bench.backfill(&["order"]).await;
    let failed = bench.backfilled().await.remove(0);
    assert_eq!(failed.state, "failed");
    assert!(failed.message.starts_with("EXPIRED: the file is kept for seven days"), "{}", failed.message);
    bench.close().await;
}

#[tokio::test]
async fn a_backfill_waits_while_others_run_bulk_operations() {
    let full = Settings { bulk_at_once: 0, ..generous() };
    let Some(bench) = Bench::with(QUICK, full).await else { return };
    bench.backfill(&["order"]).await;
    let waiting = wait_for_async("a word", DEADLINE, async || {
        bench.backfills().await.into_iter().find(|one| !one.message.is_empty())
    })
    .await;
    assert_eq!(waiting.state, "waiting");
    assert!(waiting.message.starts_with("other bulk operations"), "{}", waiting.message);
    bench.close().await;
}

#[tokio::test]
async fn a_store_without_such_records_is_done_at_once() {
    let Some(bench) = Bench::with(QUICK, generous()).await else { return };
    bench.backfill(&["order"]).await;
    let done = bench.backfilled().await.remove(0);
    assert_eq!((done.state.as_str(), done.records), ("done", 0));
    bench.close().await;
}

#[tokio::test]
async fn a_person_ends_a_backfill_and_what_was_imported_stays() {
    let Some(bench) = Bench::with(QUICK, Settings { bulk_takes: Duration::from_secs(3600), ..generous() }).await else {
        return;
    };
    bench.backfill(&["order", "product"]).await;
    let twice = bench.healing().start_backfill(request(&["order"])).await.unwrap_err();
    assert_eq!(twice.code(), Code::AlreadyExists);
    let request = CancelBackfillRequest { store: "main".to_owned() };
    bench.healing().cancel_backfill(request).await.unwrap();
    for one in bench.backfilled().await {
        assert_eq!((one.state.as_str(), one.message.as_str()), ("cancelled", "a person ended it"));
    }
    bench.close().await;
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused() {
    let Some(bench) = Bench::with(QUICK, generous()).await else { return };
    let mut healing = bench.healing();
    let nowhere = StartBackfillRequest { store: "wholesale".to_owned(), ..request(&[]) };
    assert_eq!(healing.start_backfill(nowhere).await.unwrap_err().code(), Code::NotFound);
    let levels = healing.start_backfill(request(&["inventory-level"])).await.unwrap_err();
    assert_eq!(levels.code(), Code::InvalidArgument);
    let ever = StartBackfillRequest { since: None, ..request(&[]) };
    assert_eq!(healing.start_backfill(ever).await.unwrap_err().code(), Code::InvalidArgument);
    bench.close().await;
}

#[tokio::test]
async fn an_order_and_its_refund_come_as_webhooks_would_tell_them() {
    let Some(bench) = Bench::with(QUICK, generous()).await else { return };
    let id = bench.place();
    let line = bench.shop.order(id).unwrap().lines[0].id;
    bench.shop.refund_units(id, line, 1, "damaged");
    bench.backfill(&["order"]).await;
    bench.backfilled().await;
    let (order, _) = bench.order(id).await;
    let refund = bench.record("main", "refund", order.refunds[0].id.as_str()).await.expect("the refund's record");
    assert!(matches!(refund.body, Some(Body::Refund(_))));
    // The order's own webhook is an echo of what was imported.
    let told = bench.shop.body("order", id);
    assert_eq!(bench.taken(&webhook("orders/updated", &told)).await.0, "echo");
    bench.close().await;
}
