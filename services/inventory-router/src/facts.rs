//! What decides a stock level beside its snapshot: the store's item, and units on the way.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::PgConnection;
use waybill_delivery::Hooks;
use waybill_domain::{
    Body, Kind, Snapshot, SystemName,
    order::{Order, OrderLine},
};
use waybill_plan::{Facts, Plan};

/// Keeps items from products and demand from orders; gives both to decisions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StockFacts;

#[async_trait]
impl Hooks for StockFacts {
    fn keeps(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Product | Kind::Order)
    }

    async fn heard(&self, _plan: &Plan, db: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
        let mut orders = Vec::new();
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
                Some(Body::Order(order)) => orders.push((snapshot, Some(order.as_ref()))),
                None if snapshot.key.kind == Kind::Order => orders.push((snapshot, None)),
                _ => {}
            }
        }
        if orders.is_empty() { Ok(()) } else { demand(db, &orders).await }
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

/// Keeps what each of these orders asks for, in place of what it asked for before; of one that is gone, nothing. An
/// older revision than the one heard before changes nothing.
async fn demand(db: &mut PgConnection, orders: &[(&Snapshot, Option<&Order>)]) -> sqlx::Result<()> {
    let newer: BTreeSet<(String, String)> = newer(db, orders).await?.into_iter().collect();
    let orders: Vec<(&str, &str, Option<&Order>)> = orders
        .iter()
        .map(|(snapshot, order)| (snapshot.key.store.as_str(), snapshot.key.id.as_str(), *order))
        .filter(|(store, id, _)| newer.contains(&((*store).to_owned(), (*id).to_owned())))
        .collect();
    sqlx::query(
        "delete from order_demand d using unnest($1::text[], $2::text[]) as n (store, order_id)
         where (d.store, d.order_id) = (n.store, n.order_id)",
    )
    .bind(orders.iter().map(|(store, ..)| *store).collect::<Vec<_>>())
    .bind(orders.iter().map(|(_, id, _)| *id).collect::<Vec<_>>())
    .execute(&mut *db)
    .await?;
    let lines: Vec<(&str, &str, &OrderLine)> = orders
        .iter()
        .filter_map(|(store, id, order)| Some((*store, *id, (*order)?)))
        .filter(|(.., order)| order.cancelled_at.is_none())
        .flat_map(|(store, id, order)| order.lines.iter().map(move |line| (store, id, line)))
        .filter(|(.., line)| !line.sku.is_empty() && line.current_quantity > 0)
        .collect();
    sqlx::query(
        "insert into order_demand (store, order_id, sku, units, unfulfilled)
         select store, order_id, sku, sum(units)::bigint, sum(unfulfilled)::bigint
         from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
             as n (store, order_id, sku, units, unfulfilled)
         group by 1, 2, 3 order by 1, 2, 3
         on conflict (store, order_id, sku) do update set units = excluded.units, unfulfilled = excluded.unfulfilled",
    )
    .bind(lines.iter().map(|(store, ..)| *store).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, id, _)| *id).collect::<Vec<_>>())
    .bind(lines.iter().map(|(.., line)| line.sku.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|(.., line)| line.current_quantity).collect::<Vec<_>>())
    .bind(lines.iter().map(|(.., line)| line.fulfillable_quantity.clamp(0, line.current_quantity)).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Notes these orders' revisions. Gives the store and id of those that are newer than what was heard before.
async fn newer(db: &mut PgConnection, orders: &[(&Snapshot, Option<&Order>)]) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "insert into order_heard as h (store, order_id, epoch, number)
         select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) order by 1, 2
         on conflict (store, order_id) do update set epoch = excluded.epoch, number = excluded.number
         where (excluded.epoch, excluded.number) > (h.epoch, h.number)
         returning store, order_id",
    )
    .bind(orders.iter().map(|(snapshot, _)| snapshot.key.store.as_str()).collect::<Vec<_>>())
    .bind(orders.iter().map(|(snapshot, _)| snapshot.key.id.as_str()).collect::<Vec<_>>())
    .bind(orders.iter().map(|(snapshot, _)| snapshot.revision.epoch).collect::<Vec<_>>())
    .bind(orders.iter().map(|(snapshot, _)| snapshot.revision.number).collect::<Vec<_>>())
    .fetch_all(db)
    .await
}
