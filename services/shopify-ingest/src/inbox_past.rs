//! Webhooks that were worked through long ago go; what came of them stays counted.

use std::time::Duration;

use sqlx::PgPool;

/// Shopify sends a webhook again for four hours and has no other webhook with its id: rows are kept for a day at least, so
/// that one that was answered late is recognised. Source: shopify.dev, changelog of 2024-09-10, "Updates to
/// webhook retry mechanism".
pub(crate) const FEWEST_DAYS: u32 = 1;

/// Removes up to `most` webhooks that were received so long ago and worked through: a privacy request, and what could not
/// be read, are for a person and stay. Gives how many went. Replicas that do
/// so at once take different rows.
pub(crate) async fn remove(pool: &PgPool, keep: Duration, most: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "with old as (
             select id from inbox
             where outcome not in ('new', 'privacy', 'unreadable') and received_at < now() - make_interval(secs => $2)
             order by received_at limit $1 for update skip locked
         ), gone as (
             delete from inbox i using old where i.id = old.id returning i.store, i.topic, i.outcome
         ), counted as (
             insert into inbox_past as p (store, topic, outcome, webhooks)
             select store, topic, outcome, count(*) from gone group by 1, 2, 3
             -- In one order everywhere, so that two replicas cannot lock each other out.
             order by 1, 2, 3
             on conflict (store, topic, outcome) do update set webhooks = p.webhooks + excluded.webhooks
         )
         select count(*) from gone",
    )
    .bind(most)
    .bind(keep.as_secs_f64())
    .fetch_one(pool)
    .await
}

/// How many webhooks of a store and topic came to what, since ever.
pub(crate) async fn count(pool: &PgPool) -> sqlx::Result<Vec<(String, String, String, i64)>> {
    sqlx::query_as(
        "select store, topic, outcome, sum(webhooks)::bigint
         from (select store, topic, outcome, count(*) as webhooks from inbox group by 1, 2, 3
               union all select store, topic, outcome, webhooks from inbox_past) all_of_them
         group by 1, 2, 3 order by 1, 2, 3",
    )
    .fetch_all(pool)
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::PgPool;
    use waybill_runtime::database;
    use waybill_testkit::TestDatabase;

    use super::{count, remove};
    use crate::app::{SERVICE, migrator};

    const A_DAY: Duration = Duration::from_secs(86_400);

    async fn inbox() -> Option<(TestDatabase, PgPool)> {
        let server = TestDatabase::create()?;
        let url = database::provision(&server.url().expose(), SERVICE, "waybill-test", &migrator()).await.unwrap();
        Some((server, database::pool(&url, 4).unwrap()))
    }

    async fn receive(pool: &PgPool, webhook_id: &str, outcome: &str, hours_ago: i32) {
        sqlx::query(
            "insert into inbox (store, webhook_id, topic, received_at, body, body_bytes, kept_whole, outcome)
             values ('main', $1, 'orders/create', now() - make_interval(hours => $3), '{}', 2, true, $2)",
        )
        .bind(webhook_id)
        .bind(outcome)
        .bind(hours_ago)
        .execute(pool)
        .await
        .unwrap();
    }

    async fn left(pool: &PgPool) -> Vec<String> {
        sqlx::query_scalar("select webhook_id from inbox order by webhook_id").fetch_all(pool).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_worked_through_goes_with_age_and_its_counts_stay() {
        let Some((_server, pool)) = inbox().await else { return };
        receive(&pool, "a", "applied", 49).await;
        receive(&pool, "b", "applied", 25).await;
        receive(&pool, "c", "echo", 25).await;
        receive(&pool, "new", "new", 49).await;
        // A person has to see to these.
        receive(&pool, "privacy", "privacy", 49).await;
        receive(&pool, "unreadable", "unreadable", 49).await;
        // Shopify may send it again still.
        receive(&pool, "young", "applied", 5).await;
        let before = count(&pool).await.unwrap();
        assert_eq!(remove(&pool, A_DAY, 2).await.unwrap(), 2);
        assert_eq!(remove(&pool, A_DAY, 2).await.unwrap(), 1);
        assert_eq!(remove(&pool, A_DAY, 2).await.unwrap(), 0);
        assert_eq!(left(&pool).await, ["new", "privacy", "unreadable", "young"]);
        assert_eq!(count(&pool).await.unwrap(), before);
    }

    #[tokio::test]
    async fn replicas_that_prune_at_once_take_different_webhooks() {
        let Some((_server, pool)) = inbox().await else { return };
        receive(&pool, "a", "applied", 49).await;
        receive(&pool, "b", "applied", 48).await;
        let mut other = database::begin(&pool).await.unwrap();
        sqlx::query("select from inbox where webhook_id = 'a' for update").execute(&mut *other).await.unwrap();
        let removed = tokio::time::timeout(Duration::from_secs(10), remove(&pool, A_DAY, 10));
        assert_eq!(removed.await.expect("no wait").unwrap(), 1);
        assert_eq!(left(&pool).await, ["a"]);
    }
}
