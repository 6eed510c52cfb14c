//! Records as they were: every revision of the last weeks.

use futures::TryStreamExt as _;
use sqlx::PgPool;
use waybill_domain::{RecordKey, Revision};

use crate::window::Window;

/// A page ends once it has this many bytes.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Revisions that were observed in a time.
pub(super) struct Page {
    /// Snapshots as protobuf, in the order of time.
    pub(super) snapshots: Vec<Vec<u8>>,
    /// The last one's place: microseconds since the Unix epoch, and the row.
    pub(super) last: Option<(i64, i64)>,
    /// Whether there are more.
    pub(super) more: bool,
}

/// Revisions of a window, in the order of time.
pub(super) async fn list(pool: &PgPool, window: &Window) -> sqlx::Result<Page> {
    let mut rows = sqlx::query_as::<_, (i64, i64, Vec<u8>)>(
        "select (extract(epoch from observed_at) * 1000000)::bigint, id, snapshot
         from revision
         where observed_at >= $1::timestamptz and observed_at < $2::timestamptz
             and (observed_at, id) > ($3::timestamptz, $4)
         order by observed_at, id
         limit $5",
    )
    .bind(window.from.to_string())
    .bind(window.to.to_string())
    .bind(window.after.0.to_string())
    .bind(window.after.1)
    .bind(window.one_more())
    .fetch(pool);
    let mut page = Page { snapshots: Vec::new(), last: None, more: false };
    let mut bytes = 0;
    while let Some((observed_us, id, snapshot)) = rows.try_next().await? {
        if page.snapshots.len() == window.limit || bytes >= PAGE_BYTES {
            page.more = true;
            break;
        }
        bytes += snapshot.len();
        page.last = Some((observed_us, id));
        page.snapshots.push(snapshot);
    }
    Ok(page)
}

/// What is kept of single revisions, whenever they were observed. Where a revision itself is gone, the record's newest
/// is given if it has the same number: whether it is the same revision, its snapshot says.
pub(super) async fn get(pool: &PgPool, wanted: &[(RecordKey, Revision)]) -> sqlx::Result<Vec<Vec<u8>>> {
    fn column<T>(wanted: &[(RecordKey, Revision)], pick: impl Fn(&RecordKey, &Revision) -> T) -> Vec<T> {
        wanted.iter().map(|(key, revision)| pick(key, revision)).collect()
    }
    sqlx::query_scalar(
        "select coalesce(v.snapshot, r.snapshot)
         from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
             as n (store, kind, record_id, epoch, number)
         left join revision v using (store, kind, record_id, epoch, number)
         left join record r on v.snapshot is null
             and (r.store, r.kind, r.record_id, r.number) = (n.store, n.kind, n.record_id, n.number)
         where coalesce(v.snapshot, r.snapshot) is not null",
    )
    .bind(column(wanted, |key, _| key.store.to_string()))
    .bind(column(wanted, |key, _| key.kind.to_string()))
    .bind(column(wanted, |key, _| key.id.to_string()))
    .bind(column(wanted, |_, revision| revision.epoch))
    .bind(column(wanted, |_, revision| revision.number))
    .fetch_all(pool)
    .await
}
