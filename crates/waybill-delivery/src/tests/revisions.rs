//! A source's records as they were.

use std::time::Duration;

use jiff::Timestamp;
use prost::Message as _;
use sqlx::PgPool;
use tonic::{Request, Status};
use waybill_domain::Snapshot;
use waybill_proto::{
    convert::to_timestamp,
    wire::{
        self, GetRevisionsRequest, ListRevisionsRequest, ListRevisionsResponse, get_revisions_request::Wanted,
        source_server::Source as _,
    },
};
use waybill_runtime::database;
use waybill_testkit::records::order;

use super::bench::Bench;
use crate::{
    Ledger,
    ledger::{Observed, Origin, SourceService, Verdict},
};

/// A source's ledger, and the database that it is in.
struct Books {
    bench: Bench,
    ledger: Ledger,
}

impl Books {
    async fn open() -> Option<Self> {
        let bench = Bench::start().await?;
        let ledger = Ledger::new(bench.pool().clone());
        Some(Self { bench, ledger })
    }

    fn pool(&self) -> &PgPool {
        self.bench.pool()
    }

    /// The store says that an order has so many of an item; read by us at that second.
    async fn observe(&self, number: u64, quantity: i64, second: i64) -> Verdict {
        let mut transaction = database::begin(self.pool()).await.unwrap();
        let verdict = self.observe_in(&mut transaction, number, quantity, second).await;
        transaction.commit().await.unwrap();
        verdict
    }

    async fn observe_in(&self, db: &mut sqlx::PgConnection, number: u64, quantity: i64, second: i64) -> Verdict {
        self.ledger.observe(db, &observed(number, quantity, second), at(second)).await.unwrap()
    }

    async fn list(&self, from: i64, to: i64, after: &str, limit: i32) -> ListRevisionsResponse {
        let request = ListRevisionsRequest {
            from: Some(to_timestamp(at(from))),
            to: Some(to_timestamp(at(to))),
            after: after.to_owned(),
            limit,
        };
        SourceService::new(self.pool().clone()).list_revisions(Request::new(request)).await.unwrap().into_inner()
    }

    async fn get(&self, wanted: Vec<Wanted>) -> Result<Vec<String>, Status> {
        let request = Request::new(GetRevisionsRequest { wanted });
        let found = SourceService::new(self.pool().clone()).get_revisions(request).await?;
        Ok(named(&found.into_inner().snapshots))
    }

    async fn epoch(&self) -> i64 {
        sqlx::query_scalar("select number from epoch").fetch_one(self.pool()).await.unwrap()
    }

    async fn wanted(&self, number: u64, revision: i64) -> Wanted {
        let epoch = self.epoch().await;
        Wanted {
            key: Some((&order(number).at_revision(revision).key).into()),
            revision: Some(wire::Revision { epoch, number: revision }),
        }
    }
}

