//! Starts all vendors and tells where they are.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use waybill_simulator::{
    day::{self, Day, DaySettings, ErpAccess, Sale, Warehouse},
    hubspot, kit,
    kit::{Journal, Running, Simulated},
    pagers::{pagerduty, slack, webhook},
    seeding, shipstation,
    shopify::{DeliverySettings, Settings, Store},
    tryton::Tryton,
};

/// The store's short name in the example plan.
const STORE: &str = "main";

/// The shop's domain in the example plan.
const SHOP: &str = "waldgang.myshopify.com";

/// PagerDuty's integration key: 32 letters and digits.
const ROUTING_KEY: &str = "R0UT1NGKEY0000000000000000000001";

/// What the vendors are started with.
pub(crate) struct World {
    pub(crate) webhooks_to: Option<String>,
    pub(crate) dump: Option<PathBuf>,
    pub(crate) seed: u64,
    pub(crate) store_points: u32,
    pub(crate) crm_requests: usize,
    pub(crate) crm_accounts: usize,
    /// Orders that nobody is told of, and where they are written.
    pub(crate) sale: Option<(Sale, PathBuf)>,
    pub(crate) shipping_requests: usize,
    pub(crate) split_percent: u32,
    /// A real ERP instead of the simulated one.
    pub(crate) erp: Option<ErpAccess>,
    pub(crate) ports: Vec<u16>,
}

/// The vendors, listening. Dropping it ends them.
pub(crate) struct Served {
    /// Addresses, tokens and secrets.
    pub(crate) ready: Value,
    pub(crate) day: Day,
    _running: Vec<Running>,
}

