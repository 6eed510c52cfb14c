//! The watch in this process, on servers of its own, with a clock that the test moves.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use alerter::{App, DEFAULTS, SERVICE, migrator};
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use serde_json::Value;
use sqlx::PgPool;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use waybill_bus::{Bus, topology};
use waybill_domain::Clock;
use waybill_proto::{
    convert::{from_timestamp, to_timestamp},
    wire::{Incident, IncidentsRequest, ListReplicasRequest, PlanReport, Replica, watch_client::WatchClient},
};
use waybill_runtime::{
    Ended, ServiceSettings, database,
    grpc::{self, PeerChannel},
};
use waybill_simulator::{
    kit::{Running, serve},
    pagers::pagerduty,
};
use waybill_testkit::{ScratchFolder, TestServers, wait_for_async};

use crate::erp::Erp;

/// One for every test: roles are the cluster's, and tests may share a cluster.
const PASSWORD: &str = "waybill-test";
const TOKEN: &str = "waybill-test-token";
/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// A clock that stands still until it is moved.
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// The running watch and all around it.
pub(crate) struct Bench {
    /// The hash of the plan that the watch itself obeys.
    pub(crate) hash: String,
    clock: Arc<HandClock>,
    watch: WatchClient<PeerChannel>,
    db: PgPool,
    /// The road as each service's own user.
    road: BTreeMap<&'static str, Bus>,
    pager: Running,
    /// The service in charge of the system `erp`.
    pub(crate) erp: Erp,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<Ended>>,
    _servers: TestServers,
    _folder: ScratchFolder,
}

/// What a replica says that obeys a plan.
pub(crate) fn obeying(service: &str, replica: &str, hash: &str) -> PlanReport {
    PlanReport {
        service: service.to_owned(),
        replica: replica.to_owned(),
        plan_hash: hash.to_owned(),
        obeyed_since: Some(to_timestamp(Timestamp::UNIX_EPOCH)),
        ..PlanReport::default()
    }
}

/// The same while it refuses a changed file.
pub(crate) fn refusing(service: &str, replica: &str, hash: &str, problem: &str) -> PlanReport {
    let refused_since = Some(to_timestamp(Timestamp::UNIX_EPOCH));
    PlanReport { problem: problem.to_owned(), refused_since, ..obeying(service, replica, hash) }
}

impl Bench {
    /// The watch with one pager; `None` after a skip line.
    pub(crate) async fn open() -> Option<Self> {
        Self::with_plan("").await
    }

    /// The same with more in the plan, from its alerts on.
    pub(crate) async fn with_plan(more: &str) -> Option<Self> {
        let users = topology::authorization(|_| PASSWORD.to_owned());
        let servers = TestServers::start_with(Some(&users))?;
        let pager = pagerduty::simulated(pagerduty::ROUTING_KEY);
        let pager = serve(pager, TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
        let folder = ScratchFolder::new("watch").unwrap();
        let plan = folder.path().join("plan.toml");
        let text = format!("{}{more}", plan_text(&folder, &pager.url()));
        std::fs::write(&plan, &text).unwrap();

        let admin = servers.database.url().expose();
        let url = database::provision(&admin, SERVICE, PASSWORD, &migrator()).await.unwrap();
        let road_to = servers.nats.url();
        let connect = async |user: &'static str| {
            let bus = Bus::connect(&road_to, user, PASSWORD).await.unwrap();
            wait_for_async("NATS", DEADLINE, async || bus.connected().then_some(())).await;
            bus
        };
        topology::ensure(connect("admin").await.context(), Some(1)).await.unwrap();
        let mut road = BTreeMap::new();
        let erp = Erp::start(&admin, PASSWORD, TOKEN, &text).await;
        for service in ["erp-sync", "crm-sync", "shopify-ingest"] {
            road.insert(service, connect(service).await);
        }

        let environment = |name: &str| {
            Some(match name {
                "WAYBILL_PLAN" => plan.display().to_string(),
                "DATABASE_URL" => url.clone(),
                "NATS_URL" => servers.nats.url(),
                "WAYBILL_NATS_PASSWORD" => PASSWORD.to_owned(),
                "WAYBILL_HTTP" | "WAYBILL_GRPC" => "127.0.0.1:0".to_owned(),
                "WAYBILL_GRPC_TOKEN" => TOKEN.to_owned(),
                "WAYBILL_PEERS" => format!("erp-sync={}", erp.url),
                _ => return None,
            })
        };
        let settings = ServiceSettings::load_from(DEFAULTS, &environment).unwrap();
        let clock = Arc::new(HandClock(Mutex::new("2026-11-21T12:00:00Z".parse().unwrap())));
        let stop = CancellationToken::new();
        let app = App::build(settings, stop.clone()).await.unwrap().with_clock(clock.clone());
        let address = format!("http://{}", app.grpc_address().unwrap());
        let watch = WatchClient::new(grpc::peer(&address, &TOKEN.to_owned().into()).unwrap());
        let running = tokio::spawn(app.run());
        let db = database::pool(&url, 2).unwrap();
        let hash = String::new();
        let mut bench =
            Self { hash, clock, watch, db, road, pager, erp, stop, running, _servers: servers, _folder: folder };
        // What is said before the watch listens is not heard.
        bench.hash = bench.own_hash().await;
        Some(bench)
    }

    /// Ends the watch, which must have run well until now.
    pub(crate) async fn close(self) {
        assert!(!self.running.is_finished(), "the watch has ended by itself");
        self.stop.cancel();
        drop(self.watch);
        tokio::time::timeout(DEADLINE, self.running).await.expect("an end in time").unwrap().unwrap();
        self.db.close().await;
        self.erp.stop().await;
    }

