//! Systems' conditions, shared by the replicas.

use sqlx::{PgConnection, PgPool};
use waybill_runtime::database::storable;

/// One system's condition.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct SystemState {
    pub(crate) system: String,
    pub(crate) condition: String,
    pub(crate) paused: bool,
    pub(crate) message: String,
    /// How long until calls may go again; 0 if now.
    pub(crate) wait_seconds: f64,
    /// Whether its first run may create as much as it will.
    pub(crate) released: bool,
    /// Records that it got for the first time until it was released.
    pub(crate) first_writes: i64,
    /// How long ago the first of them was.
    pub(crate) first_write_seconds: Option<f64>,
    /// How many records it would create, while it asks.
    pub(crate) asking: Option<i64>,
}

impl SystemState {
    /// Whether calls may go now.
    pub(crate) fn open(&self) -> bool {
        !self.paused && self.condition != "unauthorized" && self.wait_seconds <= 0.0
    }
}

const COLUMNS: &str = "system, condition, paused, message,
    greatest(0, extract(epoch from resume_at - now()))::double precision as wait_seconds,
    released_at is not null as released, first_writes,
    extract(epoch from now() - first_write_at)::double precision as first_write_seconds, asking";

/// Takes a system up. One that is seen for the first time is paused if it is to start so; whether it goes on is a
/// person's business from then on. `released` lets its first run go.
pub(crate) async fn enlist(pool: &PgPool, system: &str, paused: bool, released: bool) -> sqlx::Result<()> {
    sqlx::query(
        "insert into system_state as s (system, enlisted, paused, released_at, released_by)
         values ($1, true, $2, case when $3 then now() end, case when $3 then 'settings' else '' end)
         on conflict (system) do update set
             enlisted = true,
             paused = s.paused or (excluded.paused and not s.enlisted),
             released_at = coalesce(s.released_at, excluded.released_at),
             released_by = case when s.released_at is null then excluded.released_by else s.released_by end,
             asking = case when excluded.released_at is null then s.asking end",
    )
    .bind(system)
    .bind(paused)
    .bind(released)
    .execute(pool)
    .await?;
    Ok(())
}

/// Makes sure that a system has a row: what calls it need not deliver to it.
async fn mention(pool: &PgPool, system: &str) -> sqlx::Result<()> {
    sqlx::query("insert into system_state (system) values ($1) on conflict do nothing")
        .bind(system)
        .execute(pool)
        .await?;
    Ok(())
}

/// The condition of every system.
pub(crate) async fn all(pool: &PgPool) -> sqlx::Result<Vec<SystemState>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("select {COLUMNS} from system_state order by system")))
        .fetch_all(pool)
        .await
}

/// The condition of one system.
pub(crate) async fn one(pool: &PgPool, system: &str) -> sqlx::Result<Option<SystemState>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("select {COLUMNS} from system_state where system = $1")))
        .bind(system)
        .fetch_optional(pool)
        .await
}

/// A call went through: the breaker closes.
pub(crate) async fn well(pool: &PgPool, system: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update system_state set condition = 'serving', failures = 0, message = '', changed_at = now()
         where system = $1 and (failures > 0 or condition <> 'serving')",
    )
    .bind(system)
    .execute(pool)
    .await?;
    Ok(())
}

/// A call failed. After `most` in a row the breaker opens for `pause_seconds`, and again after each failed probe.
pub(crate) async fn failing(
    pool: &PgPool,
    system: &str,
    message: &str,
    most: i32,
    pause_seconds: f64,
) -> sqlx::Result<()> {
    sqlx::query(
        "update system_state set
             failures = failures + 1, message = $2,
             condition = case when condition = 'serving' and failures + 1 >= $3 then 'unavailable' else condition end,
             resume_at = case when failures + 1 >= $3 then greatest(resume_at, now() + make_interval(secs => $4))
                         else resume_at end,
             changed_at = now()
         where system = $1",
    )
    .bind(system)
    .bind(storable(message))
    .bind(most)
    .bind(pause_seconds)
    .execute(pool)
    .await?;
    Ok(())
}

/// The vendor asked us to wait.
pub(crate) async fn limited(pool: &PgPool, system: &str, wait_seconds: f64) -> sqlx::Result<()> {
    sqlx::query(
        "update system_state set resume_at = greatest(resume_at, now() + make_interval(secs => $2)), tokens = 0,
             tokens_at = now()
         where system = $1",
    )
    .bind(system)
    .bind(wait_seconds)
    .execute(pool)
    .await?;
    Ok(())
}

/// The credentials are refused.
pub(crate) async fn unauthorized(pool: &PgPool, system: &str, message: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update system_state set condition = 'unauthorized', message = $2, changed_at = now()
         where system = $1 and condition <> 'unauthorized'",
    )
    .bind(system)
    .bind(storable(message))
    .execute(pool)
    .await?;
    Ok(())
}

/// A person pauses or resumes.
pub(crate) async fn pause(pool: &PgPool, system: &str, paused: bool) -> sqlx::Result<bool> {
    let done = sqlx::query("update system_state set paused = $2, changed_at = now() where system = $1")
        .bind(system)
        .bind(paused)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes up to `wanted` tokens of the system's bucket, which fills at `per_second` up to `most`. Gives how many were
/// taken, and if none, how long until there is one, in seconds.
pub(crate) async fn take_tokens(
    pool: &PgPool,
    system: &str,
    wanted: f64,
    per_second: f64,
    most: f64,
) -> sqlx::Result<(f64, f64)> {
    let taken: Option<(f64, f64)> = sqlx::query_as(
        "with was as (
             select system, least($4, tokens + $3 * extract(epoch from clock_timestamp() - tokens_at)::double precision) as level
             from system_state where system = $1 for update
         )
         update system_state s
         set tokens = was.level - case when was.level >= 1 then least($2, floor(was.level)) else 0 end,
             tokens_at = clock_timestamp()
         from was where s.system = was.system
         returning case when was.level >= 1 then least($2, floor(was.level)) else 0 end,
             case when was.level >= 1 then 0 else (1 - was.level) / $3 end",
    )
    .bind(system)
    .bind(wanted)
    .bind(per_second)
    .bind(most)
    .fetch_optional(pool)
    .await?;
    match taken {
        Some(taken) => Ok(taken),
        // A source that calls a system without delivering to it has no row yet.
        None => {
            mention(pool, system).await?;
            Ok((0.0, 0.001))
        }
    }
}

/// Counts records that a system got for the first time, unless it was released.
pub(crate) async fn note_first_writes(db: &mut PgConnection, system: &str, records: i64) -> sqlx::Result<()> {
    sqlx::query(
        "update system_state set first_writes = first_writes + $2, first_write_at = coalesce(first_write_at, now())
         where system = $1 and released_at is null",
    )
    .bind(system)
    .bind(records)
    .execute(db)
    .await?;
    Ok(())
}

/// Sets how many records a system asks for, or that it does not ask. Whether that is news.
pub(crate) async fn ask(pool: &PgPool, system: &str, records: Option<i64>) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update system_state set asking = $2, changed_at = now()
         where system = $1 and asking is distinct from $2 and (released_at is null or $2 is null)",
    )
    .bind(system)
    .bind(records)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Lets a system's first run go, for good. Whether there is such a system.
pub(crate) async fn release(db: &PgPool, system: &str, by: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update system_state set
             released_at = coalesce(released_at, now()),
             released_by = case when released_at is null then $2 else released_by end,
             asking = null, changed_at = now()
         where system = $1",
    )
    .bind(system)
    .bind(by)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}
