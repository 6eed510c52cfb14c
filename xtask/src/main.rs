//! Chores of this repository: `cargo xtask test`, `cargo xtask demo`, `cargo xtask chaos` and `cargo xtask bench`.

mod bench;
mod cargo_build;
mod chaos;
mod demo;
mod install;
mod interrupt;
mod loopback_http;
mod test_run;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Chores of this repository", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run every test, with real servers; installs what is missing.
    Test(test_run::Options),
    /// Let a trading day flow through all services and check what arrived.
    Demo(demo::Options),
    /// Let a trading day flow while everything goes wrong, and check that nothing was lost or doubled.
    Chaos(chaos::Options),
    /// Measure how fast it is, against what the machine and the vendors allow.
    Bench(bench::Options),
    /// Only install what the tests and the demo need.
    Install(install::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Test(options) => test_run::run(&options),
        Chore::Demo(options) => demo::run(&options),
        Chore::Chaos(options) => chaos::run(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::Install(options) => install::run(&options).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        let missing = error.is::<install::CannotInstall>();
        ExitCode::from(if missing { 2 } else { 1 })
    })
}
