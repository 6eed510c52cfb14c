//! How the service that hears the stores makes sure of what it did not hear.

use waybill_proto::wire::{
    Backfill, CancelBackfillRequest, ListBackfillsRequest, ListReconciliationsRequest, ListSubscriptionAuditsRequest,
    ReconcileRequest, Reconciliation, StartBackfillRequest, healing_client::HealingClient,
    list_subscription_audits_response::Audit,
};

use super::{INBOX, Services, Unanswered};

impl Services {
    /// How the comparison with each store stands.
    ///
    /// # Errors
    /// If the service that hears the stores does not answer.
    pub async fn reconciliations(&self) -> Result<Vec<Reconciliation>, Unanswered> {
        let request = ListReconciliationsRequest {};
        let answer = self
            .ask(INBOX, |channel| async { HealingClient::new(channel).list_reconciliations(request).await })
            .await?;
        Ok(answer.reconciliations)
    }

    /// Has stores compared now; gives how each stands, with the wish counted.
    ///
    /// # Errors
    /// If the service that hears the stores does not answer, or has no such store.
    pub async fn reconcile(&self, request: ReconcileRequest) -> Result<Vec<Reconciliation>, Unanswered> {
        let answer = self.ask(INBOX, |channel| async { HealingClient::new(channel).reconcile(request).await }).await?;
        Ok(answer.reconciliations)
    }

    /// What was found of the stores' webhook subscriptions.
    ///
    /// # Errors
    /// If the service that hears the stores does not answer.
    pub async fn subscription_audits(&self) -> Result<Vec<Audit>, Unanswered> {
        let request = ListSubscriptionAuditsRequest {};
        let call = async |channel| HealingClient::new(channel).list_subscription_audits(request).await;
        Ok(self.ask(INBOX, call).await?.audits)
    }

    /// Imports a store's history; gives the imports that were begun.
    ///
    /// # Errors
    /// If the service that hears the stores does not answer, has no such store, or is importing it.
    pub async fn start_backfill(&self, request: StartBackfillRequest) -> Result<Vec<Backfill>, Unanswered> {
        let call = async |channel| HealingClient::new(channel).start_backfill(request).await;
        Ok(self.ask(INBOX, call).await?.backfills)
    }

    /// The newest imports.
    ///
    /// # Errors
    /// If the service that hears the stores does not answer.
    pub async fn backfills(&self) -> Result<Vec<Backfill>, Unanswered> {
        let call = async |channel| HealingClient::new(channel).list_backfills(ListBackfillsRequest {}).await;
        Ok(self.ask(INBOX, call).await?.backfills)
    }

    /// Ends a store's imports that are not done; gives them.
    ///
    /// # Errors
    /// If the service that hears the stores does not answer, or has no such store.
    pub async fn cancel_backfill(&self, store: String) -> Result<Vec<Backfill>, Unanswered> {
        let request = CancelBackfillRequest { store };
        let call = async |channel| HealingClient::new(channel).cancel_backfill(request).await;
        Ok(self.ask(INBOX, call).await?.backfills)
    }
}
