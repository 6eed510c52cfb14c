//! The table of backfills.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use waybill_domain::{Kind, RecordId, StoreName};

/// Where a backfill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Shopify has not begun.
    Waiting,
    /// Shopify writes the file.
    Gathering,
    /// The file is imported.
    Importing,
}

/// A backfill to be gone on with, ours until the lease ends.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) id: i64,
    pub(super) store: StoreName,
    pub(super) kind: Kind,
    pub(super) since: Timestamp,
    pub(super) stage: Stage,
    pub(super) operation: Option<RecordId>,
    pub(super) began_at: Option<Timestamp>,
    pub(super) url: String,
    pub(super) bytes: i64,
    pub(super) lines: i64,
    pub(super) attempts: i32,
    fence: i64,
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Up to where the file is imported: bytes and lines.
    pub(super) bytes: i64,
    pub(super) lines: i64,
    /// Of this batch.
    pub(super) records: i64,
    pub(super) changed: i64,
    pub(super) to_read: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: i64,
    store: String,
    kind: String,
    since_us: i64,
    state: String,
    operation: String,
    began_us: Option<i64>,
    url: String,
    bytes: i64,
    lines: i64,
    attempts: i32,
    fence: i64,
}

impl Row {
    fn claim(self) -> Option<Claim> {
        let stage = match self.state.as_str() {
            "waiting" => Stage::Waiting,
            "gathering" => Stage::Gathering,
            "importing" => Stage::Importing,
            _ => return None,
        };
        Some(Claim {
            id: self.id,
            store: self.store.parse().ok()?,
            kind: self.kind.parse().ok()?,
            since: Timestamp::from_microsecond(self.since_us).ok()?,
            stage,
            operation: self.operation.parse().ok(),
            began_at: self.began_us.and_then(|us| Timestamp::from_microsecond(us).ok()),
            url: self.url,
            bytes: self.bytes,
            lines: self.lines,
            attempts: self.attempts,
            fence: self.fence,
        })
    }
}

/// Asks for a backfill of each kind, all or none; their ids, none if one of the kinds is being imported already.
pub(crate) async fn ask(pool: &PgPool, store: &str, kinds: &[Kind], since: Timestamp) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(
        "insert into backfill (store, kind, since) select $1, unnest($2::text[]), $3::timestamptz
         where not exists (
             select from backfill where store = $1 and kind = any($2) and state in ('waiting', 'gathering', 'importing')
         )
         on conflict do nothing returning id",
    )
    .bind(store)
    .bind(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
    .bind(since.to_string())
    .fetch_all(pool)
    .await
}

/// Claims the next backfill that is due. Of each store the first that was asked for goes on, so that its API is not
/// asked for all at once.
pub(super) async fn claim(pool: &PgPool, stores: &[String]) -> sqlx::Result<Option<Claim>> {
    let row: Option<Row> = sqlx::query_as(
        "with due as (
             select id from backfill b
             where store = any($1) and state in ('waiting', 'gathering', 'importing') and due_at <= now()
                 and (lease_until is null or lease_until < now())
                 and not exists (
                     select from backfill first where first.store = b.store and first.id < b.id
                         and first.state in ('waiting', 'gathering', 'importing')
                 )
             order by due_at limit 1 for update skip locked
         )
         update backfill b set lease_until = now() + interval '60 seconds', fence = fence + 1
         from due where b.id = due.id
         returning b.id, b.store, b.kind, (extract(epoch from b.since) * 1000000)::bigint as since_us, b.state,
             b.operation, (extract(epoch from b.began_at) * 1000000)::bigint as began_us, b.url, b.bytes, b.lines,
             b.attempts, b.fence",
    )
    .bind(stores)
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(Row::claim))
}

/// Shopify has begun.
pub(super) async fn gathering(
    pool: &PgPool,
    claim: &Claim,
    operation: &RecordId,
    began_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "update backfill set state = 'gathering', operation = $3, began_at = $4::timestamptz, message = '', attempts = 0,
             due_at = now(), lease_until = null
         where (id, fence) = ($1, $2) and state = 'waiting'",
    )
    .bind(claim.id)
    .bind(claim.fence)
    .bind(operation.as_str())
    .bind(began_at.to_string())
    .execute(pool)
    .await?;
    Ok(())
}

