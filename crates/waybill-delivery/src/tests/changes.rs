//! What a source says changed, and what the comparison with it takes.

use std::time::Duration;

use tonic::Request;
use waybill_domain::{Kind, Revision};
use waybill_proto::wire::{Head, ListChangesRequest, ListChangesResponse, source_server::Source as _};
use waybill_testkit::{
    records::{OrderBuilder, order},
    wait_for_async,
};

use super::{bench::Bench, bodies::record_of};
use crate::{cursor_of, ledger::SourceService};

fn one(number: u64) -> OrderBuilder {
    order(number).paid().with_line("TEE", 1, "24.00")
}

impl Bench {
    async fn changes(&self, heads_only: bool, after: &str, limit: i32) -> ListChangesResponse {
        let request =
            ListChangesRequest { after: after.to_owned(), limit, heads_only, ..ListChangesRequest::default() };
        let service = SourceService::new(self.pool().clone());
        service.list_changes(Request::new(request)).await.unwrap().into_inner()
    }

    /// The ids of all records that changed, page by page.
    async fn pages(&self, heads_only: bool) -> Vec<String> {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.changes(heads_only, &after, 1).await;
            let keys = page.heads.into_iter().map(|head| head.key);
            ids.extend(keys.chain(page.snapshots.into_iter().map(|snapshot| snapshot.key)).map(|key| key.unwrap().id));
            after = page.cursor;
            if !page.more {
                return ids;
            }
        }
    }

    /// Once so many are listed: nothing is that is younger than an open transaction of the cluster, which tests share.
    async fn heads_of(&self, records: usize) -> ListChangesResponse {
        wait_for_async("all changes to be listed", Duration::from_secs(20), async || {
            let page = self.changes(true, "", 0).await;
            (page.heads.len() == records).then_some(page)
        })
        .await
    }

    fn cursor_of_source(&self) -> String {
        let engine = self.engine();
        cursor_of("shopify-ingest", &engine.plan(), |flow| flow.to.as_str() == "erp")
    }

    /// Once a kind's only record is listed at this revision.
    async fn head_of(&self, kind: Kind, number: i64) {
        wait_for_async("the change to be listed", Duration::from_secs(20), async || {
            let heads = self.changes(true, "", 0).await.heads;
            let of_kind = |head: &&Head| head.key.as_ref().unwrap().kind == kind.as_str();
            (heads.iter().find(of_kind)?.revision?.number == number).then_some(())
        })
        .await;
    }

    /// What the deliveries want.
    async fn heard(&self) -> Vec<String> {
        let wanted = "select kind || ' ' || record_id || ' at ' || desired_number from delivery order by 1";
        sqlx::query_scalar(wanted).fetch_all(self.pool()).await.unwrap()
    }

    async fn deliveries(&self) -> i64 {
        sqlx::query_scalar("select count(*) from delivery").fetch_one(self.pool()).await.unwrap()
    }
}

#[tokio::test]
async fn no_change_is_passed_over_where_transactions_get_a_digit_more() {
    let bench = bench!();
    let mut said = Vec::new();
    for (number, transaction) in [(1, "9"), (2, "10"), (3, "11"), (4, "100")] {
        let snapshot = bench.observe(one(number).at_revision(1)).await;
        sqlx::query("update record set changed_in = $1::xid8 where record_id = $2")
            .bind(transaction)
            .bind(snapshot.key.id.as_str())
            .execute(bench.pool())
            .await
            .unwrap();
        said.push(snapshot.key.id.to_string());
    }
    for heads_only in [false, true] {
        assert_eq!(bench.pages(heads_only).await, said, "heads only: {heads_only}");
    }
}

#[tokio::test]
async fn heads_tell_the_newest_revisions_and_no_more() {
    let bench = bench!();
    bench.observe(one(1).at_revision(1)).await;
    bench.is_restored().await;
    let newest = bench.observe(one(1).with_line("CAP", 2, "9.00").at_revision(2)).await;
    let pruned = bench.observe(one(2).at_revision(1)).await;
    sqlx::query("delete from revision where record_id = $1")
        .bind(pruned.key.id.as_str())
        .execute(bench.pool())
        .await
        .unwrap();
    let page = bench.heads_of(2).await;
    assert!(page.snapshots.is_empty() && !page.more && page.in_order);
    let revisions: Vec<Revision> = page.heads.iter().map(|head| head.revision.unwrap().into()).collect();
    assert_eq!(revisions, [newest.revision, pruned.revision]);
    assert!(newest.revision.epoch == pruned.revision.epoch && newest.revision.number == 2);
}

