//! The simulated store and the systems around it: one process, which tells where each of them is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use waybill_testkit::{ChildProcess, Launch};

use super::parked::Planted;
use crate::cargo_build::Programs;
use crate::loopback_http;

/// It fills its catalogue before it listens, and sells what it is told to.
const READY: Duration = Duration::from_secs(120);

/// Variable of the example plan → system and value in what the simulator tells.
const VARIABLES: [(&str, &str, &str); 16] = [
    ("SHOPIFY_URL", "shopify", "url"),
    ("SHOPIFY_ACCESS_TOKEN", "shopify", "access_token"),
    ("SHOPIFY_WEBHOOK_SECRET", "shopify", "webhook_secret"),
    ("TRYTON_URL", "tryton", "url"),
    ("TRYTON_DATABASE", "tryton", "database"),
    ("TRYTON_USER", "tryton", "user"),
    ("TRYTON_PASSWORD", "tryton", "password"),
    ("HUBSPOT_URL", "hubspot", "url"),
    ("HUBSPOT_TOKEN", "hubspot", "token"),
    ("SHIPSTATION_URL", "shipstation", "url"),
    ("SHIPSTATION_API_KEY", "shipstation", "api_key"),
    ("PAGERDUTY_URL", "pagerduty", "url"),
    ("PAGERDUTY_ROUTING_KEY", "pagerduty", "routing_key"),
    ("SLACK_WEBHOOK_URL", "slack", "url"),
    ("ALERT_WEBHOOK_URL", "webhook", "url"),
    ("ALERT_WEBHOOK_SECRET", "webhook", "secret"),
];

/// Those of more CRM accounts, where there are some.
const MORE_CRMS: [(&str, &str, &str); 4] = [
    ("HUBSPOT_2_URL", "hubspot_2", "url"),
    ("HUBSPOT_2_TOKEN", "hubspot_2", "token"),
    ("HUBSPOT_3_URL", "hubspot_3", "url"),
    ("HUBSPOT_3_TOKEN", "hubspot_3", "token"),
];

/// The systems that the simulator is.
const VENDORS: [&str; 7] = ["shopify", "hubspot", "tryton", "shipstation", "pagerduty", "slack", "webhook"];

/// How the day stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Day {
    pub(crate) day: String,
    pub(crate) orders_planned: u64,
    pub(crate) orders_placed: u64,
    pub(crate) customers: u64,
    pub(crate) follow_ups_open: u64,
    pub(crate) follow_ups_dropped: u64,
    pub(crate) to_ship: u64,
    pub(crate) shipped: u64,
    pub(crate) webhooks: Webhooks,
}

/// The store's webhooks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Webhooks {
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
    pub(crate) pending: u64,
    pub(crate) events: u64,
    pub(crate) dropped: u64,
    pub(crate) duplicated: u64,
    pub(crate) late: u64,
}

impl Day {
    /// What is still to happen; empty if the day is over and every parcel that can be sent was.
    pub(crate) fn open(&self) -> Vec<String> {
        let mut open = Vec::new();
        if self.day != "finished" {
            let Self { day, orders_placed, orders_planned, .. } = self;
            open.push(format!("the day is {day}: {orders_placed} of {orders_planned} orders are placed"));
        }
        for (number, what) in [
            (self.follow_ups_open, "payments, edits and refunds are still to come"),
            (self.follow_ups_dropped, "refunds waited in vain for their parcel"),
            (self.webhooks.pending, "webhooks are not delivered yet"),
            (self.webhooks.failed, "webhooks were given up by the store"),
            (self.to_ship.saturating_sub(self.shipped), "orders are not shipped, as far as the store knows"),
        ] {
            if number > 0 {
                open.push(format!("{number} {what}"));
            }
        }
        open
    }
}

/// What happens in the store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic {
    pub(crate) orders: u32,
    /// Orders a second.
    pub(crate) rate: f64,
    pub(crate) seed: u64,
    /// Where journals and records are written at the end.
    pub(crate) dump: Option<PathBuf>,
    /// Of a thousand webhooks, so many come twice; the simulator's own share unless said.
    pub(crate) duplicates: Option<u32>,
    /// So many come late, after later ones.
    pub(crate) late: Option<u32>,
    /// So many never come.
    pub(crate) dropped: Option<u32>,
    /// More of the simulator's own arguments.
    pub(crate) more: Vec<String>,
}

/// The simulator, running.
#[derive(Debug)]
pub(crate) struct World {
    process: ChildProcess,
    ready: Value,
    ready_file: PathBuf,
    has_real_erp: bool,
}

