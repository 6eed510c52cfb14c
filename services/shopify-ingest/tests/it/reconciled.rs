//! What no webhook told, found by asking the store.

use std::time::Duration;

use jiff::Timestamp;
use waybill_domain::Body;
use waybill_proto::{
    convert::to_timestamp,
    wire::{ListReconciliationsRequest, ReconcileRequest, Reconciliation, healing_client::HealingClient},
};
use waybill_runtime::{
    grpc::{self, PeerChannel},
    settings::SecretText,
};
use waybill_simulator::{
    kit::{Fault, FaultKind},
    shopify::{NewCustomer, Settings},
};
use waybill_testkit::wait_for_async;

use crate::bench::{Bench, DEADLINE, TOKEN};

/// The store is asked each second, and nothing is too young.
const EAGER: &str = "reconcile_seconds = 1\nreconcile_young_seconds = 0";
/// The store is asked at the start and when a person wants it.
const ASKED: &str = "reconcile_seconds = 3600\nreconcile_young_seconds = 0";

/// A shop that may be asked as often as a test likes.
fn generous() -> Settings {
    Settings { bucket: 10_000_000, ..Settings::default() }
}

impl Bench {
    /// With these settings, after the first comparison of each kind.
    async fn reconciling(own: &str, shop: Settings) -> Option<Self> {
        let bench = Self::with(own, shop).await?;
        bench.counts("comparisons", "select count(*) from reconciliation where compared_to is not null", 4).await;
        Some(bench)
    }

    /// Waits until a count is no less.
    async fn counts(&self, what: &str, sql: &'static str, least: i64) {
        wait_for_async(what, DEADLINE, async || (self.count(sql).await >= least).then_some(())).await;
    }

    pub(crate) fn healing(&self) -> HealingClient<PeerChannel> {
        HealingClient::new(grpc::peer(&self.grpc, &SecretText::from(TOKEN.to_owned())).unwrap())
    }

    /// Has the store compared as a person does, and waits until it is; what is found of orders.
    async fn reconcile(&self, since: Option<Timestamp>) -> Reconciliation {
        let request = ReconcileRequest { store: "main".to_owned(), since: since.map(to_timestamp) };
        let asked = self.healing().reconcile(request).await.unwrap().into_inner().reconciliations;
        assert_eq!(asked.len(), 4);
        wait_for_async("an answer", DEADLINE, async || {
            let now = self.healing().list_reconciliations(ListReconciliationsRequest {}).await.unwrap().into_inner();
            let done = now.reconciliations.iter().zip(&asked).all(|(now, asked)| now.answered >= asked.asked);
            now.reconciliations.into_iter().find(|one| done && one.kind == "order")
        })
        .await
    }

    /// Puts trouble in the way of so many lists of changed orders, after letting some pass.
    fn trouble(&self, kind: FaultKind, skip: usize, times: u32) {
        let (path, body) = (String::new(), "query ChangedOrders".to_owned());
        self.vendor.faults.add_after(skip, Fault { kind, times, path, body });
    }

    /// Shopify's times are whole seconds: a change within the same one is told by its webhook only.
    pub(crate) async fn next_second(&self) {
        let now = async || self.count("select floor(extract(epoch from now()))::bigint").await;
        let began = now().await;
        wait_for_async("the next second", DEADLINE, async || (now().await > began).then_some(())).await;
    }

    async fn watermark(&self) -> i64 {
        self.count("select (extract(epoch from watermark) * 1000000)::bigint from reconciliation where kind = 'order'")
            .await
    }
}

#[tokio::test]
async fn an_order_whose_webhook_never_came_is_found() {
    let Some(bench) = Bench::reconciling(EAGER, generous()).await else { return };
    let id = bench.place();
    bench.published(id, 1).await;
    assert_eq!(bench.order(id).await.0.note, "as the API tells it");
    assert_eq!(bench.count("select missing from reconciliation where kind = 'order'").await, 1);
    bench.close().await;
}

#[tokio::test]
async fn a_change_whose_webhook_never_came_is_found() {
    let Some(bench) = Bench::reconciling(EAGER, generous()).await else { return };
    let id = bench.place();
    bench.published(id, 1).await;
    bench.next_second().await;
    bench.shop.cancel(id, "customer", false);
    bench.published(id, 2).await;
    assert!(bench.order(id).await.0.cancelled_at.is_some());
    assert_eq!(bench.count("select old from reconciliation where kind = 'order'").await, 1);
    bench.close().await;
}

