//! First writes of a system that was not released yet.

use sqlx::PgPool;

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

/// Has a part of the first writes that were held decided again now. Gives how many.
pub(crate) async fn wake_held(pool: &PgPool, system: &str, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "update delivery set wake = wake + 1, due_at = now()
         where id in (
             select id from delivery
             where system = $1 and state = 'waiting' and code = 'asking' and due_at > now()
             limit $2 for update skip locked)",
    )
    .bind(system)
    .bind(most)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
