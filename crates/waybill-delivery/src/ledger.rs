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

/// What a record's row holds of what [`Known`] is made of, after its number; times in microseconds.
type Judged = (i64, Vec<u8>, Option<i64>, Option<i64>, bool);

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
        let key = &observed.key;
        sqlx::query(
            "insert into record (store, kind, record_id, number, content_hash, snapshot)
             values ($1, $2, $3, 0, '', '') on conflict do nothing",
        )
        .bind(key.store.as_str())
        .bind(key.kind.as_str())
        .bind(key.id.as_str())
        .execute(&mut *db)
        .await?;
        let (number, hash, updated_us, refetched_us, before_restore): Judged = sqlx::query_as(
            "select number, content_hash, (extract(epoch from source_updated_at) * 1000000)::bigint,
                    (extract(epoch from refetched_at) * 1000000)::bigint,
                    coalesce(changed_at < (select began_at from epoch), false)
             from record where (store, kind, record_id) = ($1, $2, $3) for update",
        )
        .bind(key.store.as_str())
        .bind(key.kind.as_str())
        .bind(key.id.as_str())
        .fetch_one(&mut *db)
        .await?;
        let known = (number > 0).then(|| Known {
            content_hash: hash,
            source_updated_at: updated_us.and_then(from_us),
            refetched_at: refetched_us.and_then(from_us),
            before_restore,
        });
        let verdict = judge(known.as_ref(), &observed.content_hash, &observed.origin);
        match verdict {
            Verdict::Changed => self.change(db, observed, number + 1, now).await?,
            Verdict::Echo => self.note_age(db, observed).await?,
            Verdict::Refetch if number == 0 => self.forget(db, key).await?,
            Verdict::Stale | Verdict::Refetch => {}
        }
        Ok(verdict)
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

    async fn change(
        &self,
        db: &mut PgConnection,
        observed: &Observed,
        number: i64,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let key = &observed.key;
        let epoch: i64 = sqlx::query_scalar("select number from epoch").fetch_one(&mut *db).await?;
        let snapshot = Snapshot {
            key: key.clone(),
            revision: Revision { epoch, number },
            observed_at: now,
            body: observed.body.clone(),
        };
        let mut message = wire::Snapshot::from(&snapshot);
        let encoded = message.encode_to_vec();
        // One statement for both, so that the snapshot travels once.
        sqlx::query(
            "with changed as (
                 update record set number = $4, content_hash = $5, name = $6, deleted = $7, snapshot = $8,
                     source_updated_at = coalesce($9::timestamptz, source_updated_at),
                     refetched_at = coalesce($10::timestamptz, refetched_at), traceparent = $11,
                     changed_in = pg_current_xact_id(), changed_at = now()
                 where (store, kind, record_id) = ($1, $2, $3)
             )
             insert into revision (store, kind, record_id, epoch, number, observed_at, snapshot)
             values ($1, $2, $3, $12, $4, $13::timestamptz, $8)",
        )
        .bind(key.store.as_str())
        .bind(key.kind.as_str())
        .bind(key.id.as_str())
        .bind(number)
        .bind(observed.content_hash.as_slice())
        .bind(observed.body.as_ref().map(Body::name).unwrap_or_default())
        .bind(observed.body.is_none())
        .bind(&encoded)
        .bind(observed.origin.source_updated_at().map(|time| time.to_string()))
        .bind(observed.origin.refetch_began_at().map(|time| time.to_string()))
        .bind(&observed.traceparent)
        .bind(epoch)
        .bind(now.to_string())
        .execute(&mut *db)
        .await?;
        let (schema, payload) = if encoded.len() > LARGEST_INLINE_BYTES {
            message.body = None;
            (REFERENCE, message.encode_to_vec())
        } else {
            (SNAPSHOT, encoded)
        };
        let row = OutboxRow {
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
        outbox::write(db, &[row]).await
    }

    /// The same state, seen later: only its age is new.
    async fn note_age(&self, db: &mut PgConnection, observed: &Observed) -> sqlx::Result<()> {
        let key = &observed.key;
        sqlx::query(
            "update record set source_updated_at = greatest(source_updated_at, $4::timestamptz),
                 refetched_at = greatest(refetched_at, $5::timestamptz)
             where (store, kind, record_id) = ($1, $2, $3)",
        )
        .bind(key.store.as_str())
        .bind(key.kind.as_str())
        .bind(key.id.as_str())
        .bind(observed.origin.source_updated_at().map(|time| time.to_string()))
        .bind(observed.origin.refetch_began_at().map(|time| time.to_string()))
        .execute(db)
        .await?;
        Ok(())
    }

    async fn forget(&self, db: &mut PgConnection, key: &RecordKey) -> sqlx::Result<()> {
        sqlx::query("delete from record where (store, kind, record_id) = ($1, $2, $3) and number = 0")
            .bind(key.store.as_str())
            .bind(key.kind.as_str())
            .bind(key.id.as_str())
            .execute(db)
            .await?;
        Ok(())
    }
}

fn from_us(us: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(us).ok()
}
