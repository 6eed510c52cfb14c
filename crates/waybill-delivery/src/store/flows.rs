//! Since when flows are there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgConnection;

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

/// Flow → since when it is there.
pub(crate) async fn active(db: &mut PgConnection) -> sqlx::Result<BTreeMap<String, Timestamp>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("select flow, (extract(epoch from active_since) * 1000000)::bigint from flow_state")
            .fetch_all(db)
            .await?;
    Ok(rows.into_iter().filter_map(|(flow, us)| Some((flow, Timestamp::from_microsecond(us).ok()?))).collect())
}

/// Has what waits decided anew: the plan has changed.
pub(crate) async fn decide_waiting_anew(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("update delivery set wake = wake + 1, due_at = now() where state = 'waiting'").execute(db).await?;
    Ok(())
}
