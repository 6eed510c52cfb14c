//! Intents and results of calls.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use sqlx::{PgConnection, PgPool, types::Json};
use waybill_connector::Known;
use waybill_runtime::database::storable;

use super::claim::Claim;

/// What is known of a step.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct StepRow {
    pub(crate) delivery_id: i64,
    pub(crate) name: String,
    pub(crate) call_key: String,
    pub(crate) state: String,
    /// Calls with other keys were begun before.
    pub(crate) mixed: bool,
    /// Since it began.
    pub(crate) age_seconds: f64,
}

impl StepRow {
    /// Whether nobody knows what became of it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "intent" | "ambiguous")
    }

    pub(crate) fn age(&self) -> Duration {
        Duration::try_from_secs_f64(self.age_seconds).unwrap_or_default()
    }
}

/// Only they can have steps.
fn claimed_before(claims: &[&Claim]) -> Vec<i64> {
    claims.iter().filter(|claim| !claim.is_first()).map(|claim| claim.id).collect()
}

/// The steps of these deliveries, by delivery and name. Those of before a backup was restored do not count until the
/// delivery was settled once more: they may have been done again since, or done further.
pub(crate) async fn of(pool: &PgPool, claims: &[&Claim]) -> sqlx::Result<HashMap<(i64, String), StepRow>> {
    let ids = claimed_before(claims);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<StepRow> = sqlx::query_as(
        "select s.*
         from unnest($1::bigint[]) as n (id) cross join lateral (
             select s.delivery_id, s.name, s.call_key, s.state, s.mixed,
                 extract(epoch from now() - s.started_at)::double precision as age_seconds
             from step s
             where s.delivery_id = n.id
                 and not exists (
                     select from epoch e join delivery d on d.id = n.id
                     where s.started_at < e.began_at and (d.settled_at is null or d.settled_at < e.began_at))
             offset 0) s",
    )
    .bind(ids)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.delivery_id, row.name.clone()), row)).collect())
}

/// Which of these deliveries may have a part of their record in the system: a call that concerns it was begun and not
/// refused, this time or an earlier one. A buyer's calls are not meant: the contact is there for other orders too.
pub(crate) async fn begun(db: &mut PgConnection, claims: &[&Claim]) -> sqlx::Result<HashSet<i64>> {
    let ids = claimed_before(claims);
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let ids: Vec<i64> = sqlx::query_scalar(
        "select s.delivery_id
         from unnest($1::bigint[]) as n (id) cross join lateral (
             select s.delivery_id from step s
             where s.delivery_id = n.id and (s.begun or s.state = 'intent')
                 and (s.role <> 'customer' or (select d.kind from delivery d where d.id = n.id) = 'customer')
             limit 1) s",
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
    /// Of the claim.
    pub(crate) fence: i64,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) call_key: String,
    pub(crate) state: &'static str,
    pub(crate) message: String,
    /// What is known of the system after it, if it taught anything.
    pub(crate) known: Option<Known>,
}

pub(crate) const WRITE: &str = concat!(
            "with told as (
             select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                     $9::jsonb[])
                 as n (delivery_id, name, role, call_key, state, message, fence, known)
         ), locked as (
             -- In one order everywhere, so that this and what is heard meanwhile cannot lock each other out.
             select d.id from delivery d join told n on d.id = n.delivery_id
             where ", still_held!(), "
                 and (n.known is not null or d.lease_until < now() + make_interval(secs => $10))
             order by d.store, d.kind, d.record_id, d.system
             for update of d
         ), prolonged as (
             update delivery d set lease_until = now() + make_interval(secs => $8), known = coalesce(n.known, d.known)
             from told n join locked l on l.id = n.delivery_id
             where d.id = n.delivery_id and ", still_held!(), "
             returning d.id
         ), held as (
             -- Nobody else takes those of the second part for as long as is asked.
             select id from prolonged
             union all
             select d.id from delivery d join told n on d.id = n.delivery_id
             where ", still_held!(), "
                 and n.known is null and d.lease_until >= now() + make_interval(secs => $10)
         ), written as (
             insert into step as s (delivery_id, name, role, call_key, state, message, finished_at, begun)
             select n.delivery_id, n.name, n.role, n.call_key, n.state, n.message,
                 case when n.state = 'intent' then null else now() end, n.state in ('done', 'ambiguous', 'unsure')
             from told n join held on held.id = n.delivery_id
             order by 1, 2
             on conflict (delivery_id, name) do update set
                 role = excluded.role, call_key = excluded.call_key, state = excluded.state,
                 message = excluded.message, finished_at = excluded.finished_at,
                 -- An intent on an intent: whoever had that one died in the call.
                 begun = s.begun or excluded.begun or (excluded.state = 'intent' and s.state = 'intent'),
                 mixed = s.mixed or ((s.begun or s.state = 'intent') and s.call_key <> excluded.call_key),
                 started_at = case when excluded.state = 'intent' then now() else s.started_at end
         )
         select id from held",);

/// Writes intents or results of claims that still hold, the newest wins, with what they taught. These claims hold for
/// `for_seconds` from then on: where their leases are shorter they are made `lease_seconds` long. Which deliveries'
/// claims hold: what a replica knows that lost its claim would hide what its successor does.
pub(crate) async fn write(
    db: &mut PgConnection,
    steps: &[StepWrite],
    for_seconds: f64,
    lease_seconds: f64,
) -> sqlx::Result<HashSet<i64>> {
    let column = |pick: fn(&StepWrite) -> String| steps.iter().map(pick).collect::<Vec<_>>();
    let held: Vec<i64> = sqlx::query_scalar(WRITE)
        .bind(steps.iter().map(|s| s.delivery_id).collect::<Vec<_>>())
        .bind(column(|s| s.name.clone()))
        .bind(column(|s| s.role.clone()))
        .bind(column(|s| s.call_key.clone()))
        .bind(column(|s| s.state.to_owned()))
        .bind(column(|s| storable(&s.message)))
        .bind(steps.iter().map(|s| s.fence).collect::<Vec<_>>())
        .bind(lease_seconds)
        .bind(steps.iter().map(|s| s.known.as_ref().map(Json)).collect::<Vec<_>>())
        .bind(for_seconds)
        .fetch_all(db)
        .await?;
    Ok(held.into_iter().collect())
}
