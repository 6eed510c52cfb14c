//! `Healing` over gRPC.

use std::sync::Arc;

use jiff::Timestamp;
use tonic::{Request, Response, Status};
use waybill_domain::{Kind, RecordId, StoreName};
use waybill_proto::{
    convert::{from_timestamp, to_timestamp},
    wire::{
        Backfill, BackfillsResponse, CancelBackfillRequest, ListBackfillsRequest, ListReconciliationsRequest,
        ListSubscriptionAuditsRequest, ListSubscriptionAuditsResponse, ReconcileRequest, Reconciliation,
        ReconciliationsResponse, StartBackfillRequest, healing_server::Healing,
        list_subscription_audits_response::Audit,
    },
};

use crate::{app::Shared, backfill, reconcile};

/// Answers for reconciliation, the audit of subscriptions and backfills.
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
            gone: one.gone,
            message: one.message,
            asked: one.asked,
            answered: one.answered,
            to_read: one.to_read,
            retried: one.retried,
        });
        Ok(Response::new(ReconciliationsResponse { reconciliations: told.collect() }))
    }

    /// The newest backfills, those for which something holds.
    async fn backfills(
        &self,
        holds: impl Fn(&backfill::Standing) -> bool,
    ) -> Result<Response<BackfillsResponse>, Status> {
        let standings = backfill::standings(self.shared.ledger.pool()).await.map_err(unavailable)?;
        let told = standings.into_iter().filter(holds).map(|one| Backfill {
            id: one.id,
            store: one.store,
            kind: one.kind,
            since: time(Some(one.since_us)),
            state: one.state,
            operation: one.operation,
            objects: one.objects,
            lines: one.lines,
            records: one.records,
            changed: one.changed,
            to_read: one.to_read,
            message: one.message,
            asked_at: time(Some(one.asked_us)),
            finished_at: time(one.finished_us),
        });
        Ok(Response::new(BackfillsResponse { backfills: told.collect() }))
    }

    /// Ends the bulk operations that a store works on for nobody.
    async fn end_operations(&self, store: &str, operations: Vec<String>) {
        let shop = store.parse::<StoreName>().ok().and_then(|name| self.shared.shops.get(&name));
        let operations = operations.iter().filter_map(|operation| operation.parse::<RecordId>().ok());
        for (shop, operation) in shop.into_iter().cycle().zip(operations) {
            if let Err(failure) = shop.api.bulk_cancel(&operation).await {
                tracing::info!(%operation, class = failure.class(), %failure, "a bulk operation ends by itself");
            }
        }
    }
}

/// The kinds that a request names, or all that can be imported.
fn kinds(named: &[String]) -> Result<Vec<Kind>, Status> {
    if named.is_empty() {
        return Ok(backfill::KINDS.to_vec());
    }
    let known = |name: &String| {
        let kind = name.parse::<Kind>().ok().filter(|kind| backfill::KINDS.contains(kind));
        kind.ok_or_else(|| Status::invalid_argument(format!("'{name}' is not order, customer or product")))
    };
    let mut kinds = named.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
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
        reconcile::ask(&self.shared, &stores, since).await.map_err(unavailable)?;
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

    async fn start_backfill(
        &self,
        request: Request<StartBackfillRequest>,
    ) -> Result<Response<BackfillsResponse>, Status> {
        let request = request.into_inner();
        if request.store.is_empty() {
            return Err(Status::invalid_argument("name a store"));
        }
        self.stores(&request.store)?;
        let since = request.since.as_ref().ok_or_else(|| Status::invalid_argument("say since when"))?;
        let since = from_timestamp("since", since).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let kinds = kinds(&request.kinds)?;
        let asked = backfill::ask(self.shared.ledger.pool(), &request.store, &kinds, since).await;
        let asked = asked.map_err(unavailable)?;
        if asked.is_empty() {
            let text = "this store is being imported already: `waybill backfill status` shows how far it has come";
            return Err(Status::already_exists(text));
        }
        self.shared.to_backfill.notify_one();
        self.backfills(|one| asked.contains(&one.id)).await
    }

    async fn list_backfills(
        &self,
        _request: Request<ListBackfillsRequest>,
    ) -> Result<Response<BackfillsResponse>, Status> {
        self.backfills(|_| true).await
    }

    async fn cancel_backfill(
        &self,
        request: Request<CancelBackfillRequest>,
    ) -> Result<Response<BackfillsResponse>, Status> {
        let store = request.into_inner().store;
        if store.is_empty() {
            return Err(Status::invalid_argument("name a store"));
        }
        self.stores(&store)?;
        let ended = backfill::cancel(self.shared.ledger.pool(), &store).await.map_err(unavailable)?;
        let (ids, operations): (Vec<i64>, Vec<String>) = ended.into_iter().unzip();
        self.end_operations(&store, operations).await;
        self.backfills(|one| ids.contains(&one.id)).await
    }
}
