//! How the service that hears the stores makes sure of what it did not hear.

use waybill_proto::wire::{
    ListReconciliationsRequest, ListSubscriptionAuditsRequest, ReconcileRequest, Reconciliation,
    healing_client::HealingClient, list_subscription_audits_response::Audit,
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
}
