//! A real Tryton, filled with what the store sells.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use waybill_testkit::{ChildProcess, Launch, free_port};

use crate::{interrupt, loopback_http, workspace};

/// Makes a database that can sell, and serves it; the connector's tests use it as well.
const BOOTSTRAP: &str = "crates/connector-tryton/tests/real/bootstrap.py";

/// Python imports all of Tryton's modules first.
const READY: Duration = Duration::from_secs(60);

/// A served database of our own.
#[derive(Debug)]
pub(crate) struct RealErp {
    pub(crate) url: String,
    process: ChildProcess,
}

impl RealErp {
    /// Fills a database in `folder` and serves it. `wanted` has its name and, as `setup`, its content.
    pub(crate) fn start(python: &Path, folder: &Path, wanted: &Value) -> anyhow::Result<Self> {
        let name = wanted["database"].as_str().context("the simulator names no database of the ERP")?;
        let database = folder.join("erp").join(format!("{name}.sqlite"));
        let setup = folder.join("erp-setup.json");
        std::fs::write(&setup, wanted["setup"].to_string())?;
        let bootstrap = |verb: &str| Launch::new(python).arg(workspace::root().join(BOOTSTRAP)).arg(verb);

        eprintln!("Filling a real Tryton with what the store sells.");
        let log = folder.join("erp-setup.log");
        let mut make = bootstrap("make").arg(&setup).arg(&database).log(log).spawn()?;
        let made = make.wait()?;
        anyhow::ensure!(made.success(), "{BOOTSTRAP}: {made}\n{}", make.log_tail());

        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        let serve = bootstrap("serve").arg(&database).arg(port.to_string());
        let mut process = serve.log(folder.join("erp.log")).spawn()?;
        process.wait_until_ready(READY, || {
            // Any answer will do: it has no page that says so.
            let answers = loopback_http::get(&url, "/").is_ok();
            (answers || interrupt::requested()).then_some(())
        })?;
        Ok(Self { url, process })
    }

    pub(crate) fn process(&mut self) -> &mut ChildProcess {
        &mut self.process
    }
}
