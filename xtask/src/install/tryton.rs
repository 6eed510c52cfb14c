//! A real Tryton, from PyPI, in a Python virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use waybill_testkit::find_program;

use super::{Consent, run_program, system};
use crate::workspace;

/// Every package with its version, those that Tryton pulls in included: what ran yesterday runs
/// today.
const REQUIREMENTS: &str = include_str!("tryton-requirements.txt");

/// The Python that has Tryton (`target/tools/tryton/bin/python`, with `trytond` and
/// `trytond-admin` beside it), installed if it was not.
///
/// # Errors
/// When Python's `venv` cannot be installed, or pip fails.
pub(crate) fn install(consent: Consent) -> anyhow::Result<PathBuf> {
    let folder = workspace::tools().join("tryton");
    let python = folder.join("bin/python");
    let stamp = folder.join("installed");
    let installed = std::fs::read_to_string(&stamp).is_ok_and(|list| list == REQUIREMENTS);
    if installed && python.exists() {
        return Ok(python);
    }
    let host = match python_with_venv() {
        Some(host) => host,
        None => {
            system::python_venv(consent)?;
            python_with_venv().context("python3 still has no venv")?
        }
    };
    eprintln!("Installing Tryton into {}.", folder.display());
    run_program(Command::new(host).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)?;
    run_program(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet"])
            .arg("--disable-pip-version-check")
            .arg("--requirement")
            .arg(&requirements),
    )?;
    std::fs::write(stamp, REQUIREMENTS)?;
    Ok(python)
}

/// The system's Python first: one from a version manager may vanish under the environment.
fn python_with_venv() -> Option<PathBuf> {
    [PathBuf::from("/usr/bin/python3")].into_iter().chain(find_program("python3")).find(|python| has_venv(python))
}

/// Debian splits `ensurepip` from Python, so that `venv` alone says nothing.
fn has_venv(python: &Path) -> bool {
    Command::new(python)
        .args(["-c", "import venv, ensurepip"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
