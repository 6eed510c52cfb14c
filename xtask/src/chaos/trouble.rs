//! Makes things go wrong, and counts what took effect.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use waybill_testkit::{PrivateNats, Signal, try_wait_for};

use super::obstacles::Obstacles;
use super::schedule::{Fault, Moment};
use crate::demo::stage::Stage;
use crate::demo::suite::Runner;
use crate::{interrupt, loopback_http};

/// How often processes are looked at between two faults.
const LOOK: Duration = Duration::from_millis(100);
/// NATS is away for so long.
const AWAY: Duration = Duration::from_secs(2);
/// Every connection but the one that asks.
const CUT: &str = "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and backend_type = 'client backend' and usename <> session_user) t";

/// Troubles of one run.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// Kind → how often it took effect.
    pub(super) effects: BTreeMap<String, u64>,
    /// Processes that stand still, and until when.
    paused: Vec<(usize, Instant)>,
    /// Processes that were killed and started again, and are not ready yet.
    starting: Vec<usize>,
    /// Roads that are not as they should be.
    obstacles: Obstacles,
    /// When NATS is to be back.
    nats_back: Option<Instant>,
    /// Processes that ended by themselves.
    pub(super) fallen: Vec<String>,
}

impl Trouble {
    /// Lets the moments come, one after the other.
    pub(super) fn play(&mut self, stage: &mut Stage, moments: &[Moment], length: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        for moment in moments {
            if !self.rest(stage, start + moment.at)? {
                return Ok(());
            }
            eprintln!("{:>6.1} s  {:?}", start.elapsed().as_secs_f64(), moment.fault);
            self.strike(stage, &moment.fault).with_context(|| format!("{:?}", moment.fault))?;
        }
        self.rest(stage, start + length).map(drop)
    }

    /// Everything goes well from now on; waits until every process is ready.
    pub(super) fn lift(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        for (at, _) in std::mem::take(&mut self.paused) {
            self.resume(stage, at)?;
        }
        self.obstacles.clear(stage.roads.all(), None, &mut self.effects);
        self.nats_comes_back(stage, None)?;
        for (name, url) in stage.world()?.vendors() {
            for (kind, struck) in struck(&url).with_context(|| name.to_owned())? {
                *self.effects.entry(format!("{name}_{kind}")).or_default() += struck;
            }
            loopback_http::delete(&url, "/_control/faults")?;
        }
        for at in std::mem::take(&mut self.starting) {
            stage.runners()[at].until_ready()?;
            self.count("service_kill");
        }
        let webhooks = stage.world()?.day()?.webhooks;
        for (name, number) in [
            ("webhook_duplicated", webhooks.duplicated),
            ("webhook_reordered", webhooks.late),
            ("webhook_dropped", webhooks.dropped),
        ] {
            self.effects.insert(name.to_owned(), number);
        }
        Ok(())
    }

