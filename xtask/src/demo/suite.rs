//! The services: in one process, or each by its own program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use waybill_testkit::{ChildProcess, Launch, free_port};

use super::roads::Roads;
use crate::cargo_build::Programs;
use crate::{interrupt, loopback_http, workspace};

/// Every service's own program is named as its package.
pub(crate) const SERVICES: [&str; 7] =
    ["shopify-ingest", "inventory-router", "crm-sync", "erp-sync", "fulfilment-sync", "alerter", "console"];

/// Where a service finds the others' gRPC.
const PEERS: &str = "WAYBILL_PEERS";

/// Migrations and the first connections included.
const READY: Duration = Duration::from_secs(120);

/// A service that is told to stop has finished or given back what it works on within this.
const STOPPED: Duration = Duration::from_secs(20);

/// What the suite needs to know of the world.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// Where state and logs are.
    pub(crate) folder: PathBuf,
    /// Every node's, with commas.
    pub(crate) nats_url: String,
    /// Copies of each stream: one on each node.
    pub(crate) nodes: usize,
    pub(crate) database_url: String,
    /// Where webhooks are received: an address and a port.
    pub(crate) webhooks: String,
    /// The plan that all obey.
    pub(crate) plan: PathBuf,
    /// Addresses and secrets of the plan's systems.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Surroundings {
    /// A command of `waybill` with the plan's variables and the servers' addresses.
    fn waybill(&self, programs: &Programs, command: &str) -> anyhow::Result<Launch> {
        let launch = Launch::new(programs.get("waybill")?).arg(command).in_folder(&self.folder);
        let launch = launch.env("WAYBILL_STREAM_REPLICAS", self.nodes.to_string());
        Ok(self.with_variables(launch).env("NATS_URL", &self.nats_url).env("DATABASE_URL", &self.database_url))
    }

    fn with_variables(&self, launch: Launch) -> Launch {
        // Logs are files here.
        let launch = launch.env("NO_COLOR", "1");
        self.variables.iter().fold(launch, |launch, (name, value)| launch.env(name, value))
    }

    fn with_plan(&self, launch: Launch) -> Launch {
        launch.arg("--plan").arg(&self.plan)
    }

    fn layout(&self, launch: Launch) -> Launch {
        let launch = self.with_plan(launch).arg("--state").arg(state(&self.folder));
        launch.arg("--free-ports").args(["--webhooks", &self.webhooks])
    }
}

/// Where the suite keeps its own secret, and what the operator's commands read.
pub(crate) fn state(folder: &Path) -> PathBuf {
    folder.join("state")
}

/// The plan of the demo.
pub(crate) fn example_plan() -> PathBuf {
    workspace::root().join("examples/plans/example.toml")
}

/// One of the suite's processes, which can be started again as it was.
#[derive(Debug)]
pub(crate) struct Runner {
    /// The service's name, with `-2` for a second replica.
    pub(crate) name: String,
    launch: Launch,
    /// Where it says whether it is ready.
    url: String,
    pub(crate) process: ChildProcess,
}

impl Runner {
    fn start(name: String, launch: Launch, address: &str) -> anyhow::Result<Self> {
        let process = launch.clone().spawn()?;
        Ok(Self { name, launch, url: format!("http://{address}"), process })
    }

    /// Starts it again after it has ended, with more variables.
    pub(crate) fn start_again(&mut self, variables: &[(&str, &str)]) -> anyhow::Result<()> {
        let launch = variables.iter().fold(self.launch.clone(), |launch, (name, value)| launch.env(name, value));
        self.process = launch.spawn()?;
        Ok(())
    }

    /// From its next start on it is another program, with all that it was given.
    pub(crate) fn run_instead(&mut self, program: PathBuf) {
        self.launch = self.launch.clone().program(program);
    }

    pub(crate) fn is_ready(&self) -> bool {
        loopback_http::get(&self.url, "/readyz").is_ok_and(|answer| answer.is_ok())
    }

