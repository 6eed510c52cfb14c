//! Promises that tests break on purpose, to see that it shows; see `waybill-faults`.

use sqlx::PgPool;
use waybill_bus::subjects;

use crate::store::heard::Wanted;

/// `drop-publish`: a snapshot is marked as published and never was.
pub(crate) fn drops(subject: &str) -> bool {
    subjects::parse_snapshot(subject).is_ok_and(|key| waybill_faults::breaks("drop-publish", key.id.as_str()))
}

/// `apply-older`: the newer revision's number with the older one's content.
pub(crate) async fn keep_older(pool: &PgPool, wanted: &mut [Wanted]) -> sqlx::Result<()> {
    for wanted in wanted.iter_mut().filter(|wanted| waybill_faults::breaks("apply-older", &wanted.record_id)) {
        let older: Option<Vec<u8>> = sqlx::query_scalar(
            "select desired from delivery where (system, store, kind, record_id) = ($1, $2, $3, $4)",
        )
        .bind(&wanted.system)
        .bind(&wanted.store)
        .bind(wanted.kind)
        .bind(&wanted.record_id)
        .fetch_optional(pool)
        .await?;
        wanted.snapshot = older.unwrap_or_else(|| std::mem::take(&mut wanted.snapshot));
    }
    Ok(())
}
