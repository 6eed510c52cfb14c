//! `waybill parked`: what needs a person.

use clap::{Args, Subcommand};
use console::{
    services::{self, Choice, Group, PARKED_LIMIT, Services, Who},
    words,
};
use jiff::Timestamp;
use serde::Serialize;
use waybill_proto::wire::{Delivery, RecordKey, State};

use super::{
    CANNOT_TELL, NOT_WELL, WELL, Where, actor, editing, place::Place, record::meant, table::Table, terminal::Terminal,
    trace,
};

/// See and settle what needs a person.
#[derive(Debug, Subcommand)]
pub(crate) enum Parked {
    /// List parked records by cause, with what it means and what to do.
    List(List),
    /// Show one parked record with its last error and the calls made.
    Show(Show),
    /// Decide and apply parked records again with their newest state. Without a choice: all.
    Retry(Retry),
    /// Write a parked record, or all with a code, with values of yours in place of the plan's, and try it again. They hold
    /// until the record's changes make the plan come to others.
    Edit(editing::Edit),
    /// End parked records as ignored, with a reason: one record, or all with a code.
    Discard(Discard),
}

/// Which parked records to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this system.
    #[arg(long)]
    system: Option<String>,
    /// Only with this code.
    #[arg(long)]
    code: Option<String>,
    /// One JSON object: `parked`, `unreachable`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// Which parked record to show.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// What people call it ('#1001'), or its key (main/order/123).
    record: String,
    /// The system that it is parked for; without it: every one.
    #[arg(long)]
    system: Option<String>,
    #[command(flatten)]
    at: Where,
}

/// Which parked records to try again.
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// What people call it ('#1001'), or its key (main/order/123).
    record: Option<String>,
    /// Only of this system.
    #[arg(long)]
    system: Option<String>,
    /// Only with this code.
    #[arg(long)]
    code: Option<String>,
    /// Why; kept with who and when.
    #[arg(long, default_value = "")]
    reason: String,
    /// So many a second are tried again in each service; 0 for all at once.
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// At most so many in each service, those that were parked first.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
    /// Count only.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    at: Where,
}

/// Which parked records to end.
#[derive(Debug, Args)]
pub(crate) struct Discard {
    /// What people call it ('#1001'), or its key (main/order/123); without it: all with the code.
    #[arg(required_unless_present = "code")]
    record: Option<String>,
    /// The system that it is parked for.
    #[arg(long)]
    system: String,
    /// Only with this code.
    #[arg(long)]
    code: Option<String>,
    /// At most so many, those that were parked first.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..), conflicts_with = "record")]
    limit: Option<i64>,
    /// Do not ask before many are ended.
    #[arg(long)]
    yes: bool,
    /// Count only.
    #[arg(long)]
    dry_run: bool,
    /// Why; kept with who and when.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: Parked, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    match command {
        Parked::List(command) => list(command, place, terminal).await,
        Parked::Show(command) => show(command, place, terminal).await,
        Parked::Retry(command) => retry(command, place, terminal).await,
        Parked::Edit(command) => editing::run(command, place, terminal).await,
        Parked::Discard(command) => discard(command, place, terminal).await,
    }
}

/// A parked record as programs read it.
#[derive(Debug, Serialize)]
struct ParkedJson<'a> {
    store: &'a str,
    kind: &'a str,
    id: &'a str,
    name: &'a str,
    system: &'a str,
    service: &'a str,
    code: &'a str,
    field: &'a str,
    message: &'a str,
    revision: i64,
    attempts: i64,
    parked_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct ListJson<'a> {
    parked: Vec<ParkedJson<'a>>,
    unreachable: Vec<&'a str>,
}