fn observed(number: u64, quantity: i64, second: i64) -> Observed {
    let snapshot = order(number).paid().with_line("TEE", quantity, "24.00").at_revision(0);
    Observed {
        content_hash: snapshot.body.as_ref().unwrap().content_hash(),
        body: snapshot.body,
        key: snapshot.key,
        origin: Origin::Refetched { began_at: at(second), source_updated_at: None },
        traceparent: String::new(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// `#<order> r<revision> x<quantity>`
fn named(snapshots: &[wire::Snapshot]) -> Vec<String> {
    let name = |snapshot: &wire::Snapshot| {
        let snapshot = Snapshot::try_from(snapshot.clone()).unwrap();
        let Some(waybill_domain::Body::Order(order)) = &snapshot.body else { panic!("an order") };
        format!("{} {} x{}", order.name, snapshot.revision, order.lines[0].quantity)
    };
    snapshots.iter().map(name).collect()
}

/// Books, or the end of the test where there is no PostgreSQL.
macro_rules! books {
    () => {
        match Books::open().await {
            Some(books) => books,
            None => return,
        }
    };
}

#[tokio::test]
async fn every_change_is_kept_and_an_echo_is_none() {
    let books = books!();
    assert_eq!(books.observe(1, 1, 10).await, Verdict::Changed);
    assert_eq!(books.observe(1, 2, 20).await, Verdict::Changed);
    assert_eq!(books.observe(1, 2, 30).await, Verdict::Echo);
    assert_eq!(books.observe(1, 3, 40).await, Verdict::Changed);
    let kept = books.list(0, 100, "", 0).await;
    assert_eq!(named(&kept.snapshots), ["#1 r1 x1", "#1 r2 x2", "#1 r3 x3"]);
    let newest: Vec<u8> = sqlx::query_scalar("select snapshot from record").fetch_one(books.pool()).await.unwrap();
    assert_eq!(kept.snapshots[2].encode_to_vec(), newest, "the same snapshot as the record's");
    assert_eq!(kept.snapshots[1].observed_at, Some(to_timestamp(at(20))));
}

#[tokio::test]
async fn what_is_told_of_one_record_together_is_judged_in_its_order() {
    let books = books!();
    let told = [(1, 1, 10), (2, 1, 10), (1, 2, 20), (1, 2, 30), (1, 3, 5)];
    let told = told.map(|(number, quantity, second)| observed(number, quantity, second));
    let mut transaction = database::begin(books.pool()).await.unwrap();
    let verdicts = books.ledger.observe_all(&mut transaction, &told.each_ref(), at(40)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        verdicts,
        [Verdict::Changed, Verdict::Changed, Verdict::Changed, Verdict::Echo, Verdict::Stale],
        "the last one was read before the others"
    );
    let mut kept = named(&books.list(0, 100, "", 0).await.snapshots);
    kept.sort();
    assert_eq!(kept, ["#1 r1 x1", "#1 r2 x2", "#2 r1 x1"]);
    let said: i64 = sqlx::query_scalar("select count(*) from outbox").fetch_one(books.pool()).await.unwrap();
    assert_eq!(said, 3, "each change is said once");
}

#[tokio::test]
async fn a_change_that_is_rolled_back_was_none() {
    let books = books!();
    let mut transaction = database::begin(books.pool()).await.unwrap();
    assert_eq!(books.observe_in(&mut transaction, 1, 1, 10).await, Verdict::Changed);
    transaction.rollback().await.unwrap();
    assert_eq!(books.list(0, 100, "", 0).await.snapshots, []);
}

#[tokio::test]
async fn a_time_is_listed_page_by_page_in_its_order() {
    let books = books!();
    for (number, second) in [(1, 30), (2, 10), (3, 20), (4, 20), (5, 50)] {
        books.observe(number, 1, second).await;
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    for is_last in [false, true] {
        let page = books.list(10, 50, &cursor, 2).await;
        assert_eq!((page.snapshots.len(), page.more), (2, !is_last));
        listed.extend(named(&page.snapshots));
        cursor = page.cursor;
    }
    assert_eq!(listed, ["#2 r1 x1", "#3 r1 x1", "#4 r1 x1", "#1 r1 x1"], "from is in it, to is not");
}

#[tokio::test]
async fn a_page_of_large_snapshots_ends_early() {
    let books = books!();
    for number in 1..=3 {
        books.observe(number, 1, 10).await;
    }
    // A field that nobody knows yet makes it large.
    let padding = [&[0xfa, 0x7f, 0x80, 0x80, 0xc0, 0x01][..], &vec![b'x'; 3 << 20]].concat();
    sqlx::query("update revision set snapshot = snapshot || $1").bind(&padding).execute(books.pool()).await.unwrap();
    let first = books.list(0, 100, "", 0).await;
    assert_eq!((first.snapshots.len(), first.more), (2, true));
    let second = books.list(0, 100, &first.cursor, 0).await;
    assert_eq!((named(&second.snapshots), second.more), (vec!["#3 r1 x1".to_owned()], false));
}

#[tokio::test]
async fn what_is_too_old_goes_and_a_records_newest_can_still_be_asked_for() {
    let books = books!();
    books.observe(1, 1, -30).await;
    books.observe(1, 2, -20).await;
    assert_eq!(books.get(vec![books.wanted(1, 1).await, books.wanted(1, 2).await]).await.unwrap().len(), 2);
    sqlx::query("update revision set observed_at = now() - interval '2 days'").execute(books.pool()).await.unwrap();
    books.observe(2, 1, 10).await;
    sqlx::query("update revision set observed_at = now() where record_id = '2'").execute(books.pool()).await.unwrap();
    assert_eq!(books.bench.prune(Duration::from_secs(86_400)).await, 2);

    let all = vec![books.wanted(1, 1).await, books.wanted(1, 2).await, books.wanted(2, 1).await];
    let mut found = books.get(all).await.unwrap();
    found.sort();
    assert_eq!(found, ["#1 r2 x2", "#2 r1 x1"]);
    let mut of_another_epoch = books.wanted(1, 2).await;
    of_another_epoch.revision = Some(wire::Revision { epoch: 1, number: 2 });
    assert_eq!(books.get(vec![of_another_epoch]).await.unwrap(), [""; 0], "a number alone is no revision");
}

#[tokio::test]
async fn not_more_than_a_page_of_single_revisions_is_given() {
    let books = books!();
    let wanted = vec![books.wanted(1, 1).await; 101];
    assert_eq!(books.get(wanted).await.unwrap_err().code(), tonic::Code::InvalidArgument);
    assert_eq!(books.get(vec![Wanted::default()]).await.unwrap_err().code(), tonic::Code::InvalidArgument);
}
