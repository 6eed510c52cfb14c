//! `waybill plan diff`.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use serde_json::json;
use waybill_plan::simulate::{Change, Difference, diff, simulate};

use super::simulate::{On, words};

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The plan as it is.
    old: PathBuf,
    /// The plan as it would be.
    new: PathBuf,
    #[command(flatten)]
    on: On,
    /// List every delivery that differs, not only the first of each kind.
    #[arg(long)]
    all: bool,
    /// As JSON: {"deliveries", "counts", "changes": [{"system", "key", "old", "new", "fields"}]}
    #[arg(long)]
    json: bool,
}

/// So many deliveries of each kind of change are listed without being asked for.
const LISTED: usize = 3;

pub(crate) fn run(command: &Diff, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let (old, new) = (super::read(&command.old)?, super::read(&command.new)?);
    // Bodies become snapshots of the old plan's store; both plans get the same.
    let day = command.on.read(&old)?;
    let difference = diff(&simulate(&old, &day.lines), &simulate(&new, &day.lines));
    if command.json {
        let said = json!({
            "old": old.hash, "new": new.hash, "notes": day.notes, "deliveries": difference.deliveries,
            "counts": difference.counts, "changes": difference.changes,
        });
        serde_json::to_writer(&mut *out, &said)?;
        writeln!(out)?;
    } else {
        say(out, &difference, if command.all { usize::MAX } else { LISTED })?;
        for note in &day.notes {
            writeln!(out, "Note: {note}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn say(out: &mut impl Write, difference: &Difference, listed: usize) -> io::Result<()> {
    let mut shown: BTreeMap<(String, String), usize> = BTreeMap::new();
    for change in &difference.changes {
        let shown = shown.entry((change.system.to_string(), change.kind())).or_default();
        *shown += 1;
        if *shown <= listed {
            one(out, change)?;
        }
    }
    let changed = difference.changes.len();
    writeln!(out, "{changed} of {} deliveries differ", difference.deliveries)?;
    for (system, kinds) in &difference.counts {
        for (kind, count) in kinds {
            writeln!(out, "  {count:>6}  {system}: {kind}")?;
        }
    }
    Ok(())
}

fn one(out: &mut impl Write, change: &Change) -> io::Result<()> {
    let state = |state: &Option<waybill_plan::simulate::State>| state.as_ref().map_or("no flow".to_owned(), words);
    let (old, new) = (state(&change.old), state(&change.new));
    writeln!(out, "{} ({}) → {}", change.name, change.key, change.system)?;
    if old != new {
        writeln!(out, "  - {old}\n  + {new}")?;
    }
    for (field, (old, new)) in &change.fields {
        if let Some(old) = old {
            writeln!(out, "  - {field} = {old}")?;
        }
        if let Some(new) = new {
            writeln!(out, "  + {field} = {new}")?;
        }
    }
    Ok(())
}