    /// Waits, and looks after processes meanwhile; false if somebody pressed Ctrl-C.
    fn rest(&mut self, stage: &mut Stage, until: Instant) -> anyhow::Result<bool> {
        while Instant::now() < until {
            self.look_after(stage)?;
            let left = until.saturating_duration_since(Instant::now()).min(LOOK);
            // A passed deadline is the ordinary case.
            if try_wait_for("Ctrl-C", left, || interrupt::requested().then_some(())).is_ok() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn look_after(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        let now = Instant::now();
        let (over, still): (Vec<_>, Vec<_>) = std::mem::take(&mut self.paused).into_iter().partition(|p| p.1 <= now);
        self.paused = still;
        for (at, _) in over {
            self.resume(stage, at)?;
        }
        self.obstacles.clear(stage.roads.all(), Some(now), &mut self.effects);
        self.nats_comes_back(stage, Some(now))?;
        let runners = stage.runners();
        let (ready, starting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.starting).into_iter().partition(|at| runners[*at].is_ready());
        self.starting = starting;
        for _ in ready {
            self.count("service_kill");
        }
        self.start_fallen(stage)
    }

    /// What ended by itself is started again, as whatever runs it would; it is told.
    fn start_fallen(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        for runner in stage.runners() {
            if let Some(status) = runner.process.exit_status() {
                let told = format!("{} ended by itself, {status}:\n{}", runner.name, runner.process.log_tail());
                eprintln!("{told}");
                self.fallen.push(told);
                runner.start_again(&[])?;
            }
        }
        Ok(())
    }

    fn strike(&mut self, stage: &mut Stage, fault: &Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(at) => self.kill(stage, *at),
            Fault::Pause(at, length) => self.pause(stage, *at, *length),
            // There is nothing to stop.
            Fault::NatsKill | Fault::NatsStop | Fault::NatsWipe | Fault::NatsAway(_) if self.nats_back.is_some() => {
                Ok(())
            }
            Fault::NatsKill => {
                stage.nats.iter_mut().for_each(PrivateNats::kill);
                self.nats_after_a_rest(stage, "nats_kill")
            }
            Fault::NatsStop => {
                stage.nats.iter_mut().try_for_each(PrivateNats::stop)?;
                self.nats_after_a_rest(stage, "nats_stop")
            }
            Fault::NatsWipe => {
                stage.nats.iter_mut().try_for_each(PrivateNats::stop)?;
                stage.nats.iter_mut().try_for_each(PrivateNats::wipe_store)?;
                self.nats_after_a_rest(stage, "nats_wipe")
            }
            Fault::NatsAway(length) => {
                stage.nats.iter_mut().try_for_each(PrivateNats::stop)?;
                self.nats_back = Some(Instant::now() + *length);
                Ok(())
            }
            Fault::Road { road, obstacle, length } => {
                self.obstacles.put(stage.roads.all(), *road, *obstacle, Instant::now() + *length);
                Ok(())
            }
            Fault::PostgresRestart => {
                stage.postgres.restart()?;
                self.count("postgres_restart");
                Ok(())
            }
            Fault::PostgresCut => {
                let cut = stage.postgres.url().run(CUT)?;
                if cut.trim() != "0" {
                    self.count("postgres_cut");
                }
                Ok(())
            }
            Fault::Vendor { vendor, kind, times, body } => {
                let vendors = stage.world()?.vendors();
                let (_, url) = &vendors[*vendor];
                let body = format!(r#"{{"kind": {kind}, "times": {times}, "body": "{body}"}}"#);
                let answer = loopback_http::post_json(url, "/_control/faults", &body)?;
                anyhow::ensure!(answer.is_ok(), "{}: {}", answer.status, answer.body);
                Ok(())
            }
        }
    }

    fn nats_after_a_rest(&mut self, stage: &mut Stage, kind: &str) -> anyhow::Result<()> {
        self.rest(stage, Instant::now() + AWAY)?;
        stage.nats.iter_mut().try_for_each(PrivateNats::restart)?;
        self.count(kind);
        Ok(())
    }

    /// Once it has been away for as long as it was to be; without a time, at once.
    fn nats_comes_back(&mut self, stage: &mut Stage, now: Option<Instant>) -> anyhow::Result<()> {
        if self.nats_back.take_if(|back| now.is_none_or(|now| *back <= now)).is_some() {
            stage.nats.iter_mut().try_for_each(PrivateNats::restart)?;
            self.count("nats_away");
        }
        Ok(())
    }

    fn kill(&mut self, stage: &mut Stage, at: usize) -> anyhow::Result<()> {
        self.paused.retain(|(paused, _)| *paused != at);
        let runner: &mut Runner = &mut stage.runners()[at];
        runner.process.kill();
        runner.start_again(&[])?;
        if !self.starting.contains(&at) {
            self.starting.push(at);
        }
        Ok(())
    }

    fn pause(&mut self, stage: &mut Stage, at: usize, length: Duration) -> anyhow::Result<()> {
        if self.paused.iter().any(|(paused, _)| *paused == at) || self.starting.contains(&at) {
            return Ok(());
        }
        stage.runners()[at].process.send(Signal::Pause)?;
        self.paused.push((at, Instant::now() + length));
        Ok(())
    }

    fn resume(&mut self, stage: &mut Stage, at: usize) -> anyhow::Result<()> {
        let process = &stage.runners()[at].process;
        let stood_still = process.is_paused();
        process.send(Signal::Resume)?;
        if stood_still {
            self.count("service_pause");
        }
        Ok(())
    }

    fn count(&mut self, kind: &str) {
        *self.effects.entry(kind.to_owned()).or_default() += 1;
    }
}

/// How many requests each kind of fault struck at a vendor.
fn struck(url: &str) -> anyhow::Result<BTreeMap<String, u64>> {
    let answer = loopback_http::get(url, "/_control/faults")?;
    serde_json::from_str(&answer.body).with_context(|| answer.body.clone())
}
