//! What systems hold, compared with what was brought there.

use std::time::Duration;

use waybill_proto::wire::{AuditRequest, AuditResponse, deliveries_client::DeliveriesClient};

use super::{Services, Unanswered};

/// A page asks a vendor many times, at its budget's pace; no call takes longer.
pub(super) const A_PAGE: Duration = Duration::from_secs(120);

impl Services {
    /// A page of one service's comparison with its systems.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn audit(&self, service: &str, request: AuditRequest) -> Result<AuditResponse, Unanswered> {
        self.ask_within(A_PAGE, service, |channel| async { DeliveriesClient::new(channel).audit(request).await }).await
    }
}
