//! `cargo xtask demo`: a trading day through all services, on servers of its own, and the proof
//! that everything arrived.

pub(crate) mod accounting;
mod erp;
pub(crate) mod figures;
pub(crate) mod operator;
pub(crate) mod oracle;
pub(crate) mod parked;
pub(crate) mod progress;
pub(crate) mod recount;
mod replay;
pub(crate) mod roads;
pub(crate) mod stage;
pub(crate) mod suite;
pub(crate) mod watch;
pub(crate) mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;

use crate::cargo_build::Programs;
use crate::install::{self, Consent, tryton};
use crate::interrupt;
use figures::Figures;
use progress::Progress;
use roads::Roads;
use stage::{Run, Stage};
use watch::{Ending, View};
use world::Traffic;

/// What Ctrl-C is known by.
const INTERRUPTED: u8 = 130;

/// `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install what is missing without asking.
    #[arg(long)]
    yes: bool,
    /// How many orders the day has; planted bad ones come on top.
    #[arg(long, default_value_t = 300)]
    orders: u32,
    /// Orders a second.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// End when the day is over and settled; exit code 0 only if everything is accounted for.
    #[arg(long)]
    exit: bool,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the simulators' journals and the store's records here, as JSON lines.
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// Write the recorded day here at its end, as `waybill export` does.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Replace what identifies people in the recorded day.
    #[arg(long, requires = "export")]
    pseudonyms: bool,
    /// Run each service's own program instead of one process.
    #[arg(long)]
    processes: bool,
    /// A real Tryton instead of the simulated one.
    #[arg(long)]
    real_erp: bool,
    /// The same seed makes the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulate the plan on the exported day and compare with what became of every record; needs --exit and --export.
    #[arg(long, requires_all = ["exit", "export"], conflicts_with = "pseudonyms")]
    replay: bool,
    /// Leave the servers' folder, with all logs, behind.
    #[arg(long)]
    keep: bool,
}

/// Runs the demo; everything it started has stopped when it returns.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let consent = Consent::new(options.yes);
    install::servers(consent)?;
    let tryton = options.real_erp.then(|| tryton::install(consent)).transpose()?;
    let programs = Programs::build(&packages(options.processes))?;
    // Only now: while compiling, Ctrl-C may end us and cargo at once.
    interrupt::watch()?;

    let mut stage = Stage::build("demo", &programs, 1)?;
    let outcome = play(options, &programs, &mut stage, tryton.as_deref());
    let interrupted = interrupt::requested();
    if outcome.is_err() && !interrupted {
        stage.show_logs();
    }
    // The servers stop whatever came of the day, and a fault in stopping does not hide it.
    let stopped = stage.stop(options.keep);
    if outcome.is_err() && interrupted {
        return Ok(INTERRUPTED.into());
    }
    let code = outcome?;
    stopped?;
    Ok(code)
}

/// What has to be built. `waybill` is needed either way, for the operator's commands.
fn packages(processes: bool) -> Vec<&'static str> {
    let mut packages = vec!["waybill", "waybill-simulator"];
    if processes {
        packages.extend(suite::SERVICES);
    }
    packages
}

fn play(options: &Options, programs: &Programs, stage: &mut Stage, tryton: Option<&Path>) -> anyhow::Result<ExitCode> {
    let traffic = Traffic {
        orders: options.orders,
        rate: options.rate,
        seed: options.seed,
        dump: options.dump.clone(),
        ..Traffic::default()
    };
    let run = if options.processes {
        Run::Apart { twice: &[], variables: &[], roads: Roads::straight() }
    } else {
        Run::Together
    };
    stage.open(&traffic, run, programs, tryton)?;
    let operator = stage.operator(programs)?;
    let mut progress = Progress::new(heading(options, &operator, stage)?);
    let start = Instant::now();
    stage.world()?.begin()?;
    let (ending, view) = watch::until_the_end(options.exit.then_some(watch::STUCK), stage, &operator, &mut progress)?;
    let seconds = start.elapsed().as_secs_f64();
    let mut figures = measured(stage, &view)?;
    figures.set("seconds", seconds);
    if options.dump.is_some() {
        stage.world()?.dump()?;
    }
    if let Some(file) = &options.export {
        eprintln!("{}", operator.export(file, options.pseudonyms)?);
    }
    let code = match ending {
        // Without --exit this is how every day ends.
        Ending::Interrupted if !options.exit => ExitCode::SUCCESS,
        Ending::Interrupted => INTERRUPTED.into(),
        Ending::Settled => judge(options, &view, programs, stage, &mut figures)?,
        Ending::Stuck(open) => {
            judge(options, &view, programs, stage, &mut figures)?;
            eprintln!("The day is stuck: {}", watch::stuck(watch::STUCK, &open));
            stage.show_logs();
            ExitCode::FAILURE
        }
    };
    if let Some(file) = &options.json {
        std::fs::write(file, figures.to_json()?).with_context(|| format!("writing {}", file.display()))?;
    }
    figures.print_summary();
    Ok(code)
}

/// Where to look, and what to try while the day flows.
fn heading(options: &Options, operator: &operator::Operator, stage: &Stage) -> anyhow::Result<String> {
    let suite = stage.suite()?;
    let mut heading = format!("console: {}  password: {}\n", suite.console, suite.password);
    if !options.exit {
        let (state, program) = (operator.up_json.display(), operator.program.display());
        heading += &format!("try:     WAYBILL_STATE={state} {program} trace '#1001'\n");
    }
    Ok(heading)
}

/// What the suite itself says.
fn measured(stage: &Stage, view: &View) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    if let Some(lines) = &view.status.accounting {
        figures.set_accounting(lines);
    }
    if let Some(seconds) = view.status.slowest_page_s {
        figures.set("slowest_page_s", seconds);
    }
    let planted = stage.world()?.planted()?;
    figures.set_count("parked_planned", i64::try_from(planted.len())?);
    if let Some(megabytes) = stage.suite()?.peak_memory_mb() {
        figures.set("rss_mb", megabytes);
    }
    Ok(figures)
}

/// Whether the accounting closes, only planted records are parked, and the oracle agrees; tells what does not.
fn judge(
    options: &Options,
    view: &View,
    programs: &Programs,
    stage: &Stage,
    figures: &mut Figures,
) -> anyhow::Result<ExitCode> {
    let mut wrong = view.unaccounted();
    match &view.parked {
        Some(parked) => wrong.extend(parked::differences(&stage.world()?.planted()?, parked)),
        None => wrong.push("what is parked is not known".to_owned()),
    }
    wrong.extend(oracle::ask(programs, stage.world()?, figures)?);
    let recount = recount::ask(stage.world()?)?;
    wrong.extend(recount.doubled.iter().map(|told| format!("made twice: {told}")));
    wrong.extend(recount.redundant.iter().map(|told| format!("written for nothing: {told}")));
    if let (true, Some(day)) = (options.replay, &options.export) {
        wrong.extend(replay::check(programs, stage.world()?, day)?);
    }
    wrong.extend(figures.disagreements());
    for one in &wrong {
        eprintln!("WRONG: {one}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
