//! First writes of a system that was not released yet.

use sqlx::{PgConnection, PgPool};

use crate::first_run::Counts;

/// A system's first writes, as they are now. Only deliveries that it never held are looked at, through the queue's own
/// indexes.
pub(crate) async fn count(pool: &PgPool, system: &str) -> sqlx::Result<Counts> {
    let (created, held, open, undecided): (i64, i64, i64, i64) = sqlx::query_as(
        "select (select first_writes from system_state where system = $1), d.held, d.open, d.undecided
         from (
             select count(*) filter (where state = 'waiting' and code in ('asking', 'time')) as held,
                 count(*) filter (where state <> 'waiting') as open,
                 count(*) filter (where state = 'pending' and due_at <= now()) as undecided
             from (
                 select state, code, due_at, applied_number from delivery
                 where system = $1 and state in ('pending', 'waiting')
                 union all
                 select state, code, due_at, applied_number from delivery where system = $1 and state = 'applying'
             ) q
             where applied_number is null
         ) d",
    )
    .bind(system)
    .fetch_one(pool)
    .await?;
    Ok(Counts { created, held, open, undecided })
}

/// Has the first writes that were held decided again now.
pub(crate) async fn wake_held(db: &mut PgConnection, system: &str) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "update delivery set wake = wake + 1, due_at = now()
         where system = $1 and state = 'waiting' and code = 'asking' and due_at > now()",
    )
    .bind(system)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Has first writes that a worker may be about to hold decided again as soon as it puts them back.
pub(crate) async fn wake_claimed(db: &mut PgConnection, system: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update delivery set wake = wake + 1 where system = $1 and state = 'applying' and applied_number is null",
    )
    .bind(system)
    .execute(db)
    .await?;
    Ok(())
}
