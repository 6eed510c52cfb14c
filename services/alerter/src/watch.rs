//! `Watch` over gRPC.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{PgPool, types::Json};
use tonic::{Request, Response, Status};
use waybill_domain::{Clock, cause};
use waybill_proto::{
    convert::to_timestamp,
    wire::{
        AccountingRequest, AccountingResponse, GetWaybillRequest, Incident, IncidentsRequest, IncidentsResponse, Line,
        ListReplicasRequest, ListReplicasResponse, ListWaybillsRequest, ListWaybillsResponse, RecordKey, State,
        Waybill, watch_server::Watch,
    },
};

use crate::{accounting::Accounting, replicas};

/// Answers for the watch.
#[derive(Clone)]
pub(crate) struct WatchService {
    pub(crate) pool: PgPool,
    pub(crate) accounting: Accounting,
    pub(crate) clock: Arc<dyn Clock>,
}

fn unavailable(error: impl Into<anyhow::Error>) -> Status {
    tracing::warn!(error = format!("{:#}", error.into()), "the watch's tables cannot be read");
    Status::unavailable("the database cannot be read; try again")
}

fn time(us: i64) -> Option<prost_types::Timestamp> {
    Timestamp::from_microsecond(us).ok().map(to_timestamp)
}

fn state_of(word: &str) -> State {
    match word {
        "applied" => State::Applied,
        "ignored" => State::Ignored,
        "parked" => State::Parked,
        _ => State::Pending,
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Unspecified => "",
        State::Pending | State::Applying | State::Waiting => "pending",
        State::Applied => "applied",
        State::Superseded => "superseded",
        State::Ignored => "ignored",
        State::Parked => "parked",
    }
}

type LineRow =
    ((String, String, String), String, String, String, i64, i64, String, String, String, String, i64, i64, String);

impl WatchService {
    async fn lines(&self, keys: &[(String, String, String)]) -> sqlx::Result<Vec<LineRow>> {
        #[derive(sqlx::FromRow)]
        struct Row {
            store: String,
            kind: String,
            record_id: String,
            system: String,
            service: String,
            state: String,
            accepted_number: i64,
            settled_number: i64,
            code: String,
            message: String,
            field: String,
            external_id: String,
            attempts: i64,
            changed_us: i64,
            plan_hash: String,
        }
        let rows: Vec<Row> = sqlx::query_as(
            "select l.store, l.kind, l.record_id, l.system, l.service, l.state, l.accepted_number, l.settled_number,
                 l.code, l.message, l.field, l.external_id, l.attempts,
                 (extract(epoch from l.changed_at) * 1000000)::bigint as changed_us, l.plan_hash
             from line l join unnest($1::text[], $2::text[], $3::text[]) as k (store, kind, record_id)
                 using (store, kind, record_id)
             order by l.system",
        )
        .bind(keys.iter().map(|key| key.0.clone()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.1.clone()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.2.clone()).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                (
                    (row.store, row.kind, row.record_id),
                    row.system,
                    row.service,
                    row.state,
                    row.accepted_number,
                    row.settled_number,
                    row.code,
                    row.message,
                    row.field,
                    row.external_id,
                    row.attempts,
                    row.changed_us,
                    row.plan_hash,
                )
            })
            .collect())
    }

    async fn waybills(&self, rows: Vec<(String, String, String, String, i64)>) -> sqlx::Result<Vec<Waybill>> {
        let keys: Vec<_> = rows.iter().map(|row| (row.0.clone(), row.1.clone(), row.2.clone())).collect();
        let lines = self.lines(&keys).await?;
        Ok(rows
            .into_iter()
            .map(|(store, kind, id, name, changed_us)| {
                let key = (store.clone(), kind.clone(), id.clone());
                let lines = lines
                    .iter()
                    .filter(|line| line.0 == key)
                    .map(|line| Line {
                        system: line.1.clone(),
                        service: line.2.clone(),
                        state: state_of(&line.3).into(),
                        accepted: line.4,
                        settled: line.5,
                        code: line.6.clone(),
                        message: line.7.clone(),
                        field: line.8.clone(),
                        external_id: line.9.clone(),
                        attempts: line.10,
                        changed_at: time(line.11),
                        plan_hash: line.12.clone(),
                    })
                    .collect();
                Waybill { key: Some(RecordKey { store, kind, id }), name, changed_at: time(changed_us), lines }
            })
            .collect())
    }
}

const FILTER: &str = "($1 = '' or w.kind = $1)
    and ($2 = '' or w.name ilike $2 || '%' or w.name ilike '#' || $2 || '%' or w.record_id like $2 || '%')
    and (($3 = '' and $4 = '') or exists (
        select from line l
        where (l.store, l.kind, l.record_id) = (w.store, w.kind, w.record_id)
            and ($3 = '' or l.state = $3) and ($4 = '' or l.system = $4)))";