#[tokio::test]
async fn customers_products_and_stock_are_found_too() {
    let Some(bench) = Bench::reconciling(EAGER, generous()).await else { return };
    let email = Some("jo@example.com".to_owned());
    let customer = bench.shop.add_customer(NewCustomer { email, ..NewCustomer::default() });
    bench.published_as("customer", &customer.to_string(), 1).await;
    bench.shop.tag_product("TEE-WHITE-S", "found");
    // An order reserves stock.
    bench.place();
    bench.counts("a product", "select count(*) from record where kind = 'product' and number > 0", 1).await;
    bench.counts("a level", "select count(*) from record where kind = 'inventory-level' and number > 0", 1).await;
    let id: String =
        sqlx::query_scalar("select record_id from record where kind = 'inventory-level' and number > 0 limit 1")
            .fetch_one(&bench.db)
            .await
            .unwrap();
    let Some(Body::InventoryLevel(level)) = bench.record("main", "inventory-level", &id).await.unwrap().body else {
        panic!("a level")
    };
    assert_eq!(format!("{}-{}", level.inventory_item_id, level.location_id), id);
    bench.close().await;
}

#[tokio::test]
async fn what_was_there_before_is_found_only_if_a_person_asks_for_it() {
    let Some(bench) = Bench::reconciling(ASKED, generous()).await else { return };
    // As if it had been placed long before the service.
    let id = bench.place();
    sqlx::query("update reconciliation set watermark = now() + interval '1 hour'").execute(&bench.db).await.unwrap();
    assert_eq!(bench.reconcile(None).await.missing, 0);
    let found = bench.reconcile(Some(Timestamp::UNIX_EPOCH)).await;
    assert_eq!((found.missing, found.message.as_str()), (1, ""));
    bench.published(id, 1).await;
    bench.close().await;
}

#[tokio::test]
async fn a_store_that_the_plan_does_not_have_cannot_be_reconciled() {
    let Some(bench) = Bench::reconciling(ASKED, generous()).await else { return };
    let request = ReconcileRequest { store: "wholesale".to_owned(), since: None };
    assert_eq!(bench.healing().reconcile(request).await.unwrap_err().code(), tonic::Code::NotFound);
    bench.close().await;
}

#[tokio::test]
async fn more_than_a_page_of_one_second_is_found_whole() {
    let Some(bench) = Bench::reconciling(ASKED, generous()).await else { return };
    // Two pages' worth and more, and many of them of one second.
    (0..520).for_each(|_| {
        bench.place();
    });
    let found = bench.reconcile(None).await;
    assert_eq!(found.missing, 520);
    bench.settled().await;
    assert_eq!(bench.count("select count(*) from record where kind = 'order' and number = 1").await, 520);
    bench.close().await;
}

#[tokio::test]
async fn an_order_that_changes_while_it_is_paged_is_found_as_it_became() {
    let Some(bench) = Bench::reconciling(ASKED, generous()).await else { return };
    let first = bench.place();
    // Read when its second is over: of another one nobody is sure, and it is read again whatever is found.
    bench.next_second().await;
    assert_eq!(bench.reconcile(None).await.missing, 1);
    bench.published(first, 1).await;
    (0..510).for_each(|_| {
        bench.place();
    });
    // The second page is slow: meanwhile the order goes from the first page to the end.
    bench.trouble(FaultKind::Slow { delay_ms: 2500 }, 1, 1);
    let compared = bench.count("select compared from reconciliation where kind = 'order'").await;
    let (found, ()) = tokio::join!(bench.reconcile(Some(Timestamp::UNIX_EPOCH)), async {
        wait_for_async("the first page", DEADLINE, async || {
            (bench.count("select compared from reconciliation where kind = 'order'").await > compared).then_some(())
        })
        .await;
        bench.next_second().await;
        bench.shop.cancel(first, "customer", false);
    });
    assert_eq!((found.missing, found.message.as_str()), (511, ""));
    bench.published(first, 2).await;
    assert_eq!(bench.count("select old from reconciliation where kind = 'order'").await, 1);
    assert!(bench.order(first).await.0.cancelled_at.is_some());
    bench.close().await;
}

#[tokio::test]
async fn what_the_search_knows_late_is_found_within_the_overlap() {
    let late = Settings { search_behind: Duration::from_secs(3), ..generous() };
    let Some(bench) = Bench::reconciling(&format!("{EAGER}\nreconcile_overlap_seconds = 10"), late).await else {
        return;
    };
    let id = bench.place();
    bench.published(id, 1).await;
    bench.close().await;
}

#[tokio::test]
async fn the_watermark_stays_while_a_page_fails_and_nothing_is_lost() {
    let Some(bench) = Bench::reconciling(&format!("{EAGER}\nreconcile_overlap_seconds = 0"), generous()).await else {
        return;
    };
    // The first page is compared, the second fails.
    (0..251).for_each(|_| {
        bench.place();
    });
    bench.trouble(FaultKind::ServerError, 1, 2);
    let before = bench.watermark().await;
    bench.counts("failures", "select attempts::bigint from reconciliation where kind = 'order'", 1).await;
    let (stayed, message): (i64, String) = sqlx::query_as(
        "select (extract(epoch from watermark) * 1000000)::bigint, message from reconciliation
         where kind = 'order' and attempts > 0",
    )
    .fetch_one(&bench.db)
    .await
    .unwrap();
    assert!(message.contains("500"), "{message}");
    let ready = bench.http.get(format!("{}/readyz", bench.url)).send().await.unwrap();
    assert_eq!(ready.status(), reqwest::StatusCode::OK);
    bench
        .counts(
            "the rest",
            "select coalesce(max(missing), 0) from reconciliation where kind = 'order' and message = ''",
            251,
        )
        .await;
    assert!(stayed <= before + 2_000_000 && bench.watermark().await >= stayed);
    bench.settled().await;
    assert_eq!(bench.count("select count(*) from record where kind = 'order' and number = 1").await, 251);
    bench.close().await;
}

