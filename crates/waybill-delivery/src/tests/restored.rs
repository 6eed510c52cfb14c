//! A database that was restored from a backup: what it does not know may have happened.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, PgConnection};
use tonic::Request;
use waybill_connector::Failure;
use waybill_domain::{Body, Revision, Snapshot};
use waybill_proto::wire::{ListChangesRequest, source_server::Source as _};
use waybill_runtime::database;
use waybill_testkit::records::order;

use super::bench::{Answer, Bench};
use crate::{
    Ledger, begin_epoch,
    ledger::{Observed, Origin, SourceService, Verdict},
};

impl Bench {
    /// What a person does after a restore; gives the new epoch.
    pub(super) async fn is_restored(&self) -> i64 {
        let mut connection = PgConnection::connect(&self.admin()).await.unwrap();
        sqlx::query("set search_path = erp_sync").execute(&mut connection).await.unwrap();
        begin_epoch(&mut connection, "test").await.unwrap()
    }

    /// The backup is older than all deliveries.
    async fn loses_everything(&self) {
        sqlx::query("delete from delivery").execute(self.pool()).await.unwrap();
    }

    /// The backup is of when the deliveries were heard and nothing was done yet.
    async fn loses_what_was_done(&self) {
        sqlx::query("delete from step").execute(self.pool()).await.unwrap();
        sqlx::query(
            "update delivery set state = 'pending', known = '{}', external_id = '', applied_epoch = null,
                 applied_number = null, applied_hash = null, settled_epoch = 0, settled_number = 0, settlement = 0,
                 settled_at = null",
        )
        .execute(self.pool())
        .await
        .unwrap();
    }
}

fn one(number: u64) -> waybill_testkit::records::OrderBuilder {
    order(number).paid().with_line("TEE", 1, "24.00")
}

/// A revision of a later epoch.
fn of_epoch(epoch: i64, snapshot: Snapshot) -> Snapshot {
    Snapshot { revision: Revision { epoch, ..snapshot.revision }, ..snapshot }
}

