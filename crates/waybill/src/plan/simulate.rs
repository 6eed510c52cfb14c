//! `waybill plan simulate`.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use serde_json::json;
use waybill_plan::simulate::{Outcome, State, Summary, simulate, summary};

use super::day;

#[derive(Debug, clap::Args)]
pub(crate) struct Simulate {
    #[command(flatten)]
    plan: super::File,
    #[command(flatten)]
    on: On,
    /// Show every record, field by field.
    #[arg(long)]
    all: bool,
    /// Show the records of this name or id, field by field: '#1001'.
    #[arg(long, value_name = "NAME")]
    record: Option<String>,
    /// As JSON: {"summary", "deliveries": [{"system", "key", "state", "fields", …}]}
    #[arg(long)]
    json: bool,
}

/// What plans are run on.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct On {
    /// A recorded day (`waybill export` writes one), the file of a bulk query of a store's orders (`waybill plan
    /// bulk-query` prints the query), webhook bodies as JSON Lines ({"topic", "body"}), or a folder of bodies in files
    /// named by their topic (orders__create.json).
    #[arg(long, value_name = "FILE")]
    on: PathBuf,
    /// The store that orders and webhook bodies are of; needed where the plan has several.
    #[arg(long)]
    store: Option<String>,
}

impl On {
    pub(super) fn read(&self, plan: &waybill_plan::Plan) -> anyhow::Result<day::Day> {
        day::read(&self.on, plan, self.store.as_deref())
    }
}

/// So many deliveries that were not applied are listed without being asked for.
const LISTED: usize = 20;

pub(crate) fn run(command: &Simulate, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let plan = super::read(&command.plan.file)?;
    let day = command.on.read(&plan)?;
    let outcomes = simulate(&plan, &day.lines);
    let counts = summary(&outcomes);
    if command.json {
        let said = json!({
            "plan": plan.hash, "on": command.on.on, "summary": counts, "notes": day.notes, "deliveries": outcomes,
        });
        serde_json::to_writer(&mut *out, &said)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = &command.record {
        let wanted = |outcome: &&Outcome| outcome.name == *name || outcome.key.id.as_str() == name;
        let chosen: Vec<&Outcome> = outcomes.iter().filter(wanted).collect();
        anyhow::ensure!(!chosen.is_empty(), "no record '{name}' is in {}", command.on.on.display());
        for outcome in chosen {
            whole(out, outcome)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if command.all {
        for outcome in &outcomes {
            whole(out, outcome)?;
        }
    } else {
        let others: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.state != State::Applied).collect();
        for outcome in others.iter().take(LISTED) {
            writeln!(out, "{}", line(outcome))?;
        }
        if others.len() > LISTED {
            writeln!(out, "… and {} more; --all shows every record, --json too", others.len() - LISTED)?;
        }
    }
    say(out, &counts, &day.notes)?;
    Ok(ExitCode::SUCCESS)
}

/// One delivery in a line.
pub(super) fn line(outcome: &Outcome) -> String {
    let (name, system) = (&outcome.name, &outcome.system);
    let record = if outcome.name == outcome.key.id.as_str() {
        outcome.key.to_string()
    } else {
        format!("{name} ({})", outcome.key)
    };
    format!("{record} → {system}: {}", words(&outcome.state))
}

/// A state in words.
pub(super) fn words(state: &State) -> String {
    match state {
        State::Applied => "written".to_owned(),
        State::Ignored { rule } => format!("ignored by {rule}"),
        State::Waiting { reason, .. } => format!("waits: {reason}"),
        State::Parked { code, field, message } if field.is_empty() => format!("parked, {code}: {message}"),
        State::Parked { code, field, message } => format!("parked, {code} at {field}: {message}"),
    }
}

fn whole(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let times = match (outcome.writes, &outcome.state) {
        (0 | 1, _) => String::new(),
        (writes, _) => format!(", {writes} times"),
    };
    writeln!(out, "{}{times}, revision {}, flow {}", line(outcome), outcome.revision, outcome.flow)?;
    for (name, value) in &outcome.fields {
        writeln!(out, "    {name} = {value}")?;
    }
    for assumed in &outcome.assumed {
        writeln!(out, "    assumed: {assumed}")?;
    }
    Ok(())
}

fn say(out: &mut impl Write, counts: &Summary, notes: &[String]) -> io::Result<()> {
    writeln!(out, "\n{} records", counts.records)?;
    for (flow, states) in &counts.flows {
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        writeln!(out, "  {flow}: {}", states.join(", "))?;
    }
    if !counts.reasons.is_empty() {
        writeln!(out, "The most frequent reasons:")?;
        for (reason, count) in &counts.reasons {
            writeln!(out, "  {count:>6}  {reason}")?;
        }
    }
    if counts.assumed > 0 {
        writeln!(
            out,
            "{} deliveries rest on assumptions, as no system was asked; --all and --json mark them",
            counts.assumed
        )?;
    }
    for note in notes {
        writeln!(out, "Note: {note}")?;
    }
    Ok(())
}
