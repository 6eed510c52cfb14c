//! `Source` over gRPC.

use jiff::Timestamp;
use prost::Message as _;
use sqlx::{AssertSqlSafe, FromRow, PgPool, postgres::PgRow};
use tonic::{Request, Response, Status};
use waybill_domain::{RecordKey, Revision};
use waybill_proto::{
    WireError,
    convert::to_timestamp,
    wire::{
        self, CountAcceptedRequest, CountAcceptedResponse, FindByNameRequest, FindByNameResponse, GetRevisionsRequest,
        GetRevisionsResponse, GetSnapshotRequest, Head, ListChangesRequest, ListChangesResponse, ListRevisionsRequest,
        ListRevisionsResponse, count_accepted_response::Count, get_revisions_request::Wanted, source_server::Source,
    },
};

use super::revisions;
use crate::{
    store::history,
    tally,
    window::{self, Window},
};

/// How many revisions a page has at most.
const PAGE: usize = 500;
/// How many single revisions can be asked for at once.
const SINGLE: usize = 100;

/// Answers for a service's ledger.
#[derive(Debug, Clone)]
pub struct SourceService {
    pool: PgPool,
}

impl SourceService {
    /// Answers from a ledger's tables.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

fn unavailable(error: sqlx::Error) -> Status {
    tracing::warn!(%error, "the ledger cannot be read");
    Status::unavailable("the database cannot be read; try again")
}

fn read<'a>(stored: impl Iterator<Item = &'a [u8]>) -> Result<Vec<wire::Snapshot>, Status> {
    stored
        .map(wire::Snapshot::decode)
        .collect::<Result<_, _>>()
        .map_err(|error| Status::data_loss(format!("a stored snapshot cannot be read: {error}")))
}

impl SourceService {
    /// A page of the records that changed after a place, in the order of their changes, with two things of each; where to
    /// go on, and whether there are more.
    async fn changed<A, B>(
        &self,
        things: &str,
        joined: &str,
        request: &ListChangesRequest,
    ) -> Result<(Vec<Changed<A, B>>, String, bool), Status>
    where
        Changed<A, B>: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let after = Cursor::read(&request.after)?;
        let limit = if request.limit <= 0 { 500 } else { request.limit.min(500) };
        let mut rows: Vec<Changed<A, B>> = sqlx::query_as(AssertSqlSafe(format!(
            "select r.changed_in::text, r.store, r.kind, r.record_id, {things}
             from (
                 select * from record
                 where (changed_in, store, kind, record_id) > ($1::text::xid8, $2, $3, $4)
                     -- Never past an open transaction: what it changes would be passed over.
                     and changed_in < pg_snapshot_xmin(pg_current_snapshot())
                     -- `any` would be asked of the index, whose order is lost by it: all after the cursor were sorted.
                     and (cardinality($5::text[]) = 0 or array_position($5, kind) is not null)
                 order by changed_in, store, kind, record_id
                 limit $6) r {joined}
             -- By the table's columns: without its name `changed_in` were the text above, of which 10 comes before 9.
             order by r.changed_in, r.store, r.kind, r.record_id"
        )))
        .persistent(false)
        .bind(&after.transaction)
        .bind(&after.store)
        .bind(&after.kind)
        .bind(&after.id)
        .bind(&request.kinds)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        let more = rows.len() == limit as usize;
        let cursor = rows
            .last()
            .map(|(transaction, store, kind, id, ..)| format!("{transaction}/{store}/{kind}/{id}"))
            .unwrap_or_else(|| request.after.clone());
        rows.retain(|row| !waybill_faults::breaks("drop-publish", &row.3));
        Ok((rows, cursor, more))
    }
}

fn wanted(wanted: Wanted) -> Result<(RecordKey, Revision), WireError> {
    let key = wanted.key.as_ref().ok_or(WireError::Missing("key"))?;
    let revision = wanted.revision.ok_or(WireError::Missing("revision"))?;
    Ok((key.try_into()?, revision.into()))
}

/// A changed record: transaction, store, kind, id, and two things of it.
type Changed<A, B> = (String, String, String, String, A, B);

fn head((_, store, kind, id, revision, snapshot): Changed<Vec<i64>, Option<Vec<u8>>>) -> Result<Head, Status> {
    let revision = match (&revision[..], snapshot) {
        ([epoch, number], _) => Some(wire::Revision { epoch: *epoch, number: *number }),
        (_, Some(snapshot)) => read(std::iter::once(snapshot.as_slice()))?.pop().and_then(|snapshot| snapshot.revision),
        _ => None,
    };
    Ok(Head { key: Some(wire::RecordKey { store, kind, id }), revision })
}

/// A place in the order of changes: transaction, then record.
struct Cursor {
    transaction: String,
    store: String,
    kind: String,
    id: String,
}

impl Cursor {
    fn read(text: &str) -> Result<Self, Status> {
        if text.is_empty() {
            return Ok(Self {
                transaction: "0".to_owned(),
                store: String::new(),
                kind: String::new(),
                id: String::new(),
            });
        }
        match text.split('/').collect::<Vec<_>>()[..] {
            [transaction, store, kind, id] if transaction.parse::<u64>().is_ok() => Ok(Self {
                transaction: transaction.to_owned(),
                store: store.to_owned(),
                kind: kind.to_owned(),
                id: id.to_owned(),
            }),
            _ => Err(Status::invalid_argument("'after' is no cursor: send one that was given, or nothing")),
        }
    }
}

