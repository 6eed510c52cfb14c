//! How far back revisions and decisions are kept.

use std::time::Duration;

use sqlx::PgPool;

/// Rows that go in one transaction, so that nobody waits long for their locks.
const BATCH: i64 = 2_000;

/// Since when revisions and decisions are complete, in microseconds since the Unix epoch.
pub(crate) async fn complete_since(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar("select (extract(epoch from complete_since) * 1000000)::bigint from history")
        .fetch_one(pool)
        .await
}

/// Removes revisions and decisions that are older than `keep`, in batches. Gives how many rows went.
pub(crate) async fn prune(pool: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    let keep_seconds = keep.as_secs_f64();
    // Said before the first row goes: an export must not take what is left for everything.
    sqlx::query(
        "update history set complete_since = now() - make_interval(secs => $1)
         where complete_since < now() - make_interval(secs => $1)",
    )
    .bind(keep_seconds)
    .execute(pool)
    .await?;
    let mut gone = 0;
    for sql in [OLD_REVISIONS, OLD_DECISIONS] {
        loop {
            let rows = sqlx::query(sql).bind(BATCH).execute(pool).await?.rows_affected();
            gone += rows;
            if rows < BATCH.unsigned_abs() {
                break;
            }
        }
    }
    Ok(gone)
}

// Replicas that prune at once take different rows.
const OLD_REVISIONS: &str = "delete from revision where ctid = any(array(
    select ctid from revision where observed_at < (select complete_since from history)
    order by observed_at limit $1 for update skip locked))";
const OLD_DECISIONS: &str = "delete from decision where ctid = any(array(
    select ctid from decision where decided_at < (select complete_since from history)
    order by decided_at limit $1 for update skip locked))";