#[derive(Clone)]
struct Control {
    day: Day,
    store: Store,
    dump: Option<PathBuf>,
    journals: Vec<(&'static str, Journal)>,
}

/// Starts all vendors.
pub(crate) async fn serve(world: World, day: DaySettings, deliveries: DeliverySettings) -> anyhow::Result<Served> {
    let mut listeners = Vec::new();
    for at in 0..7 {
        let port = world.ports.get(at).copied().unwrap_or_default();
        listeners.push(TcpListener::bind(("127.0.0.1", port)).await?);
    }
    let mut listeners = listeners.into_iter();
    let mut next = || listeners.next().expect("one listener for each vendor");
    let store_listener = next();

    let crm_settings = hubspot::Settings { requests: world.crm_requests, ..hubspot::Settings::default() };
    let crm_token = crm_settings.token.clone();
    let crm = kit::serve(hubspot::simulated(crm_settings.clone()), next())?;
    let mut more_crms = Vec::new();
    for _ in 1..world.crm_accounts {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        more_crms.push(kit::serve(hubspot::simulated(crm_settings.clone()), listener)?);
    }
    let erp = kit::serve(Tryton::new(seeding::ERP_DATABASE, &seeding::erp()).simulated(), next())?;
    let shipping_config =
        shipstation::Config { requests_per_minute: world.shipping_requests, ..shipstation::Config::default() };
    let shipping_key = shipping_config.api_key.clone();
    let shipping = kit::serve(shipstation::simulated(shipping_config), next())?;
    let pager = kit::serve(pagerduty::simulated(ROUTING_KEY), next())?;
    let chat = kit::serve(slack::simulated(), next())?;
    let hook = kit::serve(webhook::simulated(webhook::SECRET), next())?;

    let settings = Settings {
        bucket: world.store_points.saturating_mul(20),
        restore_rate: world.store_points,
        deliveries,
        webhooks_to: world.webhooks_to.map(|base| format!("{}/webhooks/{STORE}", base.trim_end_matches('/'))),
        seed: world.seed,
        domain: SHOP.to_owned(),
        ..Settings::default()
    };
    let (token, secret, domain) = (settings.token.clone(), settings.webhook_secret.clone(), settings.domain.clone());
    let store = Store::new(settings);
    if let Some((sale, file)) = world.sale {
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file)?);
        #[expect(clippy::disallowed_methods, reason = "the simulator is an outside party with a clock of its own")]
        let now = jiff::Timestamp::now();
        day::sell(&store, sale, now, &mut out)?;
        out.flush()?;
    }
    let warehouse = Warehouse {
        journal: shipping.journal.clone(),
        url: shipping.url(),
        after: Duration::from_millis(500),
        split_percent: world.split_percent,
    };
    let (login, password) = seeding::ERP_USER;
    let books = world.erp.unwrap_or_else(|| ErpAccess {
        url: erp.url(),
        database: seeding::ERP_DATABASE.to_owned(),
        user: login.to_owned(),
        password: password.to_owned(),
    });
    let day = Day::new(store.clone(), day, Some(warehouse), Some(books.clone()));
    let journals = vec![
        ("shopify", store.journal().clone()),
        ("hubspot", crm.journal.clone()),
        ("tryton", erp.journal.clone()),
        ("shipstation", shipping.journal.clone()),
        ("pagerduty", pager.journal.clone()),
        ("slack", chat.journal.clone()),
        ("webhook", hook.journal.clone()),
    ];
    let control = Control { day: day.clone(), store: store.clone(), dump: world.dump, journals };
    let simulated = store.simulated();
    let simulated = Simulated { router: routes(control).merge(simulated.router.clone()), ..simulated };
    let shop = kit::serve(simulated, store_listener)?;

    let mut ready = json!({
        "shopify": {
            "url": shop.url(), "store": STORE, "domain": domain, "access_token": token, "webhook_secret": secret,
            "api_version": waybill_simulator::shopify::API_VERSION,
        },
        "hubspot": {"url": crm.url(), "token": crm_token},
        "tryton": {
            "url": books.url, "database": books.database, "user": books.user, "password": books.password,
            "setup": seeding::erp(),
        },
        "shipstation": {"url": shipping.url(), "api_key": shipping_key},
        "pagerduty": {"url": format!("{}/v2", pager.url()), "routing_key": ROUTING_KEY},
        "slack": {"url": format!("{}{}", chat.url(), slack::WEBHOOK_PATH)},
        "webhook": {"url": format!("{}{}", hook.url(), webhook::PATH), "secret": webhook::SECRET},
    });
    let mut running = vec![shop, crm, erp, shipping, pager, chat, hook];
    for (number, crm) in (2..).zip(more_crms) {
        ready[format!("hubspot_{number}")] = json!({"url": crm.url(), "token": ready["hubspot"]["token"]});
        running.push(crm);
    }
    Ok(Served { ready, day, _running: running })
}

fn routes(control: Control) -> Router {
    Router::new()
        .route(
            "/_control/start",
            post(|State(control): State<Control>| async move {
                if control.day.start() { StatusCode::ACCEPTED } else { StatusCode::CONFLICT }
            }),
        )
        .route("/_control/progress", get(|State(control): State<Control>| async move { Json(control.day.report()) }))
        .route("/_control/planted", get(|State(control): State<Control>| async move { Json(control.day.planted()) }))
        .route("/_control/dump", post(dump))
        .with_state(control)
}

async fn dump(State(control): State<Control>) -> (StatusCode, String) {
    let Some(folder) = &control.dump else {
        return (StatusCode::CONFLICT, "no folder was given with --dump".to_owned());
    };
    match write_dump(&control, folder) {
        Ok(()) => (StatusCode::NO_CONTENT, String::new()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{}: {error}", folder.display())),
    }
}

fn write_dump(control: &Control, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, journal) in &control.journals {
        std::fs::write(folder.join(format!("journal-{name}.jsonl")), journal.json_lines())?;
    }
    std::fs::write(folder.join("store-records.jsonl"), control.store.records())?;
    let planted: String = control.day.planted().iter().map(|one| format!("{}\n", json!(one))).collect();
    std::fs::write(folder.join("planted.jsonl"), planted)
}
