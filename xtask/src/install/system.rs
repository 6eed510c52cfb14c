//! The system's packages: Debian's and Ubuntu's.

use std::io::IsTerminal as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use waybill_testkit::find_program;

use super::{CannotInstall, Consent, run_program};

/// Debian's PostgreSQL package creates and starts a cluster of its own unless a file here says no.
const CREATE_CLUSTER: &str = "/etc/postgresql-common/createcluster.d";

/// Its presence means that systemd runs the machine, so that packages start their services.
const SYSTEMD: &str = "/run/systemd/system";

/// Installs packages that bring these programs, after saying so.
pub(super) fn install(programs: &[&str], packages: &[&str], consent: Consent) -> anyhow::Result<()> {
    let needed = format!("needed programs: {} (packages on Debian: {})", programs.join(", "), packages.join(", "));
    let Some(administrator) = Administrator::find() else {
        anyhow::bail!(CannotInstall(format!(
            "{needed}; there is no apt-get here that we may use, please install them"
        )));
    };
    eprintln!("Not installed: {}.", programs.join(", "));
    eprintln!("Installing from the system's packages: {}.", packages.join(" "));
    if !consent.obtain()? {
        anyhow::bail!(CannotInstall(needed));
    }
    packages_from_apt(administrator, packages)
        // A user whom sudo refuses, or a machine without these packages: a person has to do it.
        .map_err(|error| CannotInstall(format!("{needed}; not installed: {error:#}")).into())
}

fn packages_from_apt(administrator: Administrator, packages: &[&str]) -> anyhow::Result<()> {
    let quiet_cluster = QuietCluster::begin(administrator, packages)?;
    let outcome = apt_get(administrator, packages);
    quiet_cluster.end()?;
    outcome?;
    if packages.contains(&"nats-server") && Path::new(SYSTEMD).is_dir() {
        // The package starts a server on the usual port; ours are private, so nobody asked for it.
        administrator.run(&["systemctl", "disable", "--now", "nats-server.service"])?;
    }
    Ok(())
}

fn apt_get(administrator: Administrator, packages: &[&str]) -> anyhow::Result<()> {
    let apt_get = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        // Another apt-get may be at work, as on a machine that has just started.
        "-o",
        "DPkg::Lock::Timeout=300",
        "-o",
        // Its progress bar would fill a log.
        "Dpkg::Use-Pty=0",
        "-qq",
    ];
    // One unreachable source need not matter; what does matter fails the install.
    if let Err(error) = administrator.run(&[&apt_get[..], &["update"]].concat()) {
        eprintln!("warning: the list of packages may be old: {error:#}");
    }
    let install: &[&str] = &["install", "--yes", "--no-install-recommends"];
    administrator.run(&[&apt_get[..], install, packages].concat())
}

/// How we may run the package manager.
#[derive(Debug, Clone, Copy)]
enum Administrator {
    Root,
    Sudo,
}

impl Administrator {
    fn find() -> Option<Self> {
        find_program("apt-get")?;
        let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
        if root { Some(Self::Root) } else { find_program("sudo").map(|_| Self::Sudo) }
    }

    fn run(self, words: &[&str]) -> anyhow::Result<()> {
        let mut words = words.to_vec();
        if let Self::Sudo = self {
            // Without a terminal a question for the password would wait for ever.
            let sudo: &[&str] = if std::io::stdin().is_terminal() { &["sudo"] } else { &["sudo", "--non-interactive"] };
            words.splice(0..0, sudo.iter().copied());
        }
        let (program, arguments) = words.split_first().context("an empty command")?;
        run_program(Command::new(program).args(arguments))
    }
}

/// Keeps Debian's PostgreSQL package from creating a cluster, for as long as the install takes:
/// what a later install by a person does is theirs to decide.
struct QuietCluster {
    administrator: Administrator,
    file: Option<String>,
}

impl QuietCluster {
    fn begin(administrator: Administrator, packages: &[&str]) -> anyhow::Result<Self> {
        let file = format!("{CREATE_CLUSTER}/waybill.conf");
        if !packages.contains(&"postgresql") {
            return Ok(Self { administrator, file: None });
        }
        let script = r#"mkdir -p "$0" && echo "create_main_cluster = false" >"$1""#;
        administrator
            .run(&["sh", "-c", script, CREATE_CLUSTER, &file])
            .context("keeping PostgreSQL's package from starting a cluster")?;
        Ok(Self { administrator, file: Some(file) })
    }

    fn end(self) -> anyhow::Result<()> {
        match self.file {
            Some(file) => self.administrator.run(&["rm", "-f", &file]),
            None => Ok(()),
        }
    }
}

/// The packages for a Python virtual environment.
pub(super) fn python_venv(consent: Consent) -> anyhow::Result<()> {
    install(&["python3 with venv"], &["python3", "python3-venv"], consent)
}
