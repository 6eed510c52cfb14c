//! Ends of claims.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool, types::Json};
use waybill_runtime::database::storable;

use super::{claim::Claim, decisions::Basis, steps::StepWrite};

/// How a claimed delivery ended up.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) id: i64,
    pub(crate) fence: i64,
    /// The claim's wake: if it has grown, the delivery is decided anew at once.
    pub(crate) wake: i64,
    pub(crate) epoch: i64,
    pub(crate) number: i64,
    pub(crate) state: &'static str,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) field: String,
    pub(crate) external_id: String,
    pub(crate) hash: Option<Vec<u8>>,
    pub(crate) attempts: i32,
    pub(crate) plan_hash: String,
    /// What the last step came to, if that was not recorded yet.
    pub(crate) last: Option<StepWrite>,
}

/// One statement for all and both: every settlement passes here, and another one would be a round trip more.
pub(crate) const SETTLE: &str = concat!(
            "with told as (
             select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[],
                     $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[], $12::integer[], $13::text[],
                     $15::text[], $16::bytea[], $17::jsonb[], $18::jsonb[], $19::text[], $20::text[], $21::text[],
                     $22::jsonb[])
                 as n (id, fence, wake, epoch, number, state, code, message, field, external_id, hash, attempts,
                     plan_hash, decided_by, document_hash, delivery, facts, step, role, call_key, known)
         ), held as (
             -- In one order everywhere, so that this and what is heard meanwhile cannot lock each other out.
             select d.id from delivery d join told n using (id)
             where ", still_held!(), "
             order by d.store, d.kind, d.record_id, d.system
             for update of d
         ), settled as (
             update delivery d set
                 -- A newer snapshot came meanwhile, or what decides it changed: this end is the older revision's.
                 state = case when d.wake <> n.wake then 'pending' else n.state end,
                 due_at = now(),
                 settled_epoch = n.epoch, settled_number = n.number, settlement = d.settlement + 1,
                 applied_epoch = case when n.state = 'applied' then n.epoch else d.applied_epoch end,
                 applied_number = case when n.state = 'applied' then n.number else d.applied_number end,
                 applied_hash = case when n.state = 'applied' then n.hash else d.applied_hash end,
                 -- What is parked on its way back is still not there.
                 again = d.again and n.state <> 'applied',
                 first_unapplied_at = case when d.wake <> n.wake then now() else null end,
                 code = n.code, message = n.message, field = n.field, external_id = n.external_id,
                 attempts = case when d.wake <> n.wake then 0 else n.attempts end, tried_seconds = 0, plan_hash = n.plan_hash, known = coalesce(n.known, d.known),
                 lease_until = null, changed_at = now(), settled_at = now()
             from told n join held using (id)
             where d.id = n.id and ", still_held!(), "
             returning d.id, d.system, d.store, d.kind, d.record_id, d.settlement
         ), kept as (
             insert into decision (system, store, kind, record_id, epoch, number, settlement, decided_at, state, code,
                 field, message, decided_by, plan_hash, document_hash, delivery, facts)
             select s.system, s.store, s.kind, s.record_id, n.epoch, n.number, s.settlement, $14::timestamptz, n.state,
                 n.code, n.field, n.message, n.decided_by, n.plan_hash, encode(n.document_hash, 'hex'), n.delivery,
                 n.facts
             from settled s join told n using (id)
         ), stepped as (
             insert into step as s (delivery_id, name, role, call_key, state, message, finished_at, begun)
             select n.id, n.step, n.role, n.call_key, 'done', '', now(), true
             from settled join told n using (id) where n.step is not null order by 1
             on conflict (delivery_id, name) do update set
                 role = excluded.role, call_key = excluded.call_key, state = excluded.state,
                 message = excluded.message, finished_at = excluded.finished_at, begun = true
         )
         select id, settlement from settled",);

