//! The composition root.

use std::{net::SocketAddr, sync::Arc};

use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;
use waybill_delivery::{Engine, Frame, Ledger};
use waybill_runtime::{Ended, ServiceSettings, SystemClock};

use crate::{catalogue::Catalogue, facts::PriceFacts, vendors};

/// The service's name.
pub const SERVICE: &str = "erp-sync";
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
    catalogue: Option<Arc<Catalogue>>,
}

impl App {
    /// Reads the plan, resolves secrets and binds the ports.
    ///
    /// # Errors
    /// If any of it fails; says what.
    pub async fn build(settings: ServiceSettings, stop: CancellationToken) -> anyhow::Result<Self> {
        let frame = Frame::build(SERVICE, settings, vendors::descriptors(), stop).await?;
        let served = frame.served(vendors::port)?;
        let catalog = frame.plan.borrow().catalog.clone();
        let catalogue = match catalog {
            Some(catalog) if served.iter().any(|system| system.name == catalog.from) => Some(Arc::new(Catalogue {
                source: vendors::catalogue(&frame, &catalog.from)?,
                shops: vendors::shops(&frame)?,
                plan: frame.plan.clone(),
                ledger: Ledger::new(frame.pool.clone()),
                clock: Arc::new(SystemClock),
            })),
            _ => None,
        };
        let engine = frame.engine(vendors::ours, served, Arc::new(PriceFacts))?;
        Ok(Self { frame, engine, catalogue })
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
        let Self { mut frame, engine, catalogue } = self;
        engine.start(&mut frame.tasks);
        if let Some(catalogue) = catalogue {
            engine.read_every(&mut frame.tasks, "list prices", catalogue.every(), move || {
                let catalogue = Arc::clone(&catalogue);
                async move { catalogue.read().await }
            });
        }
        frame.run_source(engine).await
    }
}
