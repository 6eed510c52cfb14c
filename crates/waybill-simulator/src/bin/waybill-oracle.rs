//! Compares what the systems hold with what the store's final records and the example plan ask for.

use std::{collections::BTreeSet, io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use waybill_simulator::oracle;

/// Asks the store and every system over HTTP whether all is where it should be. Exit code 0 if so, 1 if not, 2 if it
/// could not be asked.
#[derive(Debug, Parser)]
struct Arguments {
    /// What `waybill-simulator --ready` wrote.
    #[arg(long)]
    ready: PathBuf,
    /// Writes the verdict to this file as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Compares with what a simulated plan says that the systems hold, instead: what `waybill plan simulate --json` said.
    #[arg(long, value_name = "FILE")]
    predicted: Option<PathBuf>,
    /// The plan has these systems alone: of `crm`, `crm-2`, `crm-3`, `erp` and `shipping`.
    #[arg(long, value_delimiter = ',', conflicts_with = "predicted")]
    systems: Vec<String>,
    /// Only these orders of the store were told to anybody: files with a line for each, which begins with its id.
    #[arg(long, value_name = "FILE", conflicts_with = "predicted")]
    sent: Vec<PathBuf>,
    /// Lists at most so many findings.
    #[arg(long, default_value_t = 40)]
    show: usize,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "waybill-oracle: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let text = std::fs::read_to_string(&arguments.ready)
        .with_context(|| format!("cannot read {}", arguments.ready.display()))?;
    let ready = serde_json::from_str(&text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = (!arguments.sent.is_empty()).then(|| ids(&arguments.sent)).transpose()?;
    let verdict = match &arguments.predicted {
        None if !arguments.systems.is_empty() => {
            runtime.block_on(oracle::run_of(&ready, &arguments.systems, sent.as_ref()))?
        }
        None => runtime.block_on(oracle::run(&ready, sent.as_ref()))?,
        Some(path) => {
            let predicted = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            runtime.block_on(oracle::run_predicted(&ready, &predicted))?
        }
    };
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string(&verdict)?)?;
    }
    let mut out = std::io::stdout().lock();
    for one in verdict.findings.iter().take(arguments.show) {
        writeln!(out, "{} {} {}: {}{}", one.system, one.object, one.key, one.problem, difference(one))?;
    }
    if verdict.findings.len() > arguments.show {
        writeln!(out, "… and {} more", verdict.findings.len() - arguments.show)?;
    }
    writeln!(
        out,
        "{} fields of {} objects compared: {} missing, {} doubled, {} wrong values, {} unexpected",
        verdict.fields,
        verdict.compared.values().sum::<usize>(),
        verdict.missing_in_systems,
        verdict.doubled,
        verdict.wrong_values,
        verdict.unexpected
    )?;
    Ok(verdict.agrees())
}

fn ids(files: &[PathBuf]) -> anyhow::Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        ids.extend(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned));
    }
    Ok(ids)
}

fn difference(one: &oracle::Finding) -> String {
    match one.problem {
        "wrong_value" => format!(", {} is {:?}, should be {:?}", one.field, one.found, one.expected),
        "doubled" => format!(", {} times", one.found),
        _ => String::new(),
    }
}
