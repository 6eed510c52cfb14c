//! Settled deliveries decided anew.

use waybill_proto::wire::{RollRequest, RollResponse, deliveries_client::DeliveriesClient};

use super::{Services, Unanswered};

impl Services {
    /// What one service would make of a page of a flow's settled deliveries, or has made.
    ///
    /// # Errors
    /// If the service does not answer, does not know the flow or obeys another plan than the one that is meant.
    pub async fn roll(&self, service: &str, request: RollRequest) -> Result<RollResponse, Unanswered> {
        self.ask(service, |channel| async { DeliveriesClient::new(channel).roll(request).await }).await
    }
}
