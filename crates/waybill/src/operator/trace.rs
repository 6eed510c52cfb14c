//! `waybill trace`: a record's waybill.

use clap::Args;
use console::{
    services::{self, LineView, RecordView},
    words,
};
use waybill_proto::wire::{State, Waybill};

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, place::Place, record::meant, table::Table, terminal::Terminal};

/// A record's waybill.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// What people call it ('#1001'), or its key (main/order/123).
    record: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: Trace, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let services = place.services(&command.at)?;
    let meant = meant(&services, &command.record).await;
    let mut silent = terminal.unanswered(&meant.unanswered)?;
    // An order's shipments bear its name too; they are shown under it.
    let shown: Vec<_> = match meant.keys.iter().any(|key| key.kind == "order") {
        true => meant.keys.iter().filter(|key| key.kind == "order").collect(),
        false => meant.keys.iter().collect(),
    };
    let mut found = 0;
    for key in shown {
        let Some(record) = services.record(key).await else { continue };
        silent |= terminal.unanswered(&record.unanswered)?;
        if record.lines.is_empty() {
            continue;
        }
        if found > 0 {
            terminal.gap()?;
        }
        show(&record, terminal)?;
        found += 1;
    }
    if found == 0 {
        return nothing(&command.record, silent, terminal);
    }
    Ok(if silent { CANNOT_TELL } else { WELL })
}

/// Says that a record was not found, and whether that can be known.
pub(super) fn nothing(record: &str, silent: bool, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    if silent {
        terminal.problem(format!("{record} was not found among the services that answered"))?;
        return Ok(CANNOT_TELL);
    }
    terminal
        .problem(format!("no service knows {record}: give a name such as '#1001' or a key such as main/order/123"))?;
    Ok(NOT_WELL)
}

fn show(record: &RecordView, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    terminal.line(&format!("{}  {}", record.name, services::written(&record.key)))?;
    terminal.gap()?;
    let mut table =
        Table::new(&["system", "state", "revision", "external id", "#attempts", "changed", "plan", "service"]);
    for line in &record.lines {
        table.row([
            line.system.clone(),
            words::state(line.state).to_owned(),
            revision(line),
            line.external_id.clone(),
            line.attempts.to_string(),
            terminal.time(line.changed_at),
            line.plan_hash.clone(),
            line.service.clone(),
        ]);
    }
    table.write(terminal.out, "")?;
    for line in &record.lines {
        detail(line, terminal)?;
    }
    if !record.related.is_empty() {
        terminal.gap()?;
        terminal.line("belongs to it")?;
        related(&record.related, terminal)?;
    }
    Ok(())
}

fn revision(line: &LineView) -> String {
    if line.settled >= line.wanted {
        format!("r{}", line.settled)
    } else {
        format!("r{} of r{}", line.settled, line.wanted)
    }
}

pub(super) fn detail(line: &LineView, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    terminal.gap()?;
    let why = words::explain(&line.code);
    let state = words::state(line.state);
    if line.state == State::Parked {
        terminal.line(&format!("{}: {state}: {}", line.system, why.title))?;
    } else {
        terminal.line(&format!("{}: {state}", line.system))?;
    }
    if let Some(heard) = line.heard.filter(|heard| *heard != line.state) {
        terminal.line(&format!("  the watch has heard '{}' so far", words::state(heard)))?;
    }
    if !line.code.is_empty() || !line.message.is_empty() {
        let word = if line.state == State::Parked { "error" } else { "why" };
        let field = if line.field.is_empty() { String::new() } else { format!("(field {})", line.field) };
        let parts = [line.code.as_str(), &field, &line.message].into_iter().filter(|part| !part.is_empty());
        terminal.line(&format!("  {word}: {}", parts.collect::<Vec<_>>().join(" ")))?;
    }
    if line.state == State::Parked {
        terminal.explain(why.meaning, why.action, "  ")?;
    }
    for (word, time) in [("open since", line.open_since), ("due", line.due_at), ("body removed", line.body_removed_at)]
    {
        if time.is_some() {
            let time = terminal.time(time);
            terminal.line(&format!("  {word} {time}"))?;
        }
    }
    if !line.known.is_empty() {
        let known: Vec<_> = line.known.iter().map(|(role, id)| format!("{role} {id}")).collect();
        terminal.line(&format!("  holds {}", known.join(", ")))?;
    }
    for edit in &line.edits {
        let when = terminal.time(words::instant(edit.edited_at));
        let lapsed = if edit.lapsed { " (lapsed: the plan has come to another value since)" } else { "" };
        terminal.line(&format!("  {} was given by {} {when}: {}{lapsed}", edit.path, edit.actor, edit.reason))?;
    }
    steps(line, terminal)
}

fn steps(line: &LineView, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let Some(steps) = &line.steps else {
        terminal.line(&format!("  steps are not known: {} could not be asked", line.service))?;
        return Ok(());
    };
    if steps.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["step", "role", "state", "started", "#took", "call key", "message"]);
    for step in steps {
        let (started, finished) = (words::instant(step.started_at), words::instant(step.finished_at));
        let took = started.zip(finished).map(|(started, finished)| finished.duration_since(started).as_millis());
        table.row([
            step.name.clone(),
            step.role.clone(),
            step.state.clone(),
            terminal.time(started),
            took.map(|took| format!("{took} ms")).unwrap_or_default(),
            step.call_key.clone(),
            step.message.clone(),
        ]);
    }
    table.write(terminal.out, "  ")?;
    Ok(())
}

fn related(related: &[Waybill], terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&["record", "changed", "systems"]);
    for waybill in related {
        let lines = waybill.lines.iter().map(|line| {
            let code = if line.code.is_empty() { String::new() } else { format!(" ({})", line.code) };
            format!("{} {}{code}", line.system, words::state(line.state()))
        });
        table.row([
            waybill.key.as_ref().map(services::written).unwrap_or_default(),
            terminal.since(words::instant(waybill.changed_at)),
            lines.collect::<Vec<_>>().join(", "),
        ]);
    }
    table.write(terminal.out, "  ")?;
    Ok(())
}
