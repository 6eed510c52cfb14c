//! A new version takes over from an older one, replica by replica, while the day flows.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use waybill_testkit::try_wait_for;

use crate::cargo_build::Programs;
use crate::demo::stage::Stage;
use crate::interrupt;

/// A second replica's name ends so.
const SECOND: &str = "-2";

/// Begins with the older version alone. The new one migrates the database under it; an old replica that dies then comes
/// up again. Second replicas are new for a while beside old first ones, then all are. Gives what was measured.
pub(super) fn play(stage: &mut Stage, new: &Programs, length: Duration) -> anyhow::Result<Vec<(&'static str, Value)>> {
    let part = length / 4;
    let mut upgrade = Upgrade { slowest_stop: Duration::ZERO, replaced: 0 };
    rest(part);
    eprintln!("The new version migrates the database.");
    stage.migrate(new)?;
    for at in upgrade.of(stage, |name| name.ends_with(SECOND)) {
        let runner = &mut stage.runners()[at];
        runner.process.kill();
        runner.start_again(&[])?;
        runner.until_ready().with_context(|| format!("{}, as it was, on the new tables", runner.name))?;
    }
    rest(part);
    eprintln!("Second replicas are replaced.");
    for at in upgrade.of(stage, |name| name.ends_with(SECOND)) {
        upgrade.replace(stage, at, new)?;
    }
    rest(part);
    eprintln!("All others are replaced.");
    for at in upgrade.of(stage, |name| !name.ends_with(SECOND)) {
        upgrade.replace(stage, at, new)?;
    }
    rest(part);
    Ok(vec![
        ("replaced", json!(upgrade.replaced)),
        ("slowest_stop_s", json!((upgrade.slowest_stop.as_secs_f64() * 10.0).round() / 10.0)),
    ])
}

struct Upgrade {
    slowest_stop: Duration,
    replaced: u64,
}

impl Upgrade {
    /// The places of some runners.
    fn of(&self, stage: &mut Stage, is_meant: fn(&str) -> bool) -> Vec<usize> {
        let runners = stage.runners().iter().enumerate();
        runners.filter(|(_, runner)| is_meant(&runner.name)).map(|(at, _)| at).collect()
    }

    fn replace(&mut self, stage: &mut Stage, at: usize, new: &Programs) -> anyhow::Result<()> {
        let runner = &mut stage.runners()[at];
        let service = runner.name.trim_end_matches(SECOND);
        let program = new.get(service)?;
        let told = Instant::now();
        runner.process.stop()?;
        self.slowest_stop = self.slowest_stop.max(told.elapsed());
        runner.run_instead(program);
        runner.start_again(&[])?;
        runner.until_ready().with_context(|| format!("{}, new", runner.name))?;
        self.replaced += 1;
        Ok(())
    }
}

/// Lets the day flow for a while, or until somebody presses Ctrl-C.
fn rest(length: Duration) {
    // A passed deadline is the ordinary case.
    let _ = try_wait_for("Ctrl-C", length, || interrupt::requested().then_some(()));
}
