//! `waybill plan`.

mod check;
mod explain;

use std::{
    io::stdout,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use waybill_plan::{Connectors, Plan};

use crate::{connectors, operator};

/// What can be done with a plan file.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PlanCommand {
    /// Check a plan: all problems at once, each with its place and how to mend it. Exit code 0 if it passes, 1 if not,
    /// 2 if it cannot be read.
    Check(check::Check),
    /// Tell at length what a code means, or list all codes.
    Explain(explain::Explain),
    /// Say which plan each running replica obeys: exit code 0 if all obey the same and it is the file's, 1 if not, 2 if
    /// it cannot be told.
    Status(operator::PlanStatus),
}

pub(crate) async fn run(command: PlanCommand) -> anyhow::Result<ExitCode> {
    match command {
        PlanCommand::Check(command) => check::run(&command, &mut stdout()),
        PlanCommand::Explain(command) => explain::run(&command, &mut stdout()),
        PlanCommand::Status(command) => {
            operator::plan_status(command, &mut std::io::stdout(), &mut std::io::stderr()).await
        }
    }
}

/// A plan that passes; its problems as an error otherwise.
pub(crate) fn read(file: &Path) -> anyhow::Result<Plan> {
    let text = std::fs::read_to_string(file).with_context(|| format!("the plan {} cannot be read", file.display()))?;
    Plan::parse(&text, Connectors::All(&connectors::all())).map_err(|problems| {
        anyhow::anyhow!("the plan {} does not pass:\n\n{}", file.display(), problems.render(&file.display().to_string()))
    })
}

/// A plan's file on the command line.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct File {
    /// The plan.
    pub(crate) file: PathBuf,
}
