//! `cargo xtask chaos`: a trading day during which everything goes wrong, and the proof that nothing was lost, doubled or
//! left behind.

mod cluster;
mod crash_points;
mod obstacles;
mod schedule;
mod trouble;
mod upgrade;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cargo_build::Programs;
use crate::demo::figures::Figures;
use crate::demo::operator::Operator;
use crate::demo::progress::Progress;
use crate::demo::recount::{self, Recount};
use crate::demo::roads::Roads;
use crate::demo::stage::{Run, Stage};
use crate::demo::suite::SERVICES;
use crate::demo::watch::{self, Ending, View};
use crate::demo::world::Traffic;
use crate::demo::{oracle, parked};
use crate::install::{self, Consent};
use crate::interrupt;
use schedule::{Cast, Moment};
use trouble::Trouble;

/// Those that write to systems have two replicas.
const TWICE: [&str; 4] = ["inventory-router", "crm-sync", "erp-sync", "fulfilment-sync"];

/// Compiles deaths and broken promises in.
const FAULTS: (&str, &str) = ("waybill-faults", "waybill-faults/on");

/// A broken promise shows at once or never.
const STUCK_BROKEN: Duration = Duration::from_secs(25);

/// Of a cluster, each with a copy of every stream.
const NODES: usize = 3;

/// Webhooks of a thousand that come twice, late, and never.
const SHARES: [u32; 3] = [100, 100, 20];

/// Backing off after the worst of it may take minutes.
const STUCK: Duration = Duration::from_secs(300);

/// `cargo xtask chaos`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install what is missing without asking.
    #[arg(long)]
    yes: bool,
    /// How long things go wrong.
    #[arg(long, default_value_t = 3.0)]
    minutes: f64,
    /// Orders a second.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// The same seed makes the same day and the same faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nothing goes wrong: what the day costs without.
    #[arg(long)]
    calm: bool,
    /// Every service dies at every point of a change's way that it passes.
    #[arg(long, conflicts_with_all = ["calm", "sabotage"])]
    crash_points: bool,
    /// NATS is three nodes; nothing goes wrong but that the leader of a stream is killed, again and again.
    #[arg(long, conflicts_with_all = ["calm", "crash_points", "sabotage"])]
    cluster: bool,
    /// Break a promise on purpose: the run has to fail, and to name the records.
    #[arg(long, value_name = "PROMISE", value_parser = clap::builder::PossibleValuesParser::new(waybill_faults::PROMISES), conflicts_with = "calm")]
    sabotage: Option<String>,
    /// Begin with the services of an earlier commit, which this version then takes over from, replica by replica.
    #[arg(long, value_name = "COMMIT", conflicts_with_all = ["calm", "cluster", "crash_points", "sabotage"])]
    upgrade_from: Option<String>,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the simulators' journals and the store's records here, as JSON lines.
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// Leave the servers' folder, with all logs, behind.
    #[arg(long)]
    keep: bool,
}

impl Options {
    fn length(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }
}

/// Runs it; everything it started has stopped when it returns.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    install::servers(Consent::new(options.yes))?;
    let mut packages = vec!["waybill", "waybill-simulator"];
    packages.extend(SERVICES);
    let has_faults = options.crash_points || options.sabotage.is_some();
    let programs = Programs::build_with(&packages, has_faults.then_some(FAULTS))?;
    interrupt::watch()?;
    let mut stage = Stage::build("chaos", &programs, if options.cluster { NODES } else { 1 })?;
    let outcome = play(options, &programs, &mut stage);
    if outcome.is_err() && !interrupt::requested() {
        stage.show_logs();
    }
    let stopped = stage.stop(options.keep);
    let code = outcome?;
    stopped?;
    Ok(code)
}

