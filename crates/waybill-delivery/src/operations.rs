//! `Deliveries` over gRPC: what people may see and do.

mod approve;
mod audit;
mod decisions;
mod discard;
mod edit;
mod first_run;
mod hear_again;
mod pause;
mod receipts;
mod roll;

use std::sync::Arc;

use jiff::Timestamp;
use tonic::{Request, Response, Status};
use waybill_proto::{
    convert::to_timestamp,
    wire::{
        self, ApproveRequest, AuditRequest, AuditResponse, ChangedDeliveriesResponse, CountInFlightRequest,
        CountInFlightResponse, DeliveryDetail, DiscardDeliveriesRequest, EditRequest, EditResponse, HearAgainRequest,
        ListApprovalsRequest, ListApprovalsResponse, ListDecisionsRequest, ListDecisionsResponse,
        ListDeliveriesRequest, ListDeliveriesResponse, ListReceiptsRequest, ListReceiptsResponse, ListUnsettledRequest,
        ListUnsettledResponse, PauseRequest, RefuseRequest, ReleaseRequest, RollRequest, RollResponse, SayAgainRequest,
        SelectDeliveriesRequest, ShowDeliveryRequest, SystemsRequest, SystemsResponse, count_in_flight_response::Count,
        deliveries_server::Deliveries,
    },
};

use crate::{
    engine::Engine,
    store::{
        deliveries::{self, Row, Selection},
        edits, heard,
    },
};

/// Answers for an engine's deliveries.
#[derive(Clone)]
pub struct DeliveriesService {
    engine: Arc<Engine>,
}

impl DeliveriesService {
    /// Answers for an engine.
    pub const fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }
}

fn unavailable(error: sqlx::Error) -> Status {
    tracing::warn!(%error, "deliveries cannot be read");
    Status::unavailable("the database cannot be read; try again")
}

