//! What is gone is in no list of changes: some of the customers and products that we hold are asked after with each
//! comparison, until all were, and from the beginning again.

use waybill_domain::{Kind, RecordId};
use waybill_runtime::database;

use super::{
    REASON, Stop,
    store::{self, Claim},
};
use crate::{
    app::{Shared, Shop},
    refetch,
};

/// So many are asked after at a time.
const SWEPT: usize = 100;

/// Whether deletions of a kind are looked for. An order of 60 days looks as if it were gone where the app may not read it.
pub(super) const fn applies(kind: Kind) -> bool {
    matches!(kind, Kind::Customer | Kind::Product)
}

/// Asks after the next ones, and wishes for a read of those that are gone.
pub(super) async fn next(shared: &Shared, shop: &Shop, claim: &Claim) -> Result<(), Stop> {
    let ids = store::to_sweep(shared.ledger.pool(), claim, SWEPT).await?;
    let gone = if ids.is_empty() { Vec::new() } else { shop.api.gone(claim.kind, &ids).await? };
    let swept_to = ids.last().filter(|_| ids.len() == SWEPT).map_or("", RecordId::as_str);
    let mut transaction = database::begin(shared.ledger.pool()).await?;
    for id in &gone {
        refetch::want(&mut transaction, &claim.store, claim.kind, id, REASON, "").await?;
    }
    if !store::swept(&mut transaction, claim, swept_to, gone.len().try_into().unwrap_or(i64::MAX)).await? {
        return Err(Stop::Lost);
    }
    transaction.commit().await?;
    if gone.is_empty() {
        return Ok(());
    }
    shared.to_refetch.notify_one();
    let labels = [("store", claim.store.as_str()), ("kind", claim.kind.as_str()), ("found", "gone")];
    let count = gone.len().try_into().unwrap_or(i64::MAX);
    shared.metrics.add("waybill_reconciliation_found_total", &labels, count);
    tracing::warn!(store = %claim.store, kind = %claim.kind, gone = count, "the store deleted what no webhook told of");
    Ok(())
}
