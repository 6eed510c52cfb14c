//! Installs what the tests and the demo need, after saying what.

pub(crate) mod prism;
mod system;
pub(crate) mod tryton;

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};

use waybill_testkit::missing_programs;

/// `cargo xtask install`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install without asking.
    #[arg(long)]
    yes: bool,
}

/// What is missing cannot be installed by us; ends with exit code 2.
#[derive(Debug)]
pub(crate) struct CannotInstall(String);

impl std::fmt::Display for CannotInstall {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for CannotInstall {}

/// Whether to ask a person before the machine is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// `--yes`, or nobody is there to answer.
    Given,
    /// Ask on the terminal.
    Ask,
}

impl Consent {
    /// A question needs a terminal to read the answer from.
    pub(crate) fn new(yes: bool) -> Self {
        let somebody = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if yes || !somebody { Self::Given } else { Self::Ask }
    }

    fn obtain(self) -> anyhow::Result<bool> {
        if self == Self::Given {
            return Ok(true);
        }
        eprint!("Install them? [Y/n] ");
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        let answer = answer.trim().to_lowercase();
        Ok(answer.is_empty() || answer == "y" || answer == "yes")
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let consent = Consent::new(options.yes);
    servers(consent)?;
    test_tools(consent).map(drop)
}

/// NATS and PostgreSQL, from the system's packages.
///
/// # Errors
/// [`CannotInstall`] without apt-get, without root or sudo, or after a no.
pub(crate) fn servers(consent: Consent) -> anyhow::Result<()> {
    let missing = missing_programs();
    if missing.is_empty() {
        return Ok(());
    }
    let programs: Vec<_> = missing.iter().map(|program| program.name()).collect();
    let packages: BTreeSet<_> = missing.iter().map(|program| program.package()).collect();
    system::install(&programs, &packages.into_iter().collect::<Vec<_>>(), consent)?;
    let missing = missing_programs();
    anyhow::ensure!(missing.is_empty(), CannotInstall(format!("still not installed: {missing:?}")));
    Ok(())
}

/// Environment variables that tell the tests where the vendors' stand-ins are.
pub(crate) type Environment = Vec<(&'static str, std::ffi::OsString)>;

/// The programs that play a vendor in tests: prism with the vendors' documents, and Tryton.
///
/// Without `CI` what cannot be had is a plain line, and the tests that need it skip themselves.
///
/// # Errors
/// With `CI`, when one cannot be installed.
pub(crate) fn test_tools(consent: Consent) -> anyhow::Result<Environment> {
    let prism = match crate::workspace::shared_data() {
        Some(_) => prism::install(),
        None => Err(anyhow::anyhow!("there is no folder of the vendors' documents")),
    };
    let mut environment = Environment::new();
    for (variable, what, outcome) in
        [("WAYBILL_PRISM", "prism", prism), ("WAYBILL_TRYTON_PYTHON", "Tryton", tryton::install(consent))]
    {
        match outcome {
            Ok(path) => environment.push((variable, path.into())),
            Err(error) if crate::workspace::in_ci() => {
                return Err(error.context(format!("installing {what}")));
            }
            Err(error) => eprintln!("skipped: tests with {what}: {error:#}"),
        }
    }
    Ok(environment)
}

/// Runs a program and fails when it does.
fn run_program(command: &mut std::process::Command) -> anyhow::Result<()> {
    use anyhow::Context as _;
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(std::process::Stdio::null()).status().with_context(|| format!("running {name}"))?;
    anyhow::ensure!(status.success(), "{name}: {status}");
    Ok(())
}
