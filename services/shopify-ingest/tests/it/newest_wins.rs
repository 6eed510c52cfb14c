//! Which state stays: by age where ages tell, by the API where they do not.

use serde_json::json;

use crate::{
    bench::Bench,
    webhook::{order, webhook},
};

const EARLIER: &str = "2026-07-01T12:00:00+02:00";
const LATER: &str = "2026-07-01T12:00:01+02:00";

#[tokio::test]
async fn an_update_that_comes_before_the_create_stays() {
    let Some(bench) = Bench::open().await else { return };
    let mut newest = order(1, LATER);
    newest["note"] = json!("second");
    assert_eq!(bench.taken(&webhook("orders/updated", &newest)).await.0, "applied");
    assert_eq!(bench.taken(&webhook("orders/create", &order(1, EARLIER))).await.0, "stale");
    let (order, revision) = bench.order(1).await;
    assert_eq!((order.note.as_str(), revision), ("second", 1));
    assert_eq!(bench.count("select count(*) from record").await, 1);
    bench.close().await;
}

#[tokio::test]
async fn each_newer_state_is_the_next_revision_and_is_published() {
    let Some(bench) = Bench::open().await else { return };
    bench.taken(&webhook("orders/create", &order(1, EARLIER))).await;
    let mut newer = order(1, LATER);
    newer["note"] = json!("second");
    assert_eq!(bench.taken(&webhook("orders/updated", &newer)).await.0, "applied");
    let snapshot = bench.published(1, 2).await;
    assert_eq!(Some(snapshot), bench.record("main", "order", "1").await);
    bench.close().await;
}

#[tokio::test]
async fn the_same_state_under_another_topic_is_an_echo() {
    let Some(bench) = Bench::open().await else { return };
    bench.taken(&webhook("orders/create", &order(1, EARLIER))).await;
    assert_eq!(bench.taken(&webhook("orders/paid", &order(1, EARLIER))).await.0, "echo");
    assert_eq!(bench.order(1).await.1, 1);
    bench.close().await;
}

#[tokio::test]
async fn of_two_states_of_one_time_the_api_tells_which_it_is() {
    let Some(bench) = Bench::open().await else { return };
    let id = bench.place();
    bench.taken(&webhook("orders/create", &order(id, EARLIER))).await;
    let mut other = order(id, EARLIER);
    other["note"] = json!("second");
    assert_eq!(bench.taken(&webhook("orders/updated", &other)).await.0, "refetch");
    bench.settled().await;
    let (order, revision) = bench.order(id).await;
    assert_eq!((order.note.as_str(), revision), ("as the API tells it", 2));
    bench.close().await;
}

#[tokio::test]
async fn an_edited_order_is_read_by_api() {
    let Some(bench) = Bench::open().await else { return };
    let id = bench.place();
    let edited = webhook("orders/edited", &json!({"order_edit": {"id": 5, "order_id": id}}));
    assert_eq!(bench.taken(&edited).await.0, "refetch");
    bench.settled().await;
    assert_eq!(bench.order(id).await.0.note, "as the API tells it");
    bench.close().await;
}

#[tokio::test]
async fn a_deleted_order_is_a_deleted_snapshot() {
    let Some(bench) = Bench::open().await else { return };
    // The simulated store has no such order, as after its deletion.
    bench.taken(&webhook("orders/create", &order(1, EARLIER))).await;
    assert_eq!(bench.taken(&webhook("orders/delete", &json!({"id": 1}))).await.0, "refetch");
    let snapshot = bench.published(1, 2).await;
    assert!(snapshot.deleted());
    bench.close().await;
}

#[tokio::test]
async fn an_order_said_to_be_deleted_that_the_api_still_has_stays() {
    let Some(bench) = Bench::open().await else { return };
    let id = bench.place();
    bench.taken(&webhook("orders/delete", &json!({"id": id}))).await;
    bench.settled().await;
    assert_eq!(bench.order(id).await.0.note, "as the API tells it");
    bench.close().await;
}

#[tokio::test]
async fn what_was_received_before_a_read_began_is_stale_after_it() {
    let Some(bench) = Bench::open().await else { return };
    let id = bench.place();
    bench.taken(&webhook("orders/edited", &json!({"order_edit": {"id": 5, "order_id": id}}))).await;
    bench.settled().await;
    // Received an hour before the read, worked through only now.
    let late = webhook("orders/create", &order(id, "2099-01-01T00:00:00Z"));
    sqlx::query(
        "insert into inbox (store, webhook_id, topic, received_at, body, body_bytes, kept_whole)
         values ('main', $1, 'orders/create', now() - interval '1 hour', $2, 1, true)",
    )
    .bind(&late.id)
    .bind(&late.body)
    .execute(&bench.db)
    .await
    .unwrap();
    assert_eq!(bench.outcome(&late.id).await.0, "stale");
    bench.close().await;
}
