//! Everything that runs during the demo, started and stopped in order.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use waybill_testkit::{ChildProcess, PostgresUrl, PrivateNats, PrivatePostgres, ScratchFolder, free_port};

use super::erp::RealErp;
use super::operator::Operator;
use super::roads::Roads;
use super::suite::{self, Runner, Suite, Surroundings};
use super::world::{Traffic, World};
use crate::cargo_build::Programs;
use crate::interrupt;

const DATABASE: &str = "waybill";

/// How the services run.
#[derive(Debug)]
pub(crate) enum Run<'a> {
    /// All in one process.
    Together,
    /// Each by its own program, and of some two replicas.
    Apart {
        /// Of these services there is one more, each time that it is named.
        twice: &'a [&'a str],
        /// What all of them find in their environment besides.
        variables: &'a [(&'a str, &'a str)],
        /// The roads that they take.
        roads: Roads,
    },
}

/// What is on stage. All of it stops when this is dropped: traffic first, servers last.
#[derive(Debug)]
pub(crate) struct Stage {
    world: Option<World>,
    suite: Option<Suite>,
    erp: Option<RealErp>,
    around: Option<Surroundings>,
    pub(crate) roads: Roads,
    pub(crate) postgres: PrivatePostgres,
    /// One server, or the nodes of a cluster.
    pub(crate) nats: Vec<PrivateNats>,
    /// What NATS' administrator connects with.
    pub(crate) nats_login: String,
    /// The plan that the services obey; the example's unless set before it is opened.
    pub(crate) plan: PathBuf,
    /// Where the store's webhooks are received, once it is open.
    pub(crate) webhooks: String,
    folder: ScratchFolder,
}

impl Stage {
    /// Starts the servers, NATS as so many.
    pub(crate) fn build(purpose: &str, programs: &Programs, nodes: usize) -> anyhow::Result<Self> {
        let folder = ScratchFolder::new(purpose)?;
        let users = Suite::nats_users(programs, folder.path())?;
        let nats_login = administrator(&users).context("waybill nats-config tells of no administrator")?;
        let nats = PrivateNats::start_nodes(&folder.path().join("nats"), nodes, Some(&users))?;
        let postgres = PrivatePostgres::start(folder.path().join("postgres"))?;
        Ok(Self {
            world: None,
            suite: None,
            erp: None,
            around: None,
            roads: Roads::straight(),
            postgres,
            nats,
            nats_login,
            plan: suite::example_plan(),
            webhooks: String::new(),
            folder,
        })
    }

    /// Starts the store and its systems, then the services, and waits until all are ready.
    pub(crate) fn open(
        &mut self,
        traffic: &Traffic,
        run: Run<'_>,
        programs: &Programs,
        tryton: Option<&Path>,
    ) -> anyhow::Result<()> {
        let folder = self.folder.path().to_owned();
        let webhooks = format!("127.0.0.1:{}", free_port()?);
        let to = format!("http://{webhooks}");
        self.webhooks = format!("{to}/webhooks/main");
        let mut world = World::start(traffic, programs, &folder, &to, None)?;
        if let Some(python) = tryton {
            // What the ERP has to hold is the simulator's to say, and where the ERP is, it has to know from its start.
            let erp = self.erp.insert(RealErp::start(python, &folder, world.erp())?);
            let file = world.erp_file(&erp.url)?;
            world.process().stop()?;
            world = World::start(traffic, programs, &folder, &to, Some(&file))?;
        }
        let world = self.world.insert(world);
        let (twice, more, mut roads) = match run {
            Run::Together => (None, Vec::new(), Roads::straight()),
            Run::Apart { twice, variables, roads } => (Some(twice), variables.to_vec(), roads),
        };
        // In the order that the faults' schedule knows: the servers come first.
        let database_url = roads.to("postgres", &self.postgres.create_database(DATABASE)?.expose())?;
        let nats: anyhow::Result<Vec<_>> = self.nats.iter().map(|node| roads.to("nats", &node.url())).collect();
        let mut variables = world.variables()?;
        for (name, value) in variables.iter_mut().filter(|(_, value)| value.starts_with("http://")) {
            *value = roads.to(name, value)?;
        }
        let (nats_url, nodes) = (nats?.join(","), self.nats.len());
        let plan = self.plan.clone();
        let around = Surroundings { folder, nats_url, nodes, database_url, webhooks, plan, variables };
        let around = self.around.insert(around);
        let done = Suite::set_up(programs, around)?;
        eprint!("{done}");
        self.suite = Some(match twice {
            None => Suite::in_one_process(programs, around)?,
            Some(twice) => Suite::in_processes(programs, around, twice, &more, &mut roads)?,
        });
        self.roads = roads;
        // Whatever is up by now, nobody is to wait for a day that will not be played.
        anyhow::ensure!(!interrupt::requested(), "interrupted");
        Ok(())
    }

