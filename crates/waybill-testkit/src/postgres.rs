//! A PostgreSQL cluster for one test or one run.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use crate::ports::free_port;
use crate::postgres_url::PostgresUrl;
use crate::process::{ChildProcess, Launch, Signal, children_of, is_alive};
use crate::programs::Program;
use crate::scratch::{random_hex, write_private};
use crate::waiting::try_wait_for;

/// How long recovery after a kill may take; half a second is usual.
const READY: Duration = Duration::from_secs(60);

/// Ports are looked up before the server binds them, so another program may be faster.
const PORT_TRIES: u32 = 5;

/// PostgreSQL refuses to run as root; its package makes this user.
const SERVER_USER: &str = "postgres";

/// The superuser's name in our clusters.
const SUPERUSER: &str = "waybill_admin";

/// A Unix socket's path has 108 bytes; PostgreSQL appends `/.s.PGSQL.<port>`.
const SOCKET_FOLDER_BYTES: usize = 90;

/// A PostgreSQL cluster on loopback and on a Unix socket, in its own folder. Every login needs a
/// password, as roles are part of what is tested; fsync stays on. Stops on drop.
#[derive(Debug)]
pub struct PrivatePostgres {
    folder: PathBuf,
    user: Option<ServerUser>,
    password: String,
    port: u16,
    process: Option<ChildProcess>,
}

#[derive(Debug, Clone, Copy)]
struct ServerUser {
    uid: u32,
    gid: u32,
}

impl PrivatePostgres {
    /// Starts a cluster that keeps everything in `folder`. A folder that has one already is used
    /// as it is, on a new port.
    ///
    /// # Errors
    /// When programs are missing, root has no user `postgres` to run it as, that user cannot walk
    /// to `folder`, or the server is not ready within 60 s; then with the last lines of its log.
    pub fn start(folder: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let folder = folder.into();
        let user = server_user()?;
        fs::create_dir_all(folder.join("socket")).with_context(|| format!("creating {}", folder.display()))?;
        // Absolute, because the server changes its working folder.
        let folder = folder.canonicalize()?;
        let mut postgres = Self { password: password(&folder)?, folder, user, port: 0, process: None };
        postgres.hand_over()?;
        if !postgres.data().join("PG_VERSION").exists() {
            postgres.initialise()?;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            postgres.port = free_port()?;
            match postgres.launch() {
                Err(error) if tries < PORT_TRIES && is_port_taken(&error) => {}
                outcome => return outcome.map(|()| postgres),
            }
        }
    }

    /// The superuser's way into the database `postgres`.
    pub fn url(&self) -> PostgresUrl {
        PostgresUrl::new(SUPERUSER, &self.password, "127.0.0.1", self.port, "postgres")
    }

    /// Creates an empty database.
    ///
    /// # Errors
    /// As [`PostgresUrl::create_database`].
    pub fn create_database(&self, name: &str) -> anyhow::Result<PostgresUrl> {
        self.url().create_database(name)
    }

    /// The folder of the Unix socket.
    pub fn socket_folder(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// The TCP port; a restart keeps it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ChildProcess::pid)
    }

