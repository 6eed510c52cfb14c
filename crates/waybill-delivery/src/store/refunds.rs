//! Refunds that are ignored while their order is, and booked once that is in the system.

use sqlx::PgConnection;
use waybill_plan::ORDER_IGNORED;

fn columns(orders: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    orders.iter().map(|(store, id)| ((*store).to_owned(), (*id).to_owned())).unzip()
}

/// Has the end of a refund and the one of its order come one after the other, whichever is first: the later one sees the
/// other's.
pub(crate) async fn hold_orders(db: &mut PgConnection, system: &str, orders: &[(&str, &str)]) -> sqlx::Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let (stores, ids) = columns(orders);
    sqlx::query(
        "select from delivery d join unnest($2::text[], $3::text[]) as n (store, record_id) using (store, record_id)
         where d.kind = 'order' and d.system = $1
         order by d.store, d.record_id
         for share of d",
    )
    .bind(system)
    .bind(stores)
    .bind(ids)
    .execute(db)
    .await?;
    Ok(())
}

/// Has refunds decided anew that were ignored as one of these orders was, if the system has it now. Gives how many.
pub(crate) async fn wake(db: &mut PgConnection, system: &str, orders: &[(&str, &str)]) -> sqlx::Result<u64> {
    if orders.is_empty() {
        return Ok(0);
    }
    let (stores, ids) = columns(orders);
    let done = sqlx::query(
        "update delivery r
         set state = 'pending', due_at = now(), wake = r.wake + 1, attempts = 0, tried_seconds = 0,
             first_unapplied_at = coalesce(r.first_unapplied_at, now()), changed_at = now()
         from unnest($2::text[], $3::text[]) as n (store, order_id)
         where (r.system, r.store, r.field) = ($1, n.store, n.order_id) and r.kind = 'refund'
             and r.state = 'ignored' and r.code = $4
             and exists (
                 select from delivery o
                 where (o.store, o.kind, o.record_id, o.system) = (n.store, 'order', n.order_id, $1)
                     and o.applied_number is not null)",
    )
    .bind(system)
    .bind(stores)
    .bind(ids)
    .bind(ORDER_IGNORED)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
