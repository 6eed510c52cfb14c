//! A source's records: numbered under their row lock, said through the outbox.

mod judge;
mod revisions;
mod service;

use jiff::Timestamp;
use prost::Message as _;
use sqlx::{PgConnection, PgPool};
use waybill_bus::{headers, subjects};
use waybill_domain::{Body, RecordKey, Revision, Snapshot};
use waybill_proto::wire;

pub use judge::{Known, Origin, Verdict, judge};
pub use service::SourceService;

use crate::outbox::{self, OutboxRow};

/// Larger snapshots travel as a reference that the reader fetches over gRPC.
const LARGEST_INLINE_BYTES: usize = 512 * 1024;
/// The schema header of such a reference: a snapshot without its body.
pub(crate) const REFERENCE: &str = "waybill.v1.SnapshotReference";
pub(crate) const SNAPSHOT: &str = "waybill.v1.Snapshot";

/// The epoch, the place in the question, and what a record's row holds of what [`Known`] is made of, after its number;
/// times in microseconds.
type Judged = (i64, i64, i64, Vec<u8>, Option<i64>, Option<i64>, bool);

/// A state that was observed of a record.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Which record.
    pub key: RecordKey,
    /// Its state; `None` if it is gone.
    pub body: Option<Body>,
    /// A hash over what every way of observing it carries.
    pub content_hash: [u8; 32],
    /// How and when it was observed.
    pub origin: Origin,
    /// The trace that it belongs to.
    pub traceparent: String,
}

/// The source's side of the way of a change.
#[derive(Debug, Clone)]
pub struct Ledger {
    pool: PgPool,
}

impl Ledger {
    /// A ledger in a service's database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The database.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Judges an observed state under the record's row lock and, if it is a change, numbers it and puts its snapshot
    /// into the outbox, all within the caller's transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn observe(&self, db: &mut PgConnection, observed: &Observed, now: Timestamp) -> sqlx::Result<Verdict> {
        let verdicts = self.observe_all(db, &[observed], now).await?;
        Ok(verdicts[0])
    }

    /// The same of many states, one verdict each. What is told of one record is judged in the order in which it stands
    /// here; records are locked in one order everywhere.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn observe_all(
        &self,
        db: &mut PgConnection,
        observed: &[&Observed],
        now: Timestamp,
    ) -> sqlx::Result<Vec<Verdict>> {
        let mut verdicts = vec![Verdict::Stale; observed.len()];
        let mut left: Vec<usize> = (0..observed.len()).collect();
        left.sort_by_key(|at| &observed[*at].key);
        while !left.is_empty() {
            // Of each record its first state; the next one is judged against what comes of this.
            let mut later = Vec::new();
            let mut first: Vec<usize> = Vec::with_capacity(left.len());
            for at in left {
                match first.last() {
                    Some(before) if observed[*before].key == observed[at].key => later.push(at),
                    _ => first.push(at),
                }
            }
            let batch: Vec<&Observed> = first.iter().map(|at| observed[*at]).collect();
            for (at, verdict) in first.iter().zip(self.observe_once(db, &batch, now).await?) {
                verdicts[*at] = verdict;
            }
            left = later;
        }
        Ok(verdicts)
    }

    /// Of distinct records, in their order.
    async fn observe_once(
        &self,
        db: &mut PgConnection,
        observed: &[&Observed],
        now: Timestamp,
    ) -> sqlx::Result<Vec<Verdict>> {
        let (epoch, known) = locked(db, observed).await?;
        let mut verdicts = Vec::with_capacity(observed.len());
        let (mut changes, mut echoes, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for (one, (number, known)) in observed.iter().zip(known) {
            let verdict = judge(known.as_ref(), &one.content_hash, &one.origin);
            match verdict {
                Verdict::Changed => changes.push(Change::new(one, Revision { epoch, number: number + 1 }, now)),
                Verdict::Echo => echoes.push(*one),
                Verdict::Refetch if number == 0 => unknown.push(*one),
                Verdict::Stale | Verdict::Refetch => {}
            }
            verdicts.push(verdict);
        }
        write_changes(db, &changes, now).await?;
        note_age(db, &echoes).await?;
        forget(db, &unknown).await?;
        Ok(verdicts)
    }

    /// Observes what a read that began at a time found of a record; `None` if it is gone.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn found(
        &self,
        db: &mut PgConnection,
        key: &RecordKey,
        body: Option<Body>,
        began_at: Timestamp,
        now: Timestamp,
    ) -> sqlx::Result<Verdict> {
        let observed = Observed {
            content_hash: body.as_ref().map(Body::content_hash).unwrap_or_default(),
            body,
            origin: Origin::Refetched { began_at, source_updated_at: None },
            key: key.clone(),
            traceparent: waybill_runtime::trace_context::current(),
        };
        self.observe(db, &observed, now).await
    }
}

