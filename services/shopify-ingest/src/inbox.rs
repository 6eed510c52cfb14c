//! The inbox: webhooks that come together share a commit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::sync::{mpsc, oneshot};
use waybill_runtime::{Tasks, database};

/// So many webhooks share a commit at most.
const GROUP: usize = 256;
/// So many wait for the writer; more wait at the socket.
const QUEUE: usize = 4096;

/// Shopify waits for 5 s, and sends again what may have been committed.
const COMMITTED_WITHIN: Duration = Duration::from_secs(10);

/// A webhook to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) store: String,
    pub(crate) webhook_id: String,
    pub(crate) topic: String,
    pub(crate) event_id: String,
    pub(crate) triggered_at: Option<Timestamp>,
    pub(crate) body: Vec<u8>,
    pub(crate) body_bytes: i64,
    pub(crate) kept_whole: bool,
    pub(crate) traceparent: String,
}

/// The database did not commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotCommitted;

type Job = (Received, oneshot::Sender<Result<(), NotCommitted>>);

/// So many callers wait at a time only in a rush.
const RUSH: usize = 16;
/// What was received is worked through all the same, if more slowly: for a quarter of the time, and each second.
const WAY_SHORTEST: Duration = Duration::from_millis(250);
const WAY_LONGEST: Duration = Duration::from_secs(1);
const WAY_TO_WORK: u32 = 3;

/// A connection that was well so short ago is used without asking it how it is.
const AT_ONCE: Duration = Duration::from_millis(250);

/// Hands webhooks to the writer.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    jobs: mpsc::Sender<Job>,
    /// Callers that wait for a commit.
    waiting: Arc<AtomicUsize>,
}

