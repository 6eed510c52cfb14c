//! Three services in this process: the watch, a source and one that delivers.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status, service::Routes};
use waybill_proto::{
    convert::to_timestamp,
    wire::{
        self, AccountingLine, Delivery, DeliveryDetail, PlanReport, RecordKey, Replica, Revision, State, SystemReport,
        deliveries_server::{Deliveries, DeliveriesServer},
        delivery_detail::Step,
        inbox_server::{Inbox, InboxServer},
        source_server::{Source, SourceServer},
        system_report::Condition,
        watch_server::{Watch, WatchServer},
    },
};
use waybill_runtime::grpc::{self, RequireToken};

use super::{audit::Audited, people::People, recorded::Recorded};

pub(super) const TOKEN: &str = "operations-token";

type Answer<T> = Result<Response<T>, Status>;

/// What the services answer from.
#[derive(Default, Clone)]
pub(super) struct Suite {
    accounting: Vec<AccountingLine>,
    unheard: Vec<String>,
    slowest_page_ms: Option<i64>,
    replicas: Vec<Replica>,
    recorded: Recorded,
    people: People,
    audited: Audited,
    details: Vec<DeliveryDetail>,
    silent: Option<&'static str>,
    changes: Arc<Mutex<Vec<String>>>,
    peers: Vec<String>,
    stop: Option<Arc<DropGuard>>,
}

pub(super) fn order(id: &str) -> RecordKey {
    RecordKey { store: "main".to_owned(), kind: "order".to_owned(), id: id.to_owned() }
}

pub(super) fn delivery(system: &str, key: RecordKey, state: State) -> Delivery {
    Delivery {
        service: "erp-sync".to_owned(),
        system: system.to_owned(),
        name: format!("#{}", key.id),
        key: Some(key),
        state: state.into(),
        desired: Some(Revision { epoch: 1, number: 1 }),
        settled: 1,
        ..Delivery::default()
    }
}

/// A replica that has obeyed a plan since the epoch.
pub(super) fn obeying(service: &str, hash: &str) -> Replica {
    let plan = PlanReport {
        service: service.to_owned(),
        replica: format!("{service}-host"),
        plan_hash: hash.to_owned(),
        obeyed_since: Some(to_timestamp(Timestamp::UNIX_EPOCH)),
        ..PlanReport::default()
    };
    Replica { plan: Some(plan), heard_at: None }
}

impl Suite {
    pub(super) fn with(mut self, delivery: Delivery) -> Self {
        self.details.push(DeliveryDetail { delivery: Some(delivery), ..DeliveryDetail::default() });
        self
    }

    /// Gives the last delivery a step that failed.
    pub(super) fn with_step(mut self, name: &str) -> Self {
        let step = Step { name: name.to_owned(), state: "failed".to_owned(), ..Step::default() };
        self.details.last_mut().unwrap().steps.push(step);
        self
    }

    pub(super) fn counting(mut self, line: AccountingLine) -> Self {
        self.accounting.push(line);
        self
    }

    pub(super) fn unheard_by_the_watch(mut self, service: &str) -> Self {
        self.unheard.push(service.to_owned());
        self
    }

    pub(super) const fn paged_within_ms(mut self, milliseconds: i64) -> Self {
        self.slowest_page_ms = Some(milliseconds);
        self
    }

    /// The watch hears of a replica.
    pub(super) fn hearing(mut self, replica: Replica) -> Self {
        self.replicas.push(replica);
        self
    }

    /// An audit finds this.
    pub(super) fn auditing(mut self, audited: Audited) -> Self {
        self.audited = audited;
        self
    }

    /// The source and the one that delivers have kept these.
    pub(super) fn keeping(mut self, recorded: Recorded) -> Self {
        self.recorded = recorded;
        self
    }

    /// A person sits at the terminal and answers so.
    pub(super) fn answered(mut self, answer: &'static str) -> Self {
        self.people.answer = Some(answer);
        self
    }

