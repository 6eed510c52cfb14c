//! What was said of deliveries, as their rows keep it.

use sqlx::PgConnection;
use waybill_proto::wire;

/// A delivery of which something was said.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Said {
    pub(crate) system: String,
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) record_id: String,
    pub(crate) name: String,
    /// Whether it is settled at its newest revision. What is told of its state is not for others unless it is.
    pub(crate) is_settled: bool,
    pub(crate) settled_epoch: i64,
    pub(crate) settled_number: i64,
    /// The revision that the system holds.
    pub(crate) applied_epoch: Option<i64>,
    pub(crate) applied_number: Option<i64>,
    pub(crate) settlement: i64,
    pub(crate) state: String,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) field: String,
    pub(crate) external_id: String,
    pub(crate) attempts: i32,
    pub(crate) plan_hash: String,
    pub(crate) changed_us: i64,
}

impl Said {
    pub(crate) fn key(&self) -> wire::RecordKey {
        wire::RecordKey { store: self.store.clone(), kind: self.kind.clone(), id: self.record_id.clone() }
    }
}

/// Of these records, the deliveries that are settled at their newest revision, or that their system holds.
pub(crate) async fn said(
    db: &mut PgConnection,
    stores: &[String],
    kinds: &[String],
    ids: &[String],
) -> sqlx::Result<Vec<Said>> {
    sqlx::query_as(
        "select * from (
             select d.system, d.store, d.kind, d.record_id, d.name, d.settled_epoch, d.settled_number,
                 -- What the system lost is not there until it is written again.
                 case when not d.again then d.applied_epoch end as applied_epoch,
                 case when not d.again then d.applied_number end as applied_number,
                 d.settlement, d.state, d.code, d.message, d.field, d.external_id, d.attempts, d.plan_hash, (extract(epoch from d.changed_at) * 1000000)::bigint as changed_us,
                 d.state in ('applied', 'ignored', 'parked')
                     and (d.settled_epoch, d.settled_number) = (d.desired_epoch, d.desired_number) as is_settled
             from delivery d
             join unnest($1::text[], $2::text[], $3::text[]) as r (store, kind, record_id)
                 using (store, kind, record_id)
         ) d
         where is_settled or applied_number is not null",
    )
    .bind(stores)
    .bind(kinds)
    .bind(ids)
    .fetch_all(db)
    .await
}
