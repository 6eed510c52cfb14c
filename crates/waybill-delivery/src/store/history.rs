//! How far back revisions and decisions are kept.

use std::time::Duration;

use sqlx::PgPool;

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

/// Removes up to `most` revisions of before that. Replicas that do so at once take different rows.
pub(crate) async fn remove_revisions(pool: &PgPool, most: i64) -> sqlx::Result<i64> {
    let done = sqlx::query(
        "delete from revision where ctid = any(array(
             select ctid from revision where observed_at < (select complete_since from history)
             order by observed_at limit $1 for update skip locked))",
    );
    Ok(done.bind(most).execute(pool).await?.rows_affected().cast_signed())
}

/// The same of decisions.
pub(crate) async fn remove_decisions(pool: &PgPool, most: i64) -> sqlx::Result<i64> {
    let done = sqlx::query(
        "delete from decision where ctid = any(array(
             select ctid from decision where decided_at < (select complete_since from history)
             order by decided_at limit $1 for update skip locked))",
    );
    Ok(done.bind(most).execute(pool).await?.rows_affected().cast_signed())
}