#[tokio::test]
async fn the_comparison_asks_for_what_did_not_come_by_the_road_and_only_for_that() {
    let Some(bench) = Bench::with_source().await else { return };
    bench.observe_and_hear(one(1).at_revision(1)).await;
    // Whoever asks for it whole is refused.
    let spoil = "update record set snapshot = '\\xff' where record_id = (select record_id from delivery)";
    sqlx::query(spoil).execute(bench.pool()).await.unwrap();
    bench.heads_of(1).await;
    bench.engine().compare_with_sources().await.unwrap();
    bench.engine().taken().forget();

    bench.observe(one(2).at_revision(1)).await;
    bench.heads_of(2).await;
    bench.engine().compare_with_sources().await.unwrap();
    assert_eq!(bench.deliveries().await, 2);
}

#[tokio::test]
async fn the_comparison_does_not_go_on_where_an_earlier_order_left_it() {
    let Some(bench) = Bench::with_source().await else { return };
    bench.observe(one(1).at_revision(1)).await;
    bench.heads_of(1).await;
    let spoilt = "insert into source_cursor values ('shopify-ingest', '9999999/main/order/9')";
    sqlx::query(spoilt).execute(bench.pool()).await.unwrap();
    bench.engine().compare_with_sources().await.unwrap();
    assert_eq!(bench.deliveries().await, 1);
    let kept: Vec<String> = sqlx::query_scalar("select source from source_cursor where position not like '9999999/%'")
        .fetch_all(bench.pool())
        .await
        .unwrap();
    assert_eq!(kept, [bench.cursor_of_source()]);
}

#[tokio::test]
async fn beside_a_source_of_before_the_comparison_goes_on_where_it_was() {
    let Some(bench) = Bench::with_source_of_before().await else { return };
    bench.observe(one(1).at_revision(1)).await;
    let page = bench.heads_of(1).await;
    sqlx::query("insert into source_cursor values ('shopify-ingest', $1)")
        .bind(page.cursor)
        .execute(bench.pool())
        .await
        .unwrap();
    bench.observe(one(2).at_revision(1)).await;
    let page = bench.heads_of(2).await;
    bench.engine().compare_with_sources().await.unwrap();
    assert_eq!(bench.heard().await, ["order 2 at 1"]);
    let kept: Vec<(String, String)> =
        sqlx::query_as("select source, position from source_cursor").fetch_all(bench.pool()).await.unwrap();
    assert_eq!(kept, [("shopify-ingest".to_owned(), page.cursor)]);
}

const CUSTOMERS: &str = "
[[flows]]
name = \"customers\"
kind = \"customer\"
to = \"erp\"
";

#[tokio::test]
async fn a_flow_that_is_added_or_put_back_hears_of_what_came_without_it() {
    let Some(bench) = Bench::with_source().await else { return };
    let mut buyer = one(1).build().customer.unwrap();
    bench.observe(one(1).at_revision(1)).await;
    bench.observe(record_of(&buyer)).await;
    bench.heads_of(2).await;
    bench.engine().compare_with_sources().await.unwrap();
    assert_eq!(bench.heard().await, ["order 1 at 1"]);

    bench.obey(CUSTOMERS, "");
    bench.engine().compare_with_sources().await.unwrap();
    assert_eq!(bench.heard().await, ["customer 77 at 1", "order 1 at 1"]);

    bench.obey("", "");
    buyer.last_name = "Hopper".into();
    bench.observe(record_of(&buyer)).await;
    bench.head_of(Kind::Customer, 2).await;
    bench.engine().compare_with_sources().await.unwrap();
    assert_eq!(bench.heard().await, ["customer 77 at 1", "order 1 at 1"], "it is no flow's now");

    bench.obey(CUSTOMERS, "");
    bench.engine().compare_with_sources().await.unwrap();
    assert_eq!(bench.heard().await, ["customer 77 at 2", "order 1 at 1"]);
}
