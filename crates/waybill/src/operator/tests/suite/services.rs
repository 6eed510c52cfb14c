//! What the services answer.

use tonic::{Request, Response, Status};
use waybill_proto::wire::{
    self, DeliveryDetail, State, deliveries_server::Deliveries, inbox_server::Inbox, source_server::Source,
    system_report::Condition, watch_server::Watch,
};

use super::Suite;

pub(super) type Answer<T> = Result<Response<T>, Status>;

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
                && (request.system.is_empty() || request.system == delivery.system)
                && (request.code.is_empty() || request.code == delivery.code)
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
        // Another value of it is wrong too.
        let would_be = if delivery.field == "gift" { State::Parked } else { State::Applied };
        Ok(Response::new(wire::EditResponse { changes, would_be: would_be.into(), revision, ..Default::default() }))
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
