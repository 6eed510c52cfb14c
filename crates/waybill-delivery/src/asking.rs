//! Receipts that never came by the road are asked for.

use anyhow::Context as _;
use waybill_domain::{RecordKey, SystemName};
use waybill_proto::wire::{ListReceiptsRequest, deliveries_client::DeliveriesClient};

use crate::engine::Engine;

/// So many records are asked about at once.
const PAGE: usize = 1000;

impl Engine {
    /// Asks a service that brings records to a system what became of these there, and takes the answers as if the road had
    /// brought them.
    ///
    /// # Errors
    /// If the service has no address or does not answer, or the database fails.
    pub async fn ask_for_receipts(&self, service: &str, system: &SystemName, keys: &[RecordKey]) -> anyhow::Result<()> {
        let channel = self.sources().get(service);
        let channel = channel.with_context(|| format!("{service} has no address in 'peers'"))?;
        let mut client = DeliveriesClient::new(channel.clone()).max_decoding_message_size(64 * 1024 * 1024);
        for page in keys.chunks(PAGE) {
            let keys = page.iter().map(Into::into).collect();
            let answer = client.list_receipts(ListReceiptsRequest { system: system.to_string(), keys }).await;
            let answer = answer.with_context(|| format!("{service} does not tell its receipts"))?;
            self.keep_receipts(&answer.into_inner().receipts).await?;
        }
        Ok(())
    }
}