    pub(super) fn answers(&self) -> Option<std::io::Cursor<&'static str>> {
        self.people.answer.map(std::io::Cursor::new)
    }

    /// The service that delivers has these things for people to decide.
    pub(super) fn for_people(mut self, people: People) -> Self {
        self.people = people;
        self
    }

    /// One of the services does not run.
    pub(super) const fn without(mut self, service: &'static str) -> Self {
        self.silent = Some(service);
        self
    }

    pub(super) async fn start(mut self) -> Self {
        let stop = CancellationToken::new();
        for service in ["alerter", "shopify-ingest", "erp-sync"] {
            if self.silent == Some(service) {
                self.peers.push(format!("{service}=http://127.0.0.1:1"));
                continue;
            }
            let listener = grpc::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            self.peers.push(format!("{service}=http://{}", listener.local_addr().unwrap()));
            tokio::spawn(grpc::serve(listener, self.routes(service), stop.clone()));
        }
        self.stop = Some(Arc::new(stop.drop_guard()));
        self
    }

    fn routes(&self, service: &str) -> Routes {
        let token = RequireToken::new(TOKEN.to_owned().into()).unwrap();
        let fake = Self { stop: None, ..self.clone() };
        let recorded = Recorded { complete_since: self.recorded.complete_since, ..Recorded::default() };
        let idle = Self { recorded, ..Self::default() };
        match service {
            "alerter" => Routes::new(WatchServer::with_interceptor(fake, token.clone()))
                .add_service(DeliveriesServer::with_interceptor(idle, token)),
            "shopify-ingest" => Routes::new(SourceServer::with_interceptor(fake.clone(), token.clone()))
                .add_service(InboxServer::with_interceptor(fake, token)),
            "erp-sync" => Routes::new(SourceServer::with_interceptor(idle, token.clone()))
                .add_service(DeliveriesServer::with_interceptor(fake, token)),
            _ => Routes::new(DeliveriesServer::with_interceptor(fake, token)),
        }
    }

    pub(super) fn people(&self) -> &People {
        &self.people
    }

    pub(super) fn peers(&self) -> String {
        self.peers.join(",")
    }

    /// What was done to deliveries, in order.
    pub(super) fn changes(&self) -> Vec<String> {
        self.changes.lock().unwrap().clone()
    }

    fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.details.iter().filter_map(|detail| detail.delivery.as_ref())
    }

    fn change(&self, what: &str, select: &wire::SelectDeliveriesRequest) -> Answer<wire::ChangedDeliveriesResponse> {
        let matches = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        let chosen: Vec<_> = self
            .deliveries()
            .filter(|delivery| delivery.state() == State::Parked)
            .filter(|delivery| matches(&select.system, &delivery.system) && matches(&select.code, &delivery.code))
            .filter(|delivery| select.key.is_none() || select.key == delivery.key)
            .map(|delivery| format!("{what} {}", delivery.name))
            .take(if select.limit > 0 { select.limit as usize } else { usize::MAX })
            .collect();
        let changed = chosen.len() as i64;
        if !select.dry_run {
            self.changes.lock().unwrap().extend(chosen);
        }
        Ok(Response::new(wire::ChangedDeliveriesResponse { changed }))
    }

    fn note(
        &self,
        changed: i64,
        what: &str,
        key: Option<&RecordKey>,
        reason: &str,
    ) -> Answer<wire::ChangedDeliveriesResponse> {
        if changed > 0 {
            let id = key.map_or("", |key| &key.id);
            self.changes.lock().unwrap().push(format!("{what} {id} {reason}").trim_end().to_owned());
        }
        Ok(Response::new(wire::ChangedDeliveriesResponse { changed }))
    }

    fn reports(&self, condition: Condition) -> wire::SystemsResponse {
        let mut systems: Vec<_> = self.deliveries().map(|delivery| delivery.system.clone()).collect();
        systems.dedup();
        let report = |system| SystemReport {
            service: "erp-sync".to_owned(),
            system,
            condition: condition.into(),
            ..SystemReport::default()
        };
        wire::SystemsResponse { systems: systems.into_iter().map(report).collect() }
    }
}

fn unused<T>() -> Answer<T> {
    Err(Status::internal("no command asks this"))
}

#[tonic::async_trait]
impl Watch for Suite {
    async fn list_waybills(&self, _: Request<wire::ListWaybillsRequest>) -> Answer<wire::ListWaybillsResponse> {
        Ok(Response::new(wire::ListWaybillsResponse::default()))
    }

