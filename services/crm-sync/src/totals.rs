//! A buyer's totals, computed anew from the service's own rows.

use async_trait::async_trait;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use waybill_delivery::Hooks;
use waybill_domain::{Body, Kind, Snapshot, SystemName, totals};
use waybill_plan::{CustomerTotals, Facts, Plan, target_key};

/// Keeps what each order counts, and gives a buyer's totals to decisions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuyerTotals;

#[async_trait]
impl Hooks for BuyerTotals {
    async fn heard(&self, plan: &Plan, db: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
        let mut buyers = Vec::new();
        for snapshot in snapshots {
            let Some(Body::Order(order)) = &snapshot.body else { continue };
            // An order whose sums do not hold is parked everywhere: what it is worth cannot be told.
            let counts = totals::check(order).is_ok()
                && plan.counts(snapshot).unwrap_or_else(|error| {
                    tracing::error!(%error, record = %snapshot.key, "the plan's customers.counts cannot be computed; not counted");
                    false
                });
            let changed = sqlx::query(
                "insert into buyer_order as b (store, order_id, buyer, epoch, number, counts, spent, placed_at)
                 values ($1, $2, $3, $4, $5, $6, $7::numeric, $8::timestamptz)
                 on conflict (store, order_id) do update set
                     buyer = excluded.buyer, epoch = excluded.epoch, number = excluded.number,
                     counts = excluded.counts, spent = excluded.spent, placed_at = excluded.placed_at
                 where (excluded.epoch, excluded.number) > (b.epoch, b.number)",
            )
            .bind(snapshot.key.store.as_str())
            .bind(snapshot.key.id.as_str())
            .bind(target_key(snapshot))
            .bind(snapshot.revision.epoch)
            .bind(snapshot.revision.number)
            .bind(counts)
            .bind(order.totals.current_total.shop.amount.to_string())
            .bind(order.processed_at.to_string())
            .execute(&mut *db)
            .await?;
            if changed.rows_affected() > 0 {
                buyers.push(target_key(snapshot));
            }
        }
        let systems: Vec<String> = plan
            .flows
            .iter()
            .filter(|flow| flow.kind == Kind::Customer && flow.uses_totals())
            .map(|flow| flow.to.to_string())
            .collect();
        if buyers.is_empty() || systems.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "update delivery set wake = wake + 1,
                 state = case when state in ('applied', 'waiting') then 'pending' else state end,
                 due_at = case when state in ('applied', 'waiting') then now() else due_at end
             where kind = 'customer' and system = any($1) and target_key = any($2)
                 and state in ('applied', 'waiting', 'applying')",
        )
        .bind(&systems)
        .bind(&buyers)
        .execute(db)
        .await?;
        Ok(())
    }

    async fn complete(
        &self,
        _plan: &Plan,
        db: &mut PgConnection,
        _system: &SystemName,
        snapshot: &Snapshot,
        facts: &mut Facts,
    ) -> sqlx::Result<()> {
        if !matches!(snapshot.key.kind, Kind::Order | Kind::Customer) {
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