fn time(us: i64) -> Option<prost_types::Timestamp> {
    Timestamp::from_microsecond(us).ok().map(to_timestamp)
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn state_word(state: wire::State) -> Option<String> {
    let word = match state {
        wire::State::Unspecified | wire::State::Superseded => return None,
        wire::State::Pending => "pending",
        wire::State::Applying => "applying",
        wire::State::Waiting => "waiting",
        wire::State::Applied => "applied",
        wire::State::Ignored => "ignored",
        wire::State::Parked => "parked",
    };
    Some(word.to_owned())
}

fn state_of(word: &str) -> wire::State {
    match word {
        "pending" => wire::State::Pending,
        "applying" => wire::State::Applying,
        "waiting" => wire::State::Waiting,
        "applied" => wire::State::Applied,
        "ignored" => wire::State::Ignored,
        "parked" => wire::State::Parked,
        _ => wire::State::Unspecified,
    }
}

fn delivery(service: &str, row: &Row) -> wire::Delivery {
    wire::Delivery {
        service: service.to_owned(),
        system: row.system.clone(),
        key: Some(wire::RecordKey { store: row.store.clone(), kind: row.kind.clone(), id: row.record_id.clone() }),
        name: row.name.clone(),
        state: state_of(&row.state).into(),
        desired: Some(wire::Revision { epoch: row.desired_epoch, number: row.desired_number }),
        applied: row
            .applied_number
            .map(|number| wire::Revision { epoch: row.applied_epoch.unwrap_or_default(), number }),
        settled: row.settled_number,
        code: row.code.clone(),
        message: row.message.clone(),
        field: row.field.clone(),
        external_id: row.external_id.clone(),
        attempts: i64::from(row.attempts),
        due_at: time(row.due_us),
        changed_at: time(row.changed_us),
        first_unapplied_at: row.first_unapplied_us.and_then(time),
        plan_hash: row.plan_hash.clone(),
        body_removed_at: row.body_removed_us.and_then(time),
    }
}

fn parked(request: &SelectDeliveriesRequest) -> Selection {
    Selection {
        system: some(request.system.clone()),
        state: Some("parked".to_owned()),
        code: some(request.code.clone()),
        record: request.key.as_ref().map(|key| (key.store.clone(), key.kind.clone(), key.id.clone())),
        limit: (request.limit > 0).then_some(request.limit),
    }
}

#[tonic::async_trait]
impl Deliveries for DeliveriesService {
    async fn list(&self, request: Request<ListDeliveriesRequest>) -> Result<Response<ListDeliveriesResponse>, Status> {
        let request = request.into_inner();
        let limit = if request.limit <= 0 { 100 } else { request.limit.min(1000) };
        let selection = Selection {
            state: state_word(request.state()),
            system: some(request.system),
            code: some(request.code),
            record: request.key.map(|key| (key.store, key.kind, key.id)),
            limit: None,
        };
        let rows = deliveries::list(self.engine.pool(), &selection, i64::from(limit)).await.map_err(unavailable)?;
        let deliveries = rows.iter().map(|row| delivery(self.engine.service(), row)).collect();
        Ok(Response::new(ListDeliveriesResponse { deliveries }))
    }

    async fn show(&self, request: Request<ShowDeliveryRequest>) -> Result<Response<DeliveryDetail>, Status> {
        let request = request.into_inner();
        let key = request.key.ok_or_else(|| Status::invalid_argument("'key' is missing"))?;
        let selection = Selection {
            system: Some(request.system.clone()),
            record: Some((key.store.clone(), key.kind.clone(), key.id.clone())),
            ..Selection::default()
        };
        let rows = deliveries::list(self.engine.pool(), &selection, 1).await.map_err(unavailable)?;
        let row = rows.first().ok_or_else(|| {
            let what = format!("{} has no delivery of {}/{}/{}", request.system, key.store, key.kind, key.id);
            Status::not_found(what)
        })?;
        let steps = deliveries::steps(self.engine.pool(), row.id).await.map_err(unavailable)?;
        let edits = edits::list(self.engine.pool(), row.id).await.map_err(unavailable)?;
        Ok(Response::new(DeliveryDetail {
            delivery: Some(delivery(self.engine.service(), row)),
            steps: steps
                .into_iter()
                .map(|step| wire::delivery_detail::Step {
                    name: step.name,
                    role: step.role,
                    call_key: step.call_key,
                    state: step.state,
                    message: step.message,
                    started_at: time(step.started_us),
                    finished_at: step.finished_us.and_then(time),
                })
                .collect(),
            known: row.known.0.clone().into_iter().collect(),
            edits: edits
                .into_iter()
                .map(|edit| wire::delivery_detail::Edit {
                    path: edit.path,
                    actor: edit.actor,
                    reason: edit.reason,
                    edited_at: time(edit.edited_us),
                    lapsed: edit.lapsed,
                })
                .collect(),
        }))
    }

    async fn retry(
        &self,
        request: Request<SelectDeliveriesRequest>,
    ) -> Result<Response<ChangedDeliveriesResponse>, Status> {
        let request = request.into_inner();
        if [request.rate, request.after_seconds].iter().any(|number| !number.is_finite() || *number < 0.0) {
            let message = "'rate' is a number of deliveries a second, 0 for all at once; 'after_seconds' a wait";
            return Err(Status::invalid_argument(message));
        }
        let pace = deliveries::Pace { rate: request.rate, after_seconds: request.after_seconds };
        let selection = parked(&request);
        let changed = if request.dry_run {
            deliveries::count(self.engine.pool(), &selection).await.map_err(unavailable)?
        } else {
            let changed = deliveries::retry(self.engine.pool(), &selection, pace, &request.actor, &request.reason)
                .await
                .map_err(unavailable)?;
            self.engine.wake_workers();
            changed.try_into().unwrap_or(i64::MAX)
        };
        Ok(Response::new(ChangedDeliveriesResponse { changed }))
    }

    async fn discard(
        &self,
        request: Request<DiscardDeliveriesRequest>,
    ) -> Result<Response<ChangedDeliveriesResponse>, Status> {
        let select = request.into_inner().select.ok_or_else(|| Status::invalid_argument("'select' is missing"))?;
        if select.reason.is_empty() || select.actor.is_empty() {
            return Err(Status::invalid_argument("a discard needs who and why: give 'actor' and 'reason'"));
        }
        let selection = parked(&select);
        let changed = if select.dry_run {
            deliveries::count(self.engine.pool(), &selection).await.map_err(unavailable)?
        } else {
            self.engine.discard(&selection, &select.actor, &select.reason).await.map_err(unavailable)?
        };
        Ok(Response::new(ChangedDeliveriesResponse { changed }))
    }

    async fn say_again(
        &self,
        request: Request<SayAgainRequest>,
    ) -> Result<Response<ChangedDeliveriesResponse>, Status> {
        let changed = receipts::say_again(&self.engine, &request.into_inner().keys).await?;
        Ok(Response::new(ChangedDeliveriesResponse { changed }))
    }

    async fn list_receipts(
        &self,
        request: Request<ListReceiptsRequest>,
    ) -> Result<Response<ListReceiptsResponse>, Status> {
        let ListReceiptsRequest { system, keys } = request.into_inner();
        let receipts = receipts::list(&self.engine, &system, &keys).await?;
        Ok(Response::new(ListReceiptsResponse { receipts }))
    }

    async fn list_unsettled(
        &self,
        request: Request<ListUnsettledRequest>,
    ) -> Result<Response<ListUnsettledResponse>, Status> {
        let ListUnsettledRequest { system, keys } = request.into_inner();
        let [stores, kinds, ids] = columns(&keys)?;
        let found = heard::unsettled(self.engine.pool(), &system, &stores, &kinds, &ids).await.map_err(unavailable)?;
        let keys = found.into_iter().map(|(store, kind, id)| wire::RecordKey { store, kind, id }).collect();
        Ok(Response::new(ListUnsettledResponse { keys }))
    }

    async fn hear_again(
        &self,
        request: Request<HearAgainRequest>,
    ) -> Result<Response<ChangedDeliveriesResponse>, Status> {
        let changed = hear_again::hear(&self.engine, request.into_inner()).await?;
        Ok(Response::new(ChangedDeliveriesResponse { changed }))
    }

    async fn count_in_flight(
        &self,
        _request: Request<CountInFlightRequest>,
    ) -> Result<Response<CountInFlightResponse>, Status> {
        let counts = deliveries::in_flight(self.engine.pool())
            .await
            .map_err(unavailable)?
            .into_iter()
            .map(|(store, kind, system, revisions)| Count { store, kind, system, revisions })
            .collect();
        Ok(Response::new(CountInFlightResponse { counts }))
    }

    async fn systems(&self, _request: Request<SystemsRequest>) -> Result<Response<SystemsResponse>, Status> {
        let systems = self.engine.system_reports().await.map_err(unavailable)?;
        Ok(Response::new(SystemsResponse { systems }))
    }

    async fn pause(&self, request: Request<PauseRequest>) -> Result<Response<SystemsResponse>, Status> {
        pause::pause(&self.engine, request.into_inner()).await.map(Response::new)
    }

    async fn list_decisions(
        &self,
        request: Request<ListDecisionsRequest>,
    ) -> Result<Response<ListDecisionsResponse>, Status> {
        decisions::list(self.engine.pool(), request.into_inner()).await.map(Response::new)
    }

    async fn list_approvals(
        &self,
        request: Request<ListApprovalsRequest>,
    ) -> Result<Response<ListApprovalsResponse>, Status> {
        approve::list(&self.engine, request.into_inner()).await.map(Response::new)
    }

    async fn approve(&self, request: Request<ApproveRequest>) -> Result<Response<ChangedDeliveriesResponse>, Status> {
        let changed = approve::approve(&self.engine, request.into_inner()).await?;
        Ok(Response::new(ChangedDeliveriesResponse { changed }))
    }

    async fn refuse(&self, request: Request<RefuseRequest>) -> Result<Response<ChangedDeliveriesResponse>, Status> {
        let changed = approve::refuse(&self.engine, request.into_inner()).await?;
        Ok(Response::new(ChangedDeliveriesResponse { changed }))
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<SystemsResponse>, Status> {
        let systems = first_run::release(&self.engine, request.into_inner()).await?;
        Ok(Response::new(SystemsResponse { systems }))
    }

    async fn roll(&self, request: Request<RollRequest>) -> Result<Response<RollResponse>, Status> {
        roll::page(&self.engine, request.into_inner()).await.map(Response::new)
    }

    async fn edit(&self, request: Request<EditRequest>) -> Result<Response<EditResponse>, Status> {
        edit::edit(&self.engine, request.into_inner()).await.map(Response::new)
    }

    async fn audit(&self, request: Request<AuditRequest>) -> Result<Response<AuditResponse>, Status> {
        audit::page(&self.engine, request.into_inner()).await.map(Response::new)
    }
}

/// Stores, kinds and ids of at most 1000 records.
fn columns(keys: &[wire::RecordKey]) -> Result<[Vec<String>; 3], Status> {
    if keys.len() > 1000 {
        return Err(Status::invalid_argument("at most 1000 records at once"));
    }
    let column = |pick: fn(&wire::RecordKey) -> String| keys.iter().map(pick).collect();
    Ok([column(|key| key.store.clone()), column(|key| key.kind.clone()), column(|key| key.id.clone())])
}

impl Engine {
    async fn audit(&self, actor: &str, action: &str, system: &str, record: &str, reason: &str) -> sqlx::Result<()> {
        sqlx::query("insert into audit (actor, action, system, record, reason) values ($1, $2, $3, $4, $5)")
            .bind(actor)
            .bind(action)
            .bind(system)
            .bind(record)
            .bind(reason)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