    /// Waits until it is ready.
    pub(crate) fn until_ready(&mut self) -> anyhow::Result<()> {
        let url = self.url.clone();
        self.process.wait_until_ready(READY, || {
            let ready = loopback_http::get(&url, "/readyz").is_ok_and(|answer| answer.is_ok());
            (ready || interrupt::requested()).then_some(())
        })
    }
}

/// The services, running.
#[derive(Debug)]
pub(crate) struct Suite {
    /// All services in one.
    whole: Option<ChildProcess>,
    pub(crate) runners: Vec<Runner>,
    /// The console's address.
    pub(crate) console: String,
    /// What people sign in to it with.
    pub(crate) password: String,
}

/// What `waybill environment` says.
#[derive(Debug, Deserialize)]
struct Environment {
    services: BTreeMap<String, BTreeMap<String, String>>,
    console: String,
    console_password: String,
}

impl Environment {
    /// Where the services find one another, each by a road of its own.
    fn peers(&self, roads: &mut Roads) -> anyhow::Result<String> {
        let straight = self.services.values().find_map(|variables| variables.get(PEERS));
        let straight = straight.context("waybill environment tells of no peers")?;
        let mut peers = Vec::new();
        for peer in straight.split(',') {
            let (name, url) = peer.split_once('=').with_context(|| format!("{peer} is no peer"))?;
            peers.push(format!("{name}={}", roads.to(name, url)?));
        }
        Ok(peers.join(","))
    }
}

impl Suite {
    /// The users' part of the configuration of a NATS that the suite is to use.
    pub(crate) fn nats_users(programs: &Programs, folder: &Path) -> anyhow::Result<String> {
        let launch = Launch::new(programs.get("waybill")?).arg("nats-config").arg("--state").arg(state(folder));
        finish(launch, folder.join("nats-users.conf"))
    }

    /// Checks the systems' tokens and makes what has to be there; says what it did.
    pub(crate) fn set_up(programs: &Programs, around: &Surroundings) -> anyhow::Result<String> {
        // Without --callback: the store was told where to send its webhooks when it was started, as Shopify takes only
        // addresses with https.
        finish(around.with_plan(around.waybill(programs, "setup")?), around.folder.join("setup.log"))
    }

    /// Brings the database and the streams to what these programs know.
    pub(crate) fn migrate(programs: &Programs, around: &Surroundings) -> anyhow::Result<()> {
        let migrate = around.waybill(programs, "migrate")?.arg("--state").arg(state(&around.folder));
        finish(migrate, around.folder.join("migrate.log")).map(drop)
    }