impl<'a> From<&'a Delivery> for ParkedJson<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        let (store, kind, id) = match &delivery.key {
            Some(key) => (key.store.as_str(), key.kind.as_str(), key.id.as_str()),
            None => ("", "", ""),
        };
        Self {
            store,
            kind,
            id,
            name: &delivery.name,
            system: &delivery.system,
            service: &delivery.service,
            code: &delivery.code,
            field: &delivery.field,
            message: &delivery.message,
            revision: delivery.desired.map_or(0, |revision| revision.number),
            attempts: delivery.attempts,
            parked_at: words::instant(delivery.changed_at),
        }
    }
}

async fn list(command: List, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let parked = place.services(&command.at)?.parked(command.system, command.code).await;
    if command.json {
        let deliveries = parked.groups.iter().flat_map(|group| &group.deliveries);
        terminal.json(&ListJson {
            parked: deliveries.map(ParkedJson::from).collect(),
            unreachable: parked.unanswered.iter().map(|one| one.service.as_str()).collect(),
        })?;
    } else if parked.groups.is_empty() && parked.unanswered.is_empty() {
        terminal.line("nothing is parked")?;
    } else {
        for (index, group) in parked.groups.iter().enumerate() {
            if index > 0 {
                terminal.gap()?;
            }
            write(group, terminal)?;
        }
    }
    for service in &parked.cut {
        terminal.problem(format!("{service} lists {PARKED_LIMIT} at most; there may be more: choose with --code"))?;
    }
    Ok(if terminal.unanswered(&parked.unanswered)? { CANNOT_TELL } else { WELL })
}

fn write(group: &Group, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let why = words::explain(&group.code);
    terminal.line(&format!("{}: {} ({}), {} parked", group.system, why.title, group.code, group.deliveries.len()))?;
    terminal.explain(why.meaning, why.action, "  ")?;
    let mut table = Table::new(&["name", "record", "field", "#attempts", "parked", "message"]);
    for delivery in &group.deliveries {
        table.row([
            delivery.name.clone(),
            delivery.key.as_ref().map(services::written).unwrap_or_default(),
            delivery.field.clone(),
            delivery.attempts.to_string(),
            terminal.since(words::instant(delivery.changed_at)),
            delivery.message.clone(),
        ]);
    }
    table.write(terminal.out, "  ")?;
    Ok(())
}

async fn show(command: Show, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let meant = meant(&services, &command.record).await;
    let mut silent = terminal.unanswered(&meant.unanswered)?;
    let mut found = false;
    for key in &meant.keys {
        let Some(record) = services.record(key).await else { continue };
        silent |= terminal.unanswered(&record.unanswered)?;
        let chosen = record.lines.iter().filter(|line| {
            line.state == State::Parked && command.system.as_ref().is_none_or(|system| line.system == *system)
        });
        for line in chosen {
            terminal.line(&format!("{}  {}", record.name, services::written(key)))?;
            trace::detail(line, terminal)?;
            found = true;
        }
    }
    match (found, meant.keys.is_empty(), silent) {
        (true, _, false) => Ok(WELL),
        (true, _, true) => Ok(CANNOT_TELL),
        (false, true, _) => trace::nothing(&command.record, silent, terminal),
        (false, false, _) => {
            terminal.problem(format!("{} is not parked{}", command.record, of(command.system.as_deref())))?;
            Ok(if silent { CANNOT_TELL } else { NOT_WELL })
        }
    }
}

fn of(system: Option<&str>) -> String {
    system.map(|system| format!(" for {system}")).unwrap_or_default()
}

async fn retry(command: Retry, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let mut silent = false;
    let records: Vec<Option<RecordKey>> = match &command.record {
        None => vec![None],
        Some(record) => {
            let meant = meant(&services, record).await;
            silent |= terminal.unanswered(&meant.unanswered)?;
            if meant.keys.is_empty() {
                return trace::nothing(record, silent, terminal);
            }
            meant.keys.into_iter().map(Some).collect()
        }
    };
    let mut deliveries = 0;
    for record in records {
        let choice = Choice {
            system: command.system.clone(),
            code: command.code.clone(),
            record,
            rate: command.rate,
            limit: command.limit,
        };
        let who = Who { actor: actor(), reason: command.reason.clone() };
        let changed = services.retry(choice, who, command.dry_run).await;
        deliveries += changed.deliveries;
        silent |= terminal.unanswered(&changed.unanswered)?;
    }
    let done = if command.dry_run { "would be tried again" } else { "tried again" };
    terminal.line(&format!("{} {done}", words::count(deliveries, "delivery")))?;
    Ok(if silent { CANNOT_TELL } else { WELL })
}

