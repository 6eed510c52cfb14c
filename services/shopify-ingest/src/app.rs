//! The composition root.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use connector_shopify::Shopify;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde::Deserialize;
use sqlx::migrate::Migrator;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use waybill_delivery::{Frame, Ledger, Uses, keep_publishing, ledger::SourceService, pruning};
use waybill_domain::{Clock, StoreName};
use waybill_proto::wire::{healing_server::HealingServer, inbox_server::InboxServer, source_server::SourceServer};
use waybill_runtime::{Ended, Metrics, ServiceSettings, SystemClock, health::Health, secret};

use crate::{
    backfill::{self, Backfilling},
    healing::HealingService,
    inbox::Inbox,
    inbox_past, normalise,
    operations::InboxService,
    reconcile::{self, Reconciling},
    refetch,
    subscriptions::{self, Auditing},
    webhooks,
};

/// The service's name.
pub const SERVICE: &str = "shopify-ingest";
/// Every setting, with its default.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The migrations of the service's schema.
pub fn migrator() -> Migrator {
    waybill_delivery::migrator(Some(&MIGRATIONS))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    largest_kept_bytes: usize,
    largest_bytes: usize,
    inbox_days: u32,
    reconcile_seconds: u64,
    reconcile_overlap_seconds: u32,
    reconcile_young_seconds: u32,
    subscriptions_seconds: u64,
    callback_url: String,
    backfill_records_per_second: u32,
    backfill_poll_seconds: u64,
}

impl Own {
    fn inbox_for(&self) -> anyhow::Result<Duration> {
        let fewest = inbox_past::FEWEST_DAYS;
        anyhow::ensure!(self.inbox_days >= fewest, "setting 'inbox_days' must be at least {fewest}");
        Ok(Duration::from_secs(u64::from(self.inbox_days) * 86_400))
    }

    fn reconciling(&self) -> anyhow::Result<Reconciling> {
        anyhow::ensure!(self.reconcile_seconds > 0, "setting 'reconcile_seconds' must be at least 1");
        Ok(Reconciling {
            every: Duration::from_secs(self.reconcile_seconds),
            overlap: SignedDuration::from_secs(self.reconcile_overlap_seconds.into()),
            young: SignedDuration::from_secs(self.reconcile_young_seconds.into()),
        })
    }

    fn backfilling(&self) -> anyhow::Result<Backfilling> {
        let (records_per_second, poll) = (self.backfill_records_per_second, self.backfill_poll_seconds);
        anyhow::ensure!(records_per_second > 0, "setting 'backfill_records_per_second' must be at least 1");
        anyhow::ensure!(poll > 0, "setting 'backfill_poll_seconds' must be at least 1");
        Ok(Backfilling { records_per_second, poll: Duration::from_secs(poll) })
    }

    fn auditing(&self) -> anyhow::Result<Auditing> {
        anyhow::ensure!(self.subscriptions_seconds > 0, "setting 'subscriptions_seconds' must be at least 1");
        let callback = Some(self.callback_url.trim()).filter(|url| !url.is_empty());
        // Source: recorded answers of webhookSubscriptionCreate, "Address protocol http:// is not supported".
        anyhow::ensure!(
            callback.is_none_or(|url| url.starts_with("https://")),
            "setting 'callback_url' must begin with https://: Shopify sends webhooks nowhere else"
        );
        Ok(Auditing { every: Duration::from_secs(self.subscriptions_seconds), callback: callback.map(str::to_owned) })
    }
}

/// One shop: what signs its webhooks, and its API.
pub(crate) struct Shop {
    pub(crate) secrets: Vec<SecretString>,
    pub(crate) api: Shopify,
}

/// What the parts of the service share.
pub(crate) struct Shared {
    pub(crate) shops: HashMap<StoreName, Shop>,
    pub(crate) inbox: Inbox,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) received: Notify,
    pub(crate) health: Health,
    pub(crate) to_refetch: Notify,
    pub(crate) to_reconcile: Notify,
    pub(crate) reconciling: Reconciling,
    pub(crate) auditing: Auditing,
    pub(crate) to_backfill: Notify,
    pub(crate) backfilling: Backfilling,
    pub(crate) to_publish: Notify,
    pub(crate) largest_kept_bytes: usize,
    pub(crate) largest_bytes: usize,
}

