//! Parcels come back: asked for, recognised by our key, numbered in the ledger.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use waybill_connector::source::{ParcelNews, ShipmentSource};
use waybill_delivery::{
    Ledger,
    ledger::{Observed, Origin, Verdict},
};
use waybill_domain::{Body, Clock, Kind, ObjectKey, RecordKey, SystemName};
use waybill_runtime::database;

use crate::unclaimed::{self, ShippedOrder};

/// Asks one shipping system for parcels.
pub(crate) struct Parcels {
    system: SystemName,
    source: Arc<dyn ShipmentSource>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
}

impl Parcels {
    pub(crate) fn new(
        system: SystemName,
        source: Arc<dyn ShipmentSource>,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { system, source, ledger, clock }
    }

    /// Takes every parcel that changed since the kept cursor, and those that were told before their order was heard.
    /// Gives how many records changed.
    pub(crate) async fn ask(&self) -> anyhow::Result<usize> {
        let pool = self.ledger.pool();
        let mut changed = self.claim().await?;
        let (mut cursor, since_us): (String, i64) = sqlx::query_as(
            "insert into parcel_cursor as c (system, position) values ($1, '')
             on conflict (system) do update set position = c.position
             returning position, (extract(epoch from since) * 1000000)::bigint",
        )
        .bind(self.system.as_str())
        .fetch_one(pool)
        .await?;
        let since = Timestamp::from_microsecond(since_us)?;
        loop {
            let began_at = self.clock.now();
            let page = self
                .source
                .parcels(&cursor, since)
                .await
                .with_context(|| format!("{} does not tell its parcels", self.system))?;
            for news in page.parcels {
                changed += usize::from(self.take(news, began_at).await?);
            }
            if page.cursor != cursor {
                cursor = page.cursor;
                sqlx::query("update parcel_cursor set position = $2 where system = $1")
                    .bind(self.system.as_str())
                    .bind(&cursor)
                    .execute(pool)
                    .await?;
            }
            if !page.more {
                return Ok(changed);
            }
        }
    }

    async fn take(&self, news: ParcelNews, began_at: Timestamp) -> anyhow::Result<bool> {
        let pool = self.ledger.pool();
        let order: Option<ShippedOrder> =
            sqlx::query_as("select store, order_id, name from shipped_order where object_key = $1")
                .bind(&news.order_key)
                .fetch_optional(pool)
                .await?;
        let Some(order) = order else {
            // The cursor passes it, so that nobody tells of it again when its order is heard: after a restored backup
            // the shipping system knows of orders that we have yet to hear of.
            if ObjectKey::has_form(&news.order_key) {
                unclaimed::keep(pool, &self.system, &news, began_at).await?;
            } else {
                tracing::debug!(system = %self.system, parcel = news.parcel.id, "a parcel of somebody else's order");
            }
            return Ok(false);
        };
        let observed = observed(news, order, began_at)?;
        let mut transaction = database::begin(pool).await?;
        let verdict = self.ledger.observe(&mut transaction, &observed, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(verdict == Verdict::Changed)
    }

    /// Takes the kept parcels whose order was heard since. One that cannot be read is in nobody's way.
    async fn claim(&self) -> anyhow::Result<usize> {
        let pool = self.ledger.pool();
        let mut changed = 0;
        for claimed in unclaimed::of_known_orders(pool, &self.system).await? {
            // As old as the answer that told of it: what was told of the parcel since wins.
            let read = claimed
                .began_at()
                .and_then(|began_at| observed(serde_json::from_str(&claimed.news)?, claimed.order.clone(), began_at));
            let observed = match read {
                Ok(observed) => observed,
                Err(error) => {
                    let error = format!("{error:#}");
                    let parcel = &claimed.parcel_id;
                    tracing::error!(system = %self.system, parcel, error, "a kept parcel cannot be read");
                    continue;
                }
            };
            let mut transaction = database::begin(pool).await?;
            let verdict = self.ledger.observe(&mut transaction, &observed, self.clock.now()).await?;
            unclaimed::forget(&mut transaction, &self.system, &claimed).await?;
            transaction.commit().await?;
            changed += usize::from(verdict == Verdict::Changed);
        }
        Ok(changed)
    }
}

/// A parcel of an order, as it was when it was asked for.
fn observed(news: ParcelNews, order: ShippedOrder, began_at: Timestamp) -> anyhow::Result<Observed> {
    let (store, order_id, name) = order;
    let shipment = news.into_shipment(order_id.parse()?, name)?;
    let key = RecordKey { store: store.parse()?, kind: Kind::Shipment, id: shipment.id.clone() };
    let body = Body::Shipment(shipment);
    Ok(Observed {
        content_hash: body.content_hash(),
        body: Some(body),
        origin: Origin::Refetched { began_at, source_updated_at: None },
        key,
        traceparent: waybill_runtime::trace_context::current(),
    })
}

#[cfg(test)]
mod tests;
