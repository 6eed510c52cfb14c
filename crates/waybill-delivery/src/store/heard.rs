//! What intake writes.

use sqlx::{PgConnection, PgPool};

use super::sent;

/// A newest snapshot wanted at a system.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) system: String,
    pub(crate) store: String,
    pub(crate) kind: &'static str,
    pub(crate) record_id: String,
    pub(crate) name: String,
    pub(crate) target_key: String,
    pub(crate) epoch: i64,
    pub(crate) number: i64,
    pub(crate) snapshot: Vec<u8>,
    pub(crate) traceparent: String,
    /// Whether it may be in the system although there is no delivery of it: then it is looked up first.
    pub(crate) again: bool,
}

/// Sets `desired` where it is newer; an older or equal revision changes nothing. Gives how many rows changed.
/// No record may be there twice for one system.
pub(crate) async fn want(db: &mut PgConnection, wanted: &[Wanted]) -> sqlx::Result<u64> {
    fn column<T>(wanted: &[Wanted], pick: impl Fn(&Wanted) -> T) -> Vec<T> {
        wanted.iter().map(pick).collect()
    }
    sent::follow_person(db, wanted).await?;
    let done = sqlx::query(
        "insert into delivery as d (system, store, kind, record_id, name, target_key, desired_epoch, desired_number,
                                    desired, traceparent, again, settlement, state, first_unapplied_at)
         select n.*,
             -- Receipts of a row that is gone may have been heard: the next one has to be newer than any of them.
             case when n.again then extract(epoch from now())::bigint else 0 end, 'pending', now()
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                     $8::bigint[], $9::bytea[], $10::text[], $11::boolean[])
             as n (system, store, kind, record_id, name, target_key, epoch, number, snapshot, traceparent, again)
         -- In one order everywhere, so that two replicas' batches cannot lock each other out.
         order by 2, 3, 4, 1
         on conflict (store, kind, record_id, system) do update set
             name = excluded.name,
             target_key = case when d.state = 'applying' then d.target_key else excluded.target_key end,
             desired_epoch = excluded.desired_epoch,
             desired_number = excluded.desired_number,
             desired = excluded.desired,
             body_removed_at = null,
             traceparent = excluded.traceparent,
             state = case when d.state = 'applying' then 'applying' else 'pending' end,
             due_at = now(),
             attempts = 0,
             tried_seconds = 0,
             wake = d.wake + 1,
             first_unapplied_at = coalesce(d.first_unapplied_at, now()),
             changed_at = now()
         where (excluded.desired_epoch, excluded.desired_number) > (d.desired_epoch, d.desired_number)",
    )
    .bind(column(wanted, |w| w.system.clone()))
    .bind(column(wanted, |w| w.store.clone()))
    .bind(column(wanted, |w| w.kind))
    .bind(column(wanted, |w| w.record_id.clone()))
    .bind(column(wanted, |w| w.name.clone()))
    .bind(column(wanted, |w| w.target_key.clone()))
    .bind(column(wanted, |w| w.epoch))
    .bind(column(wanted, |w| w.number))
    .bind(column(wanted, |w| w.snapshot.clone()))
    .bind(column(wanted, |w| w.traceparent.clone()))
    .bind(column(wanted, |w| w.again))
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Which of these records have a delivery to the system that is not settled.
pub(crate) async fn unsettled(
    pool: &PgPool,
    system: &str,
    stores: &[String],
    kinds: &[String],
    ids: &[String],
) -> sqlx::Result<Vec<(String, String, String)>> {
    sqlx::query_as(
        "select d.store, d.kind, d.record_id
         from delivery d
         join unnest($2::text[], $3::text[], $4::text[]) as r (store, kind, record_id)
             using (store, kind, record_id)
         where d.system = $1 and d.state in ('pending', 'applying', 'waiting')",
    )
    .bind(system)
    .bind(stores)
    .bind(kinds)
    .bind(ids)
    .fetch_all(pool)
    .await
}

/// Has settled or waiting deliveries of these records decided anew: something that decides them has changed.
pub(crate) async fn wake(
    db: &mut PgConnection,
    stores: &[String],
    kinds: &[String],
    ids: &[String],
    systems: &[String],
) -> sqlx::Result<()> {
    sqlx::query(
        "update delivery d
         set wake = d.wake + 1,
             state = case when d.state in ('applied', 'waiting') then 'pending' else d.state end,
             due_at = case when d.state in ('applied', 'waiting') then now() else d.due_at end,
             -- What is written at a time counts from here, and so do its tries.
             attempts = case when d.state = 'applied' then 0 else d.attempts end,
             tried_seconds = case when d.state = 'applied' then 0 else d.tried_seconds end,
             first_unapplied_at = coalesce(d.first_unapplied_at, now())
         from unnest($1::text[], $2::text[], $3::text[]) as r (store, kind, record_id)
         where (d.store, d.kind, d.record_id) = (r.store, r.kind, r.record_id) and d.system = any($4)
             and d.state in ('applied', 'waiting', 'applying')",
    )
    .bind(stores)
    .bind(kinds)
    .bind(ids)
    .bind(systems)
    .execute(db)
    .await?;
    Ok(())
}
