//! What is to be said is written with what was learned, and published after.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, types::Json};
use tokio::sync::Notify;
use waybill_bus::{Bus, Outgoing};
use waybill_runtime::database;

use crate::sabotage;

/// Rows a pipeline carries at once.
const BATCH: usize = 500;
/// NATS may take twice the time of an acknowledgement; what takes much longer hangs on the database.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(60);
/// The largest message that goes as it is; NATS refuses above 1 MiB by default.
const LARGEST_BYTES: usize = 1_000_000;

/// Something to say.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Where.
    pub subject: String,
    /// See [`waybill_bus::headers`].
    pub headers: Vec<(String, String)>,
    /// A protobuf message.
    pub payload: Vec<u8>,
}

/// A row as it is stored: id, subject, headers, payload.
type Stored = (i64, String, Json<Vec<(String, String)>>, Vec<u8>);

/// Writes rows within the caller's transaction.
pub(crate) async fn write<'a>(db: &mut PgConnection, rows: impl Iterator<Item = &'a OutboxRow>) -> sqlx::Result<()> {
    let rows: Vec<&OutboxRow> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into outbox (subject, headers, payload) select * from unnest($1::text[], $2::jsonb[], $3::bytea[])",
    )
    .bind(rows.iter().map(|row| row.subject.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| Json(&row.headers)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.payload.as_slice()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Publishes what is unpublished, oldest first, once; gives how many rows went. A row is deleted when its publish is
/// acknowledged. Replicas take different rows.
///
/// # Errors
/// If the database fails, or is silent. A broker that is away is no error: the rows stay.
async fn publish_outbox(pool: &PgPool, bus: &Bus) -> sqlx::Result<usize> {
    database::within(PUBLISHED_WITHIN, publish(pool, bus)).await
}

async fn publish(pool: &PgPool, bus: &Bus) -> sqlx::Result<usize> {
    let mut transaction = database::begin(pool).await?;
    let rows: Vec<Stored> = sqlx::query_as(
        "select id, subject, headers, payload from outbox where problem is null order by id limit $1
         for update skip locked",
    )
    .bind(BATCH as i64)
    .fetch_all(&mut *transaction)
    .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let too_large: Vec<i64> = rows.iter().filter(|row| row.3.len() > LARGEST_BYTES).map(|row| row.0).collect();
    let dropped: Vec<i64> = rows.iter().filter(|row| sabotage::drops(&row.1)).map(|row| row.0).collect();
    let messages = rows
        .into_iter()
        .filter(|row| row.3.len() <= LARGEST_BYTES && !dropped.contains(&row.0))
        .map(|(_, subject, Json(headers), payload)| Outgoing { subject, headers, payload: payload.into() })
        .collect();
    let sendable: Vec<i64> = ids.into_iter().filter(|id| !too_large.contains(id) && !dropped.contains(id)).collect();
    waybill_faults::crash_point("outbox-read");
    let outcomes = bus.publish(messages).await;
    waybill_faults::crash_point("outbox-acknowledged");
    let mut done = dropped;
    let mut problem = None;
    for (id, outcome) in sendable.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => done.push(id),
            Err(error) => problem = Some(error),
        }
    }
    sqlx::query("delete from outbox where id = any($1)").bind(&done).execute(&mut *transaction).await?;
    if !too_large.is_empty() {
        tracing::error!(rows = ?too_large, "messages are larger than NATS takes; they stay in the outbox");
        sqlx::query("update outbox set problem = 'too large' where id = any($1)")
            .bind(&too_large)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    waybill_faults::crash_point("outbox-marked");
    if let Some(error) = problem {
        tracing::warn!(%error, "not everything could be published; it stays in the outbox");
    }
    Ok(done.len())
}

/// Publishes whenever there is something, until told to stop.
pub async fn keep_publishing(pool: PgPool, bus: Bus, wake: &Notify, stop: tokio_util::sync::CancellationToken) {
    loop {
        let published = match publish_outbox(&pool, &bus).await {
            Ok(published) => published,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                0
            }
        };
        if stop.is_cancelled() {
            return;
        }
        // A batch that is not full was all there was.
        if published < BATCH {
            tokio::select! {
                () = stop.cancelled() => {}
                () = wake.notified() => {}
                // Rows of other processes, and those that a lost broker left.
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
            }
        }
    }
}
