//! Since when flows are there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

/// A flow's way for one of its stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) flow: String,
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) system: String,
}

/// Notes since when a plan's flows are there, for each store. One with another name for what an earlier one did goes on
/// with that one's. Stores tell whole seconds: what came to be in this one is not from before.
pub(crate) async fn note(db: &mut PgConnection, ways: &[Way], now: Timestamp) -> sqlx::Result<()> {
    let column = |pick: fn(&Way) -> &String| ways.iter().map(|way| pick(way).clone()).collect::<Vec<_>>();
    let flows = column(|way| &way.flow);
    sqlx::query(
        "insert into flow_since (flow, store, kind, system, active_since)
         select n.flow, n.store, n.kind, n.system, coalesce(
             (select min(o.active_since) from flow_since o
              where (o.store, o.kind, o.system) = (n.store, n.kind, n.system) and o.flow <> all($1)),
             -- Kept before it was kept for each store.
             (select s.active_since from flow_state s
              where s.flow = n.flow and not exists (select from flow_since o where o.flow = n.flow)),
             date_trunc('second', $5::timestamptz))
         from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (flow, store, kind, system)
         on conflict do nothing",
    )
    .bind(&flows)
    .bind(column(|way| &way.store))
    .bind(column(|way| &way.kind))
    .bind(column(|way| &way.system))
    .bind(now.to_string())
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "insert into flow_state (flow, active_since)
         select distinct n.flow, date_trunc('second', $2::timestamptz) from unnest($1::text[]) as n (flow)
         on conflict do nothing",
    )
    .bind(flows)
    .bind(now.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// What is known of a flow beside the plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct FlowState {
    /// Since when it is there, by store.
    pub(crate) active_since: BTreeMap<String, Timestamp>,
    /// Whether a person paused it.
    pub(crate) paused: bool,
}

/// Every flow that was ever there, by name.
pub(crate) async fn all(db: &mut PgConnection) -> sqlx::Result<BTreeMap<String, FlowState>> {
    let rows: Vec<(String, bool, Option<String>, Option<i64>)> = sqlx::query_as(
        "select s.flow, s.paused, w.store, (extract(epoch from w.active_since) * 1000000)::bigint
         from flow_state s left join flow_since w using (flow)",
    )
    .fetch_all(db)
    .await?;
    let mut flows: BTreeMap<String, FlowState> = BTreeMap::new();
    for (flow, paused, store, since_us) in rows {
        let state = flows.entry(flow).or_default();
        state.paused = paused;
        if let Some((store, since)) = store.zip(since_us.and_then(|us| Timestamp::from_microsecond(us).ok())) {
            state.active_since.insert(store, since);
        }
    }
    Ok(flows)
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
