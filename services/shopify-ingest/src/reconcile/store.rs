//! The tables of reconciliation: claims, comparison, results.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use waybill_domain::{Kind, RecordId, StoreName};

use super::window::Reached;

/// The rest of a second, and what the store's clock and ours may be apart.
const SURE_AFTER_S: f64 = 5.0;

/// A store and kind to be compared, ours until the lease ends.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) store: StoreName,
    pub(super) kind: Kind,
    pub(super) watermark: Timestamp,
    pub(super) attempts: i32,
    /// Whether a person waits for it.
    pub(super) is_asked: bool,
    fence: i64,
    asked: i64,
}

/// What a page came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) compared: i64,
    /// Not in our ledger.
    pub(super) missing: i64,
    /// In our ledger as it was before.
    pub(super) old: i64,
}

/// What the ledger holds of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// When the source last changed it, of what we know; none if that is not known, or if we hold it to be deleted.
    pub(super) updated_at: Option<Timestamp>,
    /// Whether it was read when the second of its last change was over. Shopify keeps whole seconds, so that a second
    /// change within the same one is told by its webhook alone.
    pub(super) is_sure: bool,
    /// Whether it is about to be read anyway.
    pub(super) to_be_read: bool,
    /// Whether there is a revision of it.
    pub(super) known: bool,
}

/// Begins with a store: what changed from its first activity here on is compared.
pub(super) async fn begin(pool: &PgPool, store: &StoreName, kind: Kind, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(
        "insert into reconciliation (store, kind, watermark)
         select $1, $2, least($3::timestamptz, (select received_at from inbox where store = $1 order by id limit 1))
         on conflict do nothing",
    )
    .bind(store.as_str())
    .bind(kind.as_str())
    .bind(now.to_string())
    .execute(pool)
    .await?;
    Ok(())
}

/// Claims what is due the longest, if anything is. Replicas claim different rows.
pub(super) async fn claim(pool: &PgPool, stores: &[String]) -> sqlx::Result<Option<Claim>> {
    let row: Option<(String, String, i64, i32, i64, i64, bool)> = sqlx::query_as(
        "with due as (
             select store, kind from reconciliation
             where store = any($1) and due_at <= now() and (lease_until is null or lease_until < now())
             order by due_at limit 1 for update skip locked
         )
         update reconciliation r set lease_until = now() + interval '60 seconds', fence = fence + 1
         from due where (r.store, r.kind) = (due.store, due.kind)
         returning r.store, r.kind, (extract(epoch from r.watermark) * 1000000)::bigint, r.attempts, r.fence, r.asked,
             r.asked > r.answered",
    )
    .bind(stores)
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|(store, kind, watermark_us, attempts, fence, asked, is_asked)| {
        let watermark = Timestamp::from_microsecond(watermark_us).ok()?;
        let (store, kind) = (store.parse().ok()?, kind.parse().ok()?);
        Some(Claim { store, kind, watermark, attempts, is_asked, fence, asked })
    }))
}

/// What the ledger holds of some records. Those that it does not know are left out.
pub(super) async fn held(
    db: &mut PgConnection,
    claim: &Claim,
    ids: &[RecordId],
) -> sqlx::Result<BTreeMap<RecordId, Held>> {
    let rows: Vec<(String, Option<i64>, bool, bool, bool)> = sqlx::query_as(
        "select n.id,
             case when not r.deleted then (extract(epoch from r.source_updated_at) * 1000000)::bigint end,
             coalesce(r.refetched_at >= r.source_updated_at + make_interval(secs => $4), false),
             f.record_id is not null, coalesce(r.number > 0, false)
         from unnest($3::text[]) n (id)
         left join record r on (r.store, r.kind, r.record_id) = ($1, $2, n.id)
         left join refetch f on (f.store, f.kind, f.record_id) = ($1, $2, n.id)",
    )
    .bind(claim.store.as_str())
    .bind(claim.kind.as_str())
    .bind(ids.iter().map(RecordId::as_str).collect::<Vec<_>>())
    .bind(SURE_AFTER_S)
    .fetch_all(db)
    .await?;
    let held = rows.into_iter().filter_map(|(id, updated_us, is_sure, to_be_read, known)| {
        let updated_at = updated_us.and_then(|us| Timestamp::from_microsecond(us).ok());
        Some((id.parse().ok()?, Held { updated_at, is_sure, to_be_read, known }))
    });
    Ok(held.collect())
}

/// Counts a page and goes on holding the claim. Whether it was still ours.
pub(super) async fn count(db: &mut PgConnection, claim: &Claim, found: Found) -> sqlx::Result<bool> {
    let counted = sqlx::query(
        "update reconciliation set compared = compared + $4, missing = missing + $5, old = old + $6,
             lease_until = now() + interval '60 seconds'
         where (store, kind, fence) = ($1, $2, $3)",
    )
    .bind(claim.store.as_str())
    .bind(claim.kind.as_str())
    .bind(claim.fence)
    .bind(found.compared)
    .bind(found.missing)
    .bind(found.old)
    .execute(db)
    .await?;
    Ok(counted.rows_affected() == 1)
}