#[tonic::async_trait]
impl Watch for WatchService {
    async fn list_waybills(
        &self,
        request: Request<ListWaybillsRequest>,
    ) -> Result<Response<ListWaybillsResponse>, Status> {
        let request = request.into_inner();
        let limit = if request.limit <= 0 { 50 } else { request.limit.min(500) };
        let state = word(request.state());
        let search = request.search.replace(['%', '_'], "");
        let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select w.store, w.kind, w.record_id, w.name, (extract(epoch from w.changed_at) * 1000000)::bigint
             from waybill w where {FILTER} order by w.changed_at desc, w.record_id limit $5 offset $6"
        )))
        .bind(&request.kind)
        .bind(&search)
        .bind(state)
        .bind(&request.system)
        .bind(i64::from(limit))
        .bind(i64::from(request.offset.max(0)))
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        let total: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from waybill w where {FILTER}")))
                .bind(&request.kind)
                .bind(&search)
                .bind(state)
                .bind(&request.system)
                .fetch_one(&self.pool)
                .await
                .map_err(unavailable)?;
        let waybills = self.waybills(rows).await.map_err(unavailable)?;
        Ok(Response::new(ListWaybillsResponse { waybills, total }))
    }

    async fn get_waybill(&self, request: Request<GetWaybillRequest>) -> Result<Response<Waybill>, Status> {
        let request = request.into_inner();
        let rows: Vec<(String, String, String, String, i64)> = match &request.key {
            Some(key) => {
                sqlx::query_as(
                    "select store, kind, record_id, name, (extract(epoch from changed_at) * 1000000)::bigint
                     from waybill where (store, kind, record_id) = ($1, $2, $3)",
                )
                .bind(&key.store)
                .bind(&key.kind)
                .bind(&key.id)
                .fetch_all(&self.pool)
                .await
            }
            None => {
                // An order before its parcels, which carry its name too.
                sqlx::query_as(
                    "select store, kind, record_id, name, (extract(epoch from changed_at) * 1000000)::bigint
                     from waybill where name = $1 and name <> '' order by kind <> 'order', store limit 1",
                )
                .bind(&request.name)
                .fetch_all(&self.pool)
                .await
            }
        }
        .map_err(unavailable)?;
        let waybill = self.waybills(rows).await.map_err(unavailable)?.into_iter().next();
        waybill.map(Response::new).ok_or_else(|| {
            let what = request.key.map_or(request.name, |key| format!("{}/{}/{}", key.store, key.kind, key.id));
            Status::not_found(format!("no waybill of '{what}' was heard of"))
        })
    }

    async fn accounting(&self, _request: Request<AccountingRequest>) -> Result<Response<AccountingResponse>, Status> {
        self.accounting.lines().await.map(Response::new).map_err(unavailable)
    }

    async fn incidents(&self, request: Request<IncidentsRequest>) -> Result<Response<IncidentsResponse>, Status> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: i64,
            system: String,
            code: String,
            severity: String,
            detail: String,
            count: i64,
            records: Json<Vec<String>>,
            opened_us: i64,
            resolved_us: Option<i64>,
            paged_us: Option<i64>,
        }
        let rows: Vec<Row> = sqlx::query_as(
            "select id, system, code, severity, detail, count, records,
                 (extract(epoch from opened_at) * 1000000)::bigint as opened_us,
                 (extract(epoch from resolved_at) * 1000000)::bigint as resolved_us,
                 (extract(epoch from paged_at) * 1000000)::bigint as paged_us
             from incident where $1 or resolved_at is null order by resolved_at is not null, opened_at desc limit 200",
        )
        .bind(request.into_inner().include_resolved)
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        let slowest_page_ms: Option<i64> = sqlx::query_scalar(
            "select (extract(epoch from max(paged_at - first_at)) * 1000)::bigint from incident where paged_at is not null",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(unavailable)?;
        let incidents = rows
            .into_iter()
            .map(|row| {
                let known = cause::of(&row.code);
                Incident {
                    id: row.id,
                    title: known.map_or("A system refuses records", |cause| cause.title).to_owned(),
                    meaning: known.map_or("The vendor refused these records.", |cause| cause.meaning).to_owned(),
                    action: known
                        .map_or("Look at `waybill parked list`, mend the cause, then retry.", |cause| cause.action)
                        .to_owned(),
                    system: row.system,
                    code: row.code,
                    severity: row.severity,
                    detail: row.detail,
                    count: row.count,
                    records: row
                        .records
                        .0
                        .iter()
                        .filter_map(|record| match record.split('/').collect::<Vec<_>>()[..] {
                            [store, kind, id] => {
                                Some(RecordKey { store: store.into(), kind: kind.into(), id: id.into() })
                            }
                            _ => None,
                        })
                        .collect(),
                    opened_at: time(row.opened_us),
                    resolved_at: row.resolved_us.and_then(time),
                    paged_at: row.paged_us.and_then(time),
                }
            })
            .collect();
        Ok(Response::new(IncidentsResponse { incidents, slowest_page_ms }))
    }

    async fn list_replicas(
        &self,
        _request: Request<ListReplicasRequest>,
    ) -> Result<Response<ListReplicasResponse>, Status> {
        let alive = replicas::alive(&self.pool, self.clock.now()).await.map_err(unavailable)?;
        Ok(Response::new(ListReplicasResponse { replicas: alive.into_iter().map(Into::into).collect() }))
    }
}
