//! Comparing with the sources: what the road lost comes this way.

use anyhow::Context as _;
use waybill_domain::{RecordKey, Snapshot};
use waybill_proto::wire::{Head, ListChangesRequest, source_client::SourceClient};

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

/// Under which name a source's cursor is kept. Those that are kept under the service's own were made by an order that
/// passed over changes where the numbers of transactions got a digit more; what came before them is compared once more.
pub fn cursor_of(service: &str) -> String {
    format!("{service} 2")
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
                .bind(cursor_of(service))
                .fetch_optional(self.pool())
                .await?
                .unwrap_or_default();
            // Most of what changed came by the road: what did is asked for only where something did not, and then page by
            // page, until all of one did.
            let mut in_full = false;
            loop {
                let mut ask = async |heads_only| {
                    let request =
                        ListChangesRequest { after: cursor.clone(), limit: 500, kinds: kinds.clone(), heads_only };
                    let answer = client.list_changes(request).await;
                    Ok::<_, anyhow::Error>(
                        answer.with_context(|| format!("{service} does not say its changes"))?.into_inner(),
                    )
                };
                let plan = self.plan();
                let mut page = ask(!in_full).await?;
                if page.heads.iter().any(|head| !self.has_taken(&plan.hash, head)) {
                    page = ask(false).await?;
                }
                let mut heard = Vec::new();
                // Empty from a source of before the field.
                let traceparents = page.traceparents.into_iter().chain(std::iter::repeat(String::new()));
                for (snapshot, traceparent) in page.snapshots.into_iter().zip(traceparents) {
                    let snapshot = Snapshot::try_from(snapshot)
                        .with_context(|| format!("{service} said a snapshot that cannot be read"))?;
                    if !self.taken().has(&plan.hash, &snapshot.key, snapshot.revision) {
                        heard.push(Heard { snapshot, traceparent });
                    }
                }
                in_full = !heard.is_empty();
                self.take(heard).await?;
                if page.cursor != cursor {
                    cursor = page.cursor;
                    if page.in_order {
                        self.keep_cursor(service, &cursor).await?;
                    }
                }
                if !page.more {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn keep_cursor(&self, service: &str, cursor: &str) -> sqlx::Result<()> {
        sqlx::query(
            "insert into source_cursor (source, position) values ($1, $2)
             on conflict (source) do update set position = excluded.position",
        )
        .bind(cursor_of(service))
        .bind(cursor)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Whether a source's newest revision of a record was taken from the road.
    fn has_taken(&self, plan_hash: &str, head: &Head) -> bool {
        let Some((key, revision)) = head.key.as_ref().zip(head.revision) else { return false };
        RecordKey::try_from(key).is_ok_and(|key| self.taken().has(plan_hash, &key, revision.into()))
    }
}
