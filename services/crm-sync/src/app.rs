//! The composition root.

use std::{net::SocketAddr, sync::Arc};

use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use waybill_delivery::{Engine, Frame, operations::DeliveriesService};
use waybill_proto::wire::deliveries_server::DeliveriesServer;
use waybill_runtime::{Ended, ServiceSettings};

use crate::{totals::BuyerTotals, vendors};

/// The service's name.
pub const SERVICE: &str = "crm-sync";
/// Every setting, with its default.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The migrations of the service's schema.
pub fn migrator() -> Migrator {
    waybill_delivery::migrator(Some(&MIGRATIONS))
}

/// The service, built and not yet running.
pub struct App {
    frame: Frame,
    engine: Arc<Engine>,
}

impl App {
    /// Reads the plan, resolves secrets and binds the ports.
    ///
    /// # Errors
    /// If any of it fails; says what.
    pub async fn build(settings: ServiceSettings, stop: CancellationToken) -> anyhow::Result<Self> {
        let frame = Frame::build(SERVICE, settings, vendors::descriptors(), stop).await?;
        let served = frame.served(vendors::port)?;
        let engine = frame.engine(vendors::ours, served, Arc::new(BuyerTotals))?;
        Ok(Self { frame, engine })
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
        let Self { mut frame, engine } = self;
        engine.start(&mut frame.tasks);
        let deliveries = DeliveriesServer::with_interceptor(DeliveriesService::new(engine), frame.token()?);
        frame.run(axum::Router::new(), Routes::new(deliveries)).await
    }
}
