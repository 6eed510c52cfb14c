//! `Healing` over gRPC.

use std::sync::Arc;

use jiff::Timestamp;
use tonic::{Request, Response, Status};
use waybill_domain::StoreName;
use waybill_proto::{
    convert::{from_timestamp, to_timestamp},
    wire::{
        ListReconciliationsRequest, ListSubscriptionAuditsRequest, ListSubscriptionAuditsResponse, ReconcileRequest,
        Reconciliation, ReconciliationsResponse, healing_server::Healing, list_subscription_audits_response::Audit,
    },
};

use crate::{app::Shared, reconcile};

/// Answers for reconciliation and the audit of subscriptions.
#[derive(Clone)]
pub(crate) struct HealingService {
    shared: Arc<Shared>,
}

impl HealingService {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The stores that a request is about: the one that it names, or all.
    fn stores(&self, named: &str) -> Result<Vec<String>, Status> {
        if named.is_empty() {
            return Ok(self.shared.shops.keys().map(ToString::to_string).collect());
        }
        let known = named.parse::<StoreName>().is_ok_and(|name| self.shared.shops.contains_key(&name));
        if known {
            Ok(vec![named.to_owned()])
        } else {
            Err(Status::not_found(format!("the plan has no store '{named}'")))
        }
    }

    async fn reconciliations(&self, stores: &[String]) -> Result<Response<ReconciliationsResponse>, Status> {
        let standings = reconcile::standings(self.shared.ledger.pool(), stores).await.map_err(unavailable)?;
        let told = standings.into_iter().map(|one| Reconciliation {
            store: one.store,
            kind: one.kind,
            next_from: time(Some(one.watermark_us)),
            compared_to: time(one.compared_to_us),
            finished_at: time(one.finished_us),
            compared: one.compared,
            missing: one.missing,
            old: one.old,
            message: one.message,
            asked: one.asked,
            answered: one.answered,
        });
        Ok(Response::new(ReconciliationsResponse { reconciliations: told.collect() }))
    }
}

fn time(us: Option<i64>) -> Option<prost_types::Timestamp> {
    Timestamp::from_microsecond(us?).ok().map(to_timestamp)
}

fn unavailable(error: sqlx::Error) -> Status {
    tracing::warn!(%error, "what heals cannot be read or asked for");
    Status::unavailable("the database cannot be used; try again")
}

#[tonic::async_trait]
impl Healing for HealingService {
    async fn reconcile(&self, request: Request<ReconcileRequest>) -> Result<Response<ReconciliationsResponse>, Status> {
        let request = request.into_inner();
        let stores = self.stores(&request.store)?;
        let since = request.since.as_ref().map(|since| from_timestamp("since", since)).transpose();
        let since = since.map_err(|error| Status::invalid_argument(error.to_string()))?;
        reconcile::ask(self.shared.ledger.pool(), &stores, since).await.map_err(unavailable)?;
        self.shared.to_reconcile.notify_one();
        self.reconciliations(&stores).await
    }

    async fn list_reconciliations(
        &self,
        _request: Request<ListReconciliationsRequest>,
    ) -> Result<Response<ReconciliationsResponse>, Status> {
        self.reconciliations(&self.stores("")?).await
    }

    async fn list_subscription_audits(
        &self,
        _request: Request<ListSubscriptionAuditsRequest>,
    ) -> Result<Response<ListSubscriptionAuditsResponse>, Status> {
        let rows: Vec<(String, Option<i64>, String, i32, i64, String)> = sqlx::query_as(
            "select store, (extract(epoch from audited_at) * 1000000)::bigint, callback_url, well, repaired, message
             from subscription_audit where store = any($1) order by store",
        )
        .bind(self.stores("")?)
        .fetch_all(self.shared.ledger.pool())
        .await
        .map_err(unavailable)?;
        let audits = rows.into_iter().map(|(store, audited_us, callback_url, well, repaired, message)| Audit {
            store,
            audited_at: time(audited_us),
            callback_url,
            right: well.into(),
            repaired,
            message,
        });
        Ok(Response::new(ListSubscriptionAuditsResponse { audits: audits.collect() }))
    }
}
