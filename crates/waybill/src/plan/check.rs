//! `waybill plan check`.

use std::{io::Write, process::ExitCode};

use anyhow::Context as _;
use serde_json::json;
use waybill_plan::{Connectors, Plan, Problems, References, Severity};
use waybill_runtime::secret;

use crate::connectors;

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    plan: super::File,
    /// Refuse a plan whose secrets do not resolve here; without it that is a warning.
    #[arg(long)]
    resolve: bool,
    /// As JSON: {"file", "passes", "hash", "problems": [{"code", "severity", "at", "line", "column", …}]}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Check, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let file = command.plan.file.display().to_string();
    let text =
        std::fs::read_to_string(&command.plan.file).with_context(|| format!("the plan {file} cannot be read"))?;
    let references = if command.resolve { References::Refused(&resolves) } else { References::Warned(&resolves) };
    let (plan, problems) = match Plan::check(&text, Connectors::All(&connectors::all()), references) {
        Ok(checked) => (Some(checked.plan), checked.warnings),
        Err(problems) => (None, problems),
    };
    if command.json {
        let hash = plan.as_ref().map(|plan| plan.hash.clone());
        let said = json!({
            "file": file, "passes": plan.is_some(), "hash": hash, "problems": problems.problems,
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&said)?)?;
    } else {
        say(out, &file, plan.as_ref(), &problems)?;
    }
    Ok(if plan.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a reference resolves in this environment.
pub(super) fn resolves(_at: &str, reference: &str) -> Result<(), String> {
    secret::resolve(reference).map(drop).map_err(|error| error.to_string())
}

fn say(out: &mut impl Write, file: &str, plan: Option<&Plan>, problems: &Problems) -> std::io::Result<()> {
    let shown = problems.render(file);
    if !shown.is_empty() {
        writeln!(out, "{shown}")?;
    }
    let warnings = match problems.count(Severity::Warning) {
        0 => String::new(),
        warnings => format!("; {}", count(warnings, "warning")),
    };
    match plan {
        Some(plan) => {
            let (stores, systems) = (count(plan.stores.len(), "store"), count(plan.systems.len(), "system"));
            let (flows, hash) = (count(plan.flows.len(), "flow"), &plan.hash);
            writeln!(out, "{file}: passes ({stores}, {systems}, {flows}, hash {hash}){warnings}")
        }
        None => {
            let errors = count(problems.count(Severity::Error), "error");
            let mut codes: Vec<&str> = problems
                .problems
                .iter()
                .filter(|problem| problem.severity == Severity::Error)
                .map(|problem| problem.code)
                .collect();
            codes.dedup();
            let code = if let [one] = codes[..] { one } else { "CODE" };
            writeln!(out, "{file}: {errors}{warnings}; `waybill plan explain {code}` tells more")
        }
    }
}

/// `1 store`, `2 stores`.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
