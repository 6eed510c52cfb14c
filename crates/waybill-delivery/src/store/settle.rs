//! Ends of claims.

use jiff::Timestamp;
use sqlx::{PgConnection, types::Json};

use super::{claim::Claim, decisions::Basis};

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
}

/// Settles a claim under its fence, and keeps the settlement with what decided it. Gives the settlement's number, or
/// `None` if the claim was lost to another replica, whose result counts.
pub(crate) async fn settle(
    db: &mut PgConnection,
    ended: &Ended,
    basis: &Basis,
    now: Timestamp,
) -> sqlx::Result<Option<i64>> {
    // One statement for both: every settlement passes here, and a second one would be a round trip more.
    sqlx::query_scalar(
        "with settled as (
             update delivery d set
                 -- A newer snapshot came meanwhile, or what decides it changed: this end is the older revision's.
                 state = case when d.wake <> $3 then 'pending' else $6 end,
                 due_at = now(),
                 settled_epoch = $4, settled_number = $5, settlement = d.settlement + 1,
                 applied_epoch = case when $6 = 'applied' then $4 else d.applied_epoch end,
                 applied_number = case when $6 = 'applied' then $5 else d.applied_number end,
                 applied_hash = case when $6 = 'applied' then $11 else d.applied_hash end,
                 -- What is parked on its way back is still not there.
                 again = d.again and $6 <> 'applied',
                 first_unapplied_at = case when d.wake <> $3 then now() else null end,
                 code = $7, message = $8, field = $9, external_id = $10, attempts = $12, tried_seconds = 0, plan_hash = $13,
                 lease_until = null, changed_at = now(), settled_at = now()
             where d.id = $1 and d.fence = $2 and d.state = 'applying'
             returning d.system, d.store, d.kind, d.record_id, d.settlement
         ), kept as (
             insert into decision (system, store, kind, record_id, epoch, number, settlement, decided_at, state, code,
                 field, message, decided_by, plan_hash, document_hash, delivery, facts)
             select system, store, kind, record_id, $4, $5, settlement, $14::timestamptz, $6, $7, $9, $8, $15, $13,
                 encode($16, 'hex'), $17, $18
             from settled
         )
         select settlement from settled",
    )
    .bind(ended.id)
    .bind(ended.fence)
    .bind(ended.wake)
    .bind(ended.epoch)
    .bind(ended.number)
    .bind(ended.state)
    .bind(&ended.code)
    .bind(&ended.message)
    .bind(&ended.field)
    .bind(&ended.external_id)
    .bind(&ended.hash)
    .bind(ended.attempts)
    .bind(&ended.plan_hash)
    .bind(now.to_string())
    .bind(basis.decided_by(ended.state))
    .bind(&basis.document_hash)
    .bind(basis.known.as_ref().map(|(delivery, _)| Json(delivery)))
    .bind(basis.known.as_ref().map(|(_, facts)| Json(facts)))
    .fetch_optional(db)
    .await
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

/// Puts a claim back under its fence. What woke it meanwhile makes it due at once.
pub(crate) async fn put_back(db: &mut PgConnection, back: &Back) -> sqlx::Result<()> {
    sqlx::query(
        "update delivery d set
             state = case when d.wake <> $3 then 'pending' else $4 end,
             due_at = case when d.wake <> $3 then now() else now() + make_interval(secs => $5) end,
             attempts = case when d.wake <> $3 then d.attempts else $6 end,
             tried_seconds = case when d.wake <> $3 then d.tried_seconds else $10 end,
             code = $7, message = $8, field = $11, plan_hash = $9, lease_until = null, changed_at = now()
         where d.id = $1 and d.fence = $2 and d.state = 'applying'",
    )
    .bind(back.id)
    .bind(back.fence)
    .bind(back.wake)
    .bind(back.state)
    .bind(back.after_seconds)
    .bind(back.attempts)
    .bind(&back.code)
    .bind(&back.message)
    .bind(&back.plan_hash)
    .bind(back.tried_seconds)
    .bind(&back.field)
    .execute(db)
    .await?;
    Ok(())
}