/// A change that is numbered.
struct Change<'a> {
    observed: &'a Observed,
    revision: Revision,
    /// The snapshot, as protobuf.
    encoded: Vec<u8>,
    says: OutboxRow,
}

impl<'a> Change<'a> {
    fn new(observed: &'a Observed, revision: Revision, now: Timestamp) -> Self {
        let key = &observed.key;
        let snapshot = Snapshot { key: key.clone(), revision, observed_at: now, body: observed.body.clone() };
        let mut message = wire::Snapshot::from(&snapshot);
        let encoded = message.encode_to_vec();
        let (schema, payload) = if encoded.len() > LARGEST_INLINE_BYTES {
            message.body = None;
            (REFERENCE, message.encode_to_vec())
        } else {
            (SNAPSHOT, encoded.clone())
        };
        let Revision { epoch, number } = revision;
        let says = OutboxRow {
            subject: subjects::snapshot(key),
            headers: vec![
                (headers::MESSAGE_ID.to_owned(), format!("{key}-{epoch}-{number}")),
                (headers::SCHEMA.to_owned(), schema.to_owned()),
                (headers::EPOCH.to_owned(), epoch.to_string()),
                (headers::REVISION.to_owned(), number.to_string()),
                (headers::TRACEPARENT.to_owned(), observed.traceparent.clone()),
            ],
            payload,
        };
        Self { observed, revision, encoded, says }
    }
}

fn column<T>(observed: &[&Observed], pick: impl Fn(&Observed) -> T) -> Vec<T> {
    observed.iter().map(|one| pick(one)).collect()
}

/// Locks the rows of these records, which are made where there are none. Gives the epoch, and of each record its newest
/// number and what is known of it, if it was numbered.
async fn locked(db: &mut PgConnection, observed: &[&Observed]) -> sqlx::Result<(i64, Vec<(i64, Option<Known>)>)> {
    let (stores, kinds, ids) = (
        column(observed, |one| one.key.store.to_string()),
        column(observed, |one| one.key.kind.as_str()),
        column(observed, |one| one.key.id.to_string()),
    );
    sqlx::query(
        "insert into record (store, kind, record_id, number, content_hash, snapshot)
         select *, 0, ''::bytea, ''::bytea from unnest($1::text[], $2::text[], $3::text[]) order by 1, 2, 3
         on conflict do nothing",
    )
    .bind(&stores)
    .bind(&kinds)
    .bind(&ids)
    .execute(&mut *db)
    .await?;
    let rows: Vec<Judged> = sqlx::query_as(
        "select e.number, n.at, r.number, r.content_hash, (extract(epoch from r.source_updated_at) * 1000000)::bigint,
                (extract(epoch from r.refetched_at) * 1000000)::bigint, coalesce(r.changed_at < e.began_at, false)
         from unnest($1::text[], $2::text[], $3::text[]) with ordinality as n (store, kind, record_id, at)
         join record r using (store, kind, record_id) cross join epoch e
         order by n.store, n.kind, n.record_id
         for update of r",
    )
    .bind(&stores)
    .bind(&kinds)
    .bind(&ids)
    .fetch_all(&mut *db)
    .await?;
    if rows.len() != observed.len() {
        // Somebody took one away between the two statements; whoever comes again finds all.
        return Err(sqlx::Error::RowNotFound);
    }
    let epoch = rows.first().map_or(0, |row| row.0);
    let mut known: Vec<(i64, Option<Known>)> = vec![(0, None); observed.len()];
    for (_, at, number, content_hash, updated_us, refetched_us, before_restore) in rows {
        let is_known = (number > 0).then(|| Known {
            content_hash,
            source_updated_at: updated_us.and_then(from_us),
            refetched_at: refetched_us.and_then(from_us),
            before_restore,
        });
        if let Some(place) = usize::try_from(at - 1).ok().and_then(|at| known.get_mut(at)) {
            *place = (number, is_known);
        }
    }
    Ok((epoch, known))
}

