//! The composition root.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde::Deserialize;
use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use waybill_delivery::{Engine, Frame, Ledger, ledger::SourceService, operations::DeliveriesService, pruning};
use waybill_proto::wire::{deliveries_server::DeliveriesServer, source_server::SourceServer};
use waybill_runtime::{Ended, ServiceSettings, SystemClock};

use crate::{orders::ShippedOrders, parcels::Parcels, unclaimed, vendors};

/// The service's name.
pub const SERVICE: &str = "fulfilment-sync";
/// Every setting, with its default.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The migrations of the service's schema.
pub fn migrator() -> Migrator {
    waybill_delivery::migrator(Some(&MIGRATIONS))
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    poll_seconds: u64,
}

/// The service, built and not yet running.
pub struct App {
    frame: Frame,
    engine: Arc<Engine>,
    parcels: Vec<Arc<Parcels>>,
    poll: Duration,
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
        let mut parcels = Vec::new();
        for system in &served {
            if let Some(source) = vendors::parcels(&frame, &system.name)? {
                let ledger = Ledger::new(frame.pool.clone());
                parcels.push(Arc::new(Parcels::new(system.name.clone(), source, ledger, Arc::new(SystemClock))));
            }
        }
        let engine = frame.engine(vendors::ours, served, Arc::new(ShippedOrders))?;
        Ok(Self { frame, engine, parcels, poll: Duration::from_secs(own.poll_seconds.max(1)) })
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
        let Self { mut frame, engine, parcels, poll } = self;
        engine.start(&mut frame.tasks);
        for parcels in parcels {
            let engine = Arc::clone(&engine);
            frame.tasks.repeat("parcels", poll, move || {
                let (parcels, engine) = (Arc::clone(&parcels), Arc::clone(&engine));
                async move {
                    if parcels.ask().await? > 0 {
                        engine.wake_outbox();
                    }
                    Ok(())
                }
            });
        }
        let (pool, metrics) = (frame.pool.clone(), frame.metrics.clone());
        frame.tasks.repeat("unclaimed parcels' age", pruning::EVERY, move || {
            let (pool, metrics) = (pool.clone(), metrics.clone());
            async move { unclaimed::prune(&pool, &metrics).await }
        });
        let token = frame.token()?;
        let source = SourceService::new(frame.pool.clone());
        let routes = Routes::new(DeliveriesServer::with_interceptor(DeliveriesService::new(engine), token.clone()))
            .add_service(SourceServer::with_interceptor(source, token));
        frame.run(axum::Router::new(), routes).await
    }
}
