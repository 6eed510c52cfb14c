//! Parcels come back: asked for, recognised by our key, numbered in the ledger.

use std::sync::Arc;

use anyhow::Context as _;
use waybill_connector::source::{ParcelNews, ShipmentSource};
use waybill_delivery::{
    Ledger,
    ledger::{Observed, Origin, Verdict},
};
use waybill_domain::{Body, Clock, Kind, RecordKey, SystemName};
use waybill_runtime::database;

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

    /// Takes every parcel that changed since the kept cursor. Gives how many records changed.
    pub(crate) async fn ask(&self) -> anyhow::Result<usize> {
        let pool = self.ledger.pool();
        let (mut cursor, since_us): (String, i64) = sqlx::query_as(
            "insert into parcel_cursor as c (system, position) values ($1, '')
             on conflict (system) do update set position = c.position
             returning position, (extract(epoch from since) * 1000000)::bigint",
        )
        .bind(self.system.as_str())
        .fetch_one(pool)
        .await?;
        let since = jiff::Timestamp::from_microsecond(since_us)?;
        let mut changed = 0;
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

    async fn take(&self, news: ParcelNews, began_at: jiff::Timestamp) -> anyhow::Result<bool> {
        let order: Option<(String, String, String)> =
            sqlx::query_as("select store, order_id, name from shipped_order where object_key = $1")
                .bind(&news.order_key)
                .fetch_optional(self.ledger.pool())
                .await?;
        let Some((store, order_id, name)) = order else {
            tracing::debug!(system = %self.system, parcel = news.parcel.id, "a parcel of an order that is not ours");
            return Ok(false);
        };
        let shipment = news.into_shipment(order_id.parse()?, name)?;
        let key = RecordKey { store: store.parse()?, kind: Kind::Shipment, id: shipment.id.clone() };
        let body = Body::Shipment(shipment);
        let observed = Observed {
            content_hash: body.content_hash(),
            body: Some(body),
            origin: Origin::Refetched { began_at, source_updated_at: None },
            key,
            traceparent: waybill_runtime::trace_context::current(),
        };
        let mut transaction = database::begin(self.ledger.pool()).await?;
        let verdict = self.ledger.observe(&mut transaction, &observed, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(verdict == Verdict::Changed)
    }
}
