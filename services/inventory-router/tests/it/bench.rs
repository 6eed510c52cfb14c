//! The service between a simulated store and a simulated ERP.

use std::{collections::BTreeMap, time::Duration};

use prost::Message as _;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use waybill_bus::{Bus, Outgoing, subjects, topology};
use waybill_proto::wire;
use waybill_runtime::{Ended, ServiceSettings, database};
use waybill_simulator::{
    kit::{self, Running},
    seeding,
    shopify::{NewLine, NewOrder, Payment, Settings, Store},
    tryton::{Stock, Tryton},
};
use waybill_testkit::{ScratchFolder, TestServers, records::order, wait_for_async};

const SKU: &str = "TEE-WHITE-S";
const DEADLINE: Duration = Duration::from_secs(30);
/// One for every test: roles are the cluster's, and tests may share a cluster.
const PASSWORD: &str = "waybill-test";

fn plan(store: &str, erp: &str, location: &str, quantity: &str) -> String {
    format!(
        r#"
[stores.main]
shop = "waldgang-main.myshopify.com"
system = "shop"
webhook_secrets = ["env:NONE"]
[systems.shop]
connector = "shopify"
shop = "waldgang-main.myshopify.com"
token = "file:{store}/token"
url = "file:{store}/url"
[systems.erp]
connector = "tryton"
url = "{erp}"
database = "{database}"
user = "{user}"
password = "file:{store}/password"
[locations.vienna]
erp = "vienna"
shop = "{location}"
[stock]
from = "erp"
quantity = "{quantity}"
every_seconds = 1
[[flows]]
name = "stock"
kind = "stock-level"
from = "erp"
to = "shop"
"#,
        database = seeding::ERP_DATABASE,
        user = seeding::ERP_USER.0,
    )
}

pub(crate) struct Bench {
    servers: TestServers,
    db: PgPool,
    bus: Bus,
    store: Store,
    api: String,
    location: String,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<Ended>>,
    _vendors: Vec<Running>,
    _folder: ScratchFolder,
}

