//! The service in this process, on servers of its own.

use std::{future::Future, time::Duration};

use reqwest::StatusCode;
use shopify_ingest::{App, DEFAULTS, SERVICE, migrator};
use sqlx::PgPool;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use waybill_bus::{Bus, topology};
use waybill_domain::{Body, Snapshot, order::Order};
use waybill_proto::{Message as _, wire};
use waybill_runtime::{Ended, ServiceSettings, database};
use waybill_simulator::{
    kit::{Running, serve},
    shopify::{NewLine, NewOrder, Payment, Settings, Store},
};
use waybill_testkit::{Proxy, ScratchFolder, TestDatabase, TestServers, wait_for_async};

use crate::webhook::{PREVIOUS_SECRET, SECRET, Webhook};

/// One for every test: roles are the cluster's, and tests may share a cluster.
const PASSWORD: &str = "waybill-test";
/// What gRPC calls must carry.
pub(crate) const TOKEN: &str = "waybill-test-token";
/// Longer than anything here takes, pauses of a reconnecting client included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The running service and all around it.
pub(crate) struct Bench {
    pub(crate) servers: TestServers,
    /// The store that its API belongs to.
    pub(crate) shop: Store,
    /// The service's schema, as an administrator.
    pub(crate) db: PgPool,
    pub(crate) url: String,
    pub(crate) grpc: String,
    pub(crate) http: reqwest::Client,
    /// The road, as an administrator.
    bus: Bus,
    stop: CancellationToken,
    running: Vec<JoinHandle<anyhow::Result<Ended>>>,
    settings: ServiceSettings,
    pub(crate) vendor: Running,
    /// The service's way to its database.
    pub(crate) road: Proxy,
    _folder: ScratchFolder,
}

impl Bench {
    /// The service with the store `main`; `None` after a skip line.
    pub(crate) async fn open() -> Option<Self> {
        Self::with_stores(&["main"]).await
    }

    pub(crate) async fn with_stores(stores: &[&str]) -> Option<Self> {
        Some(Self::on(TestServers::start_with(Some(&users()))?, stores).await)
    }

    /// On a cluster that the test may stop.
    pub(crate) async fn in_own_cluster() -> Option<Self> {
        let mut servers = TestServers::start_with(Some(&users()))?;
        if servers.database.cluster().is_none() {
            servers.database = TestDatabase::in_own_cluster()?;
        }
        Some(Self::on(servers, &["main"]).await)
    }

    /// With settings of its own over the defaults, and a shop made otherwise.
    pub(crate) async fn with(own: &str, shop: Settings) -> Option<Self> {
        Some(Self::made(TestServers::start_with(Some(&users()))?, &["main"], own, shop).await)
    }

    async fn on(servers: TestServers, stores: &[&str]) -> Self {
        Self::made(servers, stores, "", Settings { bucket: 10_000_000, ..Settings::default() }).await
    }

