//! What a test asks for: servers of its own, or a plain line that says why it was skipped.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::environment;
use crate::nats::PrivateNats;
use crate::postgres::PrivatePostgres;
use crate::postgres_url::PostgresUrl;
use crate::programs::Program;
use crate::scratch::{ScratchFolder, random_hex};

/// Says why a test is skipped; in CI, where nothing may be skipped, fails it.
///
/// # Panics
/// When `CI` is set.
#[track_caller]
pub fn skip_or_fail(reason: &str) {
    assert!(!environment::in_ci(), "{reason}; with CI set this is a failure");
    #[expect(clippy::print_stdout, reason = "what a skipped test has to say")]
    {
        println!("skipped: {reason}");
    }
}

/// The folder with the vendors' documents and samples (`WAYBILL_SHARED`); `None` after a skip line.
///
/// # Panics
/// When it is missing and `CI` is set.
#[track_caller]
pub fn shared_data() -> Option<PathBuf> {
    let found = environment::shared_folder().filter(|folder| folder.is_dir());
    if found.is_none() {
        skip_or_fail("WAYBILL_SHARED does not name the folder with the vendors' documents");
    }
    found
}

/// prism, which checks requests against a vendor's document (`WAYBILL_PRISM`, set by
/// `cargo xtask test`); `None` after a skip line.
///
/// # Panics
/// When it is missing and `CI` is set.
#[track_caller]
pub fn prism() -> Option<PathBuf> {
    let found = environment::prism().filter(|program| program.exists());
    if found.is_none() {
        skip_or_fail("WAYBILL_PRISM does not name prism; cargo xtask test installs it");
    }
    found
}

/// The Python that has a real Tryton (`WAYBILL_TRYTON_PYTHON`, set by `cargo xtask test`); `None`
/// after a skip line.
///
/// # Panics
/// When it is missing and `CI` is set.
#[track_caller]
pub fn tryton_python() -> Option<PathBuf> {
    let found = environment::tryton_python().filter(|python| python.exists());
    if found.is_none() {
        skip_or_fail("WAYBILL_TRYTON_PYTHON does not name one; cargo xtask test installs Tryton");
    }
    found
}

/// Whether all of these are installed; says so, or fails in CI, when not.
#[track_caller]
fn have(programs: &[Program]) -> bool {
    let missing: Vec<_> =
        programs.iter().filter(|program| program.find().is_none()).map(|program| program.name()).collect();
    if missing.is_empty() {
        return true;
    }
    let verb = if missing.len() == 1 { "is" } else { "are" };
    skip_or_fail(&format!("{} {verb} not installed; cargo xtask test installs what is missing", missing.join(", ")));
    false
}

#[track_caller]
fn must<T>(outcome: anyhow::Result<T>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("{error:#}"),
    }
}

/// A NATS server and a database that only this test uses; both are gone when it is dropped.
#[derive(Debug)]
pub struct TestServers {
    /// The NATS server.
    pub nats: PrivateNats,
    /// The database.
    pub database: TestDatabase,
    // Last, so that it is removed after the servers have stopped.
    _folder: ScratchFolder,
}

impl TestServers {
    /// Starts them; `None` after a skip line when programs are missing.
    ///
    /// # Panics
    /// When a server does not start, or programs are missing and `CI` is set.
    #[track_caller]
    pub fn start() -> Option<Self> {
        Self::start_with(None)
    }

    /// The same with extra NATS configuration, such as users and their permissions.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[track_caller]
    pub fn start_with(nats_configuration: Option<&str>) -> Option<Self> {
        if !have(&[Program::NatsServer, Program::Setpriv]) {
            return None;
        }
        let database = TestDatabase::create()?;
        let folder = must(ScratchFolder::new("nats"));
        let nats = must(PrivateNats::start(folder.path(), nats_configuration));
        Some(Self { nats, database, _folder: folder })
    }
}

/// An empty database that only this test uses, dropped with all its connections at the end.
#[derive(Debug)]
pub struct TestDatabase {
    url: PostgresUrl,
    superuser: PostgresUrl,
    own: Option<OwnCluster>,
}

#[derive(Debug)]
struct OwnCluster {
    postgres: PrivatePostgres,
    // Last, so that it is removed after the server has stopped.
    _folder: ScratchFolder,
}

impl TestDatabase {
    /// In the run's cluster (`WAYBILL_TEST_POSTGRES`), else in a cluster of its own; `None` after
    /// a skip line when programs are missing.
    ///
    /// # Panics
    /// When the server does not answer or start, or programs are missing and `CI` is set.
    #[track_caller]
    pub fn create() -> Option<Self> {
        match environment::shared_cluster() {
            Some(url) => {
                let superuser = must(PostgresUrl::parse(&url).context("reading WAYBILL_TEST_POSTGRES"));
                have(&[Program::Psql]).then(|| must(Self::inside(superuser, None)))
            }
            None => Self::in_own_cluster(),
        }
    }

    /// In a cluster that nobody else uses: for tests that create roles, stop the server or count
    /// its connections.
    ///
    /// # Panics
    /// As [`create`](Self::create).
    #[track_caller]
    pub fn in_own_cluster() -> Option<Self> {
        let needed = [Program::Postgres, Program::Initdb, Program::Psql, Program::Setpriv];
        have(&needed).then(|| {
            let folder = must(ScratchFolder::new("postgres"));
            let postgres = must(PrivatePostgres::start(folder.path()));
            let superuser = postgres.url();
            let own = OwnCluster { postgres, _folder: folder };
            must(Self::inside(superuser, Some(own)))
        })
    }

    fn inside(superuser: PostgresUrl, own: Option<OwnCluster>) -> anyhow::Result<Self> {
        let name = format!("test_{}", random_hex(8)?);
        let url = superuser.create_database(&name)?;
        Ok(Self { url, superuser, own })
    }

    /// The superuser's way into this database.
    pub fn url(&self) -> &PostgresUrl {
        &self.url
    }

    /// The cluster, when it is this test's own.
    pub fn cluster(&mut self) -> Option<&mut PrivatePostgres> {
        self.own.as_mut().map(|own| &mut own.postgres)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A cluster of its own goes as a whole.
        if self.own.is_none() {
            let _ = self.superuser.drop_database(self.url.database());
        }
    }
}