    /// Fast shutdown: open connections are cut, everything is written.
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        match self.process.take() {
            Some(mut process) => process.stop(),
            None => Ok(()),
        }
    }

    /// SIGKILL, as a machine that fails; the next start recovers.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let backends = children_of(process.pid());
            process.kill();
            // They notice by themselves; until then a new server refuses the data folder.
            let gone = || (!backends.iter().any(|pid| is_alive(*pid))).then_some(());
            let _ = try_wait_for("the backends to end", READY, gone);
        }
    }

    /// Starts it again on the same port and data, stopping it first if it runs.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        self.launch()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn run_as(&self) -> Option<&'static str> {
        self.user.map(|_| SERVER_USER)
    }

    /// Gives the folder to the server's user, and makes sure that user can walk to it.
    fn hand_over(&self) -> anyhow::Result<()> {
        let length = self.socket_folder().as_os_str().len();
        anyhow::ensure!(
            length <= SOCKET_FOLDER_BYTES,
            "{} is too long for a Unix socket: take a shorter folder",
            self.folder.display()
        );
        let Some(ServerUser { uid, gid }) = self.user else {
            return Ok(());
        };
        for path in [&self.folder, &self.socket_folder()] {
            chown(path, Some(uid), Some(gid)).with_context(|| format!("giving {} to {SERVER_USER}", path.display()))?;
        }
        // Everything above the folder must let others through; its own permissions are the user's.
        for above in self.folder.ancestors().skip(1) {
            let found = above.metadata()?;
            let open = found.permissions().mode() & 0o001 != 0 || found.uid() == uid;
            anyhow::ensure!(
                open,
                "PostgreSQL runs as {SERVER_USER}, who cannot walk through {}: take a folder \
                 elsewhere, for instance below the temporary folder",
                above.display()
            );
        }
        Ok(())
    }

    fn initialise(&self) -> anyhow::Result<()> {
        let secret = self.folder.join("superuser-password");
        if let Some(ServerUser { uid, gid }) = self.user {
            chown(&secret, Some(uid), Some(gid))?;
        }
        let mut initdb = Launch::new(Program::Initdb.require()?)
            .arg("--pgdata")
            .arg(self.data())
            .args(["--username", SUPERUSER, "--auth", "scram-sha-256"])
            .arg("--pwfile")
            .arg(&secret)
            // Letters fold and sort as in production, independent of who runs the tests.
            .args(["--encoding", "UTF8", "--locale", "C.UTF-8"])
            .in_folder(&self.folder)
            .as_user(self.run_as())
            .log(self.folder.join("initdb.log"))
            .spawn()?;
        let status = initdb.wait()?;
        anyhow::ensure!(status.success(), "initdb: {status}\n{}", initdb.log_tail());
        Ok(())
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let log = self.folder.join("postgres.log");
        // A log from before a restart would be taken for this start's.
        let _ = fs::rename(&log, self.folder.join("postgres.log.before"));
        let pid_file = self.data().join("postmaster.pid");
        let mut process = Launch::new(Program::Postgres.require()?)
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            // Relative to the data folder, where the server works: no quoting of odd folders.
            .args(["-c", "unix_socket_directories=../socket"])
            // Tests run side by side, each with several services and their pools.
            .args(["-c", "max_connections=300"])
            .in_folder(&self.folder)
            .as_user(self.run_as())
            .log(log)
            .stop_with(Signal::Interrupt)
            // Unlike SIGKILL it also ends the backends at once.
            .when_orphaned(Signal::Quit)
            .spawn()?;
        let pid = process.pid();
        process.wait_until_ready(READY, || says_ready(&pid_file, pid))?;
        self.process = Some(process);
        Ok(())
    }
}

/// The server writes its process id into the first line of `postmaster.pid` and its state into the
/// eighth. After a kill the file is still the old server's.
fn says_ready(pid_file: &Path, pid: u32) -> Option<()> {
    let text = fs::read_to_string(pid_file).ok()?;
    let mut lines = text.lines().map(str::trim);
    let ours = lines.next()? == pid.to_string();
    (ours && lines.nth(6)? == "ready").then_some(())
}

/// The superuser's password: the folder's, or a new one for a new folder.
fn password(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("superuser-password");
    if let Ok(text) = fs::read_to_string(&path) {
        return Ok(text.trim_end().to_owned());
    }
    let password = random_hex(16)?;
    write_private(&path, &format!("{password}\n"))?;
    Ok(password)
}

/// Whom the server runs as: `None` is us, and root is the user from PostgreSQL's package.
fn server_user() -> anyhow::Result<Option<ServerUser>> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let id = |flag: &str| -> anyhow::Result<u32> {
        let output =
            Command::new("id").args([flag, SERVER_USER]).stderr(Stdio::null()).output().context("running id")?;
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .with_context(|| format!("PostgreSQL refuses to run as root, and there is no user {SERVER_USER}"))
    };
    Ok(Some(ServerUser { uid: id("-u")?, gid: id("-g")? }))
}

fn is_port_taken(error: &anyhow::Error) -> bool {
    error.to_string().contains("Address already in use")
}
