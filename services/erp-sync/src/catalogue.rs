//! The ERP's list prices become records.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use connector_shopify::Shopify;
use jiff::Timestamp;
use tokio::sync::watch;
use waybill_connector::source::{CatalogSource, PriceReading};
use waybill_delivery::{Ledger, ledger::Verdict};
use waybill_domain::{Body, Clock, Kind, RecordId, RecordKey, StoreName, price::ListPrice};
use waybill_plan::Plan;
use waybill_runtime::database;

use crate::variants;

/// Reads the catalogue.
pub(crate) struct Catalogue {
    pub(crate) source: Arc<dyn CatalogSource>,
    pub(crate) shops: BTreeMap<StoreName, Shopify>,
    pub(crate) plan: watch::Receiver<Arc<Plan>>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Catalogue {
    /// How often.
    pub(crate) fn every(&self) -> Duration {
        self.plan.borrow().catalog.as_ref().map_or(Duration::from_secs(60), |catalog| catalog.every)
    }

    /// Reads every price once. Gives how many records changed.
    pub(crate) async fn read(&self) -> anyhow::Result<usize> {
        let plan = Arc::clone(&self.plan.borrow());
        let stores: Vec<&StoreName> =
            plan.stores.keys().filter(|store| plan.systems_for(store, Kind::Price).next().is_some()).collect();
        if plan.catalog.is_none() || stores.is_empty() {
            return Ok(0);
        }
        let began_at = self.clock.now();
        let readings = self.source.prices().await.context("the catalogue does not tell its prices")?;
        let mut changed = 0;
        for store in stores {
            self.learn_currency(store).await?;
            changed += self.read_store(store, &readings, began_at).await?;
        }
        Ok(changed)
    }

    /// What the store sells becomes a record; what it no longer sells, or the catalogue no longer has, is one no more.
    async fn read_store(
        &self,
        store: &StoreName,
        readings: &[PriceReading],
        began_at: Timestamp,
    ) -> anyhow::Result<usize> {
        let mut connection = self.ledger.pool().acquire().await?;
        let sold = variants::sold(&mut connection, store).await?;
        let asked = variants::asked(&mut connection, store).await?;
        let mut left = self.records(store).await?;
        drop(connection);
        let mut changed = 0;
        for reading in readings {
            let is_sold = sold.contains(&reading.item)
                || (!asked.contains(&reading.item) && self.ask(store, &reading.item).await?);
            if !is_sold {
                continue;
            }
            let (id, body) = (RecordId::of_code("", &reading.item), Body::Price(listed(reading)));
            // Most prices are what they were: they cost no transaction.
            if left.remove(&id).is_none_or(|hash| hash != body.content_hash()) {
                changed += usize::from(self.observe(store, id, Some(body), began_at).await?);
            }
        }
        for id in left.into_keys() {
            changed += usize::from(self.observe(store, id, None, began_at).await?);
        }
        Ok(changed)
    }

    async fn observe(
        &self,
        store: &StoreName,
        id: RecordId,
        body: Option<Body>,
        began_at: Timestamp,
    ) -> anyhow::Result<bool> {
        let key = RecordKey { store: store.clone(), kind: Kind::Price, id };
        let mut transaction = database::begin(self.ledger.pool()).await?;
        let verdict = self.ledger.found(&mut transaction, &key, body, began_at, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(verdict == Verdict::Changed)
    }

    /// The store's prices that are records now, with the hash of their content.
    async fn records(&self, store: &StoreName) -> anyhow::Result<BTreeMap<RecordId, Vec<u8>>> {
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("select record_id, content_hash from record where store = $1 and kind = $2 and not deleted")
                .bind(store.as_str())
                .bind(Kind::Price.as_str())
                .fetch_all(self.ledger.pool())
                .await?;
        Ok(rows.into_iter().filter_map(|(id, hash)| Some((id.parse().ok()?, hash))).collect())
    }

    /// Asks the store for a SKU that no product told of.
    async fn ask(&self, store: &StoreName, sku: &str) -> anyhow::Result<bool> {
        let Some(shop) = self.shops.get(store) else { return Ok(false) };
        let found = shop.variants_with_sku(sku).await;
        let found = found.with_context(|| format!("store {store} does not tell its variants"))?;
        let mut transaction = database::begin(self.ledger.pool()).await?;
        variants::answered(&mut transaction, store, sku, &found).await?;
        let is_sold = !variants::of_sku(&mut transaction, store, sku).await?.is_empty();
        transaction.commit().await?;
        Ok(is_sold)
    }

    /// A store's currency does not change once it has sold, so it is asked once.
    async fn learn_currency(&self, store: &StoreName) -> anyhow::Result<()> {
        let mut connection = self.ledger.pool().acquire().await?;
        if variants::currency(&mut connection, store).await?.is_some() {
            return Ok(());
        }
        let Some(shop) = self.shops.get(store) else { return Ok(()) };
        let currency = shop.currency().await.with_context(|| format!("store {store} does not tell its currency"))?;
        variants::keep_currency(&mut connection, store, currency).await?;
        Ok(())
    }
}

fn listed(reading: &PriceReading) -> ListPrice {
    let PriceReading { item, currency, amount, category } = reading;
    // One amount has one form, so that 24.00 and 24.0000 are no change.
    ListPrice { sku: item.clone(), currency: *currency, amount: amount.normalize(), category: category.clone() }
}
