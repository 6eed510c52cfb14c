//! `cargo xtask bench`: how fast it is, against what the machine and the vendors allow.
//!
//! Each figure has servers of its own. Load and simulators are processes of their own; a figure counts only if the oracle
//! afterwards finds every order in every system.

mod alone;
mod cpu;
mod drain;
mod figure;
mod ingest;
mod load;
mod scene;
mod seeded;
mod statements;
mod through;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cargo_build::Programs;
use crate::demo::suite::SERVICES;
use crate::install::{self, Consent};
use crate::interrupt;
use figure::{FIGURES, Measured};

/// Of `--full`, each figure is the median of so many runs.
const RUNS: usize = 5;

/// `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install what is missing without asking.
    #[arg(long)]
    yes: bool,
    /// Five runs of each figure, and the memory over ten minutes: the figures to quote.
    #[arg(long)]
    full: bool,
    /// Only these figures; can be given several times.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(FIGURES.map(|(name, ..)| name)))]
    only: Vec<String>,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    asked: Asked,
}

/// What is wanted of a run besides its figures.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Asked {
    /// Leave the servers' folders, with all logs, behind.
    #[arg(long)]
    keep: bool,
    /// Tell where PostgreSQL's time went, by statement; the counting takes some itself.
    #[arg(long)]
    statements: bool,
}

/// One run, and the figures that it gives.
struct Run {
    gives: &'static [&'static str],
    measure: fn(&Programs, Asked) -> anyhow::Result<Measured>,
    /// Only of `--full`, or asked for by name.
    is_long: bool,
}

const MEASURED: [Run; 10] = [
    Run {
        gives: &[
            "ingest_rate",
            "ingest_rate_1",
            "ingest_rate_256",
            "limit_http",
            "limit_inserts",
            "limit_inserts_1",
            "limit_inserts_256",
        ],
        measure: ingest::rate,
        is_long: false,
    },
    Run { gives: &["ingest_p99_ms"], measure: ingest::p99, is_long: false },
    Run { gives: &["through_rate", "cpu_ms", "idle_mb", "peak_mb"], measure: through::rate, is_long: false },
    Run { gives: &["through_p99_s"], measure: through::p99, is_long: false },
    Run { gives: &["example_p99_s"], measure: through::example, is_long: false },
    Run { gives: &["drain_use", "drain_429"], measure: drain::limit, is_long: false },
    Run { gives: &["growth"], measure: through::growth, is_long: false },
    Run { gives: &["replicas_1", "replicas_2", "replicas_4"], measure: drain::replicas, is_long: false },
    Run { gives: &["growth_mb"], measure: through::soak, is_long: true },
    Run { gives: &["simulate_s"], measure: |programs, _| alone::simulate(programs), is_long: false },
];
const START: Run = Run { gives: &["start_s"], measure: alone::start, is_long: false };

/// Measures; everything it started has stopped when it returns. The exit code says whether every figure could be
/// measured, not whether it is as it should be.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    install::servers(Consent::new(options.yes))?;
    let mut packages = vec!["waybill", "waybill-simulator"];
    packages.extend(SERVICES);
    let programs = Programs::build_released(&packages, &["ingest_limits"])?;
    interrupt::watch()?;
    let is_wanted = |run: &&Run| match options.only.is_empty() {
        true => options.full || !run.is_long,
        false => run.gives.iter().any(|name| options.only.iter().any(|only| only == name)),
    };
    let mut runs = Vec::new();
    let mut failed = false;
    for run in MEASURED.iter().chain([&START]).filter(is_wanted) {
        let times = if options.full && !run.is_long { RUNS } else { 1 };
        for number in 1..=times {
            anyhow::ensure!(!interrupt::requested(), "interrupted");
            eprintln!("Measuring {} ({number} of {times}).", run.gives.join(", "));
            match (run.measure)(&programs, options.asked) {
                Ok(measured) => runs.push(measured),
                Err(error) => {
                    // The other figures are measured all the same; this one is absent.
                    eprintln!("NOT MEASURED: {}: {error:#}", run.gives.join(", "));
                    failed = true;
                }
            }
        }
    }
    let mut figures = figure::gather(runs);
    figures.retain(|figure| options.only.is_empty() || options.only.iter().any(|only| only == figure.name));
    say(&figure::table(&figures));
    if let Some(file) = &options.json {
        let list: Vec<_> = figures.iter().map(figure::Figure::json).collect();
        let text = serde_json::to_string_pretty(&list)? + "\n";
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[expect(clippy::print_stdout, reason = "what the command was run for")]
fn say(text: &str) {
    print!("{text}");
}
