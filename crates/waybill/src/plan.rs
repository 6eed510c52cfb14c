//! `waybill plan`.

mod bulk_query;
mod check;
mod day;
mod diff;
mod explain;
mod show;
mod simulate;

use std::{
    io::{BufWriter, Stdout, Write as _, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use waybill_plan::{Connectors, Plan, References};

use crate::{connectors, operator};

/// What can be done with a plan file.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PlanCommand {
    /// Check a plan: all problems at once, each with its place and how to mend it. Exit code 0 if it passes, 1 if not,
    /// 2 if it cannot be read.
    Check(check::Check),
    /// Tell at length what a code means, or list all codes.
    Explain(explain::Explain),
    /// Tell a plan in words: for each kind of records what moves, when, who owns it, what happens when values differ and
    /// what happens when it fails; field by field.
    Show(show::Show),
    /// Run a plan on recorded records, with no system called: what would be written where, field by field, what would
    /// be ignored, wait or be parked, and why.
    Simulate(simulate::Simulate),
    /// Print the query that has Shopify write all of a store's orders into one file, for `simulate` and `diff` to run
    /// plans on: to be run in the store by a person.
    BulkQuery(bulk_query::BulkQuery),
    /// Run two plans on the same records: which deliveries change, and how.
    Diff(diff::Diff),
    /// Say which plan each running replica obeys: exit code 0 if all obey the same and it is the file's, 1 if not, 2 if
    /// it cannot be told.
    Status(operator::PlanStatus),
    /// Have a flow's settled deliveries decided anew under the plan that the services obey: first it tells what would
    /// change, then it asks. Discarded and refused records stay as they are. Exit code 0 if it is done, 1 if it was not
    /// agreed to, 2 if a service does not answer.
    Roll(operator::PlanRoll),
}

pub(crate) async fn run(command: PlanCommand) -> anyhow::Result<ExitCode> {
    match command {
        PlanCommand::Check(command) => buffered(|out| check::run(&command, out)),
        PlanCommand::Explain(command) => buffered(|out| explain::run(&command, out)),
        PlanCommand::Show(command) => buffered(|out| show::run(&command, out)),
        PlanCommand::Simulate(command) => buffered(|out| simulate::run(&command, out)),
        PlanCommand::BulkQuery(command) => bulk_query::run(&command, &mut stdout()),
        PlanCommand::Diff(command) => buffered(|out| diff::run(&command, out)),
        PlanCommand::Roll(command) => {
            operator::plan_roll(command, &mut std::io::stdout(), &mut std::io::stderr()).await
        }
        PlanCommand::Status(command) => {
            operator::plan_status(command, &mut std::io::stdout(), &mut std::io::stderr()).await
        }
    }
}

/// Runs what says much. A reader who has seen enough, such as `head`, is no problem.
fn buffered(run: impl FnOnce(&mut BufWriter<Stdout>) -> anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(stdout());
    let outcome = run(&mut out).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match outcome {
        Err(error) if operator::closed_early(&error) => Ok(ExitCode::SUCCESS),
        outcome => outcome,
    }
}

/// A plan that passes; its problems as an error otherwise.
pub(crate) fn read(file: &Path) -> anyhow::Result<Plan> {
    read_with(file, References::Ignored)
}

/// The same, and all its secrets resolve here.
pub(crate) fn read_resolved(file: &Path) -> anyhow::Result<Plan> {
    read_with(file, References::Refused(&check::resolves))
}

fn read_with(file: &Path, references: References<'_>) -> anyhow::Result<Plan> {
    let text = std::fs::read_to_string(file).with_context(|| format!("the plan {} cannot be read", file.display()))?;
    let checked = Plan::check(&text, Connectors::All(&connectors::all()), references).map_err(|problems| {
        anyhow::anyhow!(
            "the plan {} does not pass:\n\n{}",
            file.display(),
            problems.render(&file.display().to_string())
        )
    })?;
    Ok(checked.plan)
}

/// A plan's file on the command line.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct File {
    /// The plan.
    pub(crate) file: PathBuf,
}
