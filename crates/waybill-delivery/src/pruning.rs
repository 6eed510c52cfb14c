//! What is old goes: in batches, with a pause between them, so that live traffic keeps its room.

use std::time::Duration;

use sqlx::PgPool;
use waybill_runtime::Metrics;

use crate::store::{
    bodies,
    history::{self, Table},
};

/// How often it is looked for what is old. What somebody has locked is passed over, and taken the next time.
pub const EVERY: Duration = Duration::from_secs(60);
/// Rows that go in one transaction, so that nobody waits long for their locks.
const BATCH: i64 = 2_000;
const PAUSE: Duration = Duration::from_millis(100);

/// Does batch after batch until one is not full, and counts what went in `waybill_pruned_total`. A batch is given how
/// many rows it may take, and gives how many it took.
///
/// # Errors
/// If a batch fails.
pub async fn in_batches<F>(metrics: &Metrics, table: &'static str, mut batch: impl FnMut(i64) -> F) -> sqlx::Result<i64>
where
    F: Future<Output = sqlx::Result<i64>>,
{
    let mut all = 0;
    loop {
        let gone = batch(BATCH).await?;
        metrics.add("waybill_pruned_total", &[("table", table)], gone);
        all += gone;
        if gone < BATCH {
            return Ok(all);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Removes what every service keeps for a time only: revisions and decisions, and bodies and steps of deliveries.
pub(crate) async fn run(
    pool: &PgPool,
    metrics: &Metrics,
    history_for: Duration,
    bodies_for: Duration,
) -> sqlx::Result<()> {
    history::begin(pool, history_for).await?;
    in_batches(metrics, "revision", |most| history::remove(pool, Table::Revision, most)).await?;
    in_batches(metrics, "decision", |most| history::remove(pool, Table::Decision, most)).await?;
    in_batches(metrics, "delivery", async |most| {
        let (bodies, steps) = bodies::remove(pool, bodies_for, most).await?;
        metrics.add("waybill_pruned_total", &[("table", "step")], steps);
        Ok(bodies)
    })
    .await?;
    Ok(())
}
