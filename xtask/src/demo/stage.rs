//! Everything that runs during the demo, started and stopped in order.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use waybill_testkit::{
    ChildProcess, Launch, PostgresUrl, PrivateNats, PrivatePostgres, ScratchFolder, free_port,
};

use super::figures::Figures;
use super::{Options, command_lines};
use crate::cargo_build::Programs;
use crate::{interrupt, loopback_http};

/// Migrations and the first connections included.
const READY: Duration = Duration::from_secs(120);

pub(super) struct Stage {
    // In the order in which they stop, should we panic: traffic first, servers last.
    simulator: Option<Actor>,
    services: Vec<Actor>,
    database: PostgresUrl,
    postgres: PrivatePostgres,
    nats: PrivateNats,
    ports: Ports,
    plan: Playbill,
    folder: ScratchFolder,
}

/// One of our programs, to be started when the stage opens.
struct Playbill {
    simulator: Option<Launch>,
    services: Vec<(String, u16, Launch)>,
}

struct Actor {
    process: ChildProcess,
    port: u16,
}

struct Ports {
    simulator: u16,
    webhooks: u16,
    console: u16,
}

impl Stage {
    /// Starts the servers and prepares the programs.
    pub(super) fn build(
        options: &Options,
        programs: &Programs,
        tryton: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let folder = ScratchFolder::new("demo")?;
        let nats = PrivateNats::start(folder.path().join("nats"), None)?;
        let postgres = PrivatePostgres::start(folder.path().join("postgres"))?;
        let mut stage = Self {
            simulator: None,
            services: Vec::new(),
            database: postgres.create_database("waybill")?,
            postgres,
            nats,
            ports: Ports {
                simulator: free_port()?,
                webhooks: free_port()?,
                console: free_port()?,
            },
            plan: Playbill {
                simulator: None,
                services: Vec::new(),
            },
            folder,
        };
        stage.prepare(options, programs, tryton)?;
        Ok(stage)
    }

    fn prepare(
        &mut self,
        options: &Options,
        programs: &Programs,
        tryton: Option<PathBuf>,
    ) -> anyhow::Result<()> {
        let mut simulator = command_lines::simulator(options, programs, self)?;
        if let Some(python) = tryton {
            simulator = simulator.env("WAYBILL_TRYTON_PYTHON", python);
        }
        self.plan.simulator = Some(simulator);
        if options.processes {
            for name in command_lines::SERVICES {
                let launch = command_lines::service(name, programs, self)?;
                self.plan
                    .services
                    .push((name.to_owned(), free_port()?, launch));
            }
        } else {
            let launch = command_lines::suite(programs, self)?;
            let port = self.ports.webhooks;
            self.plan
                .services
                .push(("waybill".to_owned(), port, launch));
        }
        Ok(())
    }

    /// Starts the simulator and the services, and waits until all are ready.
    pub(super) fn open(&mut self) -> anyhow::Result<()> {
        if let Some(launch) = self.plan.simulator.take() {
            let port = self.ports.simulator;
            self.simulator = Some(Actor::start("simulator", port, launch, self.folder.path())?);
        }
        for (name, port, launch) in std::mem::take(&mut self.plan.services) {
            let actor = Actor::start(&name, port, launch, self.folder.path())?;
            self.services.push(actor);
        }
        for actor in self.simulator.iter_mut().chain(&mut self.services) {
            actor.wait_until_ready()?;
        }
        Ok(())
    }

    /// Whether the store has sent all it will send.
    pub(super) fn day_is_over(&self) -> anyhow::Result<bool> {
        let answer = loopback_http::get(self.ports.simulator, command_lines::DAY_PATH)
            .context("asking the simulator")?;
        let day: Value = serde_json::from_str(&answer.body).context("the simulator's answer")?;
        Ok(day["over"] == true)
    }

    /// The accounting, as `waybill status` sees it.
    pub(super) fn status(&self, programs: &Programs) -> anyhow::Result<Figures> {
        let output = command_lines::status(programs, self)?
            .stdin(Stdio::null())
            .output()
            .context("running waybill status")?;
        anyhow::ensure!(
            output.status.success(),
            "waybill status: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Figures::parse(&output.stdout).context("the answer of waybill status")
    }

    /// The suite's own peak of resident memory, all its processes together.
    pub(super) fn peak_memory_mb(&self) -> Option<f64> {
        let kilobytes: Option<u64> = self
            .services
            .iter()
            .map(|actor| peak_memory_kb(actor.process.pid()))
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 kilobytes")]
        kilobytes.map(|kilobytes| kilobytes as f64 / 1024.0)
    }

    /// # Errors
    /// When one of our programs has ended, with the last lines of its log.
    pub(super) fn check_alive(&mut self) -> anyhow::Result<()> {
        for actor in self.simulator.iter_mut().chain(&mut self.services) {
            if let Some(status) = actor.process.exit_status() {
                anyhow::bail!("{} ended: {status}", actor.process.name());
            }
        }
        Ok(())
    }

    /// The last lines of every log, for a person who wonders why.
    pub(super) fn show_logs(&self) {
        for actor in self.simulator.iter().chain(&self.services) {
            let process = &actor.process;
            eprintln!(
                "The log of {} ends with:\n{}\n",
                process.name(),
                process.log_tail()
            );
        }
    }

    /// Stops everything in order: the store, the services, their servers.
    pub(super) fn stop(mut self, keep: bool) -> anyhow::Result<()> {
        if !interrupt::requested() {
            eprintln!("Stopping.");
        }
        let mut outcomes = Vec::new();
        for mut actor in self
            .simulator
            .take()
            .into_iter()
            .chain(self.services.drain(..))
        {
            outcomes.push(actor.process.stop());
        }
        outcomes.push(self.postgres.stop());
        outcomes.push(self.nats.stop());
        if keep {
            eprintln!("Kept: {}", self.folder.keep().display());
        }
        outcomes.into_iter().collect()
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn nats_url(&self) -> String {
        self.nats.url()
    }

    pub(super) fn database_url(&self) -> String {
        self.database.expose()
    }

    pub(super) fn simulator_address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.simulator)
    }

    pub(super) fn webhooks_url(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks", self.ports.webhooks)
    }

    pub(super) fn console_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.ports.console)
    }
}

impl Actor {
    fn start(name: &str, port: u16, launch: Launch, folder: &Path) -> anyhow::Result<Self> {
        let process = launch
            .in_folder(folder)
            .log(folder.join(format!("{name}.log")))
            .spawn()?;
        Ok(Self { process, port })
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let port = self.port;
        self.process.wait_until_ready(READY, || {
            let ready = loopback_http::is_ok(port, command_lines::READY_PATH);
            (ready || interrupt::requested()).then_some(())
        })
    }
}

/// Linux keeps the peak for us.
fn peak_memory_kb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_peak_is_some_kilobytes() {
        let peak = peak_memory_kb(std::process::id());
        assert!(peak.is_some_and(|kilobytes| kilobytes > 100), "{peak:?}");
    }
}
