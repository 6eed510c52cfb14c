//! Everything that runs during the demo, started and stopped in order.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use waybill_testkit::{ChildProcess, PostgresUrl, PrivateNats, PrivatePostgres, ScratchFolder, free_port};

use super::erp::RealErp;
use super::operator::Operator;
use super::suite::{self, Runner, Suite, Surroundings};
use super::world::{Traffic, World};
use crate::cargo_build::Programs;
use crate::interrupt;

const DATABASE: &str = "waybill";

/// How the services run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run<'a> {
    /// All in one process.
    Together,
    /// Each by its own program, and of some two replicas.
    Apart {
        /// Of these services there is one more, each time that it is named.
        twice: &'a [&'a str],
        /// What all of them find in their environment besides.
        variables: &'a [(&'a str, &'a str)],
    },
}

/// What is on stage. All of it stops when this is dropped: traffic first, servers last.
#[derive(Debug)]
pub(crate) struct Stage {
    world: Option<World>,
    suite: Option<Suite>,
    erp: Option<RealErp>,
    pub(crate) postgres: PrivatePostgres,
    pub(crate) nats: PrivateNats,
    /// The plan that the services obey; the example's unless set before it is opened.
    pub(crate) plan: PathBuf,
    /// Where the store's webhooks are received, once it is open.
    pub(crate) webhooks: String,
    around: Option<Surroundings>,
    folder: ScratchFolder,
}

impl Stage {
    /// Starts the servers.
    pub(crate) fn build(purpose: &str, programs: &Programs) -> anyhow::Result<Self> {
        let folder = ScratchFolder::new(purpose)?;
        let users = Suite::nats_users(programs, folder.path())?;
        let nats = PrivateNats::start(folder.path().join("nats"), Some(&users))?;
        let postgres = PrivatePostgres::start(folder.path().join("postgres"))?;
        Ok(Self {
            world: None,
            suite: None,
            erp: None,
            postgres,
            nats,
            plan: suite::example_plan(),
            webhooks: String::new(),
            around: None,
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
        let around = Surroundings {
            folder,
            nats_url: self.nats.url(),
            database_url: self.postgres.create_database(DATABASE)?.expose(),
            webhooks,
            plan: self.plan.clone(),
            variables: world.variables()?,
        };
        self.around = Some(around.clone());
        let done = Suite::set_up(programs, &around)?;
        eprint!("{done}");
        self.suite = Some(match run {
            Run::Together => Suite::in_one_process(programs, &around)?,
            Run::Apart { twice, variables } => Suite::in_processes(programs, &around, twice, variables)?,
        });
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
        outcomes.push(self.nats.stop());
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
