//! Comparing with the sources: what the road lost comes this way.

use std::collections::BTreeSet;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use waybill_bus::subjects;
use waybill_domain::{RecordKey, Snapshot};
use waybill_plan::{Flow, Plan};
use waybill_proto::wire::{Head, ListChangesRequest, ListChangesResponse, source_client::SourceClient};

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

/// Under which name a source's cursor is kept: one for each set of ways that a plan gives its records and that is heeded.
/// So what a cursor passed under another plan is compared with this one's ways, and a replica that has the old plan still
/// moves that one's cursor only. Those under the service's own name were made by an order that passed over changes where
/// the numbers of transactions got a digit more.
pub fn cursor_of(service: &str, plan: &Plan, heeds: impl Fn(&Flow) -> bool) -> String {
    let domain = SOURCES.iter().find(|(name, _)| *name == service).map(|(_, domain)| *domain);
    let ways = plan.ways().filter(|(flow, _)| Some(subjects::domain(flow.kind)) == domain && heeds(flow));
    let ways: BTreeSet<String> = ways.map(|(flow, store)| format!("{store}/{}/{}\n", flow.kind, flow.to)).collect();
    let digest = Sha256::digest(ways.into_iter().collect::<String>());
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{service} 2 {digest}")
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
            let as_planned = self.cursor_of(service, &self.plan());
            let (mut kept_as, mut cursor) = (as_planned.as_str(), self.kept_cursor(&as_planned).await?);
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
                if !page.in_order && kept_as != service {
                    // One of before goes on from where it was; once it is a newer one, all is compared once more.
                    (kept_as, cursor) = (service, self.kept_cursor(service).await?);
                    continue;
                }
                if page.heads.iter().any(|head| !self.has_taken(&plan.hash, head)) {
                    page = ask(false).await?;
                }
                let (cursor_after, more) = (std::mem::take(&mut page.cursor), page.more);
                in_full = self.take_missed(service, &plan.hash, page).await?;
                if as_planned != self.cursor_of(service, &self.plan()) {
                    // The plan changed on the way; its own comparison is made.
                    break;
                }
                if cursor_after != cursor {
                    cursor = cursor_after;
                    self.keep_cursor(kept_as, &cursor).await?;
                }
                if !more {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes what of a page did not come by the road. Whether there was any.
    async fn take_missed(&self, service: &str, plan_hash: &str, page: ListChangesResponse) -> anyhow::Result<bool> {
        let mut heard = Vec::new();
        // Empty from a source of before the field.
        let traceparents = page.traceparents.into_iter().chain(std::iter::repeat(String::new()));
        for (snapshot, traceparent) in page.snapshots.into_iter().zip(traceparents) {
            let snapshot = Snapshot::try_from(snapshot)
                .with_context(|| format!("{service} said a snapshot that cannot be read"))?;
            if !self.taken().has(plan_hash, &snapshot.key, snapshot.revision) {
                heard.push(Heard { snapshot, traceparent });
            }
        }
        let missed = !heard.is_empty();
        self.take(heard).await?;
        Ok(missed)
    }

    fn cursor_of(&self, service: &str, plan: &Plan) -> String {
        let heeds = |flow: &Flow| self.is_ours(plan, &flow.to, flow.kind) || self.hooks().keeps(flow.kind);
        cursor_of(service, plan, heeds)
    }

    async fn kept_cursor(&self, kept_as: &str) -> sqlx::Result<String> {
        let position = sqlx::query_scalar("select position from source_cursor where source = $1");
        Ok(position.bind(kept_as).fetch_optional(self.pool()).await?.unwrap_or_default())
    }

    async fn keep_cursor(&self, kept_as: &str, cursor: &str) -> sqlx::Result<()> {
        sqlx::query(
            "insert into source_cursor (source, position) values ($1, $2)
             on conflict (source) do update set position = excluded.position",
        )
        .bind(kept_as)
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
