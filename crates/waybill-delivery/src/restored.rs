//! A database that was restored from a backup begins a new epoch.

use sqlx::{Connection as _, PgConnection};

/// Ids that are left out, so that none which was given after the backup is given again: they are in messages' ids and at
/// pagers.
const SKIPPED_IDS: i64 = 1_000_000;

/// Begins a new epoch in the schema of the search path: what its source numbers from now on is newer than all that was
/// ever said, its deliveries take nothing of before for the last word, and all sources are compared anew. Gives the
/// epoch. No service may run.
///
/// # Errors
/// If the database fails; then nothing has changed.
pub async fn begin_epoch(db: &mut PgConnection, actor: &str) -> sqlx::Result<i64> {
    let mut transaction = db.begin().await?;
    // By the clock, so that a second restore of the same backup begins another one than the first did.
    let epoch = sqlx::query_scalar(
        "update epoch set number = greatest(number + 1, extract(epoch from now())::bigint), began_at = now()
         returning number",
    )
    .fetch_one(&mut *transaction)
    .await?;
    // A dump that was read into another cluster has numbers of transactions that are yet to come there.
    sqlx::query("update record set changed_in = pg_current_xact_id() where changed_in >= pg_current_xact_id()")
        .execute(&mut *transaction)
        .await?;
    sqlx::query("delete from source_cursor").execute(&mut *transaction).await?;
    sqlx::query(
        "select setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, 0) + $1)
         from pg_sequences where schemaname = current_schema()",
    )
    .bind(SKIPPED_IDS)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "insert into audit (actor, action, system, record, reason) values ($1, 'restored', '', '', 'epoch ' || $2)",
    )
    .bind(actor)
    .bind(epoch)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(epoch)
}
