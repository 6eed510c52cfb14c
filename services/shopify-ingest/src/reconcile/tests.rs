//! Claims on a real PostgreSQL.

use jiff::Timestamp;
use sqlx::PgPool;
use waybill_domain::{Kind, StoreName};
use waybill_runtime::database;
use waybill_testkit::TestDatabase;

use super::{
    store::{self, Found},
    window::Reached,
};
use crate::app::{SERVICE, migrator};

async fn begun() -> Option<(TestDatabase, PgPool, Vec<String>)> {
    let server = TestDatabase::create()?;
    let url = database::provision(&server.url().expose(), SERVICE, "waybill-test", &migrator()).await.unwrap();
    let pool = database::pool(&url, 4).unwrap();
    store::begin(&pool, &main(), Kind::Order, at(1000)).await.unwrap();
    Some((server, pool, vec!["main".to_owned()]))
}

fn main() -> StoreName {
    "main".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn the_lease_ends(pool: &PgPool) {
    sqlx::query("update reconciliation set lease_until = now() - interval '1 second'").execute(pool).await.unwrap();
}

async fn due_now(pool: &PgPool) {
    sqlx::query("update reconciliation set due_at = now()").execute(pool).await.unwrap();
}

const AHEAD: Reached = Reached { watermark: Timestamp::UNIX_EPOCH, to_the_end: true };

fn reached(second: i64) -> Reached {
    Reached { watermark: at(second), ..AHEAD }
}

#[tokio::test]
async fn two_replicas_do_not_compare_the_same_window_at_once() {
    let Some((_server, pool, stores)) = begun().await else { return };
    let first = store::claim(&pool, &stores).await.unwrap().expect("a claim");
    assert_eq!((first.kind, first.watermark), (Kind::Order, at(1000)));
    assert!(store::claim(&pool, &stores).await.unwrap().is_none());
    store::finish(&pool, &first, reached(2000), at(2000), 0.0).await.unwrap();
    assert_eq!(store::claim(&pool, &stores).await.unwrap().expect("the next window").watermark, at(2000));
}

#[tokio::test]
async fn a_replica_that_lost_its_claim_does_not_move_the_watermark() {
    let Some((_server, pool, stores)) = begun().await else { return };
    let slow = store::claim(&pool, &stores).await.unwrap().expect("a claim");
    the_lease_ends(&pool).await;
    let quick = store::claim(&pool, &stores).await.unwrap().expect("the same, taken over");
    assert!(!store::count(&mut pool.acquire().await.unwrap(), &slow, Found::default()).await.unwrap());
    store::finish(&pool, &slow, reached(9000), at(9000), 0.0).await.unwrap();
    store::finish(&pool, &quick, reached(1500), at(1500), 0.0).await.unwrap();
    assert_eq!(store::claim(&pool, &stores).await.unwrap().expect("a claim").watermark, at(1500));
}

#[tokio::test]
async fn a_wish_that_comes_during_a_window_is_not_answered_by_it() {
    let Some((_server, pool, stores)) = begun().await else { return };
    let running = store::claim(&pool, &stores).await.unwrap().expect("a claim");
    store::ask(&pool, &stores, Some(at(10))).await.unwrap();
    store::finish(&pool, &running, reached(2000), at(2000), 3600.0).await.unwrap();
    let standing = store::standings(&pool, &stores).await.unwrap().remove(0);
    assert_eq!((standing.asked, standing.answered), (1, 0));
    let again = store::claim(&pool, &stores).await.unwrap().expect("due at once");
    assert_eq!(again.watermark, at(10));
}

#[tokio::test]
async fn all_that_is_held_is_asked_after_in_turn() {
    let Some((_server, pool, stores)) = begun().await else { return };
    for id in ["1", "2", "3"] {
        sqlx::query(
            "insert into record (store, kind, record_id, number, content_hash, snapshot, deleted)
             values ('main', 'order', $1, 1, '', '', $1 = '2')",
        )
        .bind(id)
        .execute(&pool)
        .await
        .unwrap();
    }
    let claim = store::claim(&pool, &stores).await.unwrap().expect("a claim");
    let next = async || store::to_sweep(&pool, &claim, 1).await.unwrap().into_iter().map(|id| id.to_string());
    assert_eq!(next().await.collect::<Vec<_>>(), ["1"]);
    assert!(store::swept(&mut pool.acquire().await.unwrap(), &claim, "1", 0).await.unwrap());
    assert_eq!(next().await.collect::<Vec<_>>(), ["3"], "what is deleted is not asked after");
    assert!(store::swept(&mut pool.acquire().await.unwrap(), &claim, "", 1).await.unwrap());
    assert_eq!(next().await.collect::<Vec<_>>(), ["1"]);
    assert_eq!(store::standings(&pool, &stores).await.unwrap()[0].gone, 1);
}

#[tokio::test]
async fn a_first_start_begins_with_the_stores_first_activity_here() {
    let Some((_server, pool, stores)) = begun().await else { return };
    sqlx::query(
        "insert into inbox (store, webhook_id, topic, received_at, body, body_bytes, kept_whole)
         values ('main', '1', 'orders/create', to_timestamp(500), '', 0, true)",
    )
    .execute(&pool)
    .await
    .unwrap();
    // What began before stays where it stands.
    store::begin(&pool, &main(), Kind::Order, at(2000)).await.unwrap();
    store::begin(&pool, &main(), Kind::Customer, at(2000)).await.unwrap();
    due_now(&pool).await;
    let standings = store::standings(&pool, &stores).await.unwrap();
    let marks: Vec<_> = standings.iter().map(|one| (one.kind.as_str(), one.watermark_us / 1_000_000)).collect();
    assert_eq!(marks, [("customer", 500), ("order", 1000)]);
}
