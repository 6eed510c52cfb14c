//! First writes that wait for a person's word.

use sqlx::{PgConnection, PgPool};

use super::deliveries::{COLUMNS, Row};

/// A delivery that waits for a person, with its newest snapshot.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Waiting {
    #[sqlx(flatten)]
    pub(crate) row: Row,
    pub(crate) desired: Vec<u8>,
}

/// One record for one system.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) system: String,
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) id: String,
}

/// Who says something, and why.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) actor: String,
    pub(crate) reason: String,
}

/// One that is just decided anew waits too.
const WAITS: &str = "code = 'approval' and approved_at is null and state in ('waiting', 'applying')
    and ($1 = '' or system = $1) and ($2 = '' or (store = $2 and kind = $3 and record_id = $4))";

/// Deliveries that wait for a person, the longest wait first. An empty system or store selects all.
pub(crate) async fn list(pool: &PgPool, place: &Place, limit: i64, offset: i64) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS}, desired from delivery where {WAITS} order by first_unapplied_at, id limit $5 offset $6"
    )))
    .bind(&place.system)
    .bind(&place.store)
    .bind(&place.kind)
    .bind(&place.id)
    .bind(limit)
    .bind(offset)
    .fetch_all(pool)
    .await
}

/// How many wait.
pub(crate) async fn count(pool: &PgPool, place: &Place) -> sqlx::Result<i64> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from delivery where {WAITS}")))
        .bind(&place.system)
        .bind(&place.store)
        .bind(&place.kind)
        .bind(&place.id)
        .fetch_one(pool)
        .await
}

/// Lets a first write go, with an audit row; it is decided again at once. Gives how many were let go: none if it does
/// not wait any more, or is not the revision that was seen.
pub(crate) async fn approve(pool: &PgPool, place: &Place, word: &Word, seen: Option<(i64, i64)>) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "with approved as (
             update delivery set approved_by = $5, approved_at = now(), wake = wake + 1,
                 due_at = case when state = 'waiting' then now() else due_at end
             where (system, store, kind, record_id) = ($1, $2, $3, $4)
                 and code = 'approval' and approved_at is null and state in ('waiting', 'applying')
                 and ($7::bigint is null or (desired_epoch, desired_number) = ($7, $8))
             returning system, store, kind, record_id
         )
         insert into audit (actor, action, system, record, reason)
         select $5, 'approve', system, store || '/' || kind || '/' || record_id, $6 from approved",
    )
    .bind(&place.system)
    .bind(&place.store)
    .bind(&place.kind)
    .bind(&place.id)
    .bind(&word.actor)
    .bind(&word.reason)
    .bind(seen.map(|seen| seen.0))
    .bind(seen.map(|seen| seen.1))
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Ends a delivery that waits for a person as ignored. Gives its id; none if it does not wait, is just decided anew, or
/// is not the revision that was seen.
pub(crate) async fn refuse(
    db: &mut PgConnection,
    place: &Place,
    reason: &str,
    plan_hash: &str,
    seen: Option<(i64, i64)>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "update delivery set state = 'ignored', code = 'refused', message = $5, field = '', plan_hash = $6,
             settled_epoch = desired_epoch, settled_number = desired_number, settlement = settlement + 1,
             first_unapplied_at = null, changed_at = now()
         where (system, store, kind, record_id) = ($1, $2, $3, $4)
             and state = 'waiting' and code = 'approval' and approved_at is null
             and ($7::bigint is null or (desired_epoch, desired_number) = ($7, $8))
         returning id",
    )
    .bind(&place.system)
    .bind(&place.store)
    .bind(&place.kind)
    .bind(&place.id)
    .bind(reason)
    .bind(plan_hash)
    .bind(seen.map(|seen| seen.0))
    .bind(seen.map(|seen| seen.1))
    .fetch_optional(db)
    .await
}