/// The service, built and not yet running.
pub struct App {
    frame: Frame,
    shared: Arc<Shared>,
    inbox_for: Duration,
}

impl App {
    /// Reads the plan, resolves secrets and binds the ports.
    ///
    /// # Errors
    /// If any of it fails; says what.
    pub async fn build(settings: ServiceSettings, stop: CancellationToken) -> anyhow::Result<Self> {
        let own: Own = settings.own()?;
        let uses = Uses { descriptors: vec![connector_shopify::descriptor()], webhooks: true };
        let mut frame = Frame::build(SERVICE, settings, uses, stop).await?;
        let plan = Arc::clone(&frame.plan.borrow());
        let mut shops = HashMap::new();
        for (name, store) in &plan.stores {
            let secrets = store
                .webhook_secrets
                .iter()
                .map(|reference| secret::resolve(reference))
                .collect::<Result<Vec<_>, _>>()
                .with_context(|| format!("stores.{name}.webhook_secrets"))?;
            let settings = frame.system_settings(&store.system, &connector_shopify::descriptor())?;
            shops.insert(name.clone(), Shop { secrets, api: Shopify::new(&settings)? });
        }
        let inbox = Inbox::start(frame.pool.clone(), &mut frame.tasks);
        let shared = Arc::new(Shared {
            shops,
            inbox,
            ledger: Ledger::new(frame.pool.clone()),
            clock: Arc::new(SystemClock),
            metrics: frame.metrics.clone(),
            received: Notify::new(),
            health: frame.health.clone(),
            to_refetch: Notify::new(),
            to_reconcile: Notify::new(),
            reconciling: own.reconciling()?,
            auditing: own.auditing()?,
            to_backfill: Notify::new(),
            backfilling: own.backfilling()?,
            to_publish: Notify::new(),
            largest_kept_bytes: own.largest_kept_bytes,
            largest_bytes: own.largest_bytes,
        });
        Ok(Self { frame, shared, inbox_for: own.inbox_for()? })
    }

    /// Where webhooks are received.
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
        let Self { mut frame, shared, inbox_for } = self;
        let stop = frame.tasks.stop_signal();
        frame.tasks.spawn("normalise", normalise::run(Arc::clone(&shared), stop.clone()));
        frame.tasks.spawn("refetch", refetch::run(Arc::clone(&shared), stop.clone()));
        frame.tasks.spawn("reconcile", reconcile::run(Arc::clone(&shared), stop.clone()));
        frame.tasks.spawn("backfill", backfill::run(Arc::clone(&shared), stop.clone()));
        frame.tasks.spawn("subscriptions", subscriptions::run(Arc::clone(&shared), stop.clone()));
        let (pool, metrics) = (frame.pool.clone(), frame.metrics.clone());
        frame.tasks.repeat("inbox's age", pruning::EVERY, move || {
            let (pool, metrics) = (pool.clone(), metrics.clone());
            async move {
                pruning::in_batches(&metrics, "inbox", |most| inbox_past::remove(&pool, inbox_for, most)).await?;
                Ok(())
            }
        });
        let (pool, bus, publisher, signal) = (frame.pool.clone(), frame.bus.clone(), Arc::clone(&shared), stop.clone());
        frame.tasks.spawn("outbox", async move {
            keep_publishing(pool, bus, &publisher.to_publish, signal).await;
            Ok(())
        });
        let pool = frame.pool.clone();
        let token = frame.token()?;
        let routes = Routes::new(SourceServer::with_interceptor(SourceService::new(pool.clone()), token.clone()))
            .add_service(InboxServer::with_interceptor(InboxService::new(pool), token.clone()))
            .add_service(HealingServer::with_interceptor(HealingService::new(Arc::clone(&shared)), token));
        let http = webhooks::router(Arc::clone(&shared));
        frame.run(http, routes).await
    }
}