impl Bench {
    /// The ERP has one unit of one item; `quantity` is what the plan has written at the store.
    pub(crate) async fn start(quantity: &str) -> Option<Self> {
        let servers = tokio::task::spawn_blocking(TestServers::start).await.unwrap()?;
        let shop = Store::new(Settings::default());
        let mut books = seeding::erp();
        books.items.retain(|item| item.code == SKU || item.code == "SHIPPING");
        books.items[0].stock = Stock::At(BTreeMap::from([("vienna".to_owned(), 1)]));
        let listener = || TcpListener::bind("127.0.0.1:0");
        let store = kit::serve(shop.simulated(), listener().await.unwrap()).unwrap();
        let erp = Tryton::new(seeding::ERP_DATABASE, &books).simulated();
        let erp = kit::serve(erp, listener().await.unwrap()).unwrap();
        let token = Settings::default().token;
        let api = store.url();
        let location = ask(&api, &token, "{ locations(first: 5) { nodes { id name } } }", json!({})).await;
        let location = location["locations"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|place| place["name"] == "Warehouse Vienna")
            .map(|place| place["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .unwrap();
        let folder = ScratchFolder::new("stock").unwrap();
        let at = folder.path().display().to_string();
        for (name, text) in [("token", token.as_str()), ("url", &api), ("password", seeding::ERP_USER.1)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().join("plan.toml");
        std::fs::write(&path, plan(&at, &erp.url(), &location, quantity)).unwrap();
        let admin = servers.database.url().expose();
        let migrator = inventory_router::migrator();
        let url = database::provision(&admin, inventory_router::SERVICE, PASSWORD, &migrator).await.unwrap();
        let bus = Bus::connect(&servers.nats.url(), "admin", "").await.unwrap();
        wait_for_async("NATS", DEADLINE, async || bus.connected().then_some(())).await;
        topology::ensure(bus.context(), Some(1)).await.unwrap();
        let environment = BTreeMap::from([
            ("WAYBILL_PLAN", path.display().to_string()),
            ("DATABASE_URL", url),
            ("NATS_URL", servers.nats.url()),
            ("WAYBILL_HTTP", "127.0.0.1:0".to_owned()),
            ("WAYBILL_GRPC", "127.0.0.1:0".to_owned()),
            ("WAYBILL_GRPC_TOKEN", "token".to_owned()),
        ]);
        let settings =
            ServiceSettings::load_from(inventory_router::DEFAULTS, &|name| environment.get(name).cloned()).unwrap();
        let stop = CancellationToken::new();
        let app = inventory_router::App::build(settings, stop.clone()).await.unwrap();
        let running = tokio::spawn(app.run());
        let db =
            database::pool(&database::service_url(&admin, inventory_router::SERVICE, PASSWORD).unwrap(), 2).unwrap();
        Some(Self {
            servers,
            db,
            bus,
            store: shop,
            api,
            location,
            stop,
            running,
            _vendors: vec![store, erp],
            _folder: folder,
        })
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.db.close().await;
        drop(self.servers);
    }

    /// The store's on-hand and available quantities.
    pub(crate) async fn store_has(&self) -> (i64, i64) {
        let query = "query($sku: String!, $at: ID!) { inventoryItems(first: 1, query: $sku) { nodes {
            inventoryLevel(locationId: $at) { quantities(names: [\"on_hand\", \"available\"]) { name quantity } } } } }";
        let variables = json!({"sku": format!("sku:{SKU}"), "at": format!("gid://shopify/Location/{}", self.location)});
        let answer = ask(&self.api, &Settings::default().token, query, variables).await;
        let quantities = answer["inventoryItems"]["nodes"][0]["inventoryLevel"]["quantities"].as_array().unwrap();
        let of = |name: &str| {
            quantities.iter().find(|quantity| quantity["name"] == name).unwrap()["quantity"].as_i64().unwrap()
        };
        (of("on_hand"), of("available"))
    }

    pub(crate) async fn until_store_has(&self, on_hand: i64, available: i64) {
        wait_for_async("the store's stock", DEADLINE, async || {
            (self.store_has().await == (on_hand, available)).then_some(())
        })
        .await;
    }

    pub(crate) async fn sell_one(&self) {
        self.store.place(NewOrder {
            email: Some("ada@waldgang.at".to_owned()),
            lines: vec![NewLine {
                sku: Some(SKU.to_owned()),
                title: String::new(),
                quantity: 1,
                price: Decimal::new(24_00, 2),
                taxes: Vec::new(),
                duty: Decimal::ZERO,
            }],
            payment: Payment::Paid,
            ..NewOrder::default()
        });
    }

    /// What shopify-ingest would say of the order.
    pub(crate) async fn tell_the_order(&self) {
        let snapshot = order(1001).paid().with_line(SKU, 1, "24.00").at_revision(1);
        let message = Outgoing {
            subject: subjects::snapshot(&snapshot.key),
            headers: Vec::new(),
            payload: wire::Snapshot::from(&snapshot).encode_to_vec().into(),
        };
        for outcome in self.bus.publish(vec![message]).await {
            outcome.unwrap();
        }
    }

    pub(crate) async fn until_held_back(&self, units: i64) {
        wait_for_async("units on the way", DEADLINE, async || {
            let held: Option<i64> = sqlx::query_scalar("select units from held_back where sku = $1")
                .bind(SKU)
                .fetch_optional(&self.db)
                .await
                .unwrap();
            (held == Some(units)).then_some(())
        })
        .await;
        wait_for_async("the level to be decided anew", DEADLINE, async || {
            let state: String = sqlx::query_scalar("select state from delivery").fetch_one(&self.db).await.unwrap();
            (state == "applied").then_some(())
        })
        .await;
    }

    /// Waits until the ERP was read twice more: each read notes when it began.
    pub(crate) async fn read_again(&self) {
        let began = async || -> String {
            sqlx::query_scalar("select refetched_at::text from record where kind = 'stock-level'")
                .fetch_one(&self.db)
                .await
                .unwrap()
        };
        for _ in 0..2 {
            let before = began().await;
            wait_for_async("another read", DEADLINE, async || (began().await != before).then_some(())).await;
        }
    }
}

async fn ask(api: &str, token: &str, query: &str, variables: Value) -> Value {
    let answer: Value = reqwest::Client::new()
        .post(format!("{api}/admin/api/2026-07/graphql.json"))
        .header("X-Shopify-Access-Token", token)
        .json(&json!({"query": query, "variables": variables}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"].clone()
}
