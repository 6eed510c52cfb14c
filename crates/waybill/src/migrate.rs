//! `waybill migrate`: roles, schemas, streams, consumers.

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use sqlx::migrate::Migrator;
use waybill_bus::{Bus, topology};
use waybill_runtime::database;

use crate::layout::{Secrets, StateArguments};

/// What `migrate` needs.
#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArguments {
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// PostgreSQL, as a user who may create roles and schemas.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: String,
    /// NATS; of a cluster, each node's URL, with commas.
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    pub(crate) nats_url: String,
    /// Copies of each stream: 1, or 3 on a cluster.
    #[arg(long, env = "WAYBILL_STREAM_REPLICAS", default_value_t = 1)]
    pub(crate) replicas: usize,
}

/// How long NATS may take to answer.
const NATS_WITHIN: Duration = Duration::from_secs(20);

pub(crate) async fn run(arguments: MigrateArguments) -> anyhow::Result<ExitCode> {
    let secrets = Secrets::given_or_open(&arguments.state.state)?;
    for line in migrate(&arguments.database_url, &arguments.nats_url, arguments.replicas, &secrets).await? {
        use std::io::Write as _;
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Creates or repairs everything; says what there is now.
pub(crate) async fn migrate(
    database_url: &str,
    nats_url: &str,
    replicas: usize,
    secrets: &Secrets,
) -> anyhow::Result<Vec<String>> {
    let services: [(&str, Migrator); 6] = [
        (shopify_ingest::SERVICE, shopify_ingest::migrator()),
        (inventory_router::SERVICE, inventory_router::migrator()),
        (crm_sync::SERVICE, crm_sync::migrator()),
        (erp_sync::SERVICE, erp_sync::migrator()),
        (fulfilment_sync::SERVICE, fulfilment_sync::migrator()),
        (alerter::SERVICE, alerter::migrator()),
    ];
    let mut lines = Vec::new();
    for (service, migrator) in &services {
        let password = secrets.password("postgres", service);
        database::provision(database_url, service, &password, migrator).await?;
        lines.push(format!("postgres: schema {} of role {}", database::schema(service), database::role(service)));
    }
    let bus = admin(nats_url, secrets).await?;
    topology::ensure(bus.context(), Some(replicas)).await.context("streams and consumers")?;
    lines.push(format!("nats: {} streams, {} consumers", topology::STREAMS.len(), topology::hears().len()));
    Ok(lines)
}

/// The road as the user who made it.
///
/// # Errors
/// If NATS does not let `admin` in.
pub(crate) async fn admin(nats_url: &str, secrets: &Secrets) -> anyhow::Result<Bus> {
    let bus = Bus::connect(nats_url, "admin", &secrets.nats_admin()).await?;
    let deadline = tokio::time::Instant::now() + NATS_WITHIN;
    while !bus.connected() {
        anyhow::ensure!(
            tokio::time::Instant::now() < deadline,
            "NATS at {nats_url} does not let 'admin' in within {NATS_WITHIN:?}: is it running, and does it know the users \
             that `waybill nats-config` prints?"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(bus)
}