#[tokio::test]
async fn a_store_that_throttles_is_compared_when_it_lets_us() {
    // As on Shopify's smallest plan: all is spent again and again, and comes back once that ends.
    let standard = Settings { bucket: 2_000, restore_rate: 100, ..Settings::default() };
    let Some(bench) = Bench::reconciling(EAGER, standard).await else { return };
    wait_for_async("a limit", DEADLINE, async || {
        bench.shop.spend_all();
        let limited = "select count(*) from reconciliation where kind = 'order' and attempts > 0 and message <> ''";
        (bench.count(limited).await > 0).then_some(())
    })
    .await;
    let id = bench.place();
    bench.published(id, 1).await;
    bench.close().await;
}

#[tokio::test]
async fn an_outage_is_caught_up_from_where_the_comparison_stood() {
    let Some(mut bench) = Bench::reconciling(EAGER, generous()).await else { return };
    bench.stop().await;
    let stood = bench.watermark().await;
    let id = bench.place();
    bench.start().await;
    bench.published(id, 1).await;
    assert!(bench.watermark().await >= stood);
    bench.close().await;
}

#[tokio::test]
async fn what_changed_a_moment_ago_may_still_be_on_its_way() {
    let Some(bench) = Bench::reconciling("reconcile_seconds = 3600\nreconcile_young_seconds = 5", generous()).await
    else {
        return;
    };
    let id = bench.place();
    let compared = bench.count("select compared from reconciliation where kind = 'order'").await;
    sqlx::query("update reconciliation set due_at = now()").execute(&bench.db).await.unwrap();
    bench.counts("a comparison", "select compared from reconciliation where kind = 'order'", compared + 1).await;
    assert_eq!(bench.count("select missing from reconciliation where kind = 'order'").await, 0);
    // It is looked at again without being asked for.
    bench.published(id, 1).await;
    assert_eq!(bench.count("select missing from reconciliation where kind = 'order'").await, 1);
    bench.close().await;
}

#[tokio::test]
async fn a_person_who_asks_is_told_of_what_changed_a_moment_ago_too() {
    let Some(bench) = Bench::reconciling("reconcile_seconds = 3600\nreconcile_young_seconds = 600", generous()).await
    else {
        return;
    };
    let id = bench.place();
    assert_eq!(bench.reconcile(None).await.missing, 1);
    bench.published(id, 1).await;
    // Its time does not tell of a second change within the second.
    bench.shop.cancel(id, "customer", false);
    sqlx::query(
        "update record set source_updated_at = source_updated_at + interval '1 minute', refetched_at = null
         where kind = 'order'",
    )
    .execute(&bench.db)
    .await
    .unwrap();
    assert_eq!(bench.reconcile(None).await.old, 0);
    bench.published(id, 2).await;
    assert!(bench.order(id).await.0.cancelled_at.is_some());
    bench.close().await;
}

#[tokio::test]
async fn what_was_deleted_without_a_webhook_is_found() {
    let Some(bench) = Bench::reconciling(EAGER, generous()).await else { return };
    let email = Some("jo@example.com".to_owned());
    let customer = bench.shop.add_customer(NewCustomer { email, ..NewCustomer::default() });
    bench.shop.tag_product("TEE-WHITE-S", "found");
    bench.published_as("customer", &customer.to_string(), 1).await;
    bench.counts("a product", "select count(*) from record where kind = 'product' and number > 0", 1).await;
    bench.shop.delete_customer(customer);
    let gone = bench.published_as("customer", &customer.to_string(), 2).await;
    assert_eq!(gone.body, None);
    bench.counts("a count of it", "select gone from reconciliation where kind = 'customer'", 1).await;
    // The product is there and stays.
    assert_eq!(bench.count("select count(*) from record where kind = 'product' and deleted").await, 0);
    assert_eq!(bench.count("select gone from reconciliation where kind = 'product'").await, 0);
    bench.close().await;
}

#[tokio::test]
async fn two_replicas_find_what_is_missing_once() {
    let Some(mut bench) = Bench::reconciling(EAGER, generous()).await else { return };
    bench.join_by_a_replica().await;
    let ids: Vec<u64> = (0..40).map(|_| bench.place()).collect();
    for id in ids {
        bench.published(id, 1).await;
    }
    bench.settled().await;
    assert_eq!(bench.count("select missing from reconciliation where kind = 'order'").await, 40);
    assert_eq!(bench.count("select count(*) from revision where kind = 'order' and number > 1").await, 0);
    bench.close().await;
}
