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
/// So many times for one read of the stock system, which waits for it. What is not asked about yet holds its units back.
const MOST_PAGES: usize = 20;
/// One that was asked about is not asked about again for so long.
const ASK_AGAIN: &str = "60 seconds";
/// What gives stock levels is an ERP, and this brings orders there.
const BRINGS_ORDERS: &str = "erp-sync";

/// Asks about orders on the way.
pub(crate) struct Unheard {
    pub(crate) engine: Arc<Engine>,
}

/// An order that takes units.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Order {
    pub(crate) store: String,
    pub(crate) order_id: String,
}

impl Unheard {
    /// Asks about those of which nothing is known, and about some of those that were asked about before.
    pub(crate) async fn ask(&self) -> anyhow::Result<()> {
        let plan = self.engine.plan();
        let Some(stock) = plan.stock.as_ref().filter(|stock| stock.quantity == StockQuantity::Available) else {
            return Ok(());
        };
        let mut last = None;
        for _ in 0..MOST_PAGES {
            let page = unknown(self.engine.pool(), &stock.from, last.as_ref()).await?;
            self.ask_about(&stock.from, &page).await?;
            if page.len() < PAGE {
                break;
            }
            last = page.into_iter().next_back();
        }
        let known = not_held(self.engine.pool(), &stock.from).await?;
        self.ask_about(&stock.from, &known).await
    }

    async fn ask_about(&self, system: &SystemName, orders: &[Order]) -> anyhow::Result<()> {
        let keys: Vec<RecordKey> = orders.iter().filter_map(key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        self.engine.ask_for_receipts(BRINGS_ORDERS, system, &keys).await?;
        Ok(database::again_after_deadlock(|| note(self.engine.pool(), system, orders)).await?)
    }
}

fn key(order: &Order) -> Option<RecordKey> {
    Some(RecordKey { store: order.store.parse().ok()?, kind: Kind::Order, id: order.order_id.parse().ok()? })
}

/// Orders after one of them that were never asked about at this system, and of which nothing is known.
pub(crate) async fn unknown(pool: &PgPool, from: &SystemName, after: Option<&Order>) -> sqlx::Result<Vec<Order>> {
    sqlx::query_as(
        "select distinct d.store, d.order_id
         from order_demand d
         left join order_heard h on (h.store, h.order_id) = (d.store, d.order_id)
         left join fact f on (f.store, f.kind, f.record_id, f.system) = (d.store, 'order', d.order_id, $1)
         where f.state is null and h.asked_of is distinct from $1 and (d.store, d.order_id) > ($2, $3)
         order by d.store, d.order_id limit $4",
    )
    .bind(from.as_str())
    .bind(after.map_or("", |order| order.store.as_str()))
    .bind(after.map_or("", |order| order.order_id.as_str()))
    .bind(PAGE as i64)
    .fetch_all(pool)
    .await
}

/// Orders that hold units back as the stock system is not known to hold them, and that were not asked about lately. Those
/// that a rule is known to keep away at their newest revision come last.
pub(crate) async fn not_held(pool: &PgPool, from: &SystemName) -> sqlx::Result<Vec<Order>> {
    sqlx::query_as(
        "select store, order_id from (
             select d.store, d.order_id, d.unsent, h.asked_at,
                 coalesce(f.state = 'ignored' and coalesce((f.said_epoch, f.said_number) >= (h.epoch, h.number), true),
                     false) as kept_away
             from (
                 select store, order_id, sum(coalesce(unfulfilled, 0)) as unsent from order_demand group by 1, 2
             ) d
             left join order_heard h on (h.store, h.order_id) = (d.store, d.order_id)
             left join fact f on (f.store, f.kind, f.record_id, f.system) = (d.store, 'order', d.order_id, $1)
             where f.applied_number is null and (f.state is not null or h.asked_of = $1)
                 and (h.asked_of is distinct from $1 or h.asked_at < now() - $2::interval)
         ) o
         where not kept_away or unsent > 0
         order by kept_away, asked_at nulls first, store, order_id
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