    /// The time as the watch sees it.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) const fn db(&self) -> &PgPool {
        &self.db
    }

    pub(crate) fn road_of(&self, service: &str) -> &Bus {
        &self.road[service]
    }

    /// Lets a second pass and waits until the watch has looked at everything as it is now.
    pub(crate) async fn until_swept(&self) {
        self.pass(1);
        // What it notes of a disagreement bears its time.
        self.hear(&[obeying("erp-sync", "host-1", "b1946ac92492"), obeying("crm-sync", "host-2", "591785b79460")])
            .await;
        self.until_disagreement_is_seen().await;
    }

    /// The plan that the watch says it obeys, once it has heard itself.
    async fn own_hash(&self) -> String {
        wait_for_async("the watch's own report", DEADLINE, async || {
            let own = self.replicas().await.into_iter().filter_map(|replica| replica.plan);
            own.into_iter().find(|plan| plan.service == SERVICE).map(|plan| plan.plan_hash)
        })
        .await
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, seconds: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now += SignedDuration::from_secs(seconds);
    }

    /// Has replicas speak and waits until they are heard.
    pub(crate) async fn hear(&self, reports: &[PlanReport]) {
        for report in reports {
            self.say(&report.service, report).await;
        }
        for report in reports {
            let what = format!("{} {} to be heard", report.service, report.replica);
            wait_for_async(&what, DEADLINE, async || {
                let found = self.replicas().await.into_iter().find(|replica| replica.plan.as_ref() == Some(report))?;
                (from_timestamp("heard_at", &found.heard_at.unwrap()).unwrap() == self.clock.now()).then_some(())
            })
            .await;
        }
    }

    /// Has replicas say the same every 10 s for a while.
    pub(crate) async fn hear_for(&self, seconds: i64, reports: &[PlanReport]) {
        for _ in 0..seconds / 10 {
            self.pass(10);
            self.hear(reports).await;
        }
    }

    /// Has a service's user say something on its own subject.
    pub(crate) async fn say(&self, user: &str, report: &PlanReport) {
        let subject = waybill_bus::subjects::plan_report(user);
        self.road[user].announce(subject, report.encode_to_vec().into()).await.unwrap();
    }

    /// The replicas that the watch tells of.
    pub(crate) async fn replicas(&self) -> Vec<Replica> {
        let mut watch = self.watch.clone();
        let answer = watch.list_replicas(ListReplicasRequest {}).await;
        answer.map(|answer| answer.into_inner().replicas).unwrap_or_default()
    }

    /// Waits until the watch has looked at the disagreement as it is now.
    pub(crate) async fn until_disagreement_is_seen(&self) {
        wait_for_async("the watch to see the disagreement", DEADLINE, async || {
            let seen: Option<bool> = sqlx::query_scalar("select seen_at = $1::timestamptz from plan_disagreement")
                .bind(self.clock.now().to_string())
                .fetch_optional(&self.db)
                .await
                .unwrap();
            (seen == Some(true)).then_some(())
        })
        .await;
    }

    /// Every incident with a code so far.
    pub(crate) async fn incidents(&self, code: &str) -> Vec<Incident> {
        let request = IncidentsRequest { include_resolved: true };
        let answer = self.watch.clone().incidents(request).await.unwrap().into_inner();
        answer.incidents.into_iter().filter(|incident| incident.code == code).collect()
    }

    /// The one incident with a code, once it is open.
    pub(crate) async fn until_open(&self, code: &str) -> Incident {
        let what = format!("an open incident {code}");
        wait_for_async(&what, DEADLINE, async || {
            self.incidents(code).await.into_iter().find(|incident| incident.resolved_at.is_none())
        })
        .await
    }

    /// Waits until no incident with a code is open.
    pub(crate) async fn until_resolved(&self, code: &str) {
        wait_for_async(&format!("{code} to be resolved"), DEADLINE, async || {
            self.incidents(code).await.iter().all(|incident| incident.resolved_at.is_some()).then_some(())
        })
        .await;
    }

    /// The page about a cause as the pager has it, once it has a status.
    pub(crate) async fn until_page_is(&self, code: &str, status: &str) -> String {
        wait_for_async(&format!("the page about {code} to be {status}"), DEADLINE, async || {
            let state = reqwest::get(format!("{}/_state", self.pager.url())).await.unwrap();
            let state: Value = state.json().await.unwrap();
            let about = state["alerts"].as_array().unwrap().iter().find(|alert| {
                let summary = alert["event"]["payload"]["summary"].as_str().unwrap_or_default();
                summary.contains(&format!("[{code}]"))
            })?;
            (about["status"] == status).then(|| about["event"].to_string())
        })
        .await
    }
}

fn plan_text(folder: &ScratchFolder, pager: &str) -> String {
    let key = folder.path().join("routing-key");
    std::fs::write(&key, pagerduty::ROUTING_KEY).unwrap();
    let url = folder.path().join("url");
    std::fs::write(&url, format!("{pager}/v2")).unwrap();
    format!(
        "[stores.main]\nshop = \"waldgang-main.myshopify.com\"\nsystem = \"shop\"\nwebhook_secrets = [\"env:NONE\"]\n\
         [systems.shop]\nconnector = \"shopify\"\nshop = \"waldgang-main.myshopify.com\"\ntoken = \"env:NONE\"\n\
         [systems.oncall]\nconnector = \"pagerduty\"\nrouting_key = \"file:{}\"\nurl = \"file:{}\"\n\
         [alerts]\npagers = [\"oncall\"]\n",
        key.display(),
        url.display()
    )
}