async fn discard(command: Discard, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    match &command.record {
        Some(record) => discard_one(&services, record, &command, terminal).await,
        None => discard_all(&services, &command, terminal).await,
    }
}

/// Ends everything with a code, once a person agrees to how many.
async fn discard_all(services: &Services, command: &Discard, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let choice = Choice {
        system: Some(command.system.clone()),
        code: command.code.clone(),
        limit: command.limit,
        ..Choice::default()
    };
    let who = Who { actor: actor(), reason: command.reason.clone() };
    let counted = services.discard(choice.clone(), who.clone(), true).await;
    let silent = terminal.unanswered(&counted.unanswered)?;
    let many = words::count(counted.deliveries, "delivery");
    if command.dry_run || counted.deliveries == 0 {
        terminal.line(&format!("{many} would be discarded"))?;
        return Ok(if silent { CANNOT_TELL } else { WELL });
    }
    if !command.yes && !terminal.confirm(&format!("discard {many} of {}?", command.system))? {
        terminal.problem("nothing was discarded: say yes, or give --yes")?;
        return Ok(NOT_WELL);
    }
    // No more than what was agreed to.
    let changed = services.discard(Choice { limit: Some(counted.deliveries), ..choice }, who, false).await;
    terminal.line(&format!("{} discarded", words::count(changed.deliveries, "delivery")))?;
    let silent = terminal.unanswered(&changed.unanswered)? || silent;
    Ok(if silent { CANNOT_TELL } else { WELL })
}

/// Ends exactly one delivery: the records that bear the name are counted first.
async fn discard_one(
    services: &Services,
    record: &str,
    command: &Discard,
    terminal: &mut Terminal<'_>,
) -> anyhow::Result<u8> {
    let who = Who { actor: actor(), reason: command.reason.clone() };
    let meant = meant(services, record).await;
    let mut silent = terminal.unanswered(&meant.unanswered)?;
    if meant.keys.is_empty() {
        return trace::nothing(record, silent, terminal);
    }
    let mut parked = Vec::new();
    for key in meant.keys {
        let choice = Choice {
            system: Some(command.system.clone()),
            code: command.code.clone(),
            record: Some(key.clone()),
            ..Choice::default()
        };
        let counted = services.discard(choice.clone(), who.clone(), true).await;
        silent |= terminal.unanswered(&counted.unanswered)?;
        if counted.deliveries > 0 {
            parked.push((key, choice));
        }
    }
    let [(key, choice)] = &parked[..] else {
        if parked.is_empty() {
            terminal.problem(format!("{record} is not parked for {}", command.system))?;
        } else {
            let keys: Vec<_> = parked.iter().map(|(key, _)| services::written(key)).collect();
            terminal.problem(format!("{record} may mean {}: say which", keys.join(" or ")))?;
        }
        return Ok(if silent { CANNOT_TELL } else { NOT_WELL });
    };
    if command.dry_run {
        terminal.line(&format!(
            "1 delivery of {} for {} would be discarded",
            services::written(key),
            command.system
        ))?;
        return Ok(if silent { CANNOT_TELL } else { WELL });
    }
    let changed = services.discard(choice.clone(), who, false).await;
    terminal.line(&format!(
        "{} of {} for {} discarded",
        words::count(changed.deliveries, "delivery"),
        services::written(key),
        command.system
    ))?;
    if terminal.unanswered(&changed.unanswered)? {
        return Ok(CANNOT_TELL);
    }
    Ok(if changed.deliveries == 0 { NOT_WELL } else { WELL })
}
