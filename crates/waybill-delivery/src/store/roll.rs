//! Settled deliveries that are to be decided anew.

use sqlx::PgPool;

use super::{
    claim::{COLUMNS, Claim},
    deliveries::{self, Row},
};

/// A settled delivery as if it were claimed; nothing holds it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Settled {
    #[sqlx(flatten)]
    pub(crate) claim: Claim,
    pub(crate) state: String,
    pub(crate) code: String,
}

/// A flow's settled deliveries after an id. What a person ended stays ended, and what gave up its body stays as it is.
pub(crate) async fn page(
    pool: &PgPool,
    system: &str,
    kind: &str,
    stores: &[String],
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<Settled>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS}, d.state, d.code from delivery d
         where d.system = $1 and d.kind = $2 and (cardinality($3::text[]) = 0 or d.store = any($3))
             and d.state in ('applied', 'ignored', 'parked') and d.code not in ('discarded', 'refused')
             and d.body_removed_at is null and d.id > $4
         order by d.id limit $5"
    )))
    .bind(system)
    .bind(kind)
    .bind(stores)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// Deliveries by id.
pub(crate) async fn rows(pool: &PgPool, ids: &[i64]) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select {} from delivery where id = any($1) order by id",
        deliveries::COLUMNS
    )))
    .bind(ids)
    .fetch_all(pool)
    .await
}

/// Has these deliveries decided and written anew, with an audit row each; those that have changed since they were
/// looked at are left alone. Gives how many.
pub(crate) async fn again(pool: &PgPool, looked_at: &[(i64, i64)], actor: &str, reason: &str) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "with rolled as (
             update delivery d set state = 'pending', due_at = now(), attempts = 0, tried_seconds = 0, wake = d.wake + 1,
                 first_unapplied_at = now(), changed_at = now()
             from unnest($1::bigint[], $2::bigint[]) as n (id, wake)
             where d.id = n.id and d.wake = n.wake and d.state in ('applied', 'ignored', 'parked')
             returning d.system, d.store, d.kind, d.record_id
         )
         insert into audit (actor, action, system, record, reason)
         select $3, 'roll', system, store || '/' || kind || '/' || record_id, $4 from rolled",
    )
    .bind(looked_at.iter().map(|one| one.0).collect::<Vec<_>>())
    .bind(looked_at.iter().map(|one| one.1).collect::<Vec<_>>())
    .bind(actor)
    .bind(reason)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
