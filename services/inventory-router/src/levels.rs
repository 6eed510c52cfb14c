//! The stock system's levels become records.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use connector_shopify::Shopify;
use tokio::sync::watch;
use waybill_connector::source::StockSource;
use waybill_delivery::{Ledger, decide_anew, ledger::Verdict};
use waybill_domain::{Body, Clock, Kind, RecordId, RecordKey, StoreName, document::StockQuantity, stock::StockLevel};
use waybill_plan::Plan;
use waybill_runtime::database;

/// How long a SKU that the store does not have is not asked for again.
const ASK_AGAIN: &str = "10 minutes";

/// Reads the stock system.
pub(crate) struct Levels {
    pub(crate) source: Arc<dyn StockSource>,
    pub(crate) shops: BTreeMap<StoreName, Shopify>,
    pub(crate) plan: watch::Receiver<Arc<Plan>>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Levels {
    /// How often.
    pub(crate) fn every(&self) -> Duration {
        self.plan.borrow().stock.as_ref().map_or(Duration::from_secs(60), |stock| stock.every)
    }

    /// Reads every level once. Gives how many records changed or are decided anew.
    pub(crate) async fn read(&self) -> anyhow::Result<usize> {
        let plan = Arc::clone(&self.plan.borrow());
        let Some(stock) = &plan.stock else { return Ok(0) };
        // The stock system's name of each location → the plan's.
        let named: BTreeMap<&str, &str> = plan
            .locations
            .iter()
            .filter_map(|(name, names)| Some((names.get(&stock.from)?.as_str(), name.as_str())))
            .collect();
        let locations: Vec<String> = named.keys().map(|&name| name.to_owned()).collect();
        if locations.is_empty() {
            return Ok(0);
        }
        // Before the read: an order that the stock system takes meanwhile is subtracted once too often until the next
        // read, never once too little.
        let held_back = match stock.quantity {
            StockQuantity::OnHand => BTreeMap::new(),
            StockQuantity::Available => self.on_the_way(&stock.from).await?,
        };
        let began_at = self.clock.now();
        let readings = self.source.stock(&locations).await.context("the stock system does not tell its levels")?;
        let mut changed = 0;
        for store in plan.stores.keys() {
            if plan.systems_for(store, Kind::StockLevel).next().is_none() {
                continue;
            }
            let mut known = self.items(store).await?;
            for reading in &readings {
                let Some(location) = named.get(reading.location.as_str()) else { continue };
                let there = match known.get(&reading.item) {
                    Some(there) => *there,
                    None => {
                        let there = self.ask(store, &reading.item).await?;
                        known.insert(reading.item.clone(), there);
                        there
                    }
                };
                if !there {
                    continue;
                }
                let level = StockLevel {
                    sku: reading.item.clone(),
                    location: (*location).to_owned(),
                    quantity: reading.quantity,
                };
                let units = held_back.get(&(store.to_string(), reading.item.clone())).copied().unwrap_or(0);
                changed += usize::from(self.observe(&plan, store, level, began_at, units).await?);
            }
        }
        Ok(changed)
    }

    async fn observe(
        &self,
        plan: &Plan,
        store: &StoreName,
        level: StockLevel,
        began_at: jiff::Timestamp,
        held_back: i64,
    ) -> anyhow::Result<bool> {
        let id = RecordId::of_code(&format!("{}_", level.location), &level.sku);
        let key = RecordKey { store: store.clone(), kind: Kind::StockLevel, id };
        let sku = level.sku.clone();
        let body = Some(Body::StockLevel(level));
        let mut transaction = database::begin(self.ledger.pool()).await?;
        let verdict = self.ledger.found(&mut transaction, &key, body, began_at, self.clock.now()).await?;
        let moved = sqlx::query(
            "insert into held_back as h (store, sku, units) values ($1, $2, $3)
             on conflict (store, sku) do update set units = excluded.units where h.units <> excluded.units",
        )
        .bind(store.as_str())
        .bind(&sku)
        .bind(held_back)
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            > 0;
        if moved && verdict != Verdict::Changed {
            let systems: Vec<String> = plan.systems_for(store, Kind::StockLevel).map(ToString::to_string).collect();
            decide_anew(&mut transaction, &[key], &systems).await?;
        }
        transaction.commit().await?;
        Ok(moved || verdict == Verdict::Changed)
    }

    /// Units of orders without an applied receipt of the stock system, per store and SKU.
    async fn on_the_way(&self, from: &waybill_domain::SystemName) -> anyhow::Result<BTreeMap<(String, String), i64>> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "select d.store, d.sku, sum(d.units)::bigint
             from order_demand d
             where not exists (
                 select from fact f
                 where f.store = d.store and f.kind = 'order' and f.record_id = d.order_id and f.system = $1
                     and f.state in ('applied', 'ignored'))
             group by d.store, d.sku",
        )
        .bind(from.as_str())
        .fetch_all(self.ledger.pool())
        .await?;
        Ok(rows.into_iter().map(|(store, sku, units)| ((store, sku), units)).collect())
    }

    /// SKUs that were asked for lately, and whether the store has them.
    async fn items(&self, store: &StoreName) -> sqlx::Result<BTreeMap<String, bool>> {
        let rows: Vec<(String, bool)> = sqlx::query_as(
            "select sku, inventory_item_id is not null from item
             where store = $1 and (inventory_item_id is not null or asked_at > now() - $2::interval)",
        )
        .bind(store.as_str())
        .bind(ASK_AGAIN)
        .fetch_all(self.ledger.pool())
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// Asks the store for a SKU that no product told of.
    async fn ask(&self, store: &StoreName, sku: &str) -> anyhow::Result<bool> {
        let Some(shop) = self.shops.get(store) else { return Ok(false) };
        let found = shop.items_with_sku(sku).await.with_context(|| format!("store {store} does not tell its items"))?;
        let item = found.first().map(|item| item.id.to_string());
        sqlx::query(
            "insert into item (store, sku, inventory_item_id) values ($1, $2, $3)
             on conflict (store, sku) do update set inventory_item_id = excluded.inventory_item_id, asked_at = now()",
        )
        .bind(store.as_str())
        .bind(sku)
        .bind(&item)
        .execute(self.ledger.pool())
        .await?;
        Ok(item.is_some())
    }
}
