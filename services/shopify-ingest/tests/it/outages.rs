//! A server that is gone, and back.

use reqwest::StatusCode;
use waybill_runtime::database;
use waybill_testkit::wait_for_async;

use crate::{
    bench::{Bench, DEADLINE},
    webhook::{order, webhook},
};

const AT: &str = "2026-07-01T12:00:00+02:00";

#[tokio::test]
async fn without_the_database_a_webhook_is_not_taken_and_with_it_back_it_is() {
    let Some(mut bench) = Bench::in_own_cluster().await else { return };
    bench.taken(&webhook("orders/create", &order(1, AT))).await;
    bench.servers.database.cluster().unwrap().stop().unwrap();

    let lost = webhook("orders/create", &order(2, AT));
    assert_eq!(bench.send(&lost).await, StatusCode::SERVICE_UNAVAILABLE);
    let ready = async |status: StatusCode| {
        let answer = bench.http.get(format!("{}/readyz", bench.url)).send().await.unwrap();
        (answer.status() == status).then_some(())
    };
    wait_for_async("a service that says it is not ready", DEADLINE, async || {
        ready(StatusCode::SERVICE_UNAVAILABLE).await
    })
    .await;

    bench.servers.database.cluster().unwrap().restart().unwrap();
    // As Shopify does: again until it is taken.
    wait_for_async("a webhook that is taken", DEADLINE, async || {
        (bench.send(&lost).await == StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(bench.outcome(&lost.id).await.0, "applied");
    bench.published(2, 1).await;
    bench.close().await;
}

/// What PostgreSQL answers when it cannot extend a file: the statement fails with `disk_full`, the server stays up.
const FULL: &str = "
    create function full_disk() returns trigger language plpgsql as
    'begin raise exception ''could not extend file: No space left on device'' using errcode = ''disk_full''; end';
    create trigger full_disk before insert on inbox execute function full_disk()";

#[tokio::test]
async fn with_the_databases_disk_full_a_webhook_is_not_taken_and_with_room_again_it_is() {
    let Some(bench) = Bench::open().await else { return };
    sqlx::raw_sql(FULL).execute(&bench.db).await.unwrap();
    let lost = webhook("orders/create", &order(1, AT));
    for _ in 0..3 {
        assert_eq!(bench.send(&lost).await, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(bench.count("select count(*) from inbox").await, 0);
    sqlx::raw_sql("drop trigger full_disk on inbox").execute(&bench.db).await.unwrap();
    assert_eq!(bench.send(&lost).await, StatusCode::OK);
    assert_eq!(bench.outcome(&lost.id).await.0, "applied");
    bench.close().await;
}

#[tokio::test]
async fn without_nats_webhooks_are_taken_and_with_it_back_their_snapshots_are_published() {
    let Some(mut bench) = Bench::open().await else { return };
    bench.taken(&webhook("orders/create", &order(1, AT))).await;
    bench.published(1, 1).await;
    bench.servers.nats.stop().unwrap();
    for id in [2, 3] {
        assert_eq!(bench.taken(&webhook("orders/create", &order(id, AT))).await.0, "applied");
    }
    assert!(bench.count("select count(*) from outbox").await > 0);
    bench.servers.nats.restart().unwrap();
    for id in [2, 3] {
        bench.published(id, 1).await;
    }
    bench.settled().await;
    bench.close().await;
}

#[tokio::test]
async fn where_the_road_forgets_the_connection_of_a_commit_webhooks_are_taken_on_another() {
    let Some(bench) = Bench::open().await else { return };
    bench.taken(&webhook("orders/create", &order(1, AT))).await;
    let lost = webhook("orders/create", &order(2, AT));
    // Nobody writes until the commit is on its way, and nobody hears what becomes of it.
    let mut lock = database::begin(&bench.db).await.unwrap();
    sqlx::query("lock table inbox in share row exclusive mode").execute(&mut *lock).await.unwrap();
    let answer = async {
        let sent = bench.send(&lost);
        let forgotten = async {
            let waiting = "select count(*) from pg_locks where not granted and relation = 'inbox'::regclass";
            wait_for_async("a commit on its way", DEADLINE, async || (bench.count(waiting).await > 0).then_some(()))
                .await;
            bench.road.forget();
            lock.commit().await.unwrap();
        };
        futures::join!(sent, forgotten).0
    };
    assert_eq!(answer.await, StatusCode::SERVICE_UNAVAILABLE);
    // As Shopify does: again until it is taken.
    wait_for_async("a webhook that is taken", DEADLINE, async || {
        (bench.send(&lost).await == StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(bench.outcome(&lost.id).await.0, "applied");
    bench.close().await;
}
