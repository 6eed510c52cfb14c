//! How fast webhooks are taken, against what the machine allows.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use waybill_testkit::{Launch, free_port, try_wait_for};

use super::Asked;
use super::figure::Measured;
use super::load::{self, Load};
use super::scene::{Scene, Setting};
use crate::cargo_build::Programs;

/// How long each rate is measured.
const SECONDS: f64 = 5.0;
/// Connections, the figure of each, and of its limit.
const CONNECTIONS: [(usize, &str, &str); 3] = [
    (32, "ingest_rate", "limit_inserts"),
    (1, "ingest_rate_1", "limit_inserts_1"),
    (256, "ingest_rate_256", "limit_inserts_256"),
];
/// More than are taken meanwhile.
const ORDERS: usize = 60_000;
/// Shopify Plus's stated 40,000 checkouts a minute.
const CHECKOUTS: f64 = 700.0;
const CHECKOUT_SECONDS: f64 = 15.0;
/// All that was taken has to arrive, at the rate at which it is worked through.
const ARRIVAL: Duration = Duration::from_secs(900);

/// `ingest_rate` and its limits.
pub(super) fn rate(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let mut scene = Scene::open(programs, asked, &Setting::through(ORDERS))?;
    let limit_http = limit_of_http(&mut scene)?;
    let mut measured = Measured::default();
    measured.add("limit_http", limit_http);
    for (connections, name, limit) in CONNECTIONS {
        let limit_inserts = limit_of_inserts(&scene, connections)?;
        measured.add(limit, limit_inserts);
        let load = Load { count: usize::MAX, rate: 0.0, seconds: Some(SECONDS), connections };
        let loaded = scene.send(load)?;
        measured.add_with_limit(name, loaded.rate, limit_http.min(limit_inserts));
        // What was taken is worked through before the next is measured, so that each is measured as the first.
        scene.until_applied(ARRIVAL)?;
    }
    scene.verify()?;
    scene.close(asked)?;
    Ok(measured)
}

/// `ingest_p99_ms`.
pub(super) fn p99(programs: &Programs, asked: Asked) -> anyhow::Result<Measured> {
    let load = Load::paced(CHECKOUTS, CHECKOUT_SECONDS);
    let mut scene = Scene::open(programs, asked, &Setting::through(load.count))?;
    let loaded = scene.send(load)?;
    scene.until_applied(ARRIVAL)?;
    scene.verify()?;
    scene.close(asked)?;
    let mut measured = Measured::default();
    measured.add("ingest_p99_ms", loaded.p99_ms);
    Ok(measured)
}

/// The same HTTP server with nothing but the signature's check.
fn limit_of_http(scene: &mut Scene<'_>) -> anyhow::Result<f64> {
    let address = format!("127.0.0.1:{}", free_port()?);
    let log = scene.stage.folder().join("limit.log");
    let secret = scene.stage.world()?.webhook_secret().to_owned();
    let launch = Launch::new(scene.programs.get("ingest_limits")?).args(["serve", &address, &secret]);
    let mut server = launch.log(log).spawn()?;
    server.wait_until_ready(Duration::from_secs(10), || std::net::TcpStream::connect(&address).ok())?;
    let to = format!("http://{address}/webhooks/main");
    let load = Load { count: usize::MAX, rate: 0.0, seconds: Some(SECONDS), connections: CONNECTIONS[0].0 };
    let loaded = load::send(scene, load, Some(&to))?;
    anyhow::ensure!(loaded.sent == loaded.answered_200, "the limit's server refused a webhook");
    server.stop()?;
    Ok(loaded.rate)
}

/// The same bodies into a table, as many at a time as these connections can have under way, with nothing else.
fn limit_of_inserts(scene: &Scene<'_>, connections: usize) -> anyhow::Result<f64> {
    let output = Command::new(scene.programs.get("ingest_limits")?)
        .args(["insert", &scene.database().expose()])
        .arg(scene.orders_file())
        .args([SECONDS.to_string(), connections.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("running ingest_limits")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "ingest_limits: {}", said.trim());
    // What it wrote is flushed before anything else is measured.
    scene.database().run("checkpoint")?;
    let _ = try_wait_for::<()>("the disk", Duration::from_secs(1), || None);
    String::from_utf8_lossy(&output.stdout).trim().parse().context("what ingest_limits prints")
}
