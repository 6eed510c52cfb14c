//! `waybill up` with the example plan, beside simulated vendors.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde_json::Value;
use tokio::net::TcpListener;
use waybill_simulator::{
    hubspot,
    kit::{Journal, Running, Simulated, serve},
    pagers::{pagerduty, slack, webhook},
    seeding, shipstation,
    shopify::{Settings, Store},
    tryton::{Setup, Tryton},
};
use waybill_testkit::{ChildProcess, Launch, wait_for_async};

use crate::deployment::{DEADLINE, Deployment, example_plan, waybill};

/// How long an orderly stop may take.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(20);
/// The file is looked at every few seconds, and some are built again of it.
const OBEYED_WITHIN: Duration = Duration::from_secs(90);

/// The suite, running.
pub(crate) struct Suite {
    process: ChildProcess,
    /// What `up` left for the operator's commands: addresses and where the token is.
    pub(crate) state: Value,
    pub(crate) deployment: Deployment,
    pub(crate) vendors: Vendors,
}

/// The simulated vendors of the example plans.
pub(crate) struct Vendors {
    pub(crate) store: Store,
    pub(crate) crm: Running,
    pub(crate) erp: Running,
    pub(crate) parcels: Running,
    pub(crate) pager: Running,
    /// What the example plans name them by.
    pub(crate) variables: Vec<(String, String)>,
    /// Served as long as this lives.
    pub(crate) others: Vec<Running>,
}

impl Vendors {
    /// What was done at those that hold records.
    pub(crate) fn journals(&self) -> [(&'static str, &Journal); 4] {
        [
            ("store", self.store.journal()),
            ("crm", &self.crm.journal),
            ("erp", &self.erp.journal),
            ("parcels", &self.parcels.journal),
        ]
    }
}

impl Suite {
    /// Starts it and waits until it says that it is ready; `None` after a skip line.
    pub(crate) async fn start() -> Option<Self> {
        Some(Self::on(Deployment::empty()?, &[]).await)
    }

    /// Starts it for these systems of the plan only.
    pub(crate) async fn start_for(systems: &str) -> Option<Self> {
        Some(Self::on(Deployment::empty()?, &[("WAYBILL_SYSTEMS", systems)]).await)
    }

    /// Stops it, and starts it on the same servers and folder.
    pub(crate) async fn again(self) -> Self {
        let (deployment, _) = self.leave().await;
        Self::on(deployment, &[]).await
    }

    /// Stops it. Its servers and folder stay, and the vendors, for whom the world goes on.
    pub(crate) async fn leave(self) -> (Deployment, Vendors) {
        let (deployment, vendors, code) = self.end().await;
        assert_eq!(code, Some(0));
        std::fs::remove_file(deployment.folder.path().join("up.log")).unwrap();
        (deployment, vendors)
    }

    async fn on(deployment: Deployment, settings: &[(&str, &str)]) -> Self {
        let vendors = vendors(Settings::default(), &seeding::erp()).await;
        Self::with(deployment, vendors, &[], settings).await
    }

    /// Starts it beside these vendors, with more options of `up`. Its plan is the folder's, else the example.
    pub(crate) async fn with(
        deployment: Deployment,
        vendors: Vendors,
        options: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        let plan = deployment.folder.path().join("plan.toml");
        if !plan.exists() {
            std::fs::copy(example_plan(), &plan).unwrap();
        }
        let log = deployment.folder.path().join("up.log");
        let mut launch = Launch::new(waybill())
            .args(["up", "--free-ports", "--plan"])
            .arg(&plan)
            .args(options)
            .log(&log)
            .stop_within(STOP_WITHIN);
        for (name, value) in deployment.variables().into_iter().chain(vendors.variables.clone()) {
            launch = launch.env(name, value);
        }
        for (name, value) in settings {
            launch = launch.env(name, value);
        }
        let process = tokio::task::spawn_blocking(move || {
            let mut process = launch.spawn().unwrap();
            process.wait_until_ready(DEADLINE, || is_ready(&log)).unwrap();
            process
        });
        let process = process.await.unwrap();
        let state = std::fs::read(deployment.folder.path().join("state/up.json")).unwrap();
        Self { process, state: serde_json::from_slice(&state).unwrap(), deployment, vendors }
    }

    /// Runs one of the program's other commands beside it, to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> std::process::Output {
        std::process::Command::new(waybill())
            .args(arguments)
            .envs(self.deployment.variables())
            .envs(self.vendors.variables.clone())
            .current_dir(self.deployment.folder.path())
            .output()
            .unwrap()
    }

    /// Where its plan stands.
    pub(crate) fn plan_file(&self) -> PathBuf {
        self.deployment.folder.path().join("plan.toml")
    }

