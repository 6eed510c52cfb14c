//! Services that answer over real gRPC, with the token asked for, from a [`World`] in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status, service::Routes};
use waybill_proto::wire::{
    self, deliveries_server::DeliveriesServer, inbox_server::InboxServer, source_server::SourceServer,
    watch_server::WatchServer,
};
use waybill_runtime::grpc::{self, RequireToken};

use crate::world::World;

pub(crate) const TOKEN: &str = "operations-token";

type Answer<T> = Result<Response<T>, Status>;

/// Running services; they stop when this is dropped.
pub(crate) struct FakeServices {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) peers: BTreeMap<String, String>,
    _stop: DropGuard,
}

impl FakeServices {
    pub(crate) async fn start(world: World) -> Self {
        let stop = CancellationToken::new();
        let world = Arc::new(Mutex::new(world));
        let mut peers = BTreeMap::new();
        for name in ["alerter", "shopify-ingest", "erp-sync", "crm-sync"] {
            let listener = grpc::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            let address = listener.local_addr().unwrap();
            let said = world.lock().unwrap().elsewhere.get(name).cloned();
            peers.insert(name.to_owned(), said.unwrap_or_else(|| format!("http://{address}")));
            tokio::spawn(grpc::serve(listener, routes(name, &world), stop.clone()));
        }
        Self { world, peers, _stop: stop.drop_guard() }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn routes(name: &'static str, world: &Arc<Mutex<World>>) -> Routes {
    let token = RequireToken::new(TOKEN.to_owned().into()).unwrap();
    let fake = Fake { name, world: Arc::clone(world) };
    match name {
        "alerter" => Routes::new(WatchServer::with_interceptor(fake, token)),
        "shopify-ingest" => Routes::new(SourceServer::with_interceptor(fake.clone(), token.clone()))
            .add_service(InboxServer::with_interceptor(fake, token)),
        _ => Routes::new(DeliveriesServer::with_interceptor(fake, token)),
    }
}

#[derive(Clone)]
struct Fake {
    name: &'static str,
    world: Arc<Mutex<World>>,
}

impl Fake {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parked deliveries of this service that a person selected.
    fn selected(&self, select: &wire::SelectDeliveriesRequest) -> i64 {
        let matches = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        let parked = |delivery: &&wire::Delivery| {
            delivery.service == self.name
                && delivery.state() == wire::State::Parked
                && matches(&select.system, &delivery.system)
                && matches(&select.code, &delivery.code)
                && select.key.as_ref().is_none_or(|key| delivery.key.as_ref() == Some(key))
        };
        self.world().deliveries().filter(parked).count() as i64
    }
}

impl Fake {
    /// How many deliveries of this service wait for a word on this record.
    fn awaited(
        &self,
        system: &str,
        key: Option<&wire::RecordKey>,
        seen: Option<wire::Revision>,
    ) -> Result<i64, Status> {
        let world = self.world();
        let mut here = world.approvals.iter().filter_map(|approval| approval.delivery.as_ref());
        let found = here.find(|delivery| {
            delivery.service == self.name && delivery.system == system && delivery.key.as_ref() == key
        });
        match found {
            None => Ok(0),
            Some(delivery) if seen.is_some() && seen != delivery.desired => {
                Err(Status::failed_precondition("the record has changed since it was looked at: look again"))
            }
            Some(_) => Ok(1),
        }
    }
}

fn unused<T>() -> Answer<T> {
    Err(Status::internal("the console does not ask this"))
}

#[tonic::async_trait]
impl wire::watch_server::Watch for Fake {
    async fn list_waybills(&self, request: Request<wire::ListWaybillsRequest>) -> Answer<wire::ListWaybillsResponse> {
        let request = request.into_inner();
        let matches = |waybill: &wire::Waybill| {
            let key = waybill.key.as_ref().unwrap();
            let line = |line: &wire::Line| {
                (request.state() == wire::State::Unspecified || line.state() == request.state())
                    && (request.system.is_empty() || line.system == request.system)
            };
            (request.kind.is_empty() || key.kind == request.kind)
                && (waybill.name.starts_with(&request.search) || key.id.starts_with(&request.search))
                && waybill.lines.iter().any(line)
        };
        let found: Vec<_> = self.world().waybills().into_iter().filter(matches).collect();
        let page = found.iter().skip(request.offset as usize).take(if request.limit == 0 {
            50
        } else {
            request.limit as usize
        });
        Ok(Response::new(wire::ListWaybillsResponse { waybills: page.cloned().collect(), total: found.len() as i64 }))
    }

    async fn get_waybill(&self, request: Request<wire::GetWaybillRequest>) -> Answer<wire::Waybill> {
        let request = request.into_inner();
        let asked = |waybill: &wire::Waybill| match &request.key {
            Some(_) => waybill.key == request.key,
            None => waybill.name == request.name,
        };
        let found = self.world().waybills().into_iter().find(asked);
        found.map(Response::new).ok_or_else(|| Status::not_found("no such waybill"))
    }

    async fn accounting(&self, _: Request<wire::AccountingRequest>) -> Answer<wire::AccountingResponse> {
        let world = self.world();
        let lines = world.accounting.clone();
        Ok(Response::new(wire::AccountingResponse { lines, unreachable: world.unheard.clone() }))
    }

    async fn incidents(&self, request: Request<wire::IncidentsRequest>) -> Answer<wire::IncidentsResponse> {
        let all = request.into_inner().include_resolved;
        let world = self.world();
        let incidents = world.incidents.iter().filter(|incident| all || incident.resolved_at.is_none());
        Ok(Response::new(wire::IncidentsResponse {
            incidents: incidents.cloned().collect(),
            slowest_page_ms: world.slowest_page_ms,
        }))
    }

    async fn list_replicas(&self, _: Request<wire::ListReplicasRequest>) -> Answer<wire::ListReplicasResponse> {
        Ok(Response::new(wire::ListReplicasResponse { replicas: self.world().replicas.clone() }))
    }
}

#[tonic::async_trait]
impl wire::source_server::Source for Fake {
    async fn list_changes(&self, _: Request<wire::ListChangesRequest>) -> Answer<wire::ListChangesResponse> {
        unused()
    }

    async fn get_snapshot(&self, request: Request<wire::GetSnapshotRequest>) -> Answer<wire::Snapshot> {
        let key = request.into_inner().key;
        let found = self.world().snapshots.iter().find(|snapshot| snapshot.key == key).cloned();
        found.map(Response::new).ok_or_else(|| Status::not_found("no such record"))
    }

    async fn count_accepted(&self, _: Request<wire::CountAcceptedRequest>) -> Answer<wire::CountAcceptedResponse> {
        unused()
    }

    async fn find_by_name(&self, request: Request<wire::FindByNameRequest>) -> Answer<wire::FindByNameResponse> {
        let name = request.into_inner().name;
        let named = self.world().waybills().into_iter().filter(|waybill| waybill.name == name);
        Ok(Response::new(wire::FindByNameResponse { keys: named.filter_map(|waybill| waybill.key).collect() }))
    }

    async fn list_revisions(&self, _: Request<wire::ListRevisionsRequest>) -> Answer<wire::ListRevisionsResponse> {
        unused()
    }

    async fn get_revisions(&self, _: Request<wire::GetRevisionsRequest>) -> Answer<wire::GetRevisionsResponse> {
        unused()
    }
}

#[tonic::async_trait]
impl wire::inbox_server::Inbox for Fake {
    async fn count(&self, _: Request<wire::InboxCountRequest>) -> Answer<wire::InboxCountResponse> {
        Ok(Response::new(wire::InboxCountResponse { counts: self.world().webhook_counts.clone() }))
    }

    async fn list(&self, request: Request<wire::InboxListRequest>) -> Answer<wire::InboxListResponse> {
        let outcome = request.into_inner().outcome;
        let webhooks = self.world().webhooks.iter().filter(|webhook| webhook.outcome == outcome).cloned().collect();
        Ok(Response::new(wire::InboxListResponse { webhooks }))
    }
}

#[tonic::async_trait]
impl wire::deliveries_server::Deliveries for Fake {
    async fn list(&self, request: Request<wire::ListDeliveriesRequest>) -> Answer<wire::ListDeliveriesResponse> {
        let request = request.into_inner();
        let world = self.world();
        let chosen = world.deliveries().filter(|delivery| {
            delivery.service == self.name
                && (request.state() == wire::State::Unspecified || delivery.state() == request.state())
                && (request.system.is_empty() || delivery.system == request.system)
                && (request.code.is_empty() || delivery.code == request.code)
                && (request.key.is_none() || delivery.key == request.key)
        });
        Ok(Response::new(wire::ListDeliveriesResponse { deliveries: chosen.cloned().collect() }))
    }

    async fn show(&self, request: Request<wire::ShowDeliveryRequest>) -> Answer<wire::DeliveryDetail> {
        let request = request.into_inner();
        let asked = |detail: &&wire::DeliveryDetail| {
            let delivery = detail.delivery.as_ref().unwrap();
            delivery.service == self.name && delivery.system == request.system && delivery.key == request.key
        };
        let found = self.world().details.iter().find(asked).cloned();
        found.map(Response::new).ok_or_else(|| Status::not_found("no such delivery"))
    }

    async fn retry(&self, request: Request<wire::SelectDeliveriesRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
        let select = request.into_inner();
        let changed = self.selected(&select);
        if changed > 0 {
            self.world().retried.push(select);
        }
        Ok(Response::new(wire::ChangedDeliveriesResponse { changed }))
    }

    async fn discard(
        &self,
        request: Request<wire::DiscardDeliveriesRequest>,
    ) -> Answer<wire::ChangedDeliveriesResponse> {
        let select = request.into_inner().select.unwrap();
        let changed = self.selected(&select);
        if changed > 0 {
            self.world().discarded.push(select);
        }
        Ok(Response::new(wire::ChangedDeliveriesResponse { changed }))
    }

    async fn edit(&self, request: Request<wire::EditRequest>) -> Answer<wire::EditResponse> {
        let request = request.into_inner();
        let (system, key) = (request.system.clone(), request.key.clone());
        if self.selected(&wire::SelectDeliveriesRequest { system, key, ..Default::default() }) == 0 {
            return Err(Status::not_found("no such delivery"));
        }
        if request.values[0].path != "customer.email" {
            return Err(Status::invalid_argument("there is no one value of that name"));
        }
        self.world().edited.push(request);
        Ok(Response::new(wire::EditResponse::default()))
    }

    async fn say_again(&self, _: Request<wire::SayAgainRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
        unused()
    }

    async fn list_receipts(&self, _: Request<wire::ListReceiptsRequest>) -> Answer<wire::ListReceiptsResponse> {
        unused()
    }

    async fn list_unsettled(&self, _: Request<wire::ListUnsettledRequest>) -> Answer<wire::ListUnsettledResponse> {
        unused()
    }

    async fn hear_again(&self, _: Request<wire::HearAgainRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
        unused()
    }

    async fn count_in_flight(&self, _: Request<wire::CountInFlightRequest>) -> Answer<wire::CountInFlightResponse> {
        unused()
    }

    async fn systems(&self, _: Request<wire::SystemsRequest>) -> Answer<wire::SystemsResponse> {
        let systems = self.world().systems.iter().filter(|report| report.service == self.name).cloned().collect();
        Ok(Response::new(wire::SystemsResponse { systems }))
    }

    async fn pause(&self, _: Request<wire::PauseRequest>) -> Answer<wire::SystemsResponse> {
        unused()
    }

    async fn list_decisions(&self, _: Request<wire::ListDecisionsRequest>) -> Answer<wire::ListDecisionsResponse> {
        unused()
    }

    async fn list_approvals(
        &self,
        request: Request<wire::ListApprovalsRequest>,
    ) -> Answer<wire::ListApprovalsResponse> {
        let request = request.into_inner();
        let world = self.world();
        let chosen = world.approvals.iter().filter(|approval| {
            let delivery = approval.delivery.as_ref().unwrap();
            delivery.service == self.name && (request.key.is_none() || delivery.key == request.key)
        });
        let approvals: Vec<_> = chosen.cloned().collect();
        let total = approvals.len() as i64;
        Ok(Response::new(wire::ListApprovalsResponse { approvals, total }))
    }

    async fn approve(&self, request: Request<wire::ApproveRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
        let request = request.into_inner();
        let changed = self.awaited(&request.system, request.key.as_ref(), request.seen)?;
        if changed > 0 {
            self.world().approved.push(request);
        }
        Ok(Response::new(wire::ChangedDeliveriesResponse { changed }))
    }

    async fn refuse(&self, request: Request<wire::RefuseRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
        let request = request.into_inner();
        let changed = self.awaited(&request.system, request.key.as_ref(), request.seen)?;
        if changed > 0 {
            self.world().refused.push(request);
        }
        Ok(Response::new(wire::ChangedDeliveriesResponse { changed }))
    }

    async fn release(&self, request: Request<wire::ReleaseRequest>) -> Answer<wire::SystemsResponse> {
        let request = request.into_inner();
        let mut world = self.world();
        let mut here = world.systems.iter_mut().filter(|report| report.service == self.name);
        let report = here.find(|report| report.system == request.system);
        let report = report.ok_or_else(|| Status::not_found("not served here"))?;
        report.condition = wire::system_report::Condition::Serving.into();
        let systems = vec![report.clone()];
        world.released.push(request);
        Ok(Response::new(wire::SystemsResponse { systems }))
    }

    async fn roll(&self, _: Request<wire::RollRequest>) -> Answer<wire::RollResponse> {
        unused()
    }

    async fn audit(&self, _: Request<wire::AuditRequest>) -> Answer<wire::AuditResponse> {
        unused()
    }
}