#[tonic::async_trait]
impl Source for SourceService {
    async fn list_changes(
        &self,
        request: Request<ListChangesRequest>,
    ) -> Result<Response<ListChangesResponse>, Status> {
        let request = request.into_inner();
        if request.heads_only {
            // Where a revision is kept no more, its snapshot tells which it is.
            let revision = "coalesce(v.revision, '{}'), case when v.revision is null then r.snapshot end";
            let joined = "left join lateral (
                    select array[v.epoch, v.number] as revision from revision v
                    where (v.store, v.kind, v.record_id, v.number) = (r.store, r.kind, r.record_id, r.number)
                    order by v.epoch desc limit 1) v on true";
            let (rows, cursor, more) = self.changed(revision, joined, &request).await?;
            let heads = rows.into_iter().map(head).collect::<Result<_, _>>()?;
            return Ok(Response::new(ListChangesResponse {
                heads,
                cursor,
                more,
                in_order: true,
                ..Default::default()
            }));
        }
        let (rows, cursor, more): (Vec<Changed<Vec<u8>, String>>, _, _) =
            self.changed("r.snapshot, r.traceparent", "", &request).await?;
        let snapshots = read(rows.iter().map(|row| row.4.as_slice()))?;
        let traceparents = rows.into_iter().map(|row| row.5).collect();
        Ok(Response::new(ListChangesResponse {
            snapshots,
            traceparents,
            cursor,
            more,
            in_order: true,
            ..Default::default()
        }))
    }

    async fn get_snapshot(&self, request: Request<GetSnapshotRequest>) -> Result<Response<wire::Snapshot>, Status> {
        let key = request.into_inner().key.ok_or_else(|| Status::invalid_argument("'key' is missing"))?;
        let snapshot: Option<Vec<u8>> = sqlx::query_scalar(
            "select snapshot from record where (store, kind, record_id) = ($1, $2, $3) and number > 0",
        )
        .bind(&key.store)
        .bind(&key.kind)
        .bind(&key.id)
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)?;
        let snapshot =
            snapshot.ok_or_else(|| Status::not_found(format!("there is no {}/{}/{}", key.store, key.kind, key.id)))?;
        wire::Snapshot::decode(snapshot.as_slice())
            .map(Response::new)
            .map_err(|error| Status::data_loss(format!("the stored snapshot cannot be read: {error}")))
    }

    async fn count_accepted(
        &self,
        _request: Request<CountAcceptedRequest>,
    ) -> Result<Response<CountAcceptedResponse>, Status> {
        tally::RECORDS.fold(&self.pool).await.map_err(unavailable)?;
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(AssertSqlSafe(tally::RECORDS.question()))
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        let counts = rows
            .into_iter()
            .map(|(store, kind, records, revisions)| Count { store, kind, records, revisions })
            .collect();
        Ok(Response::new(CountAcceptedResponse { counts }))
    }

    async fn find_by_name(&self, request: Request<FindByNameRequest>) -> Result<Response<FindByNameResponse>, Status> {
        let name = request.into_inner().name;
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("select store, kind, record_id from record where name = $1 and name <> '' limit 100")
                .bind(&name)
                .fetch_all(&self.pool)
                .await
                .map_err(unavailable)?;
        let keys = rows.into_iter().map(|(store, kind, id)| wire::RecordKey { store, kind, id }).collect();
        Ok(Response::new(FindByNameResponse { keys }))
    }

    async fn list_revisions(
        &self,
        request: Request<ListRevisionsRequest>,
    ) -> Result<Response<ListRevisionsResponse>, Status> {
        let request = request.into_inner();
        let window = Window::read(request.from, request.to, &request.after, request.limit, PAGE)?;
        let page = revisions::list(&self.pool, &window).await.map_err(unavailable)?;
        // After the rows: what was pruned meanwhile is then not taken for never there.
        let complete_since = history::complete_since(&self.pool).await.map_err(unavailable)?;
        Ok(Response::new(ListRevisionsResponse {
            snapshots: read(page.snapshots.iter().map(Vec::as_slice))?,
            cursor: page.last.map_or(request.after, |(at_us, row)| window::cursor(at_us, row)),
            more: page.more,
            complete_since: Timestamp::from_microsecond(complete_since).ok().map(to_timestamp),
        }))
    }

    async fn get_revisions(
        &self,
        request: Request<GetRevisionsRequest>,
    ) -> Result<Response<GetRevisionsResponse>, Status> {
        let request = request.into_inner();
        if request.wanted.len() > SINGLE {
            return Err(Status::invalid_argument(format!("at most {SINGLE} revisions at once")));
        }
        let asked = request
            .wanted
            .into_iter()
            .map(wanted)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let stored = revisions::get(&self.pool, &asked).await.map_err(unavailable)?;
        let mut snapshots = read(stored.iter().map(Vec::as_slice))?;
        snapshots.retain(|found| {
            let (key, revision) = (found.key.as_ref(), found.revision);
            asked.iter().any(|(k, r)| key == Some(&k.into()) && revision == Some((*r).into()))
        });
        Ok(Response::new(GetRevisionsResponse { snapshots }))
    }
}
