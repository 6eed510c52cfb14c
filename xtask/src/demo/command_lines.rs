//! How our programs are called: the only place that knows their arguments.

use std::process::Command;

use anyhow::Context as _;
use waybill_testkit::Launch;

use super::Options;
use super::stage::Stage;
use crate::cargo_build::Programs;
use crate::workspace;

/// Every service's own program is named as its package.
pub(super) const SERVICES: [&str; 7] = [
    "shopify-ingest",
    "inventory-router",
    "crm-sync",
    "erp-sync",
    "fulfilment-sync",
    "alerter",
    "console",
];

/// Where a program says that it is ready.
pub(super) const READY_PATH: &str = "/health/ready";

/// Where the simulator says whether the day is over.
pub(super) const DAY_PATH: &str = "/day";

/// What has to be built. `waybill` is needed either way, for `waybill status`.
pub(super) fn packages(processes: bool) -> Vec<&'static str> {
    let mut packages = vec!["waybill", "waybill-simulator"];
    if processes {
        packages.extend(SERVICES);
    }
    packages
}

/// The store and the systems around it, not yet trading.
pub(super) fn simulator(
    options: &Options,
    programs: &Programs,
    stage: &Stage,
) -> anyhow::Result<Launch> {
    let mut launch = Launch::new(programs.get("waybill-simulator")?)
        .args(["--listen", &stage.simulator_address()])
        .args(["--webhooks", &stage.webhooks_url()])
        .args(["--orders", &options.orders.to_string()])
        .args(["--seed", &options.seed.to_string()]);
    if let Some(folder) = &options.dump {
        launch = launch.arg("--dump").arg(std::path::absolute(folder)?);
    }
    Ok(launch)
}

/// All services in one process.
pub(super) fn suite(programs: &Programs, stage: &Stage) -> anyhow::Result<Launch> {
    let launch = Launch::new(programs.get("waybill")?).arg("up");
    Ok(with_plan_and_servers(launch, stage))
}

/// One service by its own program.
pub(super) fn service(name: &str, programs: &Programs, stage: &Stage) -> anyhow::Result<Launch> {
    Ok(with_plan_and_servers(
        Launch::new(programs.get(name)?),
        stage,
    ))
}

fn with_plan_and_servers(launch: Launch, stage: &Stage) -> Launch {
    launch
        .arg("--plan")
        .arg(workspace::root().join("examples/plan.toml"))
        .env("NATS_URL", stage.nats_url())
        .env("DATABASE_URL", stage.database_url())
}

/// Prints the accounting as JSON.
pub(super) fn status(programs: &Programs, stage: &Stage) -> anyhow::Result<Command> {
    let mut command = Command::new(programs.get("waybill")?);
    command
        .args(["status", "--json"])
        .current_dir(stage.folder());
    Ok(command)
}

/// Compares the store's final records with what the systems hold, and prints figures as JSON; exit
/// code 0 if everything is as it should be.
pub(super) fn oracle(
    options: &Options,
    programs: &Programs,
    stage: &Stage,
) -> anyhow::Result<Command> {
    let program = programs.get("waybill-oracle").context("the oracle")?;
    let mut command = Command::new(program);
    command
        .args(["--simulator", &stage.simulator_address()])
        .current_dir(stage.folder());
    if let Some(folder) = &options.dump {
        command.arg("--dump").arg(std::path::absolute(folder)?);
    }
    Ok(command)
}
