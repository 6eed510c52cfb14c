//! The people at the ERP: once the store shows an order as sent, they book the goods out, and what a refund puts back on
//! the shelf they count in again, so that the books' stock follows the shelves.

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::Context;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Progress;
use crate::{
    catalogue::LOCATIONS,
    erp_session::{ErpAccess, Session},
    shopify::{ReturnedGoods, SentOrder, Store},
};

/// Orders looked up at once.
const BATCH: usize = 25;

/// Books until it is dropped.
pub(super) async fn work(access: ErpAccess, store: Store, progress: Arc<Progress>) {
    let mut booked: HashSet<u64> = HashSet::new();
    let mut taken_in: HashSet<u64> = HashSet::new();
    let mut desk: Option<Session> = None;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut due = store.sent_orders(&booked);
        due.truncate(BATCH);
        // What the ERP never gave out is not taken in.
        let mut back = store.returned_goods(&taken_in);
        back.retain(|goods| booked.contains(&goods.order));
        if due.is_empty() && back.is_empty() {
            continue;
        }
        let session = match desk.take() {
            Some(session) => session,
            None => match Session::open(&access).await {
                Ok(session) => session,
                Err(error) => {
                    tracing::warn!(%error, "the ERP does not answer its desk");
                    continue;
                }
            },
        };
        match book(&session, &due).await {
            Ok(done) => {
                progress.booked(done.len());
                booked.extend(done);
            }
            Err(error) => {
                tracing::warn!(%error, "goods were not booked out");
                continue;
            }
        }
        match take_in(&session, &back, &mut taken_in).await {
            Ok(()) => desk = Some(session),
            Err(error) => tracing::warn!(%error, "goods were not counted in"),
        }
    }
}

/// Counts what came back.
async fn take_in(session: &Session, back: &[ReturnedGoods], taken_in: &mut HashSet<u64>) -> anyhow::Result<()> {
    for goods in back {
        count(session, &goods.content, 1).await?;
        taken_in.insert(goods.refund);
    }
    Ok(())
}

/// Books the goods of orders out and returns the ids of those that the ERP knows.
async fn book(session: &Session, orders: &[SentOrder]) -> anyhow::Result<Vec<u64>> {
    let names: Vec<&str> = orders.iter().map(|order| order.name.as_str()).collect();
    let domain = json!([["description", "in", names]]);
    let sales = session.all("sale.sale", &["description", "shipments"], &domain).await?;
    let mut done = Vec::new();
    for order in orders {
        let Some(sale) = sales.iter().find(|sale| sale["description"] == order.name.as_str()) else { continue };
        let shipments = &sale["shipments"];
        if shipments.as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        // A sale leaves from one warehouse; what left from two places is counted at each.
        if order.content.iter().all(|(place, ..)| *place == LOCATIONS[0].code) {
            send(session, shipments).await?;
        } else {
            count(session, &order.content, -1).await?;
        }
        done.push(order.id);
    }
    Ok(done)
}

/// A customer shipment's way to its end.
async fn send(session: &Session, shipments: &Value) -> anyhow::Result<()> {
    let rows = session.call("stock.shipment.out", "read", vec![shipments.clone(), json!(["state"])]).await?;
    for row in rows.as_array().into_iter().flatten() {
        let way: &[&str] = match row["state"].as_str().unwrap_or_default() {
            "draft" => &["wait", "assign_try", "pick", "pack", "ship", "do"],
            "waiting" => &["assign_try", "pick", "pack", "ship", "do"],
            "assigned" => &["pick", "pack", "ship", "do"],
            "picked" => &["pack", "ship", "do"],
            "packed" => &["ship", "do"],
            "shipped" => &["do"],
            _ => &[],
        };
        for step in way {
            session.call("stock.shipment.out", step, vec![json!([row["id"]])]).await?;
        }
    }
    Ok(())
}

/// Counts what is there at each place after goods came (`sign` 1) or went (-1).
async fn count(session: &Session, moved: &[(&'static str, String, i64)], sign: i64) -> anyhow::Result<()> {
    for place in LOCATIONS {
        let moved: Vec<_> = moved.iter().filter(|(at, ..)| *at == place.code).collect();
        if moved.is_empty() {
            continue;
        }
        let domain = json!([["code", "=", place.code], ["type", "=", "warehouse"]]);
        let warehouse = session.all("stock.location", &["storage_location"], &domain).await?;
        let storage = warehouse.first().map(|row| row["storage_location"].clone()).context("no such warehouse")?;
        let codes: Vec<&str> = moved.iter().map(|(_, sku, _)| sku.as_str()).collect();
        let domain = json!([["code", "in", codes]]);
        let products = session.all("product.product", &["code"], &domain).await?;
        let there = session.stock_at(&storage, &domain).await?;
        let mut lines = Vec::new();
        for (_, sku, units) in moved {
            let product = products.iter().find(|row| row["code"] == sku.as_str()).context("no such product")?;
            let before = there.iter().find(|(code, _)| code == sku).map_or(Decimal::ZERO, |(_, units)| *units);
            let after = before + Decimal::from(sign * units);
            let after: Value = serde_json::from_str(&after.normalize().to_string())?;
            lines.push(json!({"product": product["id"], "quantity": after}));
        }
        let inventory = json!([{"location": storage, "lines": [["create", lines]]}]);
        let made = session.call("stock.inventory", "create", vec![inventory]).await?;
        session.call("stock.inventory", "confirm", vec![made]).await?;
    }
    Ok(())
}