    async fn get_waybill(&self, _: Request<wire::GetWaybillRequest>) -> Answer<wire::Waybill> {
        Err(Status::not_found("no such waybill"))
    }

    async fn accounting(&self, _: Request<wire::AccountingRequest>) -> Answer<wire::AccountingResponse> {
        let lines = self.accounting.clone();
        Ok(Response::new(wire::AccountingResponse { lines, unreachable: self.unheard.clone() }))
    }

    async fn incidents(&self, _: Request<wire::IncidentsRequest>) -> Answer<wire::IncidentsResponse> {
        let slowest_page_ms = self.slowest_page_ms;
        Ok(Response::new(wire::IncidentsResponse { incidents: Vec::new(), slowest_page_ms }))
    }

    async fn list_replicas(&self, _: Request<wire::ListReplicasRequest>) -> Answer<wire::ListReplicasResponse> {
        Ok(Response::new(wire::ListReplicasResponse { replicas: self.replicas.clone() }))
    }
}

#[tonic::async_trait]
impl Source for Suite {
    async fn list_changes(&self, _: Request<wire::ListChangesRequest>) -> Answer<wire::ListChangesResponse> {
        unused()
    }

    async fn get_snapshot(&self, _: Request<wire::GetSnapshotRequest>) -> Answer<wire::Snapshot> {
        Err(Status::not_found("no such record"))
    }

    async fn count_accepted(&self, _: Request<wire::CountAcceptedRequest>) -> Answer<wire::CountAcceptedResponse> {
        unused()
    }

    async fn find_by_name(&self, request: Request<wire::FindByNameRequest>) -> Answer<wire::FindByNameResponse> {
        let name = request.into_inner().name;
        let keys =
            self.deliveries().filter(|delivery| delivery.name == name).filter_map(|delivery| delivery.key.clone());
        Ok(Response::new(wire::FindByNameResponse { keys: keys.collect() }))
    }

    async fn list_revisions(
        &self,
        request: Request<wire::ListRevisionsRequest>,
    ) -> Answer<wire::ListRevisionsResponse> {
        self.recorded.revisions(&request.into_inner()).map(Response::new)
    }

    async fn get_revisions(&self, request: Request<wire::GetRevisionsRequest>) -> Answer<wire::GetRevisionsResponse> {
        Ok(Response::new(self.recorded.single(request.into_inner())))
    }
}

#[tonic::async_trait]
impl Inbox for Suite {
    async fn count(&self, _: Request<wire::InboxCountRequest>) -> Answer<wire::InboxCountResponse> {
        Ok(Response::new(wire::InboxCountResponse::default()))
    }

    async fn list(&self, _: Request<wire::InboxListRequest>) -> Answer<wire::InboxListResponse> {
        Ok(Response::new(wire::InboxListResponse::default()))
    }
}

#[tonic::async_trait]
impl Deliveries for Suite {
    async fn list(&self, request: Request<wire::ListDeliveriesRequest>) -> Answer<wire::ListDeliveriesResponse> {
        let request = request.into_inner();
        let chosen = self.deliveries().filter(|delivery| {
            (request.state() == State::Unspecified || delivery.state() == request.state())
                && (request.key.is_none() || request.key == delivery.key)
        });
        Ok(Response::new(wire::ListDeliveriesResponse { deliveries: chosen.cloned().collect() }))
    }

    async fn show(&self, request: Request<wire::ShowDeliveryRequest>) -> Answer<DeliveryDetail> {
        let key = request.into_inner().key;
        let asked = |detail: &&DeliveryDetail| detail.delivery.as_ref().unwrap().key == key;
        let found = self.details.iter().find(asked).cloned();
        found.map(Response::new).ok_or_else(|| Status::not_found("no such delivery"))
    }

    async fn retry(&self, request: Request<wire::SelectDeliveriesRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
        self.change("retry", &request.into_inner())
    }

    async fn discard(
        &self,
        request: Request<wire::DiscardDeliveriesRequest>,
    ) -> Answer<wire::ChangedDeliveriesResponse> {
        self.change("discard", &request.into_inner().select.unwrap())
    }

