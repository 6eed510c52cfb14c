//! A buyer's totals, computed anew from the service's own rows.

use async_trait::async_trait;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use waybill_delivery::{Hooks, decide_anew};
use waybill_domain::{Body, Kind, RecordKey, Snapshot, SystemName, order::Order, totals};
use waybill_plan::{CustomerTotals, Facts, Flow, Plan, target_key};

/// Keeps what each order counts, and gives a buyer's totals to decisions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuyerTotals;

#[async_trait]
impl Hooks for BuyerTotals {
    fn keeps(&self, kind: Kind) -> bool {
        kind == Kind::Order
    }

    async fn heard(&self, plan: &Plan, db: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
        let orders: Vec<(&Snapshot, &Order, bool)> = snapshots
            .iter()
            .filter_map(|snapshot| match &snapshot.body {
                Some(Body::Order(order)) => Some((snapshot, order.as_ref(), counts(plan, snapshot, order))),
                _ => None,
            })
            .collect();
        if orders.is_empty() {
            return Ok(());
        }
        let buyers: Vec<String> = sqlx::query_scalar(
            "insert into buyer_order as b (store, order_id, buyer, epoch, number, counts, spent, placed_at)
             select store, order_id, buyer, epoch, number, counts, spent::numeric, placed_at::timestamptz
             from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::text[],
                     $8::text[])
                 as n (store, order_id, buyer, epoch, number, counts, spent, placed_at)
             order by store, order_id
             on conflict (store, order_id) do update set
                 buyer = excluded.buyer, epoch = excluded.epoch, number = excluded.number,
                 counts = excluded.counts, spent = excluded.spent, placed_at = excluded.placed_at
             where (excluded.epoch, excluded.number) > (b.epoch, b.number)
             returning buyer",
        )
        .bind(orders.iter().map(|(one, ..)| one.key.store.as_str()).collect::<Vec<_>>())
        .bind(orders.iter().map(|(one, ..)| one.key.id.as_str()).collect::<Vec<_>>())
        .bind(orders.iter().map(|(one, ..)| target_key(one)).collect::<Vec<_>>())
        .bind(orders.iter().map(|(one, ..)| one.revision.epoch).collect::<Vec<_>>())
        .bind(orders.iter().map(|(one, ..)| one.revision.number).collect::<Vec<_>>())
        .bind(orders.iter().map(|(.., counts)| *counts).collect::<Vec<_>>())
        .bind(orders.iter().map(|(_, one, _)| one.totals.current_total.shop.amount.to_string()).collect::<Vec<_>>())
        .bind(orders.iter().map(|(_, one, _)| one.processed_at.to_string()).collect::<Vec<_>>())
        .fetch_all(&mut *db)
        .await?;
        let systems: Vec<String> = plan
            .flows
            .iter()
            .filter(|flow| flow.kind == Kind::Customer && flow.uses_totals())
            .map(|flow| flow.to.to_string())
            .collect();
        if buyers.is_empty() || systems.is_empty() {
            return Ok(());
        }
        let records: Vec<(String, String)> = sqlx::query_as(
            "select distinct store, record_id from delivery
             where kind = 'customer' and system = any($1) and target_key = any($2)
             order by 1, 2",
        )
        .bind(&systems)
        .bind(&buyers)
        .fetch_all(&mut *db)
        .await?;
        let keys: Vec<RecordKey> = records
            .into_iter()
            .filter_map(|(store, id)| {
                Some(RecordKey { store: store.parse().ok()?, kind: Kind::Customer, id: id.parse().ok()? })
            })
            .collect();
        decide_anew(db, &keys, &systems).await
    }

    async fn complete(
        &self,
        plan: &Plan,
        db: &mut PgConnection,
        system: &SystemName,
        snapshot: &Snapshot,
        facts: &mut Facts,
    ) -> sqlx::Result<()> {
        let flow = plan.flow(&snapshot.key.store, snapshot.key.kind, system);
        // Nobody asks for what no expression of the flow names.
        if !matches!(snapshot.key.kind, Kind::Order | Kind::Customer) || !flow.is_some_and(Flow::uses_totals) {
            return Ok(());
        }
        let (orders, spent, last_us): (i64, String, Option<i64>) = sqlx::query_as(
            "select count(*), coalesce(sum(spent), 0)::text,
                 (extract(epoch from max(placed_at)) * 1000000)::bigint
             from buyer_order where buyer = $1 and counts",
        )
        .bind(target_key(snapshot))
        .fetch_one(db)
        .await?;
        facts.totals = Some(CustomerTotals {
            orders,
            spent: Decimal::from_str_exact(&spent).unwrap_or_default(),
            last_order_at: last_us.and_then(|us| jiff::Timestamp::from_microsecond(us).ok()),
        });
        Ok(())
    }
}

/// Whether an order counts in its buyer's totals. One whose sums do not hold is parked everywhere: what it is worth
/// cannot be told.
fn counts(plan: &Plan, snapshot: &Snapshot, order: &Order) -> bool {
    totals::check(order).is_ok() && plan.counts(snapshot).unwrap_or_else(|error| {
        tracing::error!(%error, record = %snapshot.key, "the plan's customers.counts cannot be computed; not counted");
        false
    })
}
