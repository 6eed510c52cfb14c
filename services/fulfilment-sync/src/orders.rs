//! Which order a key at the shipping system is.

use async_trait::async_trait;
use sqlx::PgConnection;
use waybill_delivery::Hooks;
use waybill_domain::{Kind, ObjectKey, Snapshot};
use waybill_plan::Plan;

/// Remembers each order's key, so that a parcel can be told to be its.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShippedOrders;

#[async_trait]
impl Hooks for ShippedOrders {
    async fn heard(&self, _plan: &Plan, db: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
        let orders: Vec<&Snapshot> = snapshots.iter().filter(|snapshot| snapshot.key.kind == Kind::Order).collect();
        if orders.is_empty() {
            return Ok(());
        }
        let column = |pick: fn(&Snapshot) -> String| orders.iter().map(|order| pick(order)).collect::<Vec<_>>();
        sqlx::query(
            "insert into shipped_order (object_key, store, order_id, name)
             select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) order by 1
             on conflict do nothing",
        )
        .bind(column(|order| ObjectKey::new(&order.key, "order").to_string()))
        .bind(column(|order| order.key.store.to_string()))
        .bind(column(|order| order.key.id.to_string()))
        .bind(column(|order| order.name().to_owned()))
        .execute(db)
        .await?;
        Ok(())
    }
}
