//! `cargo xtask demo`: a trading day through all services, on servers of its own, and the proof
//! that everything arrived.

mod command_lines;
mod figures;
mod progress;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use waybill_testkit::try_wait_for;

use crate::cargo_build::Programs;
use crate::install::{self, Consent, tryton};
use crate::interrupt;
use figures::Figures;
use progress::Progress;
use stage::Stage;

/// How often progress is asked for.
const INTERVAL: Duration = Duration::from_secs(1);

/// With no change in any figure for this long, the day hangs.
const STUCK: Duration = Duration::from_secs(180);

/// `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install what is missing without asking.
    #[arg(long)]
    yes: bool,
    /// How many orders the day has.
    #[arg(long, default_value_t = 300)]
    orders: u32,
    /// End when the day is over and settled; exit code 0 only if everything is accounted for.
    #[arg(long)]
    exit: bool,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the simulators' journals and the store's records here, as JSON lines.
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// Run each service's own program instead of one process.
    #[arg(long)]
    processes: bool,
    /// A real Tryton instead of the simulated one.
    #[arg(long)]
    real_erp: bool,
    /// The same seed makes the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave the servers' folder, with all logs, behind.
    #[arg(long)]
    keep: bool,
}

/// How the day ended.
enum Ending {
    Settled,
    Interrupted,
}

/// Runs the demo; everything it started has stopped when it returns.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let consent = Consent::new(options.yes);
    install::servers(consent)?;
    let tryton = options.real_erp.then(|| tryton::install(consent));
    let tryton = tryton.transpose()?;
    let programs = Programs::build(&command_lines::packages(options.processes))?;
    // Only now: while compiling, Ctrl-C may end us and cargo at once.
    interrupt::watch()?;

    let mut stage = Stage::build(options, &programs, tryton)?;
    let outcome = play(options, &programs, &mut stage);
    if outcome.is_err() {
        stage.show_logs();
    }
    // The servers stop whatever came of the day, and a fault in stopping does not hide it.
    let stopped = stage.stop(options.keep);
    let code = outcome?;
    stopped?;
    Ok(code)
}

fn play(options: &Options, programs: &Programs, stage: &mut Stage) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    stage.open()?;
    let ending = watch(options, programs, stage)?;
    let mut figures = stage.status(programs)?;
    let agreed = match ending {
        // A day cut short has nothing to compare.
        Ending::Interrupted => None,
        Ending::Settled => Some(ask_the_oracle(options, programs, stage, &mut figures)?),
    };
    figures.set("seconds", start.elapsed().as_secs_f64());
    if let Some(megabytes) = stage.peak_memory_mb() {
        figures.set("rss_mb", megabytes);
    }
    if let Some(file) = &options.json {
        std::fs::write(file, figures.to_json()?)
            .with_context(|| format!("writing {}", file.display()))?;
    }
    figures.print_summary();
    Ok(match agreed {
        None => ExitCode::from(130),
        Some(true) if figures.accounts_close() => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

/// Shows progress until the day is settled (`--exit`) or somebody presses Ctrl-C.
fn watch(options: &Options, programs: &Programs, stage: &mut Stage) -> anyhow::Result<Ending> {
    let mut progress = Progress::new(stage.console_url());
    let mut changed = Instant::now();
    loop {
        stage.check_alive()?;
        if interrupt::requested() {
            return Ok(Ending::Interrupted);
        }
        let figures = stage.status(programs)?;
        if progress.show(&figures) {
            changed = Instant::now();
        }
        if options.exit && stage.day_is_over()? && figures.is_settled() {
            return Ok(Ending::Settled);
        }
        anyhow::ensure!(
            !options.exit || changed.elapsed() < STUCK,
            "nothing has changed for {STUCK:?} and the day is not settled"
        );
        // A passed deadline is the ordinary case: the next look.
        let _ = try_wait_for("Ctrl-C", INTERVAL, || interrupt::requested().then_some(()));
    }
}

/// Adds the oracle's figures; whether it agrees.
fn ask_the_oracle(
    options: &Options,
    programs: &Programs,
    stage: &mut Stage,
    figures: &mut Figures,
) -> anyhow::Result<bool> {
    let mut oracle = command_lines::oracle(options, programs, stage)?;
    let output = oracle.output().context("running the oracle")?;
    // What it disagrees with, for the person.
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    figures.add(&Figures::parse(&output.stdout).context("the oracle's answer")?);
    Ok(output.status.success())
}
