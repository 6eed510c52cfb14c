#![doc = include_str!("../README.md")]

mod connectors;
mod export;
mod health;
mod layout;
mod migrate;
mod operator;
mod plan;
mod restored;
mod setup;
mod up;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Connects a Shopify store to the systems around it, and proves that nothing is missing.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs every service in this process.
    Up(up::UpArguments),
    /// Creates or repairs roles, schemas, streams and consumers. Can be run again.
    Migrate(migrate::MigrateArguments),
    /// After PostgreSQL was restored from a backup and before a service is started: begins a new epoch, in which nothing
    /// of before is taken for the last word, and empties the streams. Migrates first.
    Restored(restored::RestoredArguments),
    /// Prints the users' part of a NATS configuration.
    NatsConfig(layout::StateArguments),
    /// Prints, as JSON, the environment that each service's own binary needs beside `waybill migrate`.
    Environment(layout::LayoutArguments),
    /// Checks tokens and scopes, and creates the vendors' side: webhook subscriptions, unique properties. Can be run
    /// again.
    Setup(setup::SetupArguments),
    /// Works on a plan file.
    Plan {
        #[command(subcommand)]
        command: plan::PlanCommand,
    },
    /// Asks a service whether it is ready; for containers' health checks.
    Health {
        /// Such as http://127.0.0.1:8080/readyz
        #[arg(long)]
        url: String,
    },
    #[command(flatten)]
    Operator(operator::OperatorCommand),
}

/// Where a file of the plan's is, for several commands.
#[derive(Debug, Clone, clap::Args)]
struct PlanFile {
    /// The plan.
    #[arg(long, env = "WAYBILL_PLAN", default_value = "plan.toml")]
    plan: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Up(arguments) => up::run(arguments).await,
        Command::Migrate(arguments) => migrate::run(arguments).await,
        Command::Restored(arguments) => restored::run(arguments).await,
        Command::NatsConfig(arguments) => layout::print_nats_config(&arguments),
        Command::Environment(arguments) => layout::print_environment(&arguments),
        Command::Setup(arguments) => setup::run(arguments).await,
        Command::Plan { command } => plan::run(command).await,
        Command::Health { url } => health::run(&url).await,
        Command::Operator(command) => operator::run(command, &mut std::io::stdout(), &mut std::io::stderr()).await,
    };
    outcome.unwrap_or_else(|error| {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "waybill: {error:#}");
        ExitCode::from(2)
    })
}
