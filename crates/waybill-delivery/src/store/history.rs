//! How far back revisions and decisions are kept.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool};

/// Since when revisions and decisions are complete, in microseconds since the Unix epoch.
pub(crate) async fn complete_since(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar("select (extract(epoch from complete_since) * 1000000)::bigint from history")
        .fetch_one(pool)
        .await
}

/// Says since when both will be complete: before the first row goes, as an export must not take what is left for
/// everything.
pub(crate) async fn begin(pool: &PgPool, keep: Duration) -> sqlx::Result<()> {
    sqlx::query(
        "update history set complete_since = now() - make_interval(secs => $1)
         where complete_since < now() - make_interval(secs => $1)",
    )
    .bind(keep.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(())
}

/// What history is kept in, with its column of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Revision,
    Decision,
}

/// Removes up to `most` rows of before that. Replicas that do so at once take different ones.
pub(crate) async fn remove(pool: &PgPool, table: Table, most: i64) -> sqlx::Result<i64> {
    let (table, time) = match table {
        Table::Revision => ("revision", "observed_at"),
        Table::Decision => ("decision", "decided_at"),
    };
    let done = sqlx::query(AssertSqlSafe(format!(
        "delete from {table} where ctid = any(array(
             select ctid from {table} where {time} < (select complete_since from history)
             order by {time} limit $1 for update skip locked))"
    )));
    Ok(done.bind(most).execute(pool).await?.rows_affected().cast_signed())
}
