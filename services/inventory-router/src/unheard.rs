//! Orders whose receipt may have been lost on its way here.
//!
//! A receipt that is wiped from the road is said again to whoever has a delivery that waits for it. An order that holds
//! units back is no delivery of ours, and before the plan reads the stock system nobody here listens at all. So who
//! delivers orders is asked of those that are still on the way by what is known here.

use std::sync::Arc;

use sqlx::PgPool;
use waybill_delivery::Engine;
use waybill_domain::{Kind, RecordKey, SystemName, document::StockQuantity};
use waybill_runtime::database;

/// So many are asked about at once.
const PAGE: usize = 1000;
/// One that was asked about is not asked about again for so long.
const ASK_AGAIN: &str = "60 seconds";

/// Asks about orders on the way.
pub(crate) struct Unheard {
    pub(crate) engine: Arc<Engine>,
}

/// An order that takes units.
#[derive(sqlx::FromRow)]
pub(crate) struct Order {
    pub(crate) store: String,
    pub(crate) order_id: String,
    /// Never asked about at this system, and nothing is known of it.
    pub(crate) is_new: bool,
}

impl Unheard {
    /// Asks about all that were never asked about, and some of those that were: the longest ago first.
    pub(crate) async fn ask(&self) -> anyhow::Result<()> {
        let plan = self.engine.plan();
        let Some(stock) = plan.stock.as_ref().filter(|stock| stock.quantity == StockQuantity::Available) else {
            return Ok(());
        };
        loop {
            let page = on_the_way(self.engine.pool(), &stock.from).await?;
            let keys: Vec<RecordKey> = page.iter().filter_map(key).collect();
            self.engine.ask_for_receipts(&stock.from, &keys).await?;
            database::again_after_deadlock(|| note(self.engine.pool(), &stock.from, &page)).await?;
            if page.len() < PAGE || !page.iter().all(|order| order.is_new) {
                return Ok(());
            }
        }
    }
}

fn key(order: &Order) -> Option<RecordKey> {
    Some(RecordKey { store: order.store.parse().ok()?, kind: Kind::Order, id: order.order_id.parse().ok()? })
}

/// Orders that take units and that the stock system is not known to hold. Those that a rule is known to keep away come
/// last.
pub(crate) async fn on_the_way(pool: &PgPool, from: &SystemName) -> sqlx::Result<Vec<Order>> {
    sqlx::query_as(
        "select d.store, d.order_id, h.asked_of is distinct from $1 and f.state is null as is_new
         from (select distinct store, order_id from order_demand) d
         left join order_heard h on (h.store, h.order_id) = (d.store, d.order_id)
         left join fact f on (f.store, f.kind, f.record_id, f.system) = (d.store, 'order', d.order_id, $1)
         where f.applied_number is null
             and (h.asked_of is distinct from $1 or h.asked_at < now() - $2::interval)
         order by is_new desc, coalesce(f.state = 'ignored', false), h.asked_at nulls first, d.store, d.order_id
         limit $3",
    )
    .bind(from.as_str())
    .bind(ASK_AGAIN)
    .bind(PAGE as i64)
    .fetch_all(pool)
    .await
}

/// Notes that these were asked about.
pub(crate) async fn note(pool: &PgPool, from: &SystemName, orders: &[Order]) -> sqlx::Result<()> {
    sqlx::query(
        // One that was heard before revisions were kept has none: any is newer.
        "insert into order_heard as h (store, order_id, epoch, number, asked_at, asked_of)
         select store, order_id, 0, 0, now(), $3 from unnest($1::text[], $2::text[]) as n (store, order_id)
         order by store, order_id
         on conflict (store, order_id) do update set asked_at = excluded.asked_at, asked_of = excluded.asked_of",
    )
    .bind(orders.iter().map(|order| order.store.as_str()).collect::<Vec<_>>())
    .bind(orders.iter().map(|order| order.order_id.as_str()).collect::<Vec<_>>())
    .bind(from.as_str())
    .execute(pool)
    .await?;
    Ok(())
}
