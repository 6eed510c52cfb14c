//! Comparing with the sources: what the road lost comes this way.

use anyhow::Context as _;
use waybill_domain::Snapshot;
use waybill_proto::wire::{ListChangesRequest, source_client::SourceClient};

use crate::{engine::Engine, intake::Heard};

/// The domain of each source service.
const SOURCES: [(&str, &str); 4] = [
    ("shopify-ingest", "store"),
    ("fulfilment-sync", "shipment"),
    ("inventory-router", "stock"),
    ("erp-sync", "catalog"),
];

/// The service that a domain's records come from.
pub(crate) fn source_of(domain: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(_, name)| *name == domain).map(|(service, _)| *service)
}

impl Engine {
    /// Takes every change after the kept cursors that this replica has not taken from the road.
    pub(crate) async fn compare_with_sources(&self) -> anyhow::Result<()> {
        for (service, domain) in SOURCES {
            let kinds: Vec<String> = self.kinds_from(domain).iter().map(ToString::to_string).collect();
            let Some(channel) = self.sources().get(service) else { continue };
            if kinds.is_empty() {
                continue;
            }
            let mut client = SourceClient::new(channel.clone()).max_decoding_message_size(64 * 1024 * 1024);
            let mut cursor: String = sqlx::query_scalar("select position from source_cursor where source = $1")
                .bind(service)
                .fetch_optional(self.pool())
                .await?
                .unwrap_or_default();
            loop {
                let request = ListChangesRequest { after: cursor.clone(), limit: 500, kinds: kinds.clone() };
                let page = client
                    .list_changes(request)
                    .await
                    .with_context(|| format!("{service} does not say its changes"))?
                    .into_inner();
                let plan = self.plan();
                let mut heard = Vec::new();
                // Empty from a source of before the field.
                let traceparents = page.traceparents.into_iter().chain(std::iter::repeat(String::new()));
                for (snapshot, traceparent) in page.snapshots.into_iter().zip(traceparents) {
                    let snapshot = Snapshot::try_from(snapshot)
                        .with_context(|| format!("{service} said a snapshot that cannot be read"))?;
                    if !self.taken().has(&plan.hash, &snapshot) {
                        heard.push(Heard { snapshot, traceparent });
                    }
                }
                self.take(heard).await?;
                if page.cursor != cursor {
                    cursor = page.cursor;
                    sqlx::query(
                        "insert into source_cursor (source, position) values ($1, $2)
                         on conflict (source) do update set position = excluded.position",
                    )
                    .bind(service)
                    .bind(&cursor)
                    .execute(self.pool())
                    .await?;
                }
                if !page.more {
                    break;
                }
            }
        }
        Ok(())
    }
}
