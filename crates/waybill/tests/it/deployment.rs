//! Servers as an operator sets them up: with what `waybill nats-config` prints and what `waybill migrate` makes.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use serde_json::Value;
use waybill_testkit::{PrivateNats, ScratchFolder, TestDatabase, TestServers};

/// Longer than anything here takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The example plan.
pub(crate) fn example_plan() -> PathBuf {
    repository().join("examples/plans/example.toml")
}

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program.
pub(crate) fn waybill() -> PathBuf {
    env!("CARGO_BIN_EXE_waybill").into()
}

/// NATS with users, a PostgreSQL cluster of its own and the folder of the deployment's secret.
pub(crate) struct Deployment {
    pub(crate) nats: PrivateNats,
    pub(crate) database: TestDatabase,
    // Last, so that it is removed after the servers have stopped.
    pub(crate) folder: ScratchFolder,
}

impl Deployment {
    /// Servers on which nothing was made yet; `None` after a skip line.
    pub(crate) fn empty() -> Option<Self> {
        // Says what is missing, in one place.
        drop(TestServers::start()?);
        let database = TestDatabase::in_own_cluster()?;
        let folder = ScratchFolder::new("deployment").unwrap();
        let users = Command::new(waybill())
            .arg("nats-config")
            .arg("--state")
            .arg(folder.path().join("state"))
            .output()
            .unwrap();
        let users = said(&users);
        let nats = PrivateNats::start(folder.path().join("nats"), Some(&users)).unwrap();
        Some(Self { nats, database, folder })
    }

    /// The same after `waybill migrate`.
    pub(crate) fn migrated() -> Option<Self> {
        let deployment = Self::empty()?;
        said(&deployment.run(&["migrate"]));
        Some(deployment)
    }

    /// What finds these servers.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("DATABASE_URL".to_owned(), self.database.url().expose()),
            ("NATS_URL".to_owned(), self.nats.url()),
            ("WAYBILL_STATE_DIR".to_owned(), self.folder.path().join("state").display().to_string()),
        ])
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(waybill()).args(arguments).envs(self.variables()).output().unwrap()
    }

    /// A variable that a service's own process gets, as `waybill environment` tells it.
    pub(crate) fn variable(&self, service: &str, name: &str) -> String {
        let told: Value = serde_json::from_str(&said(&self.run(&["environment", "--free-ports"]))).unwrap();
        told["services"][service][name].as_str().unwrap_or_else(|| panic!("{service} has no {name}")).to_owned()
    }
}

/// What a run that must succeed printed.
#[track_caller]
pub(crate) fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    text
}
