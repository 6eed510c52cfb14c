//! `waybill plan show`.

use std::{io::Write, process::ExitCode};

use clap::builder::PossibleValuesParser;
use waybill_plan::show::{self, Shown};

use crate::connectors;

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    plan: super::File,
    /// Only this kind of records.
    #[arg(long, value_parser = PossibleValuesParser::new(Shown::kinds()))]
    kind: Option<String>,
    /// A Mermaid flowchart of systems and flows instead of tables.
    #[arg(long, conflicts_with_all = ["json", "columns"])]
    mermaid: bool,
    /// As JSON: {"hash", "kinds": [{"kind", "rules", "flows": [{"name", "answers", "maps"}]}], "unmoved", "sections"}
    #[arg(long, conflicts_with = "columns")]
    json: bool,
    /// How wide the tables may be.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(40..=1000))]
    columns: u16,
}

pub(crate) fn run(command: &Show, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let plan = super::read(&command.plan.file)?;
    let connectors = connectors::all();
    if command.mermaid {
        let mut drawing = show::draw(&plan, &connectors);
        if let Some(kind) = &command.kind {
            drawing = drawing.of_kind(kind);
        }
        write!(out, "{}", drawing.to_mermaid())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut shown = show::show(&plan, &connectors);
    if let Some(kind) = &command.kind {
        shown = shown.of_kind(kind);
    }
    if command.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
    } else {
        write!(out, "{}", shown.to_text(command.columns.into()))?;
    }
    Ok(ExitCode::SUCCESS)
}
