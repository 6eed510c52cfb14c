//! Sends the webhooks of a sale's orders, signed, at a pace that no answer slows down.
//!
//! Each order has a time at which it is due, and its delay counts from then, whether a connection was free or not.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use clap::Parser;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc};
use waybill_simulator::shopify::{API_VERSION, signature};

/// Sends orders of a sale as `orders/create` webhooks and tells how they were answered.
#[derive(Debug, Clone, Parser)]
struct Arguments {
    /// What `waybill-simulator --ready` wrote.
    #[arg(long)]
    ready: PathBuf,
    /// What `waybill-simulator --sale-file` wrote.
    #[arg(long)]
    orders: PathBuf,
    /// Where they go: `http://127.0.0.1:PORT/webhooks/main`.
    #[arg(long)]
    to: String,
    /// Orders to pass over: they were sent before.
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// At most so many orders.
    #[arg(long)]
    count: usize,
    /// Orders a second; 0 for as fast as they are answered.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Sends no more after so many seconds.
    #[arg(long)]
    seconds: Option<f64>,
    /// Requests at once.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Where the outcome is written.
    #[arg(long)]
    json: PathBuf,
    /// Where each order's id and due time, in microseconds since the Unix epoch, are written.
    #[arg(long)]
    times: Option<PathBuf>,
}

/// An order's webhook, signed before it is due.
struct Webhook {
    id: String,
    body: Bytes,
    signature: String,
    webhook_id: String,
}

/// What became of one.
struct Outcome {
    id: String,
    /// Since the start.
    due: Duration,
    answered: Duration,
    /// 0 if there was no answer.
    status: u16,
}

/// Where webhooks go, and as whose.
struct Target {
    authority: String,
    path: String,
    domain: String,
}

/// The next webhooks, and when they are due.
struct Queue {
    webhooks: tokio::sync::Mutex<(mpsc::Receiver<Webhook>, usize)>,
    rate: f64,
    start: Instant,
    until: Option<Duration>,
}

impl Queue {
    async fn next(&self) -> Option<(Webhook, Duration)> {
        let (webhook, number) = {
            let mut queue = self.webhooks.lock().await;
            if self.until.is_some_and(|until| self.start.elapsed() >= until) {
                return None;
            }
            queue.1 += 1;
            (queue.0.recv().await?, queue.1 - 1)
        };
        if self.rate <= 0.0 {
            return Some((webhook, self.start.elapsed()));
        }
        let due = Duration::from_secs_f64(number as f64 / self.rate);
        tokio::time::sleep_until((self.start + due).into()).await;
        Some((webhook, due))
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // One thread suffices, and leaves the machine to what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let ready: Value = serde_json::from_str(&std::fs::read_to_string(&arguments.ready)?)?;
    let told = |key: &str| ready["shopify"][key].as_str().map(str::to_owned).with_context(|| format!("no {key}"));
    let (secret, domain) = (told("webhook_secret")?, told("domain")?);
    let address = arguments.to.strip_prefix("http://").context("--to does not begin with http://")?;
    let (authority, path) = address.split_once('/').context("--to has no path")?;
    let target = Arc::new(Target { authority: authority.to_owned(), path: format!("/{path}"), domain });
    let mut connections = Vec::new();
    for _ in 0..arguments.connections {
        connections.push(connect(&target.authority).await.context("connecting")?);
    }
    let (sender, receiver) = mpsc::channel(1024);
    let reader = arguments.clone();
    let reading = tokio::task::spawn_blocking(move || read(&reader, &secret, &sender));
    // The first are read and signed before the clock begins.
    while receiver.len() < arguments.count.min(1024) && !reading.is_finished() {
        tokio::task::yield_now().await;
    }
    #[expect(clippy::disallowed_methods, reason = "the store is an outside party with a clock of its own")]
    let began_at = Timestamp::now();
    let queue = Arc::new(Queue {
        webhooks: tokio::sync::Mutex::new((receiver, 0)),
        rate: arguments.rate,
        start: Instant::now(),
        until: arguments.seconds.map(Duration::from_secs_f64),
    });
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let mut workers = tokio::task::JoinSet::new();
    for connection in connections {
        workers.spawn(work(Arc::clone(&queue), connection, Arc::clone(&target), Arc::clone(&outcomes)));
    }
    while let Some(ended) = workers.join_next().await {
        ended?;
    }
    drop(queue);
    reading.await??;
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner));
    anyhow::ensure!(!outcomes.is_empty(), "there was no order to send");
    if let Some(file) = &arguments.times {
        write_times(file, began_at, &outcomes).with_context(|| format!("writing {}", file.display()))?;
    }
    std::fs::write(&arguments.json, summary(&outcomes, began_at).to_string())?;
    Ok(())
}

