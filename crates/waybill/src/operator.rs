//! The operator's commands: what the services say and what a person may do, over gRPC with a token.

mod accounting;
mod approvals;
pub(crate) mod asking;
mod audit;
mod backfill;
mod editing;
mod export;
mod hear;
mod incidents;
mod parked;
mod pause;
mod place;
mod plan_status;
mod reconcile;
mod record;
mod release;
mod roll;
pub(crate) mod state;
mod status;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod trace;
mod webhooks;

use std::{
    io::{self, IsTerminal as _, Write},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use waybill_domain::Clock as _;
use waybill_runtime::{SystemClock, secret};

use place::Place;
use terminal::Terminal;

pub(crate) use plan_status::PlanStatus;
pub(crate) use roll::PlanRoll;

// Commands that ask running services. No doc comment: flattened, it would take the place of the whole program's help.
#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Show a record's waybill: its line per system, with the calls made.
    Trace(trace::Trace),
    /// Say whether all is well: exit code 0 if so, 1 if not, 2 if it cannot be told.
    Status(status::Status),
    /// Show the accounting lines: exit code 0 if they close, 1 if not, 2 if it cannot be told.
    Accounting(accounting::Accounting),
    /// See and settle what needs a person.
    #[command(subcommand)]
    Parked(parked::Parked),
    /// Hold a system's deliveries until it is resumed.
    Pause(pause::Pause),
    /// Let a paused system's deliveries go on.
    Resume(pause::Pause),
    /// List what waits for a person's approval, and give or refuse it.
    Approvals(approvals::Approvals),
    /// Let a system's first run create as many records as it will. A system asks before its first run creates more than
    /// the plan's `ask_above`.
    Release(release::Release),
    /// Show open incidents, what they mean and what to do.
    Incidents(incidents::Incidents),
    /// Show webhooks that no record came of.
    Webhooks(webhooks::Webhooks),
    /// Compare stores with what is known of them now, and have read what is missing. Exit code 1 if a store could not be
    /// compared.
    Reconcile(reconcile::Reconcile),
    /// Have a record that fell out of the accounting line heard from its source once more: a delivery that is gone, or
    /// behind, is made again, and what may be in its system is looked up there before it is written.
    Hear(hear::Hear),
    /// Compare what systems hold with what was brought there, by each system's own records: exit code 0 if nothing
    /// differs, 1 if something does, 2 if a service or system could not be asked. With --heal, what is missing and what
    /// is ours by the plan is written again.
    Audit(audit::Audit),
    /// Import a store's history, or show how far that has come. Flows write of it what their `since` lets them.
    Backfill(backfill::Backfill),
    /// Write a day as it was recorded, for `waybill plan simulate`: every snapshot and every decision. Exit code 1 if
    /// nothing is kept of it, 2 if a service does not answer.
    Export(export::Export),
}

// Where the services are. Without it: WAYBILL_PEERS and WAYBILL_GRPC_TOKEN, else what `waybill up` left behind.
// No doc comment, as above.
#[derive(Debug, Args, Default, Clone)]
struct Where {
    /// The services' gRPC addresses: alerter=http://…,erp-sync=http://… Without it WAYBILL_PEERS, else what a running
    /// `waybill up` left in .waybill/up.json.
    #[arg(long, value_name = "NAME=URL,…")]
    peers: Option<String>,
    /// The token that each call carries. Other users of the machine can read it here: prefer
    /// WAYBILL_GRPC_TOKEN_FILE.
    #[arg(long)]
    token: Option<String>,
}

/// Nothing is wrong.
const WELL: u8 = 0;
/// Something is wrong, or was not found.
const NOT_WELL: u8 = 1;
/// Somebody did not answer, so it cannot be told.
const CANNOT_TELL: u8 = 2;

/// Runs a command: answers go to `out`, problems to `err`.
///
/// # Errors
/// If the services' addresses or the token cannot be used, or `out` cannot be written.
pub(crate) async fn run(
    command: OperatorCommand,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    at_terminal(out, err, async |place, terminal| answer(command, place, terminal).await).await
}

/// Runs `waybill plan status`, likewise.
///
/// # Errors
/// As [`run`].
pub(crate) async fn plan_status(
    command: PlanStatus,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    at_terminal(out, err, async |place, terminal| plan_status::run(command, place, terminal).await).await
}

/// Runs `waybill plan roll`, likewise.
///
/// # Errors
/// As [`run`].
pub(crate) async fn plan_roll(command: PlanRoll, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<ExitCode> {
    at_terminal(out, err, async |place, terminal| roll::run(command, place, terminal).await).await
}

async fn at_terminal(
    out: &mut dyn Write,
    err: &mut dyn Write,
    command: impl AsyncFnOnce(&Place, &mut Terminal<'_>) -> anyhow::Result<u8>,
) -> anyhow::Result<ExitCode> {
    let mut stdin = io::stdin().is_terminal().then(|| io::stdin().lock());
    let answers = stdin.as_mut().map(|stdin| stdin as &mut dyn io::BufRead);
    let mut terminal = Terminal { out, err, now: SystemClock.now(), zone: TimeZone::system(), answers };
    let place = Place::of_process()?;
    match command(&place, &mut terminal).await {
        Ok(code) => Ok(code.into()),
        // The reader, such as `head`, has seen enough.
        Err(error) if closed_early(&error) => Ok(WELL.into()),
        Err(error) => Err(error),
    }
}

async fn answer(command: OperatorCommand, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    match command {
        OperatorCommand::Trace(command) => trace::run(command, place, terminal).await,
        OperatorCommand::Status(command) => status::run(command, place, terminal).await,
        OperatorCommand::Accounting(command) => accounting::run(command, place, terminal).await,
        OperatorCommand::Parked(command) => parked::run(command, place, terminal).await,
        OperatorCommand::Pause(command) => pause::run(command, true, place, terminal).await,
        OperatorCommand::Resume(command) => pause::run(command, false, place, terminal).await,
        OperatorCommand::Approvals(command) => approvals::run(command, place, terminal).await,
        OperatorCommand::Release(command) => release::run(command, place, terminal).await,
        OperatorCommand::Incidents(command) => incidents::run(command, place, terminal).await,
        OperatorCommand::Webhooks(command) => webhooks::run(command, place, terminal).await,
        OperatorCommand::Reconcile(command) => reconcile::run(command, place, terminal).await,
        OperatorCommand::Hear(command) => hear::run(command, place, terminal).await,
        OperatorCommand::Audit(command) => audit::run(command, place, terminal).await,
        OperatorCommand::Backfill(command) => backfill::run(command, place, terminal).await,
        OperatorCommand::Export(command) => export::run(command, place, terminal).await,
    }
}

pub(crate) fn closed_early(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Who acts, for the audit.
pub(crate) fn actor() -> String {
    let name = ["USER", "LOGNAME"].into_iter().find_map(secret::environment);
    format!("cli:{}", name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned()))
}
