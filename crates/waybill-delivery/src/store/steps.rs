//! Intents and results of calls.

use std::collections::{HashMap, HashSet};

use sqlx::{PgConnection, PgPool};

/// What is known of a step.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct StepRow {
    pub(crate) delivery_id: i64,
    pub(crate) name: String,
    pub(crate) call_key: String,
    pub(crate) state: String,
}

/// The steps of these deliveries, by delivery and name.
pub(crate) async fn of(pool: &PgPool, ids: &[i64]) -> sqlx::Result<HashMap<(i64, String), StepRow>> {
    let rows: Vec<StepRow> =
        sqlx::query_as("select delivery_id, name, call_key, state from step where delivery_id = any($1)")
            .bind(ids)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|row| ((row.delivery_id, row.name.clone()), row)).collect())
}

/// Which of these deliveries may have a part of their record in the system: a call that concerns it was begun and not
/// refused. A buyer's calls are not meant: the contact is there for other orders too.
pub(crate) async fn begun(db: &mut PgConnection, ids: &[i64]) -> sqlx::Result<HashSet<i64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "select distinct s.delivery_id from step s join delivery d on d.id = s.delivery_id
         where s.delivery_id = any($1) and s.state in ('intent', 'done', 'ambiguous', 'unsure')
             and (s.role <> 'customer' or d.kind = 'customer')",
    )
    .bind(ids)
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().collect())
}

/// One call about to be made, or made.
#[derive(Debug, Clone)]
pub(crate) struct StepWrite {
    pub(crate) delivery_id: i64,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) call_key: String,
    pub(crate) state: &'static str,
    pub(crate) message: String,
}

/// Writes intents or results; the newest wins.
pub(crate) async fn write(db: &mut PgConnection, steps: &[StepWrite]) -> sqlx::Result<()> {
    let column = |pick: fn(&StepWrite) -> String| steps.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(
        "insert into step as s (delivery_id, name, role, call_key, state, message, finished_at)
         select *, case when n.state = 'intent' then null else now() end
         from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
             as n (delivery_id, name, role, call_key, state, message)
         order by 1, 2
         on conflict (delivery_id, name) do update set
             role = excluded.role, call_key = excluded.call_key, state = excluded.state,
             message = excluded.message, finished_at = excluded.finished_at,
             started_at = case when excluded.state = 'intent' then now() else s.started_at end",
    )
    .bind(steps.iter().map(|s| s.delivery_id).collect::<Vec<_>>())
    .bind(column(|s| s.name.clone()))
    .bind(column(|s| s.role.clone()))
    .bind(column(|s| s.call_key.clone()))
    .bind(column(|s| s.state.to_owned()))
    .bind(column(|s| s.message.clone()))
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps what finished steps taught of the system, under the claims' fences, and prolongs the leases.
pub(crate) async fn learn(
    db: &mut PgConnection,
    ids: &[i64],
    fences: &[i64],
    known: &[serde_json::Value],
    lease_seconds: f64,
) -> sqlx::Result<()> {
    sqlx::query(
        "update delivery d set known = n.known, lease_until = now() + make_interval(secs => $4)
         from unnest($1::bigint[], $2::bigint[], $3::jsonb[]) as n (id, fence, known)
         where d.id = n.id and d.fence = n.fence and d.state = 'applying'",
    )
    .bind(ids)
    .bind(fences)
    .bind(known)
    .bind(lease_seconds)
    .execute(db)
    .await?;
    Ok(())
}
