//! `waybill approvals`: what a person lets be written, or keeps away.

use clap::{Args, Subcommand};
use console::{
    services::{self, Approval, Approvals as Found, Asking, Services, Who},
    words,
};
use jiff::Timestamp;
use serde::Serialize;
use waybill_proto::wire::{Delivery, RecordKey};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, actor, place::Place, record, table::Table, terminal::Terminal};

/// What waits for a person before it is written for the first time. Without a command: list it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Approvals {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Let a record be written.
    Give(Give),
    /// Keep a record away from the system: it ends as ignored, with the rule `refused`. Systems that come after this one
    /// go on without it; a change of the record asks again.
    Refuse(Refuse),
}

/// What waits for a person.
#[derive(Debug, Args)]
struct List {
    /// Only of this system.
    #[arg(long)]
    system: Option<String>,
    /// One JSON object: `approvals`, `more`, `unreachable`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// A record to let go.
#[derive(Debug, Args)]
struct Give {
    /// What people call it ('#1001'), or its key (main/order/123).
    record: String,
    /// The system that it waits for.
    #[arg(long)]
    system: String,
    /// Why; kept with who and when.
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    at: Where,
}

/// A record to keep away.
#[derive(Debug, Args)]
struct Refuse {
    /// What people call it ('#1001'), or its key (main/order/123).
    record: String,
    /// The system that it waits for.
    #[arg(long)]
    system: String,
    /// Why; kept with who and when.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: Approvals, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    match command.command {
        None => list(command.list, place, terminal).await,
        Some(Command::Give(give)) => {
            let services = place.services(&give.at)?;
            let asking = match one(&services, &give.record, &give.system, terminal).await? {
                Ok(asking) => asking,
                Err(code) => return Ok(code),
            };
            let record = services::written(&asking.record);
            let changed = services.approve(asking, Who { actor: actor(), reason: give.reason }).await;
            told(&changed, &format!("{record} goes to {}", give.system), terminal)
        }
        Some(Command::Refuse(refuse)) => {
            let services = place.services(&refuse.at)?;
            let asking = match one(&services, &refuse.record, &refuse.system, terminal).await? {
                Ok(asking) => asking,
                Err(code) => return Ok(code),
            };
            let record = services::written(&asking.record);
            let changed = services.refuse(asking, Who { actor: actor(), reason: refuse.reason }).await;
            told(&changed, &format!("{record} is kept away from {}", refuse.system), terminal)
        }
    }
}

fn told(changed: &services::Changed, done: &str, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let silent = terminal.unanswered(&changed.unanswered)?;
    if changed.deliveries > 0 {
        terminal.line(done)?;
        return Ok(WELL);
    }
    if !silent {
        terminal.problem("it does not wait any more")?;
    }
    Ok(if silent { CANNOT_TELL } else { NOT_WELL })
}

/// The one record that is meant, as it is now; else the exit code, after a word on why.
async fn one(
    services: &Services,
    text: &str,
    system: &str,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<Result<Asking, u8>> {
    let key = record::parse(text);
    let found = services.approvals(Some(system), key.as_ref()).await;
    let silent = terminal.unanswered(&found.unanswered)?;
    let deliveries = found.waiting.iter().filter_map(|approval| approval.delivery.as_ref());
    let named: Vec<&Delivery> = deliveries.filter(|delivery| key.is_some() || delivery.name == text).collect();
    match named[..] {
        [delivery] => {
            let Some(record) = delivery.key.clone() else { return Ok(Err(NOT_WELL)) };
            return Ok(Ok(Asking { system: system.to_owned(), record, seen: delivery.desired }));
        }
        [] if found.more > 0 => terminal.problem(format!(
            "{text} is not among the first {} that wait for {system}: give its key, such as main/order/123",
            found.waiting.len()
        ))?,
        [] => terminal.problem(format!("{text} does not wait for an approval for {system}"))?,
        _ => {
            let keys: Vec<String> = named.iter().filter_map(|one| one.key.as_ref()).map(services::written).collect();
            terminal.problem(format!("{text} may mean {}: say which", keys.join(" or ")))?;
        }
    }
    Ok(Err(if silent { CANNOT_TELL } else { NOT_WELL }))
}

/// A waiting record as programs read it.
#[derive(Debug, Serialize)]
struct ApprovalJson<'a> {
    store: &'a str,
    kind: &'a str,
    id: &'a str,
    name: &'a str,
    system: &'a str,
    service: &'a str,
    flow: &'a str,
    condition: &'a str,
    /// Such as `1234.50 EUR`; empty where the record has no such sum.
    total: &'a str,
    revision: i64,
    since: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct ListJson<'a> {
    approvals: Vec<ApprovalJson<'a>>,
    /// How many wait that are not listed.
    more: i64,
    unreachable: Vec<&'a str>,
}

fn as_json(approval: &Approval) -> Option<ApprovalJson<'_>> {
    let delivery = approval.delivery.as_ref()?;
    let RecordKey { store, kind, id } = delivery.key.as_ref()?;
    Some(ApprovalJson {
        store,
        kind,
        id,
        name: &delivery.name,
        system: &delivery.system,
        service: &delivery.service,
        flow: &approval.flow,
        condition: &approval.condition,
        total: &approval.total,
        revision: delivery.desired.map_or(0, |revision| revision.number),
        since: words::instant(approval.since),
    })
}

async fn list(command: List, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let found = place.services(&command.at)?.approvals(command.system.as_deref(), None).await;
    if command.json {
        terminal.json(&ListJson {
            approvals: found.waiting.iter().filter_map(as_json).collect(),
            more: found.more,
            unreachable: found.unanswered.iter().map(|one| one.service.as_str()).collect(),
        })?;
    } else {
        write(&found, terminal)?;
    }
    Ok(if terminal.unanswered(&found.unanswered)? { CANNOT_TELL } else { WELL })
}

fn write(found: &Found, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    if found.waiting.is_empty() {
        if found.unanswered.is_empty() {
            terminal.line("nothing waits for an approval")?;
        }
        return Ok(());
    }
    let mut table = Table::new(&["name", "record", "system", "#total", "since", "because"]);
    for approval in &found.waiting {
        let delivery = approval.delivery.clone().unwrap_or_default();
        table.row([
            delivery.name,
            delivery.key.as_ref().map(services::written).unwrap_or_default(),
            delivery.system,
            approval.total.clone(),
            terminal.since(words::instant(approval.since)),
            format!("{}: {}", approval.flow, approval.condition),
        ]);
    }
    table.write(terminal.out, "")?;
    if found.more > 0 {
        terminal.line(&format!("and {} more", found.more))?;
    }
    terminal.gap()?;
    terminal.line("`waybill approvals give RECORD --system S` lets one go, `refuse` keeps it away")?;
    Ok(())
}
