//! What the services have kept of a time: revisions and decisions, page by page.

use waybill_proto::wire::{
    GetRevisionsRequest, GetRevisionsResponse, ListDecisionsRequest, ListDecisionsResponse, ListRevisionsRequest,
    ListRevisionsResponse, deliveries_client::DeliveriesClient, source_client::SourceClient,
};

use super::{Services, Unanswered};

/// The services that records come from.
pub const SOURCES: [&str; 4] = ["shopify-ingest", "fulfilment-sync", "inventory-router", "erp-sync"];
/// The services that decide and deliver.
pub const DELIVERING: [&str; 5] = ["alerter", "crm-sync", "erp-sync", "fulfilment-sync", "inventory-router"];

/// A page of large snapshots is larger than tonic takes by default.
const LARGEST_PAGE_BYTES: usize = 64 * 1024 * 1024;

impl Services {
    /// Those of `names` that have an address.
    pub fn among(&self, names: &[&'static str]) -> Vec<&'static str> {
        names.iter().copied().filter(|name| self.peers.contains_key(*name)).collect()
    }

    /// A page of a source's revisions.
    ///
    /// # Errors
    /// If the source does not answer.
    pub async fn revisions(
        &self,
        source: &str,
        request: ListRevisionsRequest,
    ) -> Result<ListRevisionsResponse, Unanswered> {
        self.ask(source, |channel| async {
            SourceClient::new(channel).max_decoding_message_size(LARGEST_PAGE_BYTES).list_revisions(request).await
        })
        .await
    }

    /// Single revisions of a source.
    ///
    /// # Errors
    /// As [`Services::revisions`].
    pub async fn single_revisions(
        &self,
        source: &str,
        request: GetRevisionsRequest,
    ) -> Result<GetRevisionsResponse, Unanswered> {
        self.ask(source, |channel| async {
            SourceClient::new(channel).max_decoding_message_size(LARGEST_PAGE_BYTES).get_revisions(request).await
        })
        .await
    }

    /// A page of a service's decisions.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn decisions(
        &self,
        service: &str,
        request: ListDecisionsRequest,
    ) -> Result<ListDecisionsResponse, Unanswered> {
        self.ask(service, |channel| async {
            DeliveriesClient::new(channel).max_decoding_message_size(LARGEST_PAGE_BYTES).list_decisions(request).await
        })
        .await
    }
}
