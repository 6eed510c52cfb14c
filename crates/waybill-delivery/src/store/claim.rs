//! Claiming: who works on what.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use sqlx::{PgPool, types::Json};
use waybill_connector::Known;
use waybill_domain::Snapshot;
use waybill_runtime::database::is_deadlock;

use super::decisions::Basis;

/// A claimed delivery.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Claim {
    pub(crate) id: i64,
    pub(crate) system: String,
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) record_id: String,
    pub(crate) name: String,
    pub(crate) desired_epoch: i64,
    pub(crate) desired_number: i64,
    pub(crate) desired: Vec<u8>,
    pub(crate) applied_number: Option<i64>,
    pub(crate) applied_hash: Option<Vec<u8>>,
    pub(crate) settled_number: i64,
    pub(crate) known: Json<Known>,
    pub(crate) attempts: i32,
    pub(crate) tried_seconds: f64,
    pub(crate) fence: i64,
    pub(crate) wake: i64,
    pub(crate) traceparent: String,
    pub(crate) external_id: String,
    pub(crate) target_key: String,
    pub(crate) approved: bool,
    /// Whether it is to be written though nothing changed.
    pub(crate) again: bool,
    /// Whether a person ever gave values in place of the plan's.
    pub(crate) edited: bool,
    /// Microseconds since the Unix epoch.
    pub(crate) first_unapplied_us: Option<i64>,
    /// When a backup was restored, if it was not settled since: microseconds since the Unix epoch.
    pub(crate) restored_us: Option<i64>,
    /// Whether a restored backup may not know what the system holds of it; told by its snapshot.
    #[sqlx(skip)]
    pub(crate) unsure: bool,
    /// Whether it hangs on another record whose source does not answer.
    #[sqlx(skip)]
    pub(crate) lacks_other: bool,
    /// By when a write must have begun, so that it has ended while the claim still holds; none if nothing holds it.
    #[sqlx(skip)]
    pub(crate) latest: Option<Instant>,
    /// Whether its system was not released yet.
    #[sqlx(skip)]
    pub(crate) first_run: bool,
    /// What its decision was made of.
    #[sqlx(skip)]
    pub(crate) basis: Basis,
}

/// A record that came to be so long after a backup was restored was never delivered before, whatever the clock of its
/// source says.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(1);

impl Claim {
    /// Whether a backup was restored since it was settled last, and its record may have been delivered before that.
    pub(crate) fn is_unsure(&self, snapshot: &Snapshot) -> bool {
        let Some(restored_at) = self.restored_us.and_then(|us| Timestamp::from_microsecond(us).ok()) else {
            return false;
        };
        let began_at = snapshot.body.as_ref().and_then(waybill_plan::began_at);
        began_at.is_none_or(|began_at| began_at.duration_since(restored_at) < CLOCKS_DIFFER)
    }

    /// Whether it is held, and by the first who ever did: no call was ever begun for it. What is only looked at may have
    /// been claimed once already.
    pub(crate) const fn is_first(&self) -> bool {
        self.fence == 1 && self.latest.is_some()
    }

    /// Whether it would be the first write of its record, in a run that may have to ask.
    pub(crate) fn is_first_write(&self) -> bool {
        self.first_run && self.applied_number.is_none()
    }

    /// Whether a person may have to be asked before it is written. What was begun is finished.
    pub(crate) fn asks(&self) -> bool {
        self.is_first_write() && self.attempts == 0 && self.known.is_empty()
    }
}

/// The columns of a [`Claim`], of a delivery `d`.
pub(crate) const COLUMNS: &str = "d.id, d.system, d.store, d.kind, d.record_id, d.name, d.desired_epoch,
    d.desired_number, d.desired, d.applied_number, d.applied_hash, d.settled_number, d.known, d.attempts,
    d.tried_seconds, d.fence, d.wake, d.traceparent, d.external_id, d.target_key, d.approved_at is not null as approved,
    d.again, d.edited, (extract(epoch from d.first_unapplied_at) * 1000000)::bigint as first_unapplied_us,
    (select (extract(epoch from e.began_at) * 1000000)::bigint from epoch e
     where d.settled_at is null or d.settled_at < e.began_at) as restored_us";

/// Claims up to `limit` due deliveries of a system, none with the target key of another claimed one. A claim whose
/// lease ran out is taken over. Empty too if another replica was faster with the same target.
pub(crate) async fn claim(pool: &PgPool, system: &str, limit: i64, lease_seconds: f64) -> sqlx::Result<Vec<Claim>> {
    let claimed = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        // Two questions, each with an index of what it asks for: one for both would read all that is due, however much
        // waits. What is claimed is little, and so is what of it was lost.
        "with lost as (
             select d.id, d.target_key, d.due_at
             from delivery d
             where d.system = $1 and d.state = 'applying' and d.lease_until < now()
             order by d.lease_until
             limit $2
             for update skip locked
         ), ready as (
             select d.id, d.target_key, d.due_at
             from delivery d
             where d.system = $1 and d.state in ('pending', 'waiting') and d.due_at <= now()
                 -- One look in the index of the targets for each, see `store`.
                 and not exists (
                     select from delivery o
                     where o.system = d.system and o.target_key = d.target_key and o.state = 'applying'
                     offset 0)
             order by d.due_at
             limit $2
             for update skip locked
         ), due as (
             select * from lost union all select * from ready
         ), first as (
             select id, target_key from (
                 select distinct on (target_key) id, target_key, due_at from due order by target_key, due_at, id) one
             order by due_at
             limit $2
         ), ordered as (
             -- Two replicas that meet at the same targets meet in one order.
             select id from first order by target_key
         )
         update delivery d
         set state = 'applying', lease_until = now() + make_interval(secs => $3), fence = d.fence + 1
         from ordered
         where d.id = ordered.id
         returning {COLUMNS}"
    )))
    .bind(system)
    .bind(limit)
    .bind(lease_seconds)
    .fetch_all(pool)
    .await;
    match claimed {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(Vec::new()),
        Err(error) if is_deadlock(&error) => Ok(Vec::new()),
        other => other,
    }
}
