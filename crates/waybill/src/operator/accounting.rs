//! `waybill accounting`: accepted = applied + superseded + ignored + parked + in flight.

use std::io;

use clap::Args;
use serde::Serialize;
use waybill_proto::wire::AccountingLine;

use super::{CANNOT_TELL, NOT_WELL, WELL, Where, place::Place, table::Table, terminal::Terminal};

/// The accounting lines.
#[derive(Debug, Args)]
pub(crate) struct Accounting {
    /// One JSON object: `accounting` and `unreachable`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Where,
}

/// A line as programs read it. In revisions.
#[derive(Debug, Serialize)]
pub(super) struct LineJson<'a> {
    store: &'a str,
    kind: &'a str,
    system: &'a str,
    accepted: i64,
    applied: i64,
    superseded: i64,
    ignored: i64,
    parked: i64,
    in_flight: i64,
    gap: i64,
}

impl<'a> From<&'a AccountingLine> for LineJson<'a> {
    fn from(line: &'a AccountingLine) -> Self {
        Self {
            store: &line.store,
            kind: &line.kind,
            system: &line.system,
            accepted: line.accepted,
            applied: line.applied,
            superseded: line.superseded,
            ignored: line.ignored,
            parked: line.parked,
            in_flight: line.in_flight,
            gap: line.gap,
        }
    }
}

#[derive(Debug, Serialize)]
struct AccountingJson<'a> {
    accounting: Vec<LineJson<'a>>,
    unreachable: &'a [String],
}

pub(super) async fn run(command: Accounting, place: &Place, terminal: &mut Terminal<'_>) -> anyhow::Result<u8> {
    let answer = match place.services(&command.at)?.accounting().await {
        Ok(answer) => answer,
        Err(unanswered) => {
            terminal.problem(unanswered)?;
            return Ok(CANNOT_TELL);
        }
    };
    if command.json {
        let accounting = answer.lines.iter().map(LineJson::from).collect();
        terminal.json(&AccountingJson { accounting, unreachable: &answer.unreachable })?;
    } else {
        write(&answer.lines, terminal)?;
    }
    for service in &answer.unreachable {
        terminal.problem(format!("the lines cannot close: alerter cannot reach {service}"))?;
    }
    Ok(match (answer.unreachable.is_empty(), answer.lines.iter().all(|line| line.gap == 0)) {
        (false, _) => CANNOT_TELL,
        (true, false) => NOT_WELL,
        (true, true) => WELL,
    })
}

/// The lines as a table.
pub(super) fn write(lines: &[AccountingLine], terminal: &mut Terminal<'_>) -> io::Result<()> {
    if lines.is_empty() {
        return terminal.line("nothing has been accepted yet");
    }
    let mut table = Table::new(&[
        "store",
        "kind",
        "system",
        "#accepted",
        "#applied",
        "#superseded",
        "#ignored",
        "#parked",
        "#in flight",
        "#gap",
    ]);
    for line in lines {
        let gap = if line.gap == 0 { "0".to_owned() } else { format!("{:+}", line.gap) };
        table.row([
            line.store.clone(),
            line.kind.clone(),
            line.system.clone(),
            line.accepted.to_string(),
            line.applied.to_string(),
            line.superseded.to_string(),
            line.ignored.to_string(),
            line.parked.to_string(),
            line.in_flight.to_string(),
            gap,
        ]);
    }
    table.write(terminal.out, "")
}