/// The next records to be asked after, by their ids: known, not deleted, and not about to be read.
pub(super) async fn to_sweep(pool: &PgPool, claim: &Claim, most: usize) -> sqlx::Result<Vec<RecordId>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "select r.record_id from record r
         where (r.store, r.kind) = ($1, $2) and r.number > 0 and not r.deleted
             and r.record_id > (select swept_to from reconciliation where (store, kind) = ($1, $2))
             and not exists (
                 select from refetch f where (f.store, f.kind, f.record_id) = (r.store, r.kind, r.record_id)
             )
         order by r.record_id limit $3",
    )
    .bind(claim.store.as_str())
    .bind(claim.kind.as_str())
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().filter_map(|id| id.parse().ok()).collect())
}

/// Records up to this id were asked after; empty begins anew. Whether the claim was still ours.
pub(super) async fn swept(db: &mut PgConnection, claim: &Claim, swept_to: &str, gone: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update reconciliation set swept_to = $4, gone = gone + $5, lease_until = now() + interval '60 seconds'
         where (store, kind, fence) = ($1, $2, $3)",
    )
    .bind(claim.store.as_str())
    .bind(claim.kind.as_str())
    .bind(claim.fence)
    .bind(swept_to)
    .bind(gone)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A whole window was compared. A wish that came meanwhile keeps the watermark that it set.
pub(super) async fn finish(
    pool: &PgPool,
    claim: &Claim,
    reached: Reached,
    compared_to: Timestamp,
    next_in_s: f64,
) -> sqlx::Result<()> {
    sqlx::query(
        "update reconciliation set attempts = 0, message = '', lease_until = null, finished_at = now(),
             compared_to = $4::timestamptz,
             watermark = case when asked = $5 then $6::timestamptz else watermark end,
             due_at = case when asked = $5 then now() + make_interval(secs => $7) else now() end,
             answered = case when $8 then greatest(answered, $5) else answered end
         where (store, kind, fence) = ($1, $2, $3)",
    )
    .bind(claim.store.as_str())
    .bind(claim.kind.as_str())
    .bind(claim.fence)
    .bind(compared_to.to_string())
    .bind(claim.asked)
    .bind(reached.watermark.to_string())
    .bind(next_in_s)
    .bind(reached.to_the_end)
    .execute(pool)
    .await?;
    Ok(())
}

/// A window could not be compared: its watermark stays.
pub(super) async fn fail(pool: &PgPool, claim: &Claim, wait_s: f64, message: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update reconciliation set attempts = attempts + 1, message = $4, lease_until = null,
             due_at = now() + make_interval(secs => $5)
         where (store, kind, fence) = ($1, $2, $3)",
    )
    .bind(claim.store.as_str())
    .bind(claim.kind.as_str())
    .bind(claim.fence)
    .bind(message)
    .bind(wait_s)
    .execute(pool)
    .await?;
    Ok(())
}

/// What keeps stores from being compared, a line each.
pub(super) async fn problems(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select store || ' ' || kind || ': ' || message from reconciliation where message <> '' order by 1",
    )
    .fetch_all(pool)
    .await
}

/// A person's wish that a store be compared now, from `since` on if it is given.
pub(crate) async fn ask(pool: &PgPool, stores: &[String], since: Option<Timestamp>) -> sqlx::Result<()> {
    sqlx::query(
        "update reconciliation set asked = asked + 1, due_at = now(), message = '', watermark = least(watermark, $2::timestamptz)
         where store = any($1)",
    )
    .bind(stores)
    .bind(since.map(|time| time.to_string()))
    .execute(pool)
    .await?;
    Ok(())
}

/// How a comparison stands.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Standing {
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) watermark_us: i64,
    pub(crate) compared_to_us: Option<i64>,
    pub(crate) finished_us: Option<i64>,
    pub(crate) compared: i64,
    pub(crate) missing: i64,
    pub(crate) old: i64,
    pub(crate) gone: i64,
    pub(crate) message: String,
    pub(crate) asked: i64,
    pub(crate) answered: i64,
    pub(crate) to_read: i64,
    pub(crate) retried: i64,
}

/// How the comparisons with these stores stand.
pub(crate) async fn standings(pool: &PgPool, stores: &[String]) -> sqlx::Result<Vec<Standing>> {
    sqlx::query_as(
        "select store, kind, (extract(epoch from watermark) * 1000000)::bigint as watermark_us,
             (extract(epoch from compared_to) * 1000000)::bigint as compared_to_us,
             (extract(epoch from finished_at) * 1000000)::bigint as finished_us,
             compared, missing, old, gone, message, asked, answered,
             (select count(*) from refetch f where (f.store, f.kind) = (r.store, r.kind)) as to_read,
             (select count(*) from refetch f where (f.store, f.kind) = (r.store, r.kind) and f.attempts > 0) as retried
         from reconciliation r where store = any($1) order by store, kind",
    )
    .bind(stores)
    .fetch_all(pool)
    .await
}
