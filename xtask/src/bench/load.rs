//! The load: a process of its own that sends a sale's orders.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use waybill_testkit::Launch;

use super::scene::Scene;

/// How much is sent, and how fast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) count: usize,
    /// Orders a second; 0 for as fast as they are answered.
    pub(super) rate: f64,
    /// Not longer than this.
    pub(super) seconds: Option<f64>,
    pub(super) connections: usize,
}

impl Load {
    /// At a pace, for so long.
    pub(super) fn paced(rate: f64, seconds: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of orders")]
        let count = (rate * seconds) as usize;
        Self { count, rate, seconds: None, connections: 64 }
    }
}

/// How it was answered.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Loaded {
    pub(super) sent: usize,
    pub(super) answered_200: usize,
    pub(super) rate: f64,
    pub(super) p99_ms: f64,
    /// Microseconds since the Unix epoch.
    pub(super) began_us: i64,
    #[serde(skip)]
    pub(super) times: PathBuf,
}

/// Sends orders that were not sent yet to the receiver, or to another address.
pub(super) fn send(scene: &mut Scene<'_>, load: Load, to: Option<&str>) -> anyhow::Result<Loaded> {
    let folder = scene.stage.folder().to_owned();
    let number = scene.loads;
    scene.loads += 1;
    let (outcome, times) = (folder.join(format!("load-{number}.json")), folder.join(format!("times-{number}")));
    // Elsewhere nothing is kept, so that the same orders can be sent again.
    let skip = if to.is_some() { 0 } else { scene.sent };
    let count = load.count.min(scene.orders - skip);
    let mut launch = Launch::new(scene.programs.get("waybill-load")?)
        .arg("--ready")
        .arg(scene.stage.world()?.ready_file())
        .arg("--orders")
        .arg(scene.orders_file())
        .arg("--to")
        .arg(to.unwrap_or(&scene.stage.webhooks))
        .args(["--skip", &skip.to_string(), "--count", &count.to_string()])
        .args(["--rate", &load.rate.to_string(), "--connections", &load.connections.to_string()])
        .arg("--json")
        .arg(&outcome)
        .arg("--times")
        .arg(&times);
    if let Some(seconds) = load.seconds {
        launch = launch.args(["--seconds", &seconds.to_string()]);
    }
    let mut process =
        launch.log(folder.join(format!("load-{number}.log"))).stop_within(Duration::from_secs(1)).spawn()?;
    let status = process.wait()?;
    anyhow::ensure!(status.success(), "the load ended: {status}\n{}", process.log_tail());
    let text = std::fs::read_to_string(&outcome).context("what the load tells")?;
    let loaded = Loaded { times: times.clone(), ..serde_json::from_str(&text).context("what the load tells")? };
    if to.is_none() {
        scene.sent += loaded.sent;
        scene.times.push(times);
    }
    Ok(loaded)
}
