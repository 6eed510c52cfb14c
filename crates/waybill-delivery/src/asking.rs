//! Receipts that never came by the road are asked for.

use anyhow::Context as _;
use waybill_domain::{RecordKey, SystemName};
use waybill_proto::wire::{ListReceiptsRequest, deliveries_client::DeliveriesClient};

use crate::engine::Engine;

/// So many records are asked about at once.
const PAGE: usize = 1000;
/// Brings nothing anywhere.
const ONLY_A_SOURCE: &str = "shopify-ingest";

impl Engine {
    /// Asks the services that bring records to a system what became of these there, and takes the answers as if the road
    /// had brought them.
    ///
    /// # Errors
    /// If a service does not answer, or the database fails.
    pub async fn ask_for_receipts(&self, system: &SystemName, keys: &[RecordKey]) -> anyhow::Result<()> {
        let others =
            self.sources().iter().filter(|(name, _)| ![self.service(), ONLY_A_SOURCE].contains(&name.as_str()));
        for (service, channel) in others {
            let mut client = DeliveriesClient::new(channel.clone());
            for page in keys.chunks(PAGE) {
                let request =
                    ListReceiptsRequest { system: system.to_string(), keys: page.iter().map(Into::into).collect() };
                let answer = client.list_receipts(request).await;
                let answer = answer.with_context(|| format!("{service} does not tell its receipts"))?;
                self.keep_receipts(&answer.into_inner().receipts).await?;
            }
        }
        Ok(())
    }
}
