//! The operator's commands of `waybill`, as a person would run them.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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

    /// Asks for all that is parked; none if a service could not be asked.
    ///
    /// # Errors
    /// As [`Self::status`].
    pub(crate) fn parked(&self) -> anyhow::Result<Option<Vec<Parked>>> {
        let list: ParkedList = self.ask(&["parked", "list", "--json"])?;
        Ok(list.unreachable.is_empty().then_some(list.parked))
    }

    /// The exit code says whether all is well, which is not ours to judge: only the answer counts.
    fn ask<T: DeserializeOwned>(&self, arguments: &[&str]) -> anyhow::Result<T> {
        let mut command = Command::new(&self.program);
        for variable in ["WAYBILL_PEERS", "WAYBILL_PEERS_FILE", "WAYBILL_GRPC_TOKEN_FILE"] {
            command.env_remove(variable);
        }
        let output = command
            .args(arguments)
            .env("WAYBILL_STATE", &self.up_json)
            .stdin(Stdio::null())
            // Ctrl-C reaches us alone, so that the day's last figures can still be asked for.
            .process_group(0)
            .output()
            .with_context(|| format!("running waybill {}", arguments.join(" ")))?;
        serde_json::from_slice(&output.stdout).with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("waybill {} ({}): {}", arguments.join(" "), output.status, said.trim())
        })
    }
}
