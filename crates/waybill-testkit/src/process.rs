//! Child processes that cannot outlive us.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context as _;

use crate::programs::Program;
use crate::waiting::try_wait_for;

/// How much of a log an error shows.
const TAIL_LINES: usize = 20;

/// How long a process may take to stop before it is killed, unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// Checks, after the death signal is set, that the parent did not die before that; only then
/// becomes the program. The first argument is the parent's process id.
const GUARD: &str = r#"[ "$PPID" = "$0" ] || exit 1; exec "$@""#;

/// A signal, by the name that `kill` and `setpriv` know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop in an orderly way.
    Terminate,
    /// As Ctrl-C does; PostgreSQL's fast shutdown.
    Interrupt,
    /// PostgreSQL's immediate shutdown, which takes its backends along.
    Quit,
    /// Stop at once.
    Kill,
    /// Stand still, as a process that the machine gives no time to.
    Pause,
    /// Go on.
    Resume,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Interrupt => "INT",
            Self::Quit => "QUIT",
            Self::Kill => "KILL",
            Self::Pause => "STOP",
            Self::Resume => "CONT",
        }
    }
}

/// What to start, and how it ends.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    user: Option<String>,
    log: Option<PathBuf>,
    stop: Signal,
    patience: Duration,
    orphan: Signal,
}

impl Launch {
    /// A program by its path; it stops on SIGTERM, and gets SIGKILL when we die.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            folder: None,
            user: None,
            log: None,
            stop: Signal::Terminate,
            patience: PATIENCE,
            orphan: Signal::Kill,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        for argument in arguments {
            self = self.arg(argument);
        }
        self
    }

    /// Sets an environment variable; the others are inherited.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Runs as this user instead of ours; only root can.
    #[must_use]
    pub fn as_user(mut self, user: Option<&str>) -> Self {
        self.user = user.map(str::to_owned);
        self
    }

    /// Appends what it prints to this file; without it the child prints where we do.
    #[must_use]
    pub fn log(mut self, log: impl Into<PathBuf>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// The signal that asks it to stop.
    #[must_use]
    pub fn stop_with(mut self, signal: Signal) -> Self {
        self.stop = signal;
        self
    }

    /// Another program, with all that this one is given.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// How long it may take to stop before it is killed; 10 s unless said.
    #[must_use]
    pub fn stop_within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The signal it gets when we die without stopping it.
    #[must_use]
    pub fn when_orphaned(mut self, signal: Signal) -> Self {
        self.orphan = signal;
        self
    }

    /// Starts it.
    ///
    /// With a log it gets a process group of its own, so that Ctrl-C reaches only us and we decide
    /// the order in which things stop. Without one it is in the foreground and shares ours.
    ///
    /// # Errors
    /// When `setpriv` or the program cannot be run, or the log cannot be written.
    pub fn spawn(self) -> anyhow::Result<ChildProcess> {
        let name = self.program.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut command = self.command()?;
        command.stdin(Stdio::null());
        if let Some(log) = &self.log {
            let output = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(log)
                .with_context(|| format!("opening the log {}", log.display()))?;
            command.stdout(output.try_clone()?).stderr(output).process_group(0);
        }
        let child =
            spawn_from_lasting_thread(command).with_context(|| format!("starting {}", self.program.display()))?;
        Ok(ChildProcess { name, child, log: self.log, stop: self.stop, patience: self.patience })
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(Program::Setpriv.require()?);
        if let Some(user) = &self.user {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command
            .args(["--pdeathsig", self.orphan.name(), "--", "/bin/sh", "-c"])
            .arg(GUARD)
            .arg(std::process::id().to_string())
            .arg(&self.program)
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        Ok(command)
    }
}

type Order = (Command, Sender<std::io::Result<Child>>);

/// Linux sends the death signal when the thread that started the child ends, not the process; a
/// test's thread or one of tokio's blocking threads ends long before.
fn spawn_from_lasting_thread(command: Command) -> std::io::Result<Child> {
    static SPAWNER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (reply, answer) = channel();
    let gone = |_| std::io::Error::other("the thread that starts processes is gone");
    spawner
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, reply))
        .map_err(|_| gone(std::sync::mpsc::RecvError))?;
    answer.recv().map_err(gone)?
}

