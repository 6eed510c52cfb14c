//! From the webhook to the last system: how many, how late, and what it takes of memory.

use std::time::Duration;

use anyhow::Context as _;
use waybill_testkit::try_wait_for;

use super::Asked;
use super::cpu;
use super::figure::Measured;
use super::load::{Load, Loaded};
use super::scene::{Scene, Setting, delays, percentile};
use super::seeded;
use crate::cargo_build::Programs;
use crate::demo::suite;
use crate::interrupt;

/// Orders that are sent first, as fast as they are answered: the rate at which they are worked through is about the
/// machine's.
const PROBE: usize = 3000;
/// Of that rate so much is then offered, evenly, so that there is always something to do and never a day's backlog.
const OFFERED: f64 = 1.25;
/// More is not offered.
const MOST_OFFERED: f64 = 1600.0;
const SUSTAINED_S: f64 = 60.0;
/// The same with fewer orders, where two rates are compared.
const COMPARED_S: f64 = 20.0;
const ARRIVAL: Duration = Duration::from_secs(600);
/// Idle is so long after the start.
const SETTLED: Duration = Duration::from_secs(15);

/// `through_rate`, and memory before and during it.
pub(super) fn rate(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let mut scene = Scene::open(programs, asked, &Setting::through(orders_of(SUSTAINED_S)))?;
    let mut measured = Measured::default();
    let _ = try_wait_for("Ctrl-C", SETTLED, || interrupt::requested().then_some(()));
    add_largest(&mut measured, "idle_mb", &scene.stage.suite()?.memory_mb("VmRSS"));
    let (taken, rate) = (cpu::taken(&mut scene), sustained(&mut scene, SUSTAINED_S)?);
    let (cpu_ms, by) = cpu::each(&taken, &cpu::taken(&mut scene), scene.sent);
    measured.add_with_note("cpu_ms", cpu_ms, by);
    add_largest(&mut measured, "peak_mb", &scene.stage.suite()?.memory_mb("VmHWM"));
    scene.verify()?;
    scene.close(asked)?;
    measured.add("through_rate", rate);
    Ok(measured)
}

/// What may be sent.
fn orders_of(seconds: f64) -> usize {
    PROBE + Load::paced(MOST_OFFERED, seconds).count
}

/// The service with the most memory counts; all are told.
fn add_largest(measured: &mut Measured, name: &'static str, services: &[(String, f64)]) {
    let all: Vec<String> = services.iter().map(|(service, mb)| format!("{service} {mb:.0}")).collect();
    if let Some((_, mb)) = services.iter().max_by(|one, other| one.1.total_cmp(&other.1)) {
        measured.add_with_note(name, *mb, all.join(", "));
    }
}

/// Orders a second, offered evenly for so long and a little faster than they can be worked through: from the first one's
/// due time until the last is in every system.
fn sustained(scene: &mut Scene<'_>, seconds: f64) -> anyhow::Result<f64> {
    let probe = Load { count: PROBE, rate: 0.0, seconds: None, connections: 32 };
    let probed = through(scene, probe)?;
    through(scene, Load::paced((probed * OFFERED).min(MOST_OFFERED), seconds))
}

fn through(scene: &mut Scene<'_>, load: Load) -> anyhow::Result<f64> {
    let loaded = scene.send(load)?;
    scene.until_applied(ARRIVAL)?;
    let last = scene.last_applied_us()?;
    #[expect(clippy::cast_precision_loss, reason = "orders and microseconds of a run")]
    Ok(loaded.sent as f64 / ((last - loaded.began_us) as f64 / 1e6))
}

/// `through_p99_s`: at 300 orders a second.
pub(super) fn p99(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let load = Load::paced(300.0, 30.0);
    late(programs, &Setting::through(load.count), load, "through_p99_s", asked)
}

/// `example_p99_s`: the example plan at 100 orders a second. ShipStation's published limit, 200 requests a minute of 25
/// orders each, is below that, and so are the 50 requests a second that one Tryton process is taken to answer; so the
/// account has a larger limit, and the ERP several processes.
pub(super) fn example(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let load = Load::paced(100.0, 30.0);
    let plan = std::fs::read_to_string(suite::example_plan()).context("reading the example plan")?;
    let with = |plan: String, system: &str, budget: &str| {
        anyhow::ensure!(plan.contains(system), "the example plan has another system than {system}");
        Ok(plan.replace(system, &format!("{system}budget = {{ {budget} }}\n")))
    };
    let plan = with(plan, "[systems.shipping]\nconnector = \"shipstation\"\n", "requests = 500, per_seconds = 60")?;
    let plan = with(plan, "[systems.erp]\nconnector = \"tryton\"\n", "requests = 200, per_seconds = 1")?;
    let setting = Setting {
        plan,
        orders: load.count,
        named: true,
        simulator: &["--shipping-requests", "500"],
        more: &[],
        schemas: &["crm_sync", "erp_sync", "fulfilment_sync"],
        oracle: &[],
    };
    late(programs, &setting, load, "example_p99_s", asked)
}

fn late(
    programs: &Programs,
    setting: &Setting<'_>,
    load: Load,
    name: &'static str,
    asked: Asked,
) -> anyhow::Result<Measured> {
    let mut scene = Scene::open(programs, asked, setting)?;
    let loaded: Loaded = scene.send(load)?;
    scene.until_applied(ARRIVAL)?;
    let delays = delays(&loaded, &scene.applied_at()?)?;
    scene.verify()?;
    scene.close(asked)?;
    let mut measured = Measured::default();
    measured.add(name, percentile(&delays, 99)?);
    Ok(measured)
}

/// `growth`: the rate with a million records in the tables against a thousand.
pub(super) fn growth(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let mut rates = Vec::new();
    for records in [1_000, 1_000_000] {
        let mut scene = Scene::open(programs, asked, &Setting::through(orders_of(COMPARED_S)))?;
        seeded::fill(&scene.database(), records)?;
        rates.push(sustained(&mut scene, COMPARED_S)?);
        scene.verify()?;
        scene.close(asked)?;
    }
    let mut measured = Measured::default();
    measured.add_with_note("growth", rates[1] / rates[0], format!("{:.0} and {:.0} orders/s", rates[0], rates[1]));
    Ok(measured)
}

/// `growth_mb`: what the service that grows most has more after ten minutes at an even pace, measured once it is warm.
pub(super) fn soak(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let (warm, even) = (Load::paced(100.0, 60.0), Load::paced(100.0, 600.0));
    let mut scene = Scene::open(programs, asked, &Setting::through(warm.count + even.count))?;
    scene.send(warm)?;
    scene.until_applied(ARRIVAL)?;
    let before = scene.stage.suite()?.memory_mb("VmRSS");
    scene.send(even)?;
    scene.until_applied(ARRIVAL)?;
    let after = scene.stage.suite()?.memory_mb("VmRSS");
    scene.verify()?;
    scene.close(asked)?;
    let grown: Vec<(String, f64)> =
        before.into_iter().zip(after).map(|((name, before), (_, after))| (name, after - before)).collect();
    let mut measured = Measured::default();
    add_largest(&mut measured, "growth_mb", &grown);
    Ok(measured)
}
