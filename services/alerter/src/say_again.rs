//! Lines that wait for a receipt have it asked for.

use std::collections::BTreeMap;

use sqlx::PgPool;
use waybill_proto::wire::{RecordKey, SayAgainRequest, deliveries_client::DeliveriesClient};
use waybill_runtime::grpc::PeerChannel;

/// Asks every delivering service about lines that have waited for over half a minute and were not asked about within
/// the last minute.
pub(crate) async fn ask(pool: &PgPool, peers: &BTreeMap<String, PeerChannel>) -> anyhow::Result<()> {
    let waiting: Vec<(String, String, String)> = sqlx::query_as(
        "with waiting as (
             select store, kind, record_id, system from line
             where waits_since < now() - interval '30 seconds'
                 and (asked_at is null or asked_at < now() - interval '60 seconds')
             order by waits_since limit 1000
         )
         update line l set asked_at = now()
         from waiting w
         where (l.store, l.kind, l.record_id, l.system) = (w.store, w.kind, w.record_id, w.system)
         returning l.store, l.kind, l.record_id",
    )
    .persistent(false)
    .fetch_all(pool)
    .await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let keys: Vec<RecordKey> = waiting.into_iter().map(|(store, kind, id)| RecordKey { store, kind, id }).collect();
    for (service, channel) in peers {
        if service == "shopify-ingest" {
            continue;
        }
        let request = SayAgainRequest { keys: keys.clone() };
        if let Err(error) = DeliveriesClient::new(channel.clone()).say_again(request).await {
            tracing::warn!(service, %error, "cannot be asked for receipts");
        }
    }
    Ok(())
}
