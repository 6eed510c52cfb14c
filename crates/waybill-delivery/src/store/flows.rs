//! Since when flows are there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

/// Notes flows that are new. One whose deliveries are there already was active before anybody kept count. Stores tell
/// whole seconds: what came to be in this one is not from before.
pub(crate) async fn note(
    db: &mut PgConnection,
    flows: &[(String, String, String)],
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into flow_state (flow, active_since)
         select f.flow, case when exists (select from delivery d where d.kind = f.kind and d.system = f.system)
             then 'epoch'::timestamptz else date_trunc('second', $4::timestamptz) end
         from unnest($1::text[], $2::text[], $3::text[]) as f (flow, kind, system)
         on conflict do nothing",
    )
    .bind(flows.iter().map(|flow| flow.0.clone()).collect::<Vec<_>>())
    .bind(flows.iter().map(|flow| flow.1.clone()).collect::<Vec<_>>())
    .bind(flows.iter().map(|flow| flow.2.clone()).collect::<Vec<_>>())
    .bind(now.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// What is known of a flow beside the plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlowState {
    /// Since when it is there.
    pub(crate) active_since: Timestamp,
    /// Whether a person paused it.
    pub(crate) paused: bool,
}

/// Every flow that was ever there, by name.
pub(crate) async fn all(db: &mut PgConnection) -> sqlx::Result<BTreeMap<String, FlowState>> {
    let rows: Vec<(String, i64, bool)> =
        sqlx::query_as("select flow, (extract(epoch from active_since) * 1000000)::bigint, paused from flow_state")
            .fetch_all(db)
            .await?;
    let state = |us, paused| Some(FlowState { active_since: Timestamp::from_microsecond(us).ok()?, paused });
    Ok(rows.into_iter().filter_map(|(flow, us, paused)| Some((flow, state(us, paused)?))).collect())
}

/// Pauses or resumes a flow. Whether it is known.
pub(crate) async fn pause(db: &mut PgConnection, flow: &str, paused: bool, by: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update flow_state set paused = $2, paused_by = case when $2 then $3 else '' end,
             paused_at = case when $2 then now() end
         where flow = $1",
    )
    .bind(flow)
    .bind(paused)
    .bind(by)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Has a part of what was held by flows' pause decided anew. Gives how many.
pub(crate) async fn wake_resumed(pool: &PgPool, system: &str, flows: &[String], most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "update delivery set wake = wake + 1, due_at = now()
         where id in (
             select id from delivery
             where system = $1 and state = 'waiting' and code = 'paused' and field = any($2) and due_at > now()
             limit $3 for update skip locked)",
    )
    .bind(system)
    .bind(flows)
    .bind(most)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// The paused flows.
pub(crate) async fn paused(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select flow from flow_state where paused order by flow").fetch_all(pool).await
}

/// Has what waits decided anew, and what may be about to wait as soon as it is put back: the plan has changed.
pub(crate) async fn decide_waiting_anew(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("update delivery set wake = wake + 1 where state = 'applying'").execute(&mut *db).await?;
    sqlx::query("update delivery set wake = wake + 1, due_at = now() where state = 'waiting'").execute(db).await?;
    Ok(())
}