fn play(options: &Options, programs: &Programs, stage: &mut Stage) -> anyhow::Result<ExitCode> {
    let length = options.length();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of orders")]
    let orders = (options.rate * length.as_secs_f64()).ceil() as u32;
    let is_chaos = !options.calm
        && !options.cluster
        && !options.crash_points
        && options.sabotage.is_none()
        && options.upgrade_from.is_none();
    let [duplicates, late, dropped] = SHARES.map(|share| Some(if is_chaos { share } else { 0 }));
    let (rate, seed, dump) = (options.rate, options.seed, options.dump.clone());
    let traffic = Traffic { orders, rate, seed, dump, duplicates, late, dropped, ..Traffic::default() };
    // One of each, where each has to come by itself to where it dies.
    let twice: &[&str] = if options.crash_points { &[] } else { &TWICE };
    let broken = options.sabotage.as_deref().map(|promise| (waybill_faults::SABOTAGE, promise));
    let roads = if is_chaos { Roads::default() } else { Roads::straight() };
    let earlier = options.upgrade_from.as_deref().map(|commit| earlier(commit, programs)).transpose()?;
    let first = earlier.as_ref().unwrap_or(programs);
    stage.open(&traffic, Run::Apart { twice, variables: broken.as_slice(), roads }, first, None)?;
    let operator = stage.operator(programs)?;
    let (vendors, roads) = (stage.world()?.vendors().len(), stage.roads.all().len());
    let cast = Cast { processes: stage.runners().len(), vendors, roads };
    let moments = match options.sabotage {
        Some(_) => schedule::cuts(length),
        None if is_chaos => schedule::drawn(options.seed, length, cast),
        None => Vec::new(),
    };
    eprintln!("Seed {}: {} faults in {} min, {orders} orders.", options.seed, moments.len(), options.minutes);
    stage.world()?.begin()?;
    let mut trouble = Trouble::default();
    let mut figures = BTreeMap::new();
    let mut wrong = happen(options, programs, stage, &moments, &mut trouble, &mut figures)?;
    trouble.lift(stage)?;
    eprintln!("All faults are lifted.");
    eprint!("{}", operator.reconcile()?);
    let mut progress = Progress::new(String::new());
    let stuck = if broken.is_some() { STUCK_BROKEN } else { STUCK };
    let (ending, view) = watch::until_the_end(Some(stuck), stage, &operator, &mut progress)?;
    wrong.extend(judge(programs, stage, &operator, &view, trouble, options.calm, &mut figures)?);
    match ending {
        Ending::Interrupted => wrong.push("it was interrupted".to_owned()),
        Ending::Stuck(open) => {
            wrong.push(format!("the day is stuck: {}", watch::stuck(stuck, &open)));
            if broken.is_none() {
                stage.show_logs();
            }
        }
        Ending::Settled => {}
    }
    if options.dump.is_some() {
        stage.world()?.dump()?;
    }
    let told = serde_json::to_string_pretty(&figures)? + "\n";
    if let Some(file) = &options.json {
        std::fs::write(file, &told).with_context(|| format!("writing {}", file.display()))?;
    }
    say(&told);
    for one in &wrong {
        eprintln!("WRONG: {one}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The services of an earlier commit, in the world of today.
fn earlier(commit: &str, programs: &Programs) -> anyhow::Result<Programs> {
    let mut packages = vec!["waybill"];
    packages.extend(SERVICES);
    Ok(programs.clone().with(Programs::build_at(commit, &packages)?))
}

/// Lets happen what the run is about; gives what was wrong already.
fn happen(
    options: &Options,
    programs: &Programs,
    stage: &mut Stage,
    moments: &[Moment],
    trouble: &mut Trouble,
    figures: &mut BTreeMap<&'static str, Value>,
) -> anyhow::Result<Vec<String>> {
    let length = options.length();
    if options.upgrade_from.is_some() {
        figures.extend(upgrade::play(stage, programs, length)?);
    } else if options.crash_points {
        let (matrix, deaths, never) = crash_points::play(stage)?;
        say(&matrix);
        trouble.effects.insert("crash_point".to_owned(), deaths);
        return Ok(never);
    } else if options.cluster {
        let kills = cluster::play(stage, length)?;
        trouble.effects.insert("leader_kills".to_owned(), kills.number);
        figures.insert("slowest_recovery_s", json!((kills.slowest.as_secs_f64() * 10.0).round() / 10.0));
        return Ok(kills.wrong);
    } else {
        trouble.play(stage, moments, length)?;
    }
    Ok(Vec::new())
}

/// What is not as it should be; all that was measured goes to the figures.
fn judge(
    programs: &Programs,
    stage: &Stage,
    operator: &Operator,
    view: &View,
    trouble: Trouble,
    calm: bool,
    figures: &mut BTreeMap<&'static str, Value>,
) -> anyhow::Result<Vec<String>> {
    let world = stage.world()?;
    let mut wrong = view.unaccounted();
    wrong.extend(trouble.fallen.into_iter().map(|told| told.lines().next().unwrap_or_default().to_owned()));
    figures.insert("events", json!(view.day.webhooks.events));
    figures.insert("faults", json!(trouble.effects));
    let mut counted = Figures::default();
    if let Some(lines) = &view.status.accounting {
        counted.set_accounting(lines);
    }
    let planted = world.planted()?;
    figures.insert("parked_planned", json!(planted.len()));
    match &view.parked {
        Some(parked) => wrong.extend(parked::differences(&planted, parked)),
        None => wrong.push("what is parked is not known".to_owned()),
    }
    wrong.extend(oracle::ask(programs, world, &mut counted)?);
    // Our own ledger, compared with the systems by whoever runs this for real.
    let audited = operator.audit()?;
    eprintln!("Audit: {}", audited.sum);
    wrong.extend(audited.wrong.map(|told| format!("the audit finds otherwise:\n{told}")));
    let Recount { doubled, redundant } = recount::ask(world)?;
    for (name, of) in [
        ("lost", "missing_in_systems"),
        ("stale", "wrong_values"),
        ("gap", "gap"),
        ("parked", "parked"),
        ("in_flight", "in_flight"),
    ] {
        if let Some(count) = counted.count(of) {
            figures.insert(name, json!(count));
        }
    }
    if let Some(there) = counted.count("doubled") {
        figures.insert("doubled", json!(there.max(i64::try_from(doubled.len())?)));
    }
    figures.insert("redundant", json!(redundant.len()));
    for name in ["lost", "doubled", "stale", "gap"] {
        match figures.get(name).and_then(Value::as_i64) {
            Some(0) => {}
            Some(count) => wrong.push(format!("{name} is {count}")),
            None => wrong.push(format!("{name} was not measured")),
        }
    }
    wrong.extend(doubled.into_iter().map(|told| format!("made twice: {told}")));
    for told in redundant {
        // Whoever does not know whether a write arrived may make it again.
        if calm { wrong.push(format!("written for nothing: {told}")) } else { eprintln!("Written again: {told}") }
    }
    Ok(wrong)
}

#[expect(clippy::print_stdout, reason = "what the command was run for")]
fn say(text: &str) {
    print!("{text}");
}
