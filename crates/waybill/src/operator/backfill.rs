//! `waybill backfill`: a store's history is imported, and how far that has come.

use std::time::Duration;

use clap::{Args, Subcommand};
use console::words;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use waybill_proto::{
    convert::to_timestamp,
    wire::{Backfill as Standing, StartBackfillRequest},
};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, place::Place, table::Table, terminal::Terminal};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What to import, or what to do with what is being imported.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Backfill {
    #[command(subcommand)]
    command: Option<Manage>,
    /// The store, by its name in the plan.
    #[arg(long, required = true)]
    store: Option<String>,
    /// What changed on this day or later, such as 2026-01-01, or at an instant, such as 2026-01-01T09:00:00Z.
    #[arg(long, value_name = "DATE", required = true)]
    since: Option<Since>,
    /// orders, customers, products. Without it: all three.
    #[arg(long, value_delimiter = ',', value_parser = kind)]
    kinds: Vec<String>,
    /// Come back once it is done or has failed.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, Subcommand)]
enum Manage {
    /// Show how far imports have come. Exit code 1 if the newest of a store's kind failed.
    Status {
        #[command(flatten)]
        at: Where,
    },
    /// End a store's imports. What was imported stays.
    Cancel {
        /// The store, by its name in the plan.
        #[arg(long)]
        store: String,
        #[command(flatten)]
        at: Where,
    },
}

/// From when on, as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    Day(Date),
    Instant(Timestamp),
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = || text.parse().map(Self::Day);
        let wrong = |_| "give a day such as 2026-01-01, or an instant such as 2026-01-01T09:00:00Z".to_owned();
        text.parse().map(Self::Instant).or_else(|_| day()).map_err(wrong)
    }
}

impl Since {
    pub(super) fn instant(self, zone: &TimeZone) -> anyhow::Result<Timestamp> {
        match self {
            Self::Instant(at) => Ok(at),
            Self::Day(day) => Ok(day.to_zoned(zone.clone())?.start_of_day()?.timestamp()),
        }
    }
}

/// `orders` for `order`, as people say it.
fn kind(text: &str) -> Result<String, String> {
    match text {
        "order" | "orders" => Ok("order".to_owned()),
        "customer" | "customers" => Ok("customer".to_owned()),
        "product" | "products" => Ok("product".to_owned()),
        _ => Err("it must be orders, customers or products".to_owned()),
    }
}

pub(super) async fn run(command: Backfill, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    match command.command {
        Some(Manage::Status { at }) => {
            let answer = place.services(&at)?.backfills().await;
            show(answer, terminal)
        }
        Some(Manage::Cancel { store, at }) => {
            let answer = place.services(&at)?.cancel_backfill(store).await;
            show(answer, terminal).map(|code| if code == CANNOT_TELL { CANNOT_TELL } else { WELL })
        }
        None => start(command, place, terminal).await,
    }
}

async fn start(command: Backfill, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let since = command.since.map(|since| since.instant(&terminal.zone)).transpose()?;
    let request = StartBackfillRequest {
        store: command.store.unwrap_or_default(),
        kinds: command.kinds,
        since: since.map(to_timestamp),
    };
    let begun = match services.start_backfill(request).await {
        Ok(begun) => begun,
        Err(unanswered) => {
            terminal.problem(unanswered)?;
            return Ok(CANNOT_TELL);
        }
    };
    if !command.wait {
        terminal.line("It is begun; `waybill backfill status` shows how far it has come.")?;
        return show(Ok(begun), terminal);
    }
    loop {
        let now = match services.backfills().await {
            Ok(now) => now,
            Err(unanswered) => {
                terminal.problem(unanswered)?;
                return Ok(CANNOT_TELL);
            }
        };
        let ours: Vec<Standing> = now.into_iter().filter(|one| begun.iter().any(|begun| begun.id == one.id)).collect();
        if ours.iter().all(|one| one.finished_at.is_some()) {
            terminal.progress_ends()?;
            return show(Ok(ours), terminal);
        }
        terminal.progress(&words::count(ours.iter().map(|one| one.records).sum(), "record"))?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn show(
    answer: Result<Vec<Standing>, console::services::Unanswered>,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<u8> {
    let backfills = match answer {
        Ok(backfills) => backfills,
        Err(unanswered) => {
            terminal.problem(unanswered)?;
            return Ok(CANNOT_TELL);
        }
    };
    let headings =
        ["#id", "store", "kind", "since", "state", "#objects", "#lines", "#records", "#new", "#read by api", "ended"];
    let mut table = Table::new(&headings);
    let mut newest = std::collections::BTreeSet::new();
    let mut failed = false;
    for one in &backfills {
        let is_newest = newest.insert((one.store.clone(), one.kind.clone()));
        failed |= is_newest && one.state == "failed";
        table.row([
            one.id.to_string(),
            one.store.clone(),
            one.kind.clone(),
            terminal.time(words::instant(one.since)),
            one.state.clone(),
            one.objects.to_string(),
            one.lines.to_string(),
            one.records.to_string(),
            one.changed.to_string(),
            one.to_read.to_string(),
            terminal.time(words::instant(one.finished_at)),
        ]);
    }
    table.write(terminal.out, "")?;
    for one in backfills.iter().filter(|one| !one.message.is_empty()) {
        terminal.line(&format!("{} {} ({}): {}", one.store, one.kind, one.id, one.message))?;
    }
    Ok(if failed { NOT_WELL } else { WELL })
}
