//! The operator's commands of `waybill`, as a person would run them.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::accounting::Line;
use super::parked::Parked;

/// What `waybill status --json` says. What could not be asked is absent.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Status {
    pub(crate) accounting: Option<Vec<Line>>,
    pub(crate) incidents: Option<Vec<Incident>>,
    #[serde(default)]
    pub(crate) unreachable: Vec<String>,
    pub(crate) slowest_page_s: Option<f64>,
}

/// An open incident.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Incident {
    pub(crate) system: String,
    pub(crate) code: String,
    pub(crate) paged_at: Option<String>,
}

/// What `waybill audit` says.
#[derive(Debug)]
pub(crate) struct Audited {
    /// Its last line.
    pub(crate) sum: String,
    /// All that it says, unless it found that all is well.
    pub(crate) wrong: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ParkedList {
    parked: Vec<Parked>,
    unreachable: Vec<String>,
}

/// Finds the running services by what they left in their state folder.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) program: PathBuf,
    pub(crate) up_json: PathBuf,
}

impl Operator {
    /// Asks for the accounting, incidents and systems.
    ///
    /// # Errors
    /// When the command gives no such answer; then with what it said.
    pub(crate) fn status(&self) -> anyhow::Result<Status> {
        self.ask(&["status", "--json"])
    }

    /// Has the stores compared with what is known of them; gives what it says.
    ///
    /// # Errors
    /// When it could not be done; then with what it said.
    pub(crate) fn reconcile(&self) -> anyhow::Result<String> {
        let output = self.run(&["reconcile"])?;
        let said = String::from_utf8_lossy(&output.stdout);
        anyhow::ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        Ok(said.into_owned())
    }

    /// Has what the systems hold compared with what was brought there; gives the sum of it, and all that it says if
    /// anything differs or could not be asked.
    ///
    /// # Errors
    /// When the command cannot be run.
    pub(crate) fn audit(&self) -> anyhow::Result<Audited> {
        let output = self.run(&["audit"])?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let sum = said.lines().last().unwrap_or_default().to_owned();
        let wrong = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
        Ok(Audited { sum, wrong: (!output.status.success()).then_some(wrong) })
    }

    /// Lets a paused system go.
    ///
    /// # Errors
    /// When the command cannot be run, or no service serves the system; then with what it said.
    pub(crate) fn resume(&self, system: &str) -> anyhow::Result<()> {
        let output = self.run(&["resume", system])?;
        // Its exit code says how the system is: what waits for it is what this is for.
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.code().is_some_and(|code| code < 2), "waybill resume {system}: {}", said.trim());
        Ok(())
    }

    /// Asks for all that is parked; none if a service could not be asked.
    ///
    /// # Errors
    /// As [`Self::status`].
    pub(crate) fn parked(&self) -> anyhow::Result<Option<Vec<Parked>>> {
        let list: ParkedList = self.ask(&["parked", "list", "--json"])?;
        Ok(list.unreachable.is_empty().then_some(list.parked))
    }

    /// Writes all that was recorded since the services were started; gives what the command says of it.
    ///
    /// # Errors
    /// When it cannot be written, or a service does not answer.
    pub(crate) fn export(&self, file: &Path, pseudonyms: bool) -> anyhow::Result<String> {
        let file = std::path::absolute(file)?;
        let file = file.to_str().context("the path of the recorded day is no text")?;
        // Not a date: a day that is played over midnight is one day.
        let mut arguments = vec!["export", "--from", "2000-01-01T00:00:00Z", "--out", file];
        if pseudonyms {
            arguments.push("--pseudonyms");
        }
        let output = self.run(&arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "waybill export ({}): {}", output.status, said.trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The exit code says whether all is well, which is not ours to judge: only the answer counts.
    fn ask<T: DeserializeOwned>(&self, arguments: &[&str]) -> anyhow::Result<T> {
        let output = self.run(arguments)?;
        serde_json::from_slice(&output.stdout).with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("waybill {} ({}): {}", arguments.join(" "), output.status, said.trim())
        })
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.program);
        for variable in ["WAYBILL_PEERS", "WAYBILL_PEERS_FILE", "WAYBILL_GRPC_TOKEN_FILE"] {
            command.env_remove(variable);
        }
        command
            .args(arguments)
            .env("WAYBILL_STATE", &self.up_json)
            .stdin(Stdio::null())
            // Ctrl-C reaches us alone, so that the day's last figures can still be asked for.
            .process_group(0)
            .output()
            .with_context(|| format!("running waybill {}", arguments.join(" ")))
    }
}
