//! `waybill plan`.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use waybill_plan::{Connectors, Plan, PlanError};

use crate::connectors;

/// What can be done with a plan file.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PlanCommand {
    /// Checks a plan: all errors at once.
    Check {
        /// The plan.
        file: PathBuf,
    },
}

pub(crate) fn run(command: PlanCommand) -> anyhow::Result<ExitCode> {
    let PlanCommand::Check { file } = command;
    let text = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
    let mut out = std::io::stdout();
    match Plan::parse(&text, Connectors::All(&connectors::all())) {
        Ok(plan) => {
            let (stores, systems, flows) = (plan.stores.len(), plan.systems.len(), plan.flows.len());
            writeln!(
                out,
                "{}: fine ({stores} stores, {systems} systems, {flows} flows, hash {})",
                file.display(),
                plan.hash
            )?;
            Ok(ExitCode::SUCCESS)
        }
        Err(PlanError::Form(problem)) => {
            writeln!(out, "{}: {problem}", file.display())?;
            Ok(ExitCode::FAILURE)
        }
        Err(PlanError::Problems(problems)) => {
            for problem in &problems {
                writeln!(out, "{}: {problem}", file.display())?;
            }
            Ok(ExitCode::FAILURE)
        }
    }
}