impl World {
    /// Starts it; the store sends its webhooks to `webhooks`, and does not trade yet. `erp` tells where a real ERP is.
    pub(crate) fn start(
        traffic: &Traffic,
        programs: &Programs,
        folder: &Path,
        webhooks: &str,
        erp: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let ready_file = folder.join("ready.json");
        let mut launch = Launch::new(programs.get("waybill-simulator")?)
            .arg("--ready")
            .arg(&ready_file)
            .args(["--webhooks-to", webhooks])
            .args(["--orders", &traffic.orders.to_string()])
            .args(["--rate", &traffic.rate.to_string()])
            .args(["--seed", &traffic.seed.to_string()]);
        for (share, per_mille) in
            [("--duplicates", traffic.duplicates), ("--late", traffic.late), ("--dropped", traffic.dropped)]
        {
            if let Some(per_mille) = per_mille {
                launch = launch.args([share, &per_mille.to_string()]);
            }
        }
        launch = launch.args(&traffic.more);
        if let Some(folder) = &traffic.dump {
            launch = launch.arg("--dump").arg(std::path::absolute(folder)?);
        }
        if let Some(erp) = erp {
            launch = launch.arg("--erp").arg(erp);
        }
        // A file of an earlier start would be taken for this one's.
        let _ = std::fs::remove_file(&ready_file);
        let mut process = launch.log(folder.join("simulator.log")).spawn()?;
        let ready = process
            .wait_until_ready(READY, || serde_json::from_str(&std::fs::read_to_string(&ready_file).ok()?).ok())?;
        Ok(Self { process, ready, ready_file, has_real_erp: erp.is_some() })
    }

    pub(crate) fn process(&mut self) -> &mut ChildProcess {
        &mut self.process
    }

    /// What a real ERP has to hold, for this store to sell.
    pub(crate) fn erp(&self) -> &Value {
        &self.ready["tryton"]
    }

    /// A file for another start, which then has the ERP at `url` and tells so to the oracle and the suite.
    pub(crate) fn erp_file(&self, url: &str) -> anyhow::Result<PathBuf> {
        let file = self.ready_file.with_file_name("erp.json");
        let mut erp = serde_json::json!({ "url": url });
        for key in ["database", "user", "password"] {
            erp[key] = self.erp()[key].clone();
        }
        std::fs::write(&file, erp.to_string()).context("telling where the ERP is")?;
        Ok(file)
    }

    /// Where all systems are, for the oracle.
    pub(crate) fn ready_file(&self) -> &Path {
        &self.ready_file
    }

    /// Where a system is.
    pub(crate) fn url(&self, system: &str) -> anyhow::Result<&str> {
        self.ready[system]["url"].as_str().with_context(|| format!("the simulator tells no url of {system}"))
    }

    /// What signs the store's webhooks.
    pub(crate) fn webhook_secret(&self) -> &str {
        self.ready["shopify"]["webhook_secret"].as_str().unwrap_or_default()
    }

    /// The example plan's variables.
    pub(crate) fn variables(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let variable = |(name, system, key): (&'static str, &str, &str)| {
            let value = self.ready[system][key].as_str();
            Ok((name, value.with_context(|| format!("the simulator tells no {key} of {system}"))?.to_owned()))
        };
        let more = MORE_CRMS.into_iter().filter(|(_, system, _)| self.ready.get(system).is_some());
        VARIABLES.into_iter().chain(more).map(variable).collect()
    }

    /// The day begins.
    pub(crate) fn begin(&self) -> anyhow::Result<()> {
        self.post("/_control/start")
    }

    pub(crate) fn day(&self) -> anyhow::Result<Day> {
        self.get("/_control/progress")
    }

    pub(crate) fn planted(&self) -> anyhow::Result<Vec<Planted>> {
        self.get("/_control/planted")
    }

    /// Writes journals and the store's records to the folder of `--dump`.
    pub(crate) fn dump(&self) -> anyhow::Result<()> {
        self.post("/_control/dump")
    }

    /// Where each simulated vendor is, without its path, by its name.
    pub(crate) fn vendors(&self) -> Vec<(&'static str, String)> {
        let address = |name: &'static str| {
            let url = self.ready[name]["url"].as_str()?;
            let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
            Some((name, url[..end].to_owned()))
        };
        let is_simulated = |name: &&str| !(self.has_real_erp && *name == "tryton");
        VENDORS.into_iter().filter(is_simulated).filter_map(address).collect()
    }

    fn store(&self) -> &str {
        self.ready["shopify"]["url"].as_str().unwrap_or_default()
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = loopback_http::get(self.store(), path).context("asking the simulator")?;
        serde_json::from_str(&answer.body).with_context(|| format!("the simulator's answer to {path}"))
    }

    fn post(&self, path: &str) -> anyhow::Result<()> {
        let answer = loopback_http::post(self.store(), path).context("asking the simulator")?;
        anyhow::ensure!(answer.is_ok(), "the simulator answers {} to {path}: {}", answer.status, answer.body);
        Ok(())
    }
}