/// Writes the records' rows and revisions and what is said of them.
async fn write_changes(db: &mut PgConnection, changes: &[Change<'_>], now: Timestamp) -> sqlx::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    fn column<'a, T>(changes: &'a [Change<'_>], pick: impl Fn(&'a Change<'_>) -> T) -> Vec<T> {
        changes.iter().map(pick).collect()
    }
    // One statement for both, so that the snapshots travel once.
    sqlx::query(
        "with told as (
             select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::boolean[],
                     $8::bytea[], $9::text[], $10::text[], $11::text[], $12::bigint[])
                 as n (store, kind, record_id, number, content_hash, name, deleted, snapshot, source_updated_at,
                     refetched_at, traceparent, epoch)
         ), changed as (
             update record r set number = n.number, content_hash = n.content_hash, name = n.name, deleted = n.deleted,
                 snapshot = n.snapshot,
                 source_updated_at = coalesce(n.source_updated_at::timestamptz, r.source_updated_at),
                 refetched_at = coalesce(n.refetched_at::timestamptz, r.refetched_at), traceparent = n.traceparent,
                 changed_in = pg_current_xact_id(), changed_at = now()
             from told n
             where (r.store, r.kind, r.record_id) = (n.store, n.kind, n.record_id)
         )
         insert into revision (store, kind, record_id, epoch, number, observed_at, snapshot)
         select store, kind, record_id, epoch, number, $13::timestamptz, snapshot from told",
    )
    .bind(column(changes, |change| change.observed.key.store.to_string()))
    .bind(column(changes, |change| change.observed.key.kind.as_str()))
    .bind(column(changes, |change| change.observed.key.id.to_string()))
    .bind(column(changes, |change| change.revision.number))
    .bind(column(changes, |change| change.observed.content_hash.as_slice()))
    .bind(column(changes, |change| change.observed.body.as_ref().map(Body::name).unwrap_or_default()))
    .bind(column(changes, |change| change.observed.body.is_none()))
    .bind(column(changes, |change| change.encoded.as_slice()))
    .bind(column(changes, |change| change.observed.origin.source_updated_at().map(|time| time.to_string())))
    .bind(column(changes, |change| change.observed.origin.refetch_began_at().map(|time| time.to_string())))
    .bind(column(changes, |change| change.observed.traceparent.as_str()))
    .bind(column(changes, |change| change.revision.epoch))
    .bind(now.to_string())
    .execute(&mut *db)
    .await?;
    outbox::write(db, changes.iter().map(|change| &change.says)).await
}

/// The same states, seen later: only their age is new.
async fn note_age(db: &mut PgConnection, observed: &[&Observed]) -> sqlx::Result<()> {
    if observed.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update record r set source_updated_at = greatest(r.source_updated_at, n.source_updated_at::timestamptz),
             refetched_at = greatest(r.refetched_at, n.refetched_at::timestamptz)
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
             as n (store, kind, record_id, source_updated_at, refetched_at)
         where (r.store, r.kind, r.record_id) = (n.store, n.kind, n.record_id)",
    )
    .bind(column(observed, |one| one.key.store.to_string()))
    .bind(column(observed, |one| one.key.kind.as_str()))
    .bind(column(observed, |one| one.key.id.to_string()))
    .bind(column(observed, |one| one.origin.source_updated_at().map(|time| time.to_string())))
    .bind(column(observed, |one| one.origin.refetch_began_at().map(|time| time.to_string())))
    .execute(db)
    .await?;
    Ok(())
}

/// Takes away the rows that were only made to be locked.
async fn forget(db: &mut PgConnection, observed: &[&Observed]) -> sqlx::Result<()> {
    if observed.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "delete from record r using unnest($1::text[], $2::text[], $3::text[]) as n (store, kind, record_id)
         where (r.store, r.kind, r.record_id) = (n.store, n.kind, n.record_id) and r.number = 0",
    )
    .bind(column(observed, |one| one.key.store.to_string()))
    .bind(column(observed, |one| one.key.kind.as_str()))
    .bind(column(observed, |one| one.key.id.to_string()))
    .execute(db)
    .await?;
    Ok(())
}

fn from_us(us: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(us).ok()
}
