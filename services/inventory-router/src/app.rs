//! The composition root.

use std::{net::SocketAddr, sync::Arc};

use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;
use waybill_delivery::{Engine, Frame, Ledger};
use waybill_runtime::{Ended, ServiceSettings, SystemClock};

use crate::{facts::StockFacts, levels::Levels, unheard::Unheard, vendors};

/// The service's name.
pub const SERVICE: &str = "inventory-router";
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
    levels: Option<Arc<Levels>>,
}

impl App {
    /// Reads the plan, resolves secrets and binds the ports.
    ///
    /// # Errors
    /// If any of it fails; says what.
    pub async fn build(settings: ServiceSettings, stop: CancellationToken) -> anyhow::Result<Self> {
        let frame = Frame::build(SERVICE, settings, vendors::descriptors(), stop).await?;
        let served = frame.served(vendors::port)?;
        let stock = frame.plan.borrow().stock.clone();
        let levels = match stock {
            Some(stock) if served.iter().any(|system| system.name == stock.from) => Some(Arc::new(Levels {
                source: vendors::stock(&frame, &stock.from)?,
                shops: vendors::shops(&frame)?,
                plan: frame.plan.clone(),
                ledger: Ledger::new(frame.pool.clone()),
                clock: Arc::new(SystemClock),
            })),
            _ => None,
        };
        let engine = frame.engine(vendors::ours, served, Arc::new(StockFacts))?;
        Ok(Self { frame, engine, levels })
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
        let Self { mut frame, engine, levels } = self;
        engine.start(&mut frame.tasks);
        if let Some(levels) = levels {
            let unheard = Arc::new(Unheard { engine: Arc::clone(&engine) });
            engine.read_every(&mut frame.tasks, "stock levels", levels.every(), move || {
                let (levels, unheard) = (Arc::clone(&levels), Arc::clone(&unheard));
                async move {
                    // What is not answered holds its units back until it is, and levels are read all the same.
                    if let Err(error) = unheard.ask().await {
                        tracing::warn!(error = format!("{error:#}"), "orders on the way could not be asked about");
                    }
                    levels.read().await
                }
            });
        }
        frame.run_source(engine).await
    }
}