    async fn made(servers: TestServers, stores: &[&str], own: &str, shop: Settings) -> Self {
        let shop = Store::new(shop);
        let vendor = serve(shop.simulated(), TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
        let folder = ScratchFolder::new("ingest").unwrap();
        let (plan, config) = (folder.path().join("plan.toml"), folder.path().join("config.toml"));
        std::fs::write(&config, format!("[service]\n{own}\n")).unwrap();
        std::fs::write(&plan, plan_text(&folder, stores, &vendor.url())).unwrap();

        let straight = servers.database.url();
        let road = Proxy::start(straight.address().unwrap()).unwrap();
        let admin = straight.through(road.address()).expose();
        let url = database::provision(&admin, SERVICE, PASSWORD, &migrator()).await.unwrap();
        let schema = format!("{}?options=-csearch_path%3D{}", straight.expose(), database::schema(SERVICE));
        let db = database::pool(&schema, 4).unwrap();
        let bus = Bus::connect(&servers.nats.url(), "admin", PASSWORD).await.unwrap();
        wait_for_async("NATS", DEADLINE, async || bus.connected().then_some(())).await;
        topology::ensure(bus.context(), Some(1)).await.unwrap();

        let environment = |name: &str| {
            Some(match name {
                "WAYBILL_PLAN" => plan.display().to_string(),
                "WAYBILL_CONFIG" => config.display().to_string(),
                "DATABASE_URL" => url.clone(),
                "NATS_URL" => servers.nats.url(),
                "WAYBILL_NATS_PASSWORD" => PASSWORD.to_owned(),
                "WAYBILL_HTTP" | "WAYBILL_GRPC" => "127.0.0.1:0".to_owned(),
                "WAYBILL_GRPC_TOKEN" => TOKEN.to_owned(),
                _ => return None,
            })
        };
        let settings = ServiceSettings::load_from(DEFAULTS, &environment).unwrap();
        let stop = CancellationToken::new();
        let app = App::build(settings.clone(), stop.clone()).await.unwrap();
        let url = format!("http://{}", app.http_address().unwrap());
        let grpc = format!("http://{}", app.grpc_address().unwrap());
        let running = vec![tokio::spawn(app.run())];
        let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        Self { servers, shop, db, url, grpc, http, bus, stop, running, settings, vendor, road, _folder: folder }
    }

    /// A second replica works on the same inbox from here on.
    pub(crate) async fn join_by_a_replica(&mut self) {
        let app = App::build(self.settings.clone(), self.stop.clone()).await.unwrap();
        self.running.push(tokio::spawn(app.run()));
    }

    /// Stops the service and all replicas, which must have run well until now.
    pub(crate) async fn stop(&mut self) {
        assert!(!self.running.iter().any(JoinHandle::is_finished), "the service has ended by itself");
        self.stop.cancel();
        // Idle connections are the client's to close.
        self.http = reqwest::Client::new();
        for running in std::mem::take(&mut self.running) {
            tokio::time::timeout(DEADLINE, running).await.expect("an end in time").unwrap().unwrap();
        }
    }

    /// Starts the stopped service again, at another address.
    pub(crate) async fn start(&mut self) {
        self.stop = CancellationToken::new();
        let app = App::build(self.settings.clone(), self.stop.clone()).await.unwrap();
        self.url = format!("http://{}", app.http_address().unwrap());
        self.grpc = format!("http://{}", app.grpc_address().unwrap());
        self.running.push(tokio::spawn(app.run()));
    }

    /// Ends the service, which must have run well until now.
    pub(crate) async fn close(mut self) {
        self.stop().await;
    }

    /// Sends a webhook and gives the answer.
    pub(crate) fn send(&self, webhook: &Webhook) -> impl Future<Output = StatusCode> + use<> {
        let mut request = self.http.post(format!("{}/webhooks/{}", self.url, webhook.store)).body(webhook.body.clone());
        for (name, value) in &webhook.headers {
            request = request.header(name, value);
        }
        async move { request.send().await.unwrap().status() }
    }

    /// Sends a webhook, which must be taken, and waits for what became of it: outcome and message.
    pub(crate) async fn taken(&self, webhook: &Webhook) -> (String, String) {
        assert_eq!(self.send(webhook).await, StatusCode::OK);
        self.outcome(&webhook.id).await
    }

    /// What became of a kept webhook: outcome and message.
    pub(crate) async fn outcome(&self, id: &str) -> (String, String) {
        wait_for_async(&format!("what becomes of {id}"), DEADLINE, async || {
            sqlx::query_as("select outcome, message from inbox where webhook_id = $1 and outcome <> 'new'")
                .bind(id)
                .fetch_optional(&self.db)
                .await
                .unwrap()
        })
        .await
    }

    /// Waits until nothing is left to be done or said.
    pub(crate) async fn settled(&self) {
        wait_for_async("an end of all work", DEADLINE, async || (self.open_work().await == 0).then_some(())).await;
    }

    async fn open_work(&self) -> i64 {
        self.count(
            "select (select count(*) from inbox where outcome = 'new') + (select count(*) from refetch)
                 + (select count(*) from outbox)",
        )
        .await
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db).await.unwrap()
    }