    /// Where servers and services keep what they write.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The services' database, as its owner.
    pub(crate) fn database(&self) -> PostgresUrl {
        self.postgres.url().with_database(DATABASE)
    }

    /// Stops the services, which ran in one process, and starts them again as they were; gives how long they took until
    /// they were ready.
    pub(crate) fn start_again(&mut self, programs: &Programs) -> anyhow::Result<Duration> {
        let around = self.around.clone().context("the services do not run")?;
        for process in self.suite.iter_mut().flat_map(Suite::processes) {
            process.stop()?;
        }
        self.suite = None;
        let start = Instant::now();
        self.suite = Some(Suite::in_one_process(programs, &around)?);
        Ok(start.elapsed())
    }

    pub(crate) fn world(&self) -> anyhow::Result<&World> {
        self.world.as_ref().context("the store is not open")
    }

    pub(crate) fn suite(&self) -> anyhow::Result<&Suite> {
        self.suite.as_ref().context("the services do not run")
    }

    /// The services' processes, where each runs by its own program.
    pub(crate) fn runners(&mut self) -> &mut [Runner] {
        self.suite.as_mut().map_or(&mut [], |suite| &mut suite.runners)
    }

    /// Brings the database and the streams to what these programs know, under the services that run.
    pub(crate) fn migrate(&self, programs: &Programs) -> anyhow::Result<()> {
        Suite::migrate(programs, self.around.as_ref().context("nothing was started yet")?)
    }

    pub(crate) fn operator(&self, programs: &Programs) -> anyhow::Result<Operator> {
        Ok(Operator { program: programs.get("waybill")?, up_json: self.up_json() })
    }

    /// Where the operator's commands find the suite.
    pub(crate) fn up_json(&self) -> PathBuf {
        suite::state(self.folder.path()).join("up.json")
    }

    /// # Errors
    /// When one of our programs has ended.
    pub(crate) fn check_alive(&mut self) -> anyhow::Result<()> {
        for process in self.processes() {
            if let Some(status) = process.exit_status() {
                anyhow::bail!("{} ended: {status}", process.name());
            }
        }
        Ok(())
    }

    /// The last lines of every log, for a person who wonders why.
    pub(crate) fn show_logs(&mut self) {
        for process in self.processes() {
            eprintln!("The log of {} ends with:\n{}\n", process.name(), process.log_tail());
        }
    }

    /// Stops everything in order: the store, the services, their servers.
    pub(crate) fn stop(mut self, keep: bool) -> anyhow::Result<()> {
        eprintln!("Stopping.");
        let mut outcomes: Vec<_> = self.processes().map(ChildProcess::stop).collect();
        outcomes.push(self.postgres.stop());
        outcomes.extend(self.nats.iter_mut().map(PrivateNats::stop));
        if keep {
            eprintln!("Kept: {}", self.folder.keep().display());
        }
        outcomes.into_iter().collect()
    }

    /// Our programs, in the order in which they stop.
    fn processes(&mut self) -> impl Iterator<Item = &mut ChildProcess> {
        let world = self.world.iter_mut().map(World::process);
        let suite = self.suite.iter_mut().flat_map(Suite::processes);
        world.chain(suite).chain(self.erp.iter_mut().map(RealErp::process))
    }
}

/// The administrator's user and password, as NATS' protocol has them, of a configuration's users.
fn administrator(users: &str) -> Option<String> {
    let (_, after) = users.split_once(r#"user: admin, password: ""#)?;
    let (password, _) = after.split_once('"')?;
    Some(serde_json::json!({ "user": "admin", "pass": password, "verbose": false }).to_string())
}

#[cfg(test)]
mod tests {
    use super::administrator;

    #[test]
    fn the_administrator_is_one_of_the_users() {
        let users =
            "authorization {\n  users = [\n    { user: admin, password: \"1f\" }\n    { user: x, password: \"2\" }";
        assert_eq!(administrator(users).as_deref(), Some(r#"{"pass":"1f","user":"admin","verbose":false}"#));
        assert_eq!(administrator(""), None);
    }
}
