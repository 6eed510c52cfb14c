//! What needs no traffic: a simulation of a plan, and a start.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use waybill_testkit::ScratchFolder;

use super::Asked;
use super::figure::Measured;
use crate::cargo_build::Programs;
use crate::demo::stage::{Run, Stage};
use crate::demo::suite;
use crate::demo::world::{Traffic, World};

const ORDERS: usize = 10_000;

/// `simulate_s`: the example plan on the webhooks of 10,000 orders, from the command to its end.
pub(super) fn simulate(programs: &Programs) -> anyhow::Result<Measured> {
    let folder = ScratchFolder::new("bench")?;
    let sale = folder.path().join("sale");
    let more = ["--sale", &ORDERS.to_string(), "--sale-named", "--sale-file", &sale.display().to_string()];
    let traffic = Traffic { more: more.iter().map(|one| (*one).to_owned()).collect(), rate: 1.0, ..Traffic::default() };
    let mut world = World::start(&traffic, programs, folder.path(), "http://127.0.0.1:9", None)?;
    world.process().stop()?;
    let day = folder.path().join("day.jsonl");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&day)?);
    for line in BufReader::new(std::fs::File::open(&sale)?).lines() {
        let line = line?;
        let (_, body) = line.split_once(' ').context("a line without an id")?;
        writeln!(out, "{{\"topic\": \"orders/create\", \"body\": {body}}}")?;
    }
    out.flush()?;
    let start = Instant::now();
    let output = Command::new(programs.get("waybill")?)
        .args(["plan", "simulate"])
        .arg(suite::example_plan())
        .arg("--on")
        .arg(&day)
        .stdin(Stdio::null())
        .output()
        .context("running waybill plan simulate")?;
    let seconds = start.elapsed().as_secs_f64();
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    let said = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(said.contains(&format!("{ORDERS} records")), "not every order was simulated:\n{said}");
    let mut measured = Measured::default();
    measured.add("simulate_s", seconds);
    Ok(measured)
}

/// `start_s`: `waybill up` to ready on a database that is there.
pub(super) fn start(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let mut stage = Stage::build("bench", programs, 1)?;
    let traffic = Traffic { rate: 1.0, ..Traffic::default() };
    let opened = stage.open(&traffic, Run::Together, programs, None).and_then(|()| stage.start_again(programs));
    if opened.is_err() {
        stage.show_logs();
    }
    let stopped = stage.stop(asked.keep);
    let mut measured = Measured::default();
    measured.add("start_s", opened?.as_secs_f64());
    stopped?;
    Ok(measured)
}
