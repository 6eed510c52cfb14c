//! Bodies of deliveries that were settled long ago.

use std::time::Duration;

use sqlx::PgPool;

/// Removes the bodies of up to `most` deliveries that are settled and did not change for so long, and the steps of those
/// that were applied: of one that was not, they tell whether the system may hold a part of it. Gives how many bodies
/// and steps went. Replicas that do so at once take different rows.
pub(crate) async fn remove(pool: &PgPool, keep: Duration, most: i64) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "with old as (
             select id from delivery
             where state in ('applied', 'ignored') and body_removed_at is null
                 and changed_at < now() - make_interval(secs => $2)
                 and (settled_epoch, settled_number) = (desired_epoch, desired_number)
             order by changed_at limit $1 for update skip locked
         ), emptied as (
             update delivery d set desired = '', body_removed_at = now()
             from old where d.id = old.id
             returning d.id, d.state
         ), gone as (
             delete from step s using emptied e where s.delivery_id = e.id and e.state = 'applied'
             returning s.delivery_id
         )
         select (select count(*) from emptied), (select count(*) from gone)",
    )
    .bind(most)
    .bind(keep.as_secs_f64())
    .fetch_one(pool)
    .await
}

/// Puts a body back, if the delivery still wants that revision.
pub(crate) async fn put_back(pool: &PgPool, id: i64, revision: (i64, i64), snapshot: &[u8]) -> sqlx::Result<()> {
    sqlx::query(
        "update delivery set desired = $4, body_removed_at = null
         where id = $1 and (desired_epoch, desired_number) = ($2, $3)",
    )
    .bind(id)
    .bind(revision.0)
    .bind(revision.1)
    .bind(snapshot)
    .execute(pool)
    .await?;
    Ok(())
}