    async fn say_again(&self, _: Request<wire::SayAgainRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
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
        let mut answer = self.reports(Condition::Serving);
        answer.systems.extend(self.people.asking());
        Ok(Response::new(answer))
    }

    async fn pause(&self, request: Request<wire::PauseRequest>) -> Answer<wire::SystemsResponse> {
        let request = request.into_inner();
        if request.flow == "orders-to-erp" {
            self.changes.lock().unwrap().push(format!("pause flow {} {}", request.flow, request.paused));
            return Ok(Response::new(self.reports(Condition::Serving)));
        }
        if self.deliveries().all(|delivery| delivery.system != request.system) {
            return Err(Status::not_found("not served here"));
        }
        Ok(Response::new(self.reports(if request.paused { Condition::Paused } else { Condition::Serving })))
    }

    async fn edit(&self, request: Request<wire::EditRequest>) -> Answer<wire::EditResponse> {
        let request = request.into_inner();
        let delivery =
            self.deliveries().find(|delivery| delivery.system == request.system && delivery.key == request.key);
        let delivery = delivery.ok_or_else(|| Status::not_found("no such delivery"))?;
        if delivery.state() != State::Parked {
            return Err(Status::failed_precondition("it is not parked: it is applied"));
        }
        let mut changes = Vec::new();
        for value in &request.values {
            if value.path != "customer.email" {
                return Err(Status::invalid_argument(format!("there is no one value '{}'", value.path)));
            }
            let (path, would_be) = (value.path.clone(), value.value.clone());
            changes.push(wire::edit_response::Change { path, would_be, was: "ada".to_owned(), ..Default::default() });
            if !request.dry_run {
                let told = format!("edit {} {}={} {}", delivery.name, value.path, value.value, request.reason);
                self.changes.lock().unwrap().push(told);
            }
        }
        let revision = delivery.desired;
        Ok(Response::new(wire::EditResponse {
            changes,
            would_be: State::Applied.into(),
            revision,
            ..Default::default()
        }))
    }

    async fn list_decisions(
        &self,
        request: Request<wire::ListDecisionsRequest>,
    ) -> Answer<wire::ListDecisionsResponse> {
        self.recorded.decisions(&request.into_inner()).map(Response::new)
    }

    async fn list_approvals(
        &self,
        request: Request<wire::ListApprovalsRequest>,
    ) -> Answer<wire::ListApprovalsResponse> {
        Ok(Response::new(self.people.list(&request.into_inner())))
    }

    async fn approve(&self, request: Request<wire::ApproveRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
        let request = request.into_inner();
        let changed = self.people.word(&request.system, request.key.as_ref(), request.seen)?;
        self.note(changed, "approve", request.key.as_ref(), &request.reason)
    }

    async fn refuse(&self, request: Request<wire::RefuseRequest>) -> Answer<wire::ChangedDeliveriesResponse> {
        let request = request.into_inner();
        let changed = self.people.word(&request.system, request.key.as_ref(), request.seen)?;
        self.note(changed, "refuse", request.key.as_ref(), &request.reason)
    }

    async fn release(&self, request: Request<wire::ReleaseRequest>) -> Answer<wire::SystemsResponse> {
        let request = request.into_inner();
        let systems = self.people.release(&request.system)?;
        let told = format!("release {} {}", request.system, request.reason);
        self.changes.lock().unwrap().push(told.trim_end().to_owned());
        Ok(Response::new(wire::SystemsResponse { systems }))
    }

    async fn roll(&self, request: Request<wire::RollRequest>) -> Answer<wire::RollResponse> {
        let (answer, rolled) = self.people.roll(&request.into_inner())?;
        self.changes.lock().unwrap().extend(rolled);
        Ok(Response::new(answer))
    }

    async fn audit(&self, request: Request<wire::AuditRequest>) -> Answer<wire::AuditResponse> {
        let request = request.into_inner();
        if self.audited.refuses(&request) {
            return Err(Status::unavailable("the database cannot be read; try again"));
        }
        let (answer, healed) = self.audited.page(&request);
        self.changes.lock().unwrap().extend(healed);
        Ok(Response::new(answer))
    }
}