    /// Starts all services in one process.
    pub(crate) fn in_one_process(programs: &Programs, around: &Surroundings) -> anyhow::Result<Self> {
        let log = around.folder.join("waybill.log");
        // That of an earlier start would say that this one is ready.
        let _ = std::fs::rename(&log, log.with_extension("log.before"));
        let launch = around.layout(around.waybill(programs, "up")?).arg("--yes");
        let mut process = launch.log(&log).spawn()?;
        let said = process.wait_until_ready(READY, || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            // Its own log goes to the same file.
            let is_ready = text.lines().any(|line| line == "ready");
            (is_ready || interrupt::requested()).then_some(text)
        })?;
        let (console, password) = console_of(&said).unwrap_or_default();
        Ok(Self { whole: Some(process), runners: Vec::new(), console, password })
    }

    /// Starts each service by its own program, all at once; one more for each time that `twice` names it.
    pub(crate) fn in_processes(
        programs: &Programs,
        around: &Surroundings,
        twice: &[&str],
        variables_of_all: &[(&str, &str)],
        roads: &mut Roads,
    ) -> anyhow::Result<Self> {
        let folder = &around.folder;
        Self::migrate(programs, around)?;
        let asked = around.layout(around.waybill(programs, "environment")?);
        let said = finish(asked, folder.join("environment.json"))?;
        let environment: Environment = serde_json::from_str(&said).context("the answer of waybill environment")?;
        let mut runners = Vec::new();
        let peers = environment.peers(roads)?;
        for name in SERVICES {
            let variables = environment.services.get(name);
            let variables = variables.with_context(|| format!("waybill environment does not tell of {name}"))?;
            let address = variables.get("WAYBILL_HTTP").with_context(|| format!("{name} has no address"))?;
            let launch = around.with_variables(Launch::new(programs.get(name)?)).in_folder(folder);
            // Nobody sits here to be asked.
            let mut launch = launch.env("WAYBILL_YES", "true").stop_within(STOPPED);
            launch = launch.env("WAYBILL_STREAM_REPLICAS", around.nodes.to_string());
            for (variable, value) in variables {
                launch = launch.env(variable, if variable == PEERS { &peers } else { value });
            }
            for (variable, value) in variables_of_all {
                launch = launch.env(variable, value);
            }
            let log = |name: &str| folder.join(format!("{name}.log"));
            let more = twice.iter().filter(|twice| **twice == name).count();
            for number in 2..more + 2 {
                let (second, address) = (format!("{name}-{number}"), format!("127.0.0.1:{}", free_port()?));
                let grpc = format!("127.0.0.1:{}", free_port()?);
                let launch = launch.clone().env("WAYBILL_HTTP", &address).env("WAYBILL_GRPC", &grpc).log(log(&second));
                runners.push(Runner::start(second, launch, &address)?);
            }
            runners.push(Runner::start(name.to_owned(), launch.log(log(name)), address)?);
        }
        for runner in &mut runners {
            runner.until_ready()?;
        }
        Ok(Self { whole: None, runners, console: environment.console, password: environment.console_password })
    }

    pub(crate) fn processes(&mut self) -> impl Iterator<Item = &mut ChildProcess> {
        self.whole.iter_mut().chain(self.runners.iter_mut().map(|runner| &mut runner.process))
    }

    /// Resident memory of each process in megabytes: at its peak (`VmHWM`) or now (`VmRSS`).
    pub(crate) fn memory_mb(&self, what: &str) -> Vec<(String, f64)> {
        let of = |runner: &Runner| Some((runner.name.clone(), megabytes(memory_kb(runner.process.pid(), what)?)));
        self.runners.iter().filter_map(of).collect()
    }

    /// The peak of resident memory, all processes together, in megabytes of 2^20 bytes.
    pub(crate) fn peak_memory_mb(&self) -> Option<f64> {
        let processes = self.whole.iter().chain(self.runners.iter().map(|runner| &runner.process));
        let kilobytes: Option<u64> = processes.map(|process| memory_kb(process.pid(), "VmHWM")).sum();
        kilobytes.map(megabytes)
    }
}

/// Runs a program to its end; what it printed is in the file.
fn finish(launch: Launch, file: PathBuf) -> anyhow::Result<String> {
    let mut process = launch.log(&file).spawn()?;
    let status = process.wait()?;
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    anyhow::ensure!(status.success(), "{}: {status}\n{}", process.name(), text.trim());
    Ok(text)
}

/// The console's address and password in what `waybill up` prints.
fn console_of(said: &str) -> Option<(String, String)> {
    let line = said.lines().find_map(|line| line.strip_prefix("console "))?;
    let mut words = line.split_whitespace();
    let address = words.next()?.to_owned();
    let password = words.nth(1).unwrap_or_default().to_owned();
    Some((address, password))
}

/// Linux keeps it for us, the peak too.
fn memory_kb(pid: u32, what: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 kilobytes")]
fn megabytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_peak_is_some_kilobytes() {
        let peak = memory_kb(std::process::id(), "VmHWM");
        assert!(peak.is_some_and(|kilobytes| kilobytes > 100), "{peak:?}");
    }

    #[test]
    fn the_consoles_address_and_password_are_found() {
        let said = "webhooks  http://127.0.0.1:1/webhooks/<store>\nconsole   http://127.0.0.1:2  password abc\nready\n";
        assert_eq!(console_of(said), Some(("http://127.0.0.1:2".to_owned(), "abc".to_owned())));
    }
}
