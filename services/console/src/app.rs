//! The composition root.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use axum::{Router, middleware};
use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use waybill_domain::Clock;
use waybill_runtime::{
    Metrics, ServiceSettings, SystemClock, Tasks, grpc,
    health::{self, Health},
    settings::SecretText,
};

use crate::{attempts::Attempts, gate, own::Own, pages, services::Services, sessions::Sessions};

/// What every request can reach.
pub(crate) struct Console {
    pub(crate) services: Services,
    pub(crate) sessions: Sessions,
    pub(crate) attempts: Attempts,
    pub(crate) password: SecretText,
    pub(crate) https: bool,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) zone: TimeZone,
    pub(crate) metrics: Metrics,
    /// The plan's file, to be shown; empty if the settings name none.
    pub(crate) plan: PathBuf,
}

/// The console, built and not yet running.
pub struct App {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("address", &self.address).finish_non_exhaustive()
    }
}

impl App {
    /// Checks the settings and binds the port. Of the settings it needs `http`, `grpc_token`, `peers` and
    /// `[service]`; it shows `plan`.
    ///
    /// # Errors
    /// If a setting cannot be used or the port is taken; says which.
    pub async fn build(settings: ServiceSettings) -> anyhow::Result<Self> {
        let own = Own::read(&settings)?;
        anyhow::ensure!(
            !settings.grpc_token.expose().is_empty(),
            "grpc_token is empty: set WAYBILL_GRPC_TOKEN or WAYBILL_GRPC_TOKEN_FILE"
        );
        let console = Arc::new(Console {
            services: Services::new(&settings.peers, &settings.grpc_token)?,
            sessions: Sessions::new(own.session, own.https)?,
            attempts: Attempts::default(),
            password: own.password,
            https: own.https,
            clock: Box::new(SystemClock),
            zone: TimeZone::system(),
            metrics: Metrics::default(),
            plan: settings.plan,
        });
        let counted = Arc::clone(&console);
        let router = pages::router()
            .with_state(Arc::clone(&console))
            .merge(health::router(Health::default(), counted.metrics.clone()))
            .layer(middleware::from_fn_with_state(console, gate::pass));
        let listener = grpc::bind(settings.http).await?;
        let address = listener.local_addr().context("the console's own address")?;
        Ok(Self { listener, address, router })
    }

    /// Where the pages are.
    pub const fn http_address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until told to stop.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(address = %self.address, "console listens");
        let mut tasks = Tasks::new(stop.clone());
        let service = self.router.into_make_service_with_connect_info::<SocketAddr>();
        tasks.spawn("pages", async move {
            axum::serve(self.listener, service).with_graceful_shutdown(stop.cancelled_owned()).await?;
            Ok(())
        });
        tasks.run().await
    }
}
