//! What waits for a vendor: up to the vendor's own limit, and with every replica more.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use waybill_testkit::try_wait_for;

use super::Asked;
use super::figure::Measured;
use super::load::Load;
use super::scene::{Scene, Setting};
use crate::cargo_build::Programs;
use crate::{interrupt, loopback_http};

const WAITING: usize = 20_000;
/// The vendor's published limit for free and starter accounts: 100 requests in ten seconds, of 100 records each.
const REQUESTS: &str = "100";
const RECORDS_PER_SECOND: f64 = 1000.0;
const ARRIVAL: Duration = Duration::from_secs(600);

/// Sends orders and waits until all wait for the system, which then goes.
fn released(scene: &mut Scene<'_>, orders: usize, system: &str) -> anyhow::Result<()> {
    scene.send(Load { count: orders, rate: 0.0, seconds: None, connections: 32 })?;
    let waiting = format!("select count(*) from ({}) w", scene.of_deliveries("1", "d.state in ('pending', 'waiting')"));
    let database = scene.database();
    try_wait_for("all to wait", ARRIVAL, || {
        let all = database.run(&waiting).is_ok_and(|count| count == orders.to_string());
        // Not in a tight loop: each look is a process.
        let _ = try_wait_for("Ctrl-C", Duration::from_millis(300), || interrupt::requested().then_some(()));
        (all || interrupt::requested()).then_some(())
    })?;
    scene.stage.operator(scene.programs)?.resume(system)
}

/// `drain_use` and `drain_429`.
pub(super) fn limit(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let setting = Setting {
        plan: include_str!("plans/drain.toml").to_owned(),
        simulator: &["--crm-requests", REQUESTS],
        oracle: &["--systems", "crm"],
        ..Setting::through(WAITING)
    };
    let mut scene = Scene::open(programs, asked, &setting)?;
    let before = crm_state(&scene)?;
    released(&mut scene, WAITING, "crm")?;
    scene.until_applied(ARRIVAL)?;
    let after = crm_state(&scene)?;
    // Between the first result and the last: the first batch is what the clock begins with.
    let span = "select extract(epoch from max(settled_at) - min(settled_at)),
                    count(*) filter (where settled_at > first) from d, (select min(settled_at) as first from d) f";
    let rows = scene.database().run(&format!("with d as ({}) {span}", scene.of_deliveries("d.settled_at", "true")))?;
    scene.verify()?;
    scene.close(asked)?;
    let (seconds, records) = rows.split_once('|').context("the drain's time")?;
    let rate = records.parse::<f64>()? / seconds.parse::<f64>()?;
    let mut measured = Measured::default();
    let requests = after.0 - before.0;
    measured.add_with_note("drain_use", rate / RECORDS_PER_SECOND, format!("{rate:.0} records/s, {requests} requests"));
    measured.add("drain_429", after.1 - before.1);
    Ok(measured)
}

/// Requests that the CRM let through, and those that it refused for its limit.
fn crm_state(scene: &Scene<'_>) -> anyhow::Result<(f64, f64)> {
    let answer = loopback_http::get(scene.stage.world()?.url("hubspot")?, "/_control/state")?;
    let state: Value = serde_json::from_str(&answer.body).context("the CRM's state")?;
    let count = |name: &str| state[name].as_f64().with_context(|| format!("the CRM tells no {name}"));
    Ok((count("requests")?, count("refused_by_limit")?))
}

/// More than four replicas do while they are looked at.
const BACKLOG: usize = 6_000;
/// The first results are left out, then so much is counted.
const FROM_S: f64 = 3.0;
const COUNTED_S: f64 = 15.0;

/// `replicas_2` and `replicas_4`: eight calls in flight for each replica, and a vendor that takes 200 ms for each call
/// and has no limit.
pub(super) fn replicas(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let mut rates = Vec::new();
    for more in [&[][..], &["erp-sync"], &["erp-sync"; 3]] {
        let setting = Setting {
            plan: include_str!("plans/replicas.toml").to_owned(),
            named: true,
            simulator: &[],
            more,
            schemas: &["erp_sync"],
            oracle: &["--systems", "erp"],
            ..Setting::through(BACKLOG)
        };
        let mut scene = Scene::open(programs, asked, &setting)?;
        let slow = r#"{"kind": {"slow": {"delay_ms": 200}}, "times": 4294967295}"#;
        let vendor = scene.stage.world()?.url("tryton")?.to_owned();
        loopback_http::post_json(&vendor, "/_control/faults", slow)?;
        released(&mut scene, BACKLOG, "erp")?;
        rates.push(applied_per_second(&scene)?);
        // What is left goes at the simulator's own pace.
        loopback_http::delete(&vendor, "/_control/faults")?;
        scene.until_applied(ARRIVAL)?;
        scene.verify()?;
        scene.close(asked)?;
    }
    let mut measured = Measured::default();
    measured.add("replicas_1", rates[0]);
    measured.add("replicas_2", rates[1] / rates[0]);
    measured.add("replicas_4", rates[2] / rates[0]);
    Ok(measured)
}

fn applied_per_second(scene: &Scene<'_>) -> anyhow::Result<f64> {
    let database = scene.database();
    let settled = scene.of_deliveries("d.settled_at", "d.state = 'applied'");
    let over = format!(
        "select coalesce(max(settled_at) - min(settled_at) > interval '{} s', false) from ({settled}) d",
        FROM_S + COUNTED_S
    );
    try_wait_for("the count to be over", Duration::from_secs(120), || {
        let _ = try_wait_for("Ctrl-C", Duration::from_secs(1), || interrupt::requested().then_some(()));
        (database.run(&over).is_ok_and(|over| over == "t") || interrupt::requested()).then_some(())
    })?;
    let counted = database.run(&format!(
        "with d as ({settled}), f as (select min(settled_at) + interval '{FROM_S} s' as first from d)
         select count(*) from d, f where settled_at between first and first + interval '{COUNTED_S} s'"
    ))?;
    Ok(counted.parse::<f64>()? / COUNTED_S)
}