#[tokio::test]
async fn an_order_that_the_backup_does_not_know_is_looked_up_and_not_made_again() {
    let bench = bench!();
    bench.hear(one(1).at_revision(1)).await;
    bench.round().await;
    bench.loses_everything().await;
    let epoch = bench.is_restored().await;
    bench.hear(of_epoch(epoch, one(1).at_revision(1))).await;
    bench.round().await;
    assert_eq!((bench.created(), bench.looks()), (vec!["#1".to_owned()], 1));
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn an_order_that_waited_when_the_backup_was_made_is_looked_up_too() {
    let bench = bench!();
    bench.hear(one(1).at_revision(1)).await;
    bench.round().await;
    bench.loses_what_was_done().await;
    bench.is_restored().await;
    bench.round().await;
    assert_eq!((bench.created(), bench.looks()), (vec!["#1".to_owned()], 1));
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn an_order_that_is_not_there_is_made_and_looked_up_once() {
    let bench = bench!();
    let epoch = bench.is_restored().await;
    bench.answer(Answer::Fail(Failure::rejected("unknown_item", "lines.0.item", "no such item")));
    bench.hear(of_epoch(epoch, one(1).at_revision(1))).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["parked unknown_item"]);
    bench.retry().await;
    bench.round().await;
    assert_eq!((bench.created(), bench.looks()), (vec!["#1".to_owned()], 1));
}

#[tokio::test]
async fn an_order_that_was_placed_long_after_the_restore_is_not_looked_up() {
    let bench = bench!();
    let epoch = bench.is_restored().await;
    let mut snapshot = one(1).at_revision(1);
    let Some(Body::Order(placed)) = &mut snapshot.body else { panic!("an order") };
    placed.created_at = bench.engine().now() + SignedDuration::from_hours(2);
    bench.hear(of_epoch(epoch, snapshot)).await;
    bench.round().await;
    assert_eq!((bench.created(), bench.looks()), (vec!["#1".to_owned()], 0));
}

#[tokio::test]
async fn an_order_that_may_be_there_is_told_of_its_cancellation() {
    let bench = bench!();
    bench.hear(one(1).at_revision(1)).await;
    bench.round().await;
    bench.loses_everything().await;
    let epoch = bench.is_restored().await;
    bench.hear(of_epoch(epoch, one(1).cancelled().at_revision(1))).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
    assert_eq!(bench.created(), ["#1"]);
}

#[tokio::test]
async fn what_was_applied_before_the_restore_is_not_taken_for_what_the_system_holds() {
    let bench = bench!();
    bench.hear(one(1).at_revision(1)).await;
    bench.round().await;
    let epoch = bench.is_restored().await;
    bench.hear(of_epoch(epoch, one(1).at_revision(2))).await;
    bench.round().await;
    assert_eq!((bench.calls(), bench.created().len()), (2, 1), "the same document, but who knows what came between");
    bench.hear(of_epoch(epoch, one(1).at_revision(3))).await;
    bench.round().await;
    assert_eq!(bench.calls(), 2, "now it is known");
}

#[tokio::test]
async fn a_new_epoch_numbers_on_and_its_receipts_settle_what_is_new() {
    let bench = bench!();
    bench.hear(one(1).at_revision(3)).await;
    bench.round().await;
    let epoch = bench.is_restored().await;
    bench.hear(of_epoch(epoch, one(1).at_revision(5))).await;
    assert_eq!(bench.in_flight().await, 2);
    bench.round().await;
    assert_eq!(bench.in_flight().await, 0);
    assert_eq!(bench.receipts().await, ["1..3 applied", "4..5 applied"]);
}

/// The store says that an order has so many of an item, and when it changed last.
async fn observe(ledger: &Ledger, quantity: i64, changed_s: i64) -> Verdict {
    let snapshot = order(1).paid().with_line("TEE", quantity, "24.00").at_revision(0);
    let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
    let observed = Observed {
        content_hash: snapshot.body.as_ref().unwrap().content_hash(),
        body: snapshot.body,
        key: snapshot.key,
        origin: Origin::Refetched { began_at: at(1000), source_updated_at: Some(at(changed_s)) },
        traceparent: String::new(),
    };
    let mut transaction = database::begin(ledger.pool()).await.unwrap();
    let verdict = ledger.observe(&mut transaction, &observed, at(1000)).await.unwrap();
    transaction.commit().await.unwrap();
    verdict
}

#[tokio::test]
async fn what_changed_and_changed_back_after_the_backup_is_said_again() {
    let bench = bench!();
    let ledger = Ledger::new(bench.pool().clone());
    assert_eq!(observe(&ledger, 1, 10).await, Verdict::Changed);
    let epoch = bench.is_restored().await;
    assert_eq!(observe(&ledger, 1, 10).await, Verdict::Echo, "the store says that it did not change");
    assert_eq!(observe(&ledger, 1, 20).await, Verdict::Changed);
    assert_eq!(observe(&ledger, 1, 20).await, Verdict::Echo);
    let said: (i64, i64) =
        sqlx::query_as("select max(epoch), max(number) from revision").fetch_one(bench.pool()).await.unwrap();
    assert_eq!(said, (epoch, 2));
}

#[tokio::test]
async fn an_epoch_is_told_by_the_clock_so_that_a_second_restore_of_the_same_backup_begins_another() {
    let bench = bench!();
    let an_hour_ago = "update epoch set number = number - 3600 returning number";
    let backup: i64 = sqlx::query_scalar(an_hour_ago).fetch_one(bench.pool()).await.unwrap();
    assert!(bench.is_restored().await >= backup + 3600);
}

#[tokio::test]
async fn changes_from_another_clusters_future_are_listed_again() {
    let bench = bench!();
    let ledger = Ledger::new(bench.pool().clone());
    observe(&ledger, 1, 10).await;
    sqlx::query("update record set changed_in = '4000000000'").execute(bench.pool()).await.unwrap();
    let list = async || {
        let request = Request::new(ListChangesRequest::default());
        let page = SourceService::new(bench.pool().clone()).list_changes(request).await.unwrap().into_inner();
        page.snapshots.len()
    };
    assert_eq!(list().await, 0);
    bench.is_restored().await;
    // Nothing is listed that is younger than an open transaction of the cluster, which tests share.
    waybill_testkit::wait_for_async("it to be listed", Duration::from_secs(20), async || {
        (list().await == 1).then_some(())
    })
    .await;
}