/// Reads and signs ahead of the senders.
fn read(arguments: &Arguments, secret: &str, to: &mpsc::Sender<Webhook>) -> anyhow::Result<()> {
    let file = std::fs::File::open(&arguments.orders).with_context(|| arguments.orders.display().to_string())?;
    for line in BufReader::new(file).lines().skip(arguments.skip).take(arguments.count) {
        let line = line?;
        let (id, body) = line.split_once(' ').context("a line without an id")?;
        let webhook = Webhook {
            id: id.to_owned(),
            signature: signature(secret, body.as_bytes()),
            webhook_id: format!("{:032x}", fastrand::u128(..)),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        if to.blocking_send(webhook).is_err() {
            // The time is over.
            return Ok(());
        }
    }
    Ok(())
}

async fn connect(authority: &str) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn work(
    queue: Arc<Queue>,
    mut connection: SendRequest<Full<Bytes>>,
    target: Arc<Target>,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
) {
    while let Some((webhook, due)) = queue.next().await {
        let id = webhook.id.clone();
        let status = match send(&mut connection, &target, webhook).await {
            Ok(status) => status,
            Err(_) => {
                // The server closed it, as any may; the next goes over a new one.
                if let Ok(new) = connect(&target.authority).await {
                    connection = new;
                }
                0
            }
        };
        let outcome = Outcome { id, due, answered: queue.start.elapsed(), status };
        outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
    }
}

async fn send(connection: &mut SendRequest<Full<Bytes>>, target: &Target, webhook: Webhook) -> anyhow::Result<u16> {
    let request = Request::post(&target.path)
        .header("Host", &target.authority)
        .header("Content-Type", "application/json")
        .header("X-Shopify-Topic", "orders/create")
        .header("X-Shopify-Hmac-Sha256", webhook.signature)
        .header("X-Shopify-Shop-Domain", &target.domain)
        .header("X-Shopify-API-Version", API_VERSION)
        .header("X-Shopify-Webhook-Id", &webhook.webhook_id)
        .header("X-Shopify-Event-Id", &webhook.webhook_id)
        .header("X-Shopify-Triggered-At", "2026-08-01T12:00:00.000000000Z")
        .body(Full::new(webhook.body))?;
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let status = answer.status().as_u16();
    answer.into_body().collect().await?;
    Ok(status)
}

fn write_times(file: &std::path::Path, began_at: Timestamp, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    for one in outcomes {
        let due = began_at + SignedDuration::try_from(one.due)?;
        writeln!(out, "{} {}", one.id, due.as_microsecond())?;
    }
    out.flush()?;
    Ok(())
}

/// The value below which so many of a thousand lie.
fn per_mille(sorted: &[Duration], share: usize) -> f64 {
    let at = (sorted.len() * share).div_ceil(1000).clamp(1, sorted.len()) - 1;
    sorted[at].as_secs_f64() * 1000.0
}

fn summary(outcomes: &[Outcome], began_at: Timestamp) -> Value {
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    for one in outcomes {
        *statuses.entry(one.status.to_string()).or_default() += 1;
    }
    let mut delays: Vec<Duration> = outcomes.iter().map(|one| one.answered.saturating_sub(one.due)).collect();
    delays.sort_unstable();
    let last = outcomes.iter().map(|one| one.answered).max().unwrap_or_default().as_secs_f64();
    let answered = statuses.get("200").copied().unwrap_or_default();
    json!({
        "sent": outcomes.len(),
        "answered_200": answered,
        "statuses": statuses,
        "seconds": last,
        "rate": answered as f64 / last,
        "p50_ms": per_mille(&delays, 500),
        "p99_ms": per_mille(&delays, 990),
        "max_ms": per_mille(&delays, 1000),
        "began_us": began_at.as_microsecond(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{Outcome, per_mille, summary};

    #[test]
    fn of_a_hundred_delays_one_is_above_the_99th() {
        let delays: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!([500, 990, 1000].map(|share| per_mille(&delays, share)), [50.0, 99.0, 100.0]);
    }

    #[test]
    fn a_delay_counts_from_when_it_was_due_and_only_200_counts_as_answered() {
        let outcome = |due, answered, status| Outcome {
            id: "1".into(),
            due: Duration::from_millis(due),
            answered: Duration::from_millis(answered),
            status,
        };
        let told = summary(&[outcome(0, 10, 200), outcome(100, 2000, 503)], Timestamp::UNIX_EPOCH);
        assert_eq!((told["answered_200"].as_u64(), told["rate"].as_f64()), (Some(1), Some(0.5)));
        assert_eq!(told["max_ms"], 1900.0);
        assert_eq!(told["statuses"]["503"], 1);
    }
}