/// Shopify has come so far; it is asked again later.
pub(super) async fn gathered(pool: &PgPool, claim: &Claim, objects: i64, again_in_s: f64) -> sqlx::Result<()> {
    sqlx::query(
        "update backfill set objects = $3, message = '', attempts = 0, lease_until = null,
             due_at = now() + make_interval(secs => $4)
         where (id, fence) = ($1, $2)",
    )
    .bind(claim.id)
    .bind(claim.fence)
    .bind(objects)
    .bind(again_in_s)
    .execute(pool)
    .await?;
    Ok(())
}

/// The file is there.
pub(super) async fn importing(pool: &PgPool, claim: &Claim, url: &str, objects: i64) -> sqlx::Result<()> {
    sqlx::query(
        "update backfill set state = 'importing', url = $3, objects = $4, message = '', attempts = 0, due_at = now(),
             lease_until = null
         where (id, fence) = ($1, $2) and state in ('gathering', 'importing')",
    )
    .bind(claim.id)
    .bind(claim.fence)
    .bind(url)
    .bind(objects)
    .execute(pool)
    .await?;
    Ok(())
}

/// A batch was imported, within its transaction. Whether the claim was still ours, and nobody ended it.
pub(super) async fn imported(db: &mut PgConnection, claim: &Claim, progress: Progress) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update backfill set bytes = $3, lines = $4, records = records + $5, changed = changed + $6,
             to_read = to_read + $7, lease_until = now() + interval '60 seconds'
         where (id, fence) = ($1, $2) and state = 'importing'",
    )
    .bind(claim.id)
    .bind(claim.fence)
    .bind(progress.bytes)
    .bind(progress.lines)
    .bind(progress.records)
    .bind(progress.changed)
    .bind(progress.to_read)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It goes on later.
pub(super) async fn later(pool: &PgPool, claim: &Claim, wait_s: f64, message: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update backfill set attempts = attempts + 1, message = $3, lease_until = null,
             due_at = now() + make_interval(secs => $4)
         where (id, fence) = ($1, $2)",
    )
    .bind(claim.id)
    .bind(claim.fence)
    .bind(message)
    .bind(wait_s)
    .execute(pool)
    .await?;
    Ok(())
}

/// It ends. One that a person has ended stays so.
pub(super) async fn end(pool: &PgPool, claim: &Claim, state: &'static str, message: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update backfill set state = $3, message = $4, lease_until = null, finished_at = now(), url = ''
         where (id, fence) = ($1, $2) and state in ('waiting', 'gathering', 'importing')",
    )
    .bind(claim.id)
    .bind(claim.fence)
    .bind(state)
    .bind(message)
    .execute(pool)
    .await?;
    Ok(())
}

/// A person ends a store's backfills; their ids, with the operations that may still run in the store.
pub(crate) async fn cancel(pool: &PgPool, store: &str) -> sqlx::Result<Vec<(i64, String)>> {
    sqlx::query_as(
        "with ended as (
             select id, state from backfill where store = $1 and state in ('waiting', 'gathering', 'importing') for update
         )
         update backfill b set state = 'cancelled', finished_at = now(), lease_until = null, url = '',
             message = 'a person ended it'
         from ended where b.id = ended.id
         returning b.id, case when ended.state = 'gathering' then operation else '' end",
    )
    .bind(store)
    .fetch_all(pool)
    .await
}

/// How a backfill stands.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Standing {
    pub(crate) id: i64,
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) since_us: i64,
    pub(crate) state: String,
    pub(crate) operation: String,
    pub(crate) objects: i64,
    pub(crate) lines: i64,
    pub(crate) records: i64,
    pub(crate) changed: i64,
    pub(crate) to_read: i64,
    pub(crate) message: String,
    pub(crate) asked_us: i64,
    pub(crate) finished_us: Option<i64>,
}

/// The newest backfills, newest first.
pub(crate) async fn standings(pool: &PgPool) -> sqlx::Result<Vec<Standing>> {
    sqlx::query_as(
        "select id, store, kind, (extract(epoch from since) * 1000000)::bigint as since_us, state, operation, objects,
             lines, records, changed, to_read, message, (extract(epoch from asked_at) * 1000000)::bigint as asked_us,
             (extract(epoch from finished_at) * 1000000)::bigint as finished_us
         from backfill order by id desc limit 100",
    )
    .fetch_all(pool)
    .await
}