    /// The plan as it is written.
    pub(crate) fn plan(&self) -> String {
        std::fs::read_to_string(self.plan_file()).unwrap()
    }

    /// Writes another plan, and waits until all services obey it.
    pub(crate) async fn obey(&self, plan: &str) {
        std::fs::write(self.plan_file(), plan).unwrap();
        wait_for_async("all to obey the plan", OBEYED_WITHIN, async || {
            self.run(&["plan", "status", "--plan", "plan.toml"]).status.success().then_some(())
        })
        .await;
    }

    /// Where the store's webhooks go, as `up` has said it.
    pub(crate) fn webhooks(&self) -> String {
        let log = std::fs::read_to_string(self.deployment.folder.path().join("up.log")).unwrap();
        let line = log.lines().find_map(|line| line.strip_prefix("webhooks  ")).unwrap();
        line.replace("<store>", "main")
    }

    /// Service → gRPC address.
    pub(crate) fn peers(&self) -> BTreeMap<String, String> {
        serde_json::from_value(self.state["peers"].clone()).unwrap()
    }

    /// The token that gRPC calls must carry.
    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.state["grpc_token_file"].as_str().unwrap()).unwrap()
    }

    /// The console's address.
    pub(crate) fn console(&self) -> String {
        self.state["console"].as_str().unwrap().to_owned()
    }

    /// Asks it to stop and gives its exit code.
    pub(crate) async fn stop(self) -> Option<i32> {
        self.end().await.2
    }

    async fn end(self) -> (Deployment, Vendors, Option<i32>) {
        let Self { mut process, deployment, vendors, .. } = self;
        let stopped = tokio::task::spawn_blocking(move || {
            let outcome = process.stop();
            (outcome.map_err(|error| format!("{error:#}\n{}", process.log_tail())), process.exit_status())
        });
        let (outcome, status) = stopped.await.unwrap();
        outcome.unwrap();
        (deployment, vendors, status.unwrap().code())
    }
}

fn is_ready(log: &std::path::Path) -> Option<()> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().any(|line| line == "ready").then_some(())
}

/// Serves a simulated vendor on a free port.
pub(crate) async fn vendor(simulated: Simulated) -> Running {
    serve(simulated, TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap()
}

/// The vendors of the example plans with this store and these books, and the variables that plans name them by.
pub(crate) async fn vendors(store: Settings, books: &Setup) -> Vendors {
    const ROUTING_KEY: &str = "R0UT1NGKEY0000000000000000000001";
    let (crm, parcels) = (hubspot::Settings::default(), shipstation::Config::default());
    let (store_token, secret) = (store.token.clone(), store.webhook_secret.clone());
    let (crm_token, parcels_key) = (crm.token.clone(), parcels.api_key.clone());
    let store = Store::new(store);
    let shop = vendor(store.simulated()).await;
    let crm = vendor(hubspot::simulated(crm)).await;
    let erp = vendor(Tryton::new(seeding::ERP_DATABASE, books).simulated()).await;
    let parcels = vendor(shipstation::simulated(parcels)).await;
    let pager = vendor(pagerduty::simulated(ROUTING_KEY)).await;
    let chat = vendor(slack::simulated()).await;
    let hook = vendor(webhook::simulated(webhook::SECRET)).await;
    let (user, password) = seeding::ERP_USER;
    let variables = [
        ("SHOPIFY_WEBHOOK_SECRET", secret),
        ("SHOPIFY_ACCESS_TOKEN", store_token),
        ("SHOPIFY_URL", shop.url()),
        ("TRYTON_URL", erp.url()),
        ("TRYTON_DATABASE", seeding::ERP_DATABASE.to_owned()),
        ("TRYTON_USER", user.to_owned()),
        ("TRYTON_PASSWORD", password.to_owned()),
        ("HUBSPOT_TOKEN", crm_token),
        ("HUBSPOT_URL", crm.url()),
        ("SHIPSTATION_API_KEY", parcels_key),
        ("SHIPSTATION_URL", parcels.url()),
        ("PAGERDUTY_ROUTING_KEY", ROUTING_KEY.to_owned()),
        ("PAGERDUTY_URL", format!("{}/v2", pager.url())),
        ("SLACK_WEBHOOK_URL", format!("{}{}", chat.url(), slack::WEBHOOK_PATH)),
        ("ALERT_WEBHOOK_URL", format!("{}{}", hook.url(), webhook::PATH)),
        ("ALERT_WEBHOOK_SECRET", webhook::SECRET.to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    Vendors { store, crm, erp, parcels, pager, variables, others: vec![shop, chat, hook] }
}