/// Settles claims under their fences, and keeps each settlement with what decided it. Gives the settlements' numbers by
/// delivery; one that is not among them was lost to another replica, whose result counts.
pub(crate) async fn settle(
    db: &mut PgConnection,
    ends: &[(&Ended, &Basis)],
    now: Timestamp,
) -> sqlx::Result<HashMap<i64, i64>> {
    fn column<T>(ends: &[(&Ended, &Basis)], pick: impl Fn(&Ended, &Basis) -> T) -> Vec<T> {
        ends.iter().map(|(ended, basis)| pick(ended, basis)).collect()
    }
    let settled: Vec<(i64, i64)> = sqlx::query_as(SETTLE)
        .bind(column(ends, |ended, _| ended.id))
        .bind(column(ends, |ended, _| ended.fence))
        .bind(column(ends, |ended, _| ended.wake))
        .bind(column(ends, |ended, _| ended.epoch))
        .bind(column(ends, |ended, _| ended.number))
        .bind(column(ends, |ended, _| ended.state))
        .bind(column(ends, |ended, _| ended.code.clone()))
        .bind(column(ends, |ended, _| storable(&ended.message)))
        .bind(column(ends, |ended, _| storable(&ended.field)))
        .bind(column(ends, |ended, _| ended.external_id.clone()))
        .bind(column(ends, |ended, _| ended.hash.clone()))
        .bind(column(ends, |ended, _| ended.attempts))
        .bind(column(ends, |ended, _| ended.plan_hash.clone()))
        .bind(now.to_string())
        .bind(column(ends, |ended, basis| basis.decided_by(ended.state)))
        .bind(column(ends, |_, basis| basis.document_hash.clone()))
        .bind(column(ends, |_, basis| basis.known.as_ref().map(|(delivery, _)| Json(delivery.clone()))))
        .bind(column(ends, |_, basis| basis.known.as_ref().map(|(_, facts)| Json(facts.clone()))))
        .bind(column(ends, |ended, _| ended.last.as_ref().map(|step| step.name.clone())))
        .bind(column(ends, |ended, _| ended.last.as_ref().map(|step| step.role.clone())))
        .bind(column(ends, |ended, _| ended.last.as_ref().map(|step| step.call_key.clone())))
        .bind(column(ends, |ended, _| ended.last.as_ref().and_then(|step| step.known.clone()).map(Json)))
        .fetch_all(db)
        .await?;
    Ok(settled.into_iter().collect())
}

/// Puts a claim back into the queue: to wait, or to try again.
#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub(crate) id: i64,
    pub(crate) fence: i64,
    pub(crate) wake: i64,
    /// `pending` or `waiting`.
    pub(crate) state: &'static str,
    pub(crate) after_seconds: f64,
    pub(crate) attempts: i32,
    pub(crate) tried_seconds: f64,
    pub(crate) code: String,
    /// What it waits for by name, where that has one.
    pub(crate) field: String,
    pub(crate) message: String,
    pub(crate) plan_hash: String,
}

impl Back {
    /// A claim that is no attempt and waits.
    pub(crate) fn waiting(claim: &Claim, after_seconds: f64, code: &str, message: String, plan_hash: &str) -> Self {
        Self {
            id: claim.id,
            fence: claim.fence,
            wake: claim.wake,
            state: "waiting",
            after_seconds,
            attempts: claim.attempts,
            tried_seconds: claim.tried_seconds,
            code: code.to_owned(),
            field: String::new(),
            message,
            plan_hash: plan_hash.to_owned(),
        }
    }
}

/// Has claims of these ids and fences taken by whoever comes next, as if they had never been made.
pub(crate) async fn give_back(pool: &PgPool, claims: &[(i64, i64)]) -> sqlx::Result<()> {
    if claims.is_empty() {
        return Ok(());
    }
    sqlx::query(concat!(
        "update delivery d set state = 'pending', due_at = now(), lease_until = null, changed_at = now()
         from unnest($1::bigint[], $2::bigint[]) as n (id, fence)
         where d.id = n.id and ",
        still_held!()
    ))
    .bind(claims.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(claims.iter().map(|(_, fence)| *fence).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// Puts a claim back under its fence. What woke it meanwhile makes it due at once.
pub(crate) async fn put_back(db: &mut PgConnection, back: &Back) -> sqlx::Result<()> {
    sqlx::query(concat!(
        "update delivery d set
             state = case when d.wake <> $3 then 'pending' else $4 end,
             due_at = case when d.wake <> $3 then now() else now() + make_interval(secs => $5) end,
             attempts = case when d.wake <> $3 then d.attempts else $6 end,
             tried_seconds = case when d.wake <> $3 then d.tried_seconds else $10 end,
             code = $7, message = $8, field = $11, plan_hash = $9, lease_until = null, changed_at = now()
         from (select $2::bigint as fence) n
         where d.id = $1 and ",
        still_held!()
    ))
    .bind(back.id)
    .bind(back.fence)
    .bind(back.wake)
    .bind(back.state)
    .bind(back.after_seconds)
    .bind(back.attempts)
    .bind(&back.code)
    .bind(storable(&back.message))
    .bind(&back.plan_hash)
    .bind(back.tried_seconds)
    .bind(&back.field)
    .execute(db)
    .await?;
    Ok(())
}