    /// The record as the service's table has it.
    pub(crate) async fn record(&self, store: &str, kind: &str, id: &str) -> Option<Snapshot> {
        let bytes: Option<Vec<u8>> = sqlx::query_scalar(
            "select snapshot from record where (store, kind, record_id) = ($1, $2, $3) and number > 0",
        )
        .bind(store)
        .bind(kind)
        .bind(id)
        .fetch_optional(&self.db)
        .await
        .unwrap();
        bytes.map(|bytes| decode(&bytes))
    }

    /// The order of the store `main` as the service's table has it, with its revision.
    pub(crate) async fn order(&self, id: u64) -> (Order, i64) {
        let snapshot = self.record("main", "order", &id.to_string()).await.expect("the order's record");
        let Some(Body::Order(order)) = snapshot.body else { panic!("{id} is deleted") };
        (*order, snapshot.revision.number)
    }

    /// The order's newest snapshot on the road, once it is of this revision.
    pub(crate) async fn published(&self, id: u64, revision: i64) -> Snapshot {
        self.published_as("order", &id.to_string(), revision).await
    }

    /// The newest snapshot of a record of the store `main` on the road, once it is of this revision.
    pub(crate) async fn published_as(&self, kind: &str, id: &str, revision: i64) -> Snapshot {
        let subject = format!("store.v1.{kind}.main.{id}");
        wait_for_async(&format!("revision {revision} of {kind} {id}"), DEADLINE, async || {
            let stream = self.bus.context().get_stream("STORE").await.ok()?;
            let message = stream.get_last_raw_message_by_subject(&subject).await.ok()?;
            Some(decode(&message.payload)).filter(|snapshot| snapshot.revision.number == revision)
        })
        .await
    }

    /// Places an order in the simulated store, which sends no webhook of it.
    pub(crate) fn place(&self) -> u64 {
        place(&self.shop)
    }
}

/// Places an order in a simulated store.
pub(crate) fn place(shop: &Store) -> u64 {
    let line = NewLine {
        sku: Some("TEE-WHITE-S".to_owned()),
        title: "Tee".to_owned(),
        quantity: 3,
        price: rust_decimal::Decimal::new(1995, 2),
        taxes: vec![("AT VAT".to_owned(), rust_decimal::Decimal::new(2, 1))],
        duty: rust_decimal::Decimal::ZERO,
    };
    let note = Some("as the API tells it".to_owned());
    shop.place(NewOrder { lines: vec![line], note, payment: Payment::Paid, ..NewOrder::default() })
}

fn users() -> String {
    topology::authorization(|_| PASSWORD.to_owned())
}

fn decode(bytes: &[u8]) -> Snapshot {
    wire::Snapshot::decode(bytes).unwrap().try_into().unwrap()
}

fn plan_text(folder: &ScratchFolder, stores: &[&str], api: &str) -> String {
    let file = |name: &str, secret: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, secret).unwrap();
        format!("file:{}", path.display())
    };
    let (now, before) = (file("secret", SECRET), file("secret-before", PREVIOUS_SECRET));
    let token = file("token", &Settings::default().token);
    let store = |name: &&str| {
        let shop = format!("shop = \"waldgang-{name}.myshopify.com\"\n");
        format!(
            "[systems.shop-{name}]\nconnector = \"shopify\"\n{shop}token = \"{token}\"\nurl = \"{api}\"\n\
             [stores.{name}]\n{shop}system = \"shop-{name}\"\nwebhook_secrets = [\"{now}\", \"{before}\"]\n"
        )
    };
    stores.iter().map(store).collect()
}