/// A running child; dropping it stops it.
#[derive(Debug)]
pub struct ChildProcess {
    name: String,
    child: Child,
    log: Option<PathBuf>,
    stop: Signal,
    patience: Duration,
}

impl ChildProcess {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The program's file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When the system cannot wait for it.
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        self.child.wait().with_context(|| format!("waiting for {}", self.name))
    }

    /// The last lines of its log, for an error's text.
    pub fn log_tail(&self) -> String {
        self.log.as_deref().map_or_else(String::new, |log| tail(log, TAIL_LINES))
    }

    /// Looks at `ready` until it answers `Some`; the errors show the log's last lines.
    ///
    /// # Errors
    /// When the process ends or `deadline` passes first.
    pub fn wait_until_ready<T>(
        &mut self,
        deadline: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> anyhow::Result<T> {
        let what = format!("{} to be ready", self.name);
        try_wait_for(&what, deadline, || match self.exit_status() {
            Some(status) => Some(Err(status)),
            None => ready().map(Ok),
        })
        .and_then(|outcome| outcome.map_err(|status| anyhow::anyhow!("{} ended at its start: {status}", self.name)))
        .map_err(|error| match self.log_tail() {
            tail if tail.is_empty() => error,
            tail => anyhow::anyhow!("{error}\nIts log ends with:\n{tail}"),
        })
    }

    /// Whether it stands still after [`Signal::Pause`].
    pub fn is_paused(&self) -> bool {
        state_of(self.pid()).is_some_and(|state| state == 'T')
    }

    /// Asks it to stop, waits, and kills it when it takes too long (10 s unless said).
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        if self.exit_status().is_some() {
            return Ok(());
        }
        self.send(self.stop)?;
        let what = format!("{} to stop", self.name);
        let stopped = try_wait_for(&what, self.patience, || self.exit_status());
        if stopped.is_err() {
            self.kill();
        }
        stopped.map(drop)
    }

    /// SIGKILL; returns when it is gone. A process that has ended already stays so.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal. The child is ours and not waited for, so its id is still its own.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn send(&self, signal: Signal) -> anyhow::Result<()> {
        let script = format!("kill -s {} {}", signal.name(), self.pid());
        let status =
            Command::new("/bin/sh").args(["-c", &script]).stderr(Stdio::null()).status().context("running /bin/sh")?;
        anyhow::ensure!(status.success(), "cannot signal {}: {status}", self.name);
        Ok(())
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        if self.stop().is_err() {
            self.kill();
        }
    }
}

/// Whether a process runs; one that has ended and was not waited for yet does not.
pub fn is_alive(pid: u32) -> bool {
    state_of(pid).is_some_and(|state| state != 'Z')
}

fn state_of(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state …`, where the name may hold anything, brackets and spaces included.
    stat.rsplit(')').next()?.trim_start().chars().next()
}

/// The processes that this one started from its main thread.
pub fn children_of(pid: u32) -> Vec<u32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}

/// The last lines of a log, without backtraces: longer than they are, one would hide what it is of.
fn tail(path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    last(&String::from_utf8_lossy(&bytes), lines)
}

fn last(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().filter(|line| !is_of_backtrace(line)).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// A frame, `  12: main`, or where it is, `      at ./main.rs:3:5`.
fn is_of_backtrace(line: &str) -> bool {
    let frame = line.trim_start();
    let number = frame.split_once(": ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    frame.len() < line.len() && (number || frame.starts_with("at "))
}

#[cfg(test)]
mod tests {
    use super::last;

    #[test]
    fn the_end_of_a_log_tells_the_error_and_not_its_backtrace() {
        let log = "ready\nError: no place\n\nStack backtrace:\n   0: main\n             at ./main.rs:3:5\n";
        assert_eq!(last(log, 3), "Error: no place\n\nStack backtrace:");
    }
}
