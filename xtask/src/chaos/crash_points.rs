//! Every service dies at every point of a change's way that it passes, and goes on where it was.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use waybill_faults::{By, CRASH_AT, POINTS};
use waybill_testkit::try_wait_for;

use crate::demo::stage::Stage;
use crate::interrupt;

/// A point that nobody passes within this is told as never reached.
const WITHIN: Duration = Duration::from_secs(75);
const LOOK: Duration = Duration::from_millis(50);
const KILL: i32 = 9;

/// What became of a point at a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Reached,
    Never,
}

/// One service and the points that it has still to die at.
struct Turn {
    runner: usize,
    points: Vec<&'static str>,
    armed: Option<Instant>,
}

/// Whether a service passes a point.
fn passes(service: &str, by: By) -> bool {
    let delivers = ["inventory-router", "crm-sync", "erp-sync", "fulfilment-sync"].contains(&service);
    match by {
        By::Ingest => service == "shopify-ingest",
        By::Sayers => delivers || service == "shopify-ingest",
        By::Deliverers => delivers,
        By::Writers => delivers || service == "alerter",
    }
}

/// Lets all of it happen while the day flows; gives the matrix, how many died, and the points that were never reached.
pub(super) fn play(stage: &mut Stage) -> anyhow::Result<(String, u64, Vec<String>)> {
    let mut cells: BTreeMap<(String, &'static str), Cell> = BTreeMap::new();
    let mut turns: Vec<Turn> = Vec::new();
    for (runner, one) in stage.runners().iter().enumerate() {
        let points = POINTS.iter().filter(|point| passes(&one.name, point.by)).map(|point| point.name);
        turns.push(Turn { runner, points: points.rev().collect(), armed: None });
    }
    while turns.iter().any(|turn| !turn.points.is_empty()) && !interrupt::requested() {
        for turn in &mut turns {
            turn.step(stage, &mut cells)?;
        }
        // A passed deadline is the ordinary case.
        let _ = try_wait_for("Ctrl-C", LOOK, || interrupt::requested().then_some(()));
    }
    let deaths = cells.values().filter(|cell| **cell == Cell::Reached).count() as u64;
    let never = cells.iter().filter(|(_, cell)| **cell == Cell::Never);
    let never = never.map(|((service, point), _)| format!("{service} never came to {point}")).collect();
    Ok((table(&cells), deaths, never))
}

impl Turn {
    fn step(&mut self, stage: &mut Stage, cells: &mut BTreeMap<(String, &'static str), Cell>) -> anyhow::Result<()> {
        let Some(&point) = self.points.last() else { return Ok(()) };
        let runner = &mut stage.runners()[self.runner];
        let Some(since) = self.armed else {
            runner.process.kill();
            runner.start_again(&[(CRASH_AT, point)])?;
            self.armed = Some(Instant::now());
            return Ok(());
        };
        let cell = match runner.process.exit_status() {
            Some(status) if status.signal() == Some(KILL) => Cell::Reached,
            Some(status) => anyhow::bail!("{} ended at {point}: {status}\n{}", runner.name, runner.process.log_tail()),
            None if since.elapsed() < WITHIN => return Ok(()),
            None => Cell::Never,
        };
        cells.insert((runner.name.clone(), point), cell);
        self.points.pop();
        self.armed = None;
        if self.points.is_empty() {
            runner.process.kill();
            runner.start_again(&[])?;
        }
        Ok(())
    }
}

/// Services by points: `x` for a death, `-` for a point that was never reached, nothing where it does not apply.
fn table(cells: &BTreeMap<(String, &'static str), Cell>) -> String {
    let mut services: Vec<&str> = cells.keys().map(|(service, _)| service.as_str()).collect();
    services.dedup();
    let mut text = format!("{:26}", "");
    for service in &services {
        text += &format!("{service:>18}");
    }
    for point in POINTS {
        text += &format!("\n{:26}", point.name);
        for service in &services {
            let cell = match cells.get(&((*service).to_owned(), point.name)) {
                Some(Cell::Reached) => "x",
                Some(Cell::Never) => "-",
                None => "",
            };
            text += &format!("{cell:>18}");
        }
    }
    text + "\n"
}