/// A caller that waits, until it is dropped: one that goes away while it waits is counted no more.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inbox {
    /// Starts the writer. Two of them, so that one gathers while the other commits.
    pub(crate) fn start(pool: PgPool, tasks: &mut Tasks) -> Self {
        let (jobs, queue) = mpsc::channel::<Job>(QUEUE);
        let callers = Arc::<AtomicUsize>::default();
        let queue = Arc::new(tokio::sync::Mutex::new(queue));
        for _ in 0..2 {
            let (mut writer, queue, stop) =
                (Writer::new(pool.clone(), Arc::clone(&callers)), queue.clone(), tasks.stop_signal());
            tasks.spawn("inbox", async move {
                loop {
                    let mut group = Vec::with_capacity(GROUP);
                    let taken = {
                        let mut queue = queue.lock().await;
                        tokio::select! {
                            biased;
                            taken = queue.recv_many(&mut group, GROUP) => taken,
                            () = stop.cancelled() => 0,
                        }
                    };
                    if taken == 0 {
                        return Ok(());
                    }
                    let (webhooks, waiting): (Vec<_>, Vec<_>) = group.into_iter().unzip();
                    let outcome = database::within(COMMITTED_WITHIN, writer.keep(webhooks)).await.map_err(|error| {
                        tracing::error!(%error, webhooks = taken, "webhooks could not be committed; Shopify sends them again");
                        NotCommitted
                    });
                    for answer in waiting {
                        // A caller that went away is sent the webhook again by Shopify.
                        let _ = answer.send(outcome);
                    }
                }
            });
        }
        Self { jobs, waiting: callers }
    }

    /// Returns once there is no rush, or after a while that hangs on how long the last batch took: whoever sends webhooks
    /// waits for 5 s, what is in the inbox waits for as long as it must. Tells whether there is a rush still.
    pub(crate) async fn make_way(&self, took: Duration) -> bool {
        let latest = Instant::now() + (took * WAY_TO_WORK).clamp(WAY_SHORTEST, WAY_LONGEST);
        while self.waiting.load(Ordering::Relaxed) >= RUSH {
            if Instant::now() >= latest {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    /// Keeps a webhook; returns once it is committed.
    pub(crate) async fn keep(&self, webhook: Received) -> Result<(), NotCommitted> {
        let _waits = Waits::new(&self.waiting);
        let (answer, committed) = oneshot::channel();
        self.jobs.send((webhook, answer)).await.map_err(|_| NotCommitted)?;
        committed.await.unwrap_or(Err(NotCommitted))
    }
}

/// Commits one group after another, in a rush on one connection: the pool asks each how it is when it is taken, and twice
/// when it is put back.
struct Writer {
    pool: PgPool,
    /// Callers that wait for a commit.
    callers: Arc<AtomicUsize>,
    held: Option<(PoolConnection<Postgres>, Instant)>,
}

impl Writer {
    const fn new(pool: PgPool, callers: Arc<AtomicUsize>) -> Self {
        Self { pool, callers, held: None }
    }

    /// One that fails, or whose commit nobody waits for any more, goes back to the pool, which looks at it.
    async fn keep(&mut self, webhooks: Vec<Received>) -> sqlx::Result<()> {
        // An older one goes back before another is asked for.
        let held = self.held.take().filter(|(_, well_at)| well_at.elapsed() < AT_ONCE);
        let mut connection = match held {
            Some((connection, _)) => connection,
            None => self.pool.acquire().await?,
        };
        keep(&mut connection, webhooks).await?;
        if self.callers.load(Ordering::Relaxed) >= RUSH {
            self.held = Some((connection, Instant::now()));
        }
        Ok(())
    }
}

async fn keep(db: &mut PgConnection, mut webhooks: Vec<Received>) -> sqlx::Result<()> {
    // One statement cannot touch a row twice: of duplicates within a group the first is kept and the rest counted.
    let mut duplicates = vec![0i32; webhooks.len()];
    let mut first = std::collections::HashMap::new();
    let mut keep = vec![true; webhooks.len()];
    for (index, webhook) in webhooks.iter().enumerate() {
        let at = *first.entry((webhook.store.clone(), webhook.webhook_id.clone())).or_insert(index);
        if at != index {
            duplicates[at] += 1;
            keep[index] = false;
        }
    }
    let mut kept = keep.iter();
    webhooks.retain(|_| *kept.next().unwrap_or(&true));
    let duplicates: Vec<i32> =
        duplicates.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(count, _)| count).collect();
    fn column<'a, T>(webhooks: &'a [Received], pick: impl Fn(&'a Received) -> T) -> Vec<T> {
        webhooks.iter().map(pick).collect()
    }
    waybill_faults::crash_point("inbox-before-commit");
    sqlx::query(
        "insert into inbox as i (store, webhook_id, topic, event_id, triggered_at, body, body_bytes, kept_whole,
                                 traceparent, duplicates)
         select store, webhook_id, topic, event_id, nullif(triggered_at, '')::timestamptz, body, body_bytes,
                kept_whole, traceparent, duplicates
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[],
                     $8::boolean[], $9::text[], $10::integer[])
             as n (store, webhook_id, topic, event_id, triggered_at, body, body_bytes, kept_whole, traceparent, duplicates)
         order by store, webhook_id
         on conflict (store, webhook_id) do update set duplicates = i.duplicates + 1 + excluded.duplicates",
    )
    .bind(column(&webhooks, |w| w.store.as_str()))
    .bind(column(&webhooks, |w| w.webhook_id.as_str()))
    .bind(column(&webhooks, |w| w.topic.as_str()))
    .bind(column(&webhooks, |w| w.event_id.as_str()))
    .bind(column(&webhooks, |w| w.triggered_at.map(|time| time.to_string()).unwrap_or_default()))
    .bind(column(&webhooks, |w| w.body.as_slice()))
    .bind(column(&webhooks, |w| w.body_bytes))
    .bind(column(&webhooks, |w| w.kept_whole))
    .bind(column(&webhooks, |w| w.traceparent.as_str()))
    .bind(duplicates)
    .execute(db)
    .await?;
    waybill_faults::crash_point("inbox-committed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn in_a_rush_the_inbox_is_worked_through_more_slowly_and_is_still() {
        let inbox = Inbox { jobs: mpsc::channel(1).0, waiting: Arc::default() };
        let time = async |took| {
            let from = Instant::now();
            (inbox.make_way(took).await, from.elapsed())
        };
        let mut callers: Vec<Waits<'_>> = (0..RUSH).map(|_| Waits::new(&inbox.waiting)).collect();
        let (is_rush, waited) = time(Duration::ZERO).await;
        assert!(is_rush && waited >= WAY_SHORTEST);
        let (is_rush, waited) = time(Duration::from_millis(150)).await;
        assert!(is_rush && waited >= Duration::from_millis(450) && waited < WAY_LONGEST);
        drop(callers.pop());
        let (is_rush, waited) = time(Duration::from_secs(60)).await;
        assert!(!is_rush && waited < WAY_SHORTEST / 2);
    }
}
