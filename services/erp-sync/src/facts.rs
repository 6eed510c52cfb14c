//! What decides a price beside its snapshot: the store's variants, what they cost there, and its currency.

use async_trait::async_trait;
use sqlx::PgConnection;
use waybill_delivery::{Hooks, decide_anew};
use waybill_domain::{Body, Kind, RecordId, RecordKey, Snapshot, SystemName};
use waybill_plan::{Facts, Plan};

use crate::variants;

/// Keeps variants from products; gives them to decisions. A price that is new in the store is decided anew: if somebody
/// changed it there it is set back, and if it is our own it is no work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PriceFacts;

#[async_trait]
impl Hooks for PriceFacts {
    fn keeps(&self, kind: Kind) -> bool {
        kind == Kind::Product
    }

    async fn heard(&self, plan: &Plan, db: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
        for snapshot in snapshots.iter().filter(|snapshot| snapshot.key.kind == Kind::Product) {
            let RecordKey { store, id, .. } = &snapshot.key;
            let product = match &snapshot.body {
                Some(Body::Product(product)) => Some(product),
                _ => None,
            };
            let skus = variants::heard(db, store, id, snapshot.revision, product).await?;
            let keys: Vec<RecordKey> = skus
                .iter()
                .map(|sku| RecordKey { store: store.clone(), kind: Kind::Price, id: RecordId::of_code("", sku) })
                .collect();
            let systems: Vec<String> = plan.systems_for(store, Kind::Price).map(ToString::to_string).collect();
            if !keys.is_empty() && !systems.is_empty() {
                decide_anew(db, &keys, &systems).await?;
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
        let Some(Body::Price(price)) = &snapshot.body else { return Ok(()) };
        let store = &snapshot.key.store;
        facts.variants = variants::of_sku(db, store, &price.sku).await?;
        facts.currency = variants::currency(db, store).await?;
        Ok(())
    }
}
