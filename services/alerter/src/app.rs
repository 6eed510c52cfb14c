//! The composition root.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use serde::Deserialize;
use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use waybill_bus::{Bus, subjects};
use waybill_delivery::{Engine, Frame, operations::DeliveriesService};
use waybill_domain::Clock;
use waybill_proto::wire::{deliveries_server::DeliveriesServer, watch_server::WatchServer};
use waybill_runtime::{Ended, ServiceSettings, SystemClock};

use crate::{
    accounting::{Accounting, ENDS, PEERS},
    approvals,
    hearing::Hearing,
    incidents::{self, Sweeper},
    lines::Lines,
    replicas, reports, road, say_again, vendors,
    watch::WatchService,
};

/// The service's name.
pub const SERVICE: &str = "alerter";
/// Every setting, with its default.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

const SWEEP_EVERY: Duration = Duration::from_secs(2);
const GAPS_EVERY: Duration = Duration::from_secs(5);
const APPROVALS_EVERY: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_secs(15);
const ROAD_EVERY: Duration = Duration::from_secs(10);

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The migrations of the service's schema.
pub fn migrator() -> Migrator {
    waybill_delivery::migrator(Some(&MIGRATIONS))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    public_url: String,
    /// 0 for as they are.
    stream_replicas: usize,
}

/// The service, built and not yet running.
pub struct App {
    frame: Frame,
    engine: Arc<Engine>,
    accounting: Accounting,
    own: Own,
    clock: Arc<dyn Clock>,
}

impl App {
    /// Reads the plan, resolves secrets and binds the ports.
    ///
    /// # Errors
    /// If any of it fails; says what.
    pub async fn build(settings: ServiceSettings, stop: CancellationToken) -> anyhow::Result<Self> {
        let own: Own = settings.own()?;
        let frame = Frame::build(SERVICE, settings, vendors::descriptors(), stop).await?;
        let served = frame.served(vendors::port)?;
        let accounting = Accounting {
            pool: frame.pool.clone(),
            plan: frame.plan.clone(),
            peers: frame.peers(&PEERS)?,
            metrics: frame.metrics.clone(),
        };
        let engine = frame.engine(vendors::ours, served, Arc::new(Lines))?;
        Ok(Self { frame, engine, accounting, own, clock: Arc::new(SystemClock) })
    }

    /// The same with another clock than the machine's, by which it judges how long replicas have been silent and how
    /// long a disagreement lasts.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Where health endpoints listen.
    ///
    /// # Errors
    /// If the socket is gone.
    pub fn http_address(&self) -> anyhow::Result<SocketAddr> {
        self.frame.http_address()
    }

    /// Where gRPC listens.
    ///
    /// # Errors
    /// If the socket is gone.
    pub fn grpc_address(&self) -> anyhow::Result<SocketAddr> {
        self.frame.grpc_address()
    }

    /// Runs until it is stopped, or is to be built again of a changed plan.
    ///
    /// # Errors
    /// If a part of it ends early.
    pub async fn run(self) -> anyhow::Result<Ended> {
        let Self { mut frame, engine, accounting, own, clock } = self;
        let (bus, metrics) = (frame.bus.clone(), frame.metrics.clone());
        let replicas = (own.stream_replicas > 0).then_some(own.stream_replicas);
        frame.tasks.repeat("road", ROAD_EVERY, move || {
            let (bus, metrics) = (bus.clone(), metrics.clone());
            async move { road::keep(&bus, replicas, &metrics).await }
        });
        engine.start(&mut frame.tasks);
        let hearing = Arc::new(Hearing::new(clock.now()));
        let (pool, time, heard) = (frame.pool.clone(), Arc::clone(&clock), Arc::clone(&hearing));
        hear(&mut frame, "reports", subjects::SYSTEM_REPORTS, move |_subject, payload| {
            heard.heard(time.now());
            let pool = pool.clone();
            async move { reports::keep(&pool, &payload).await }
        });
        let (pool, time, heard) = (frame.pool.clone(), Arc::clone(&clock), Arc::clone(&hearing));
        hear(&mut frame, "plan reports", subjects::PLAN_REPORTS, move |subject, payload| {
            heard.heard(time.now());
            let (pool, now) = (pool.clone(), time.now());
            async move { replicas::keep(&pool, &subject, &payload, now).await }
        });
        let sweeper = Arc::new(Sweeper {
            engine: Arc::clone(&engine),
            started_at: clock.now(),
            clock: Arc::clone(&clock),
            hearing,
            public_url: own.public_url,
        });
        frame.tasks.repeat("incidents", SWEEP_EVERY, move || {
            let sweeper = Arc::clone(&sweeper);
            async move { incidents::sweep(&sweeper).await }
        });
        ENDS.keep(&mut frame.tasks, frame.pool.clone(), frame.metrics.clone());
        let gaps = accounting.clone();
        frame.tasks.repeat("gaps", GAPS_EVERY, move || {
            let gaps = gaps.clone();
            async move { gaps.note_gaps().await }
        });
        let (asks, time) = (accounting.clone(), Arc::clone(&clock));
        frame.tasks.repeat("approvals", APPROVALS_EVERY, move || {
            let (asks, now) = (asks.clone(), time.now());
            async move {
                let plan = Arc::clone(&asks.plan.borrow());
                approvals::ask(&asks.pool, &plan, &asks.peers, now).await
            }
        });
        let asker = accounting.clone();
        frame.tasks.repeat("missing receipts", ASK_EVERY, move || {
            let asker = asker.clone();
            async move { say_again::ask(&asker.pool, &asker.peers).await }
        });
        let token = frame.token()?;
        let watch = WatchService { pool: frame.pool.clone(), accounting, clock };
        let routes = Routes::new(WatchServer::with_interceptor(watch, token.clone()))
            .add_service(DeliveriesServer::with_interceptor(DeliveriesService::new(engine), token));
        frame.run(axum::Router::new(), routes).await
    }
}

/// Keeps what is announced on a subject until told to stop. It is announced every few seconds, so that what is lost is
/// no loss.
fn hear<Fut>(
    frame: &mut Frame,
    task: &'static str,
    subject: &'static str,
    keep: impl Fn(String, Vec<u8>) -> Fut + Send + 'static,
) where
    Fut: Future<Output = anyhow::Result<()>> + Send,
{
    let (bus, stop): (Bus, CancellationToken) = (frame.bus.clone(), frame.tasks.stop_signal());
    frame.tasks.spawn(task, async move {
        let mut announced = bus.subscribe(subject).await?;
        loop {
            let message = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                message = futures::StreamExt::next(&mut announced) => message,
            };
            let Some(message) = message else { anyhow::bail!("the subscription to {subject} ended") };
            if let Err(error) = keep(message.subject.to_string(), message.payload.to_vec()).await {
                tracing::warn!(subject = %message.subject, error = format!("{error:#}"), "a report could not be kept");
            }
        }
    });
}
