//! What decides a stock level beside its snapshot: the store's item, and units on the way.

use async_trait::async_trait;
use sqlx::PgConnection;
use waybill_delivery::Hooks;
use waybill_domain::{Body, Snapshot, SystemName};
use waybill_plan::{Facts, Plan};

/// Keeps items from products and demand from orders; gives both to decisions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StockFacts;

#[async_trait]
impl Hooks for StockFacts {
    async fn heard(&self, _plan: &Plan, db: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
        for snapshot in snapshots {
            let store = snapshot.key.store.as_str();
            match &snapshot.body {
                Some(Body::Product(product)) => {
                    for variant in product.variants.iter().filter(|variant| !variant.sku.is_empty()) {
                        let Some(item) = &variant.inventory_item_id else { continue };
                        sqlx::query(
                            "insert into item (store, sku, inventory_item_id) values ($1, $2, $3)
                             on conflict (store, sku) do update
                                 set inventory_item_id = excluded.inventory_item_id, asked_at = now()",
                        )
                        .bind(store)
                        .bind(&variant.sku)
                        .bind(item.as_str())
                        .execute(&mut *db)
                        .await?;
                    }
                }
                Some(Body::Order(order)) => {
                    sqlx::query("delete from order_demand where store = $1 and order_id = $2")
                        .bind(store)
                        .bind(order.id.as_str())
                        .execute(&mut *db)
                        .await?;
                    if order.cancelled_at.is_some() {
                        continue;
                    }
                    for line in order.lines.iter().filter(|line| !line.sku.is_empty() && line.current_quantity > 0) {
                        sqlx::query(
                            "insert into order_demand as d (store, order_id, sku, units) values ($1, $2, $3, $4)
                             on conflict (store, order_id, sku) do update set units = d.units + excluded.units",
                        )
                        .bind(store)
                        .bind(order.id.as_str())
                        .bind(&line.sku)
                        .bind(line.current_quantity)
                        .execute(&mut *db)
                        .await?;
                    }
                }
                _ => {}
            }
        }
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
        let Some(Body::StockLevel(level)) = &snapshot.body else { return Ok(()) };
        let store = snapshot.key.store.as_str();
        let item: Option<Option<String>> =
            sqlx::query_scalar("select inventory_item_id from item where store = $1 and sku = $2")
                .bind(store)
                .bind(&level.sku)
                .fetch_optional(&mut *db)
                .await?;
        facts.inventory_item = item.flatten().and_then(|id| id.parse().ok());
        facts.on_the_way = sqlx::query_scalar("select units from held_back where store = $1 and sku = $2")
            .bind(store)
            .bind(&level.sku)
            .fetch_optional(db)
            .await?
            .unwrap_or(0);
        Ok(())
    }
}
