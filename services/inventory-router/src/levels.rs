//! The stock system's levels become records.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use connector_shopify::Shopify;
use jiff::Timestamp;
use sqlx::PgConnection;
use tokio::sync::watch;
use waybill_connector::source::StockSource;
use waybill_delivery::{Ledger, decide_anew, ledger::Verdict};
use waybill_domain::{
    Body, Clock, Kind, RecordId, RecordKey, StoreName, SystemName, document::StockQuantity, stock::StockLevel,
};
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

/// What a read told of one SKU for one store.
struct Item<'a> {
    store: &'a StoreName,
    sku: &'a str,
    levels: &'a [StockLevel],
    held_back: i64,
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
        let mut items: BTreeMap<&str, Vec<StockLevel>> = BTreeMap::new();
        for reading in &readings {
            let Some(location) = named.get(reading.location.as_str()) else { continue };
            items.entry(&reading.item).or_default().push(StockLevel {
                sku: reading.item.clone(),
                location: (*location).to_owned(),
                quantity: reading.quantity,
            });
        }
        let mut changed = 0;
        for store in plan.stores.keys() {
            if plan.systems_for(store, Kind::StockLevel).next().is_none() {
                continue;
            }
            let known = self.items(store).await?;
            for (sku, levels) in &items {
                let there = match known.get(*sku) {
                    Some(there) => *there,
                    None => self.ask(store, sku).await?,
                };
                if !there {
                    continue;
                }
                let units = held_back.get(&(store.to_string(), (*sku).to_owned())).copied().unwrap_or(0);
                let item = Item { store, sku, levels, held_back: units };
                changed += database::again_after_deadlock(|| self.observe(&plan, &item, began_at)).await?;
            }
        }
        Ok(changed)
    }

    /// Takes what a read told of an item: its levels, and what is subtracted from each of them. Gives how much of it is
    /// new.
    async fn observe(&self, plan: &Plan, item: &Item<'_>, began_at: Timestamp) -> sqlx::Result<usize> {
        let mut transaction = database::begin(self.ledger.pool()).await?;
        let (mut changed, mut is_older) = (Vec::new(), false);
        for level in item.levels {
            let key = level_key(item.store, &level.location, item.sku);
            let body = Some(Body::StockLevel(level.clone()));
            match self.ledger.found(&mut transaction, &key, body, began_at, self.clock.now()).await? {
                Verdict::Changed => changed.push(key),
                Verdict::Stale => is_older = true,
                Verdict::Echo | Verdict::Refetch => {}
            }
        }
        // Another replica has read since, and what it subtracts goes with what it read.
        let moved = !is_older && hold_back(&mut transaction, item).await?;
        if moved {
            // Each level has it subtracted, whether it was told this time or not. What has changed is on its way by
            // itself: decided now, it would be its old level less the new units.
            let levels: Vec<RecordKey> = plan
                .locations
                .keys()
                .map(|location| level_key(item.store, location, item.sku))
                .filter(|key| !changed.contains(key))
                .collect();
            let systems: Vec<String> =
                plan.systems_for(item.store, Kind::StockLevel).map(ToString::to_string).collect();
            decide_anew(&mut transaction, &levels, &systems).await?;
        }
        transaction.commit().await?;
        Ok(changed.len() + usize::from(moved))
    }

    /// Units of orders without an applied receipt of the stock system, per store and SKU.
    ///
    /// One that a rule keeps away from the stock system has none either, and the store has promised its units all the
    /// same: an order that is not paid yet. But nobody will ever tell the stock system of it, so that it counts as long
    /// as it is unfulfilled; else all that was sold before the plan began would be subtracted for ever. Of an order
    /// that has changed since the rule kept it away the stock system may hear still: all of it is on the way again.
    async fn on_the_way(&self, from: &SystemName) -> anyhow::Result<BTreeMap<(String, String), i64>> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "select d.store, d.sku, sum(
                 case when f.state = 'ignored' and coalesce((f.said_epoch, f.said_number) >= (h.epoch, h.number), true)
                 then coalesce(d.unfulfilled, 0) else d.units end)::bigint
             from order_demand d
             left join order_heard h on (h.store, h.order_id) = (d.store, d.order_id)
             left join fact f on (f.store, f.kind, f.record_id, f.system) = (d.store, 'order', d.order_id, $1)
             where f.applied_number is null
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

fn level_key(store: &StoreName, location: &str, sku: &str) -> RecordKey {
    RecordKey { store: store.clone(), kind: Kind::StockLevel, id: RecordId::of_code(&format!("{location}_"), sku) }
}

/// Keeps the units that are on the way. Gives whether they are others than before.
async fn hold_back(db: &mut PgConnection, item: &Item<'_>) -> sqlx::Result<bool> {
    let kept = sqlx::query(
        "insert into held_back as h (store, sku, units) values ($1, $2, $3)
         on conflict (store, sku) do update set units = excluded.units where h.units <> excluded.units",
    )
    .bind(item.store.as_str())
    .bind(item.sku)
    .bind(item.held_back)
    .execute(db)
    .await?;
    Ok(kept.rows_affected() > 0)
}
