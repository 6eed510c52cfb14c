//! A real Tryton of one test's own.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};
use waybill_testkit::{ChildProcess, Launch, ScratchFolder, free_port, tryton_python};

const BOOTSTRAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/bootstrap.py");
const SETUP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/setup.json");
/// Python imports all of Tryton's modules first.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A served database. Dropping it ends the process.
pub(crate) struct RealTryton {
    pub(crate) url: String,
    _server: ChildProcess,
    _folder: ScratchFolder,
}

impl RealTryton {
    /// `None` after a plain line where no Tryton is installed; in CI that is a failure.
    pub(crate) fn start() -> Option<Self> {
        let python = tryton_python()?;
        Some(Self::started(&python).unwrap_or_else(|error| panic!("{error:#}")))
    }

    fn started(python: &Path) -> anyhow::Result<Self> {
        let made = made_database(python)?;
        let folder = ScratchFolder::new("tryton")?;
        let database = folder.path().join("tryton.sqlite");
        fs::copy(&made, &database).context("copying the database")?;
        let port = free_port()?;
        let mut server = Launch::new(python)
            .arg(BOOTSTRAP)
            .arg("serve")
            .arg(&database)
            .arg(port.to_string())
            .log(folder.path().join("tryton.log"))
            .spawn()?;
        server.wait_until_ready(READY_WITHIN, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { url, _server: server, _folder: folder })
    }
}

/// The filled database that all tests copy: made once, by whichever test comes first.
fn made_database(python: &Path) -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tryton");
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock().context("waiting for another test to fill the database")?;
    let made = folder.join(format!("{:016x}.sqlite", contents(python)?));
    if made.is_file() {
        return Ok(made);
    }
    let unfinished = folder.join("unfinished.sqlite");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.join(format!("unfinished.sqlite{suffix}")));
    }
    let output = Command::new(python).args([BOOTSTRAP, "make", SETUP]).arg(&unfinished).output()?;
    ensure!(output.status.success(), "bootstrap.py: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&unfinished, &made)?;
    Ok(made)
}

/// What the database is made of: the script, its input, the installation and the year of its fiscal periods.
fn contents(python: &Path) -> anyhow::Result<u64> {
    let mut hasher = DefaultHasher::new();
    fs::read(BOOTSTRAP)?.hash(&mut hasher);
    fs::read(SETUP)?.hash(&mut hasher);
    python.hash(&mut hasher);
    fs::metadata(python)?.modified()?.hash(&mut hasher);
    let today = Command::new("date").arg("+%Y").output()?.stdout;
    today.hash(&mut hasher);
    Ok(hasher.finish())
}
