//! The connector against a receiver that keeps to Standard Webhooks.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use connector_webhook::{Webhook, descriptor};
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use waybill_connector::{
    Failure, Known, Sink, SystemSettings,
    contract::{Bench, Trouble, drive},
    sink::Check,
};
use waybill_domain::{
    Clock, Kind, ObjectKey, RecordKey,
    clock::FixedClock,
    document::{CustomerDocument, IncidentDocument, OrderDocument, Severity},
};
use waybill_simulator::{
    kit::{Fault, FaultKind, Running, serve},
    pagers::webhook::{GONE_PATH, PATH, SECRET, simulated},
};

struct WebhookBench {
    receiver: Running,
    webhook: Webhook,
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the receiver compares with its own clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn webhook(url: &str, secret: &str, clock: Arc<dyn Clock>) -> Webhook {
    let secrets = [("url".to_owned(), url.to_owned().into()), ("secret".to_owned(), secret.to_owned().into())].into();
    let settings = SystemSettings::new("make".parse().unwrap(), &descriptor(), [].into(), secrets).unwrap();
    Webhook::new(&settings, clock).unwrap()
}

fn record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: n.to_string().parse().unwrap() }
}

fn incident(n: usize) -> IncidentDocument {
    IncidentDocument {
        key: ObjectKey::new(&record(n), "incident"),
        resolved: false,
        severity: Severity::Error,
        summary: format!("erp: {n} orders are parked"),
        meaning: "They are not booked.".to_owned(),
        action: "Create the item; then `waybill parked retry`.".to_owned(),
        system: "erp".to_owned(),
        code: "unknown_item".to_owned(),
        detail: "no such product".to_owned(),
        count: 3,
        records: vec!["main/order/1001".to_owned()],
        opened_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        link: String::new(),
    }
}

fn order(n: usize) -> OrderDocument {
    OrderDocument {
        key: ObjectKey::new(&record(n), "order"),
        store: "main".parse().unwrap(),
        source_id: (n as u64).into(),
        name: format!("#{n}"),
        placed_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        cancelled: false,
        customer: None,
        billing_address: None,
        shipping_address: None,
        lines: Vec::new(),
        charges: Vec::new(),
        total: "47.60".parse().unwrap(),
        total_tax: "7.60".parse().unwrap(),
        fields: [].into(),
        policy: Default::default(),
    }
}

impl WebhookBench {
    async fn start() -> Self {
        let receiver = serve(simulated(SECRET), TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
        let webhook = webhook(&format!("{}{PATH}", receiver.url()), SECRET, Arc::new(SystemClock));
        Self { receiver, webhook }
    }

    async fn receipts(&self) -> Vec<Value> {
        let state: Value = reqwest::get(format!("{}/_state", self.receiver.url())).await.unwrap().json().await.unwrap();
        state["receipts"].as_array().unwrap().clone()
    }

    /// What the receiver took as news of this very state of an incident.
    async fn news(&self, incident: &IncidentDocument) -> usize {
        let is_this = |receipt: &&Value| {
            let data = &receipt["event"]["data"];
            data["key"] == incident.key.as_str() && data["count"] == incident.count
        };
        self.receipts().await.iter().filter(is_this).count()
    }
}

#[async_trait]
impl Bench<IncidentDocument> for WebhookBench {
    fn sink(&self) -> &dyn Sink<IncidentDocument> {
        &self.webhook
    }

    fn record(&self, n: usize) -> RecordKey {
        record(n)
    }

    fn document(&self, n: usize) -> IncidentDocument {
        incident(n)
    }

    fn changed(&self, incident: &IncidentDocument) -> IncidentDocument {
        IncidentDocument { count: incident.count + 1, ..incident.clone() }
    }

    /// The simulated receiver takes at most 1 MiB.
    fn refused(&self, n: usize) -> Option<IncidentDocument> {
        Some(IncidentDocument { detail: "x".repeat(1024 * 1024), ..incident(n) })
    }

    async fn objects(&self, incident: &IncidentDocument) -> usize {
        self.news(incident).await
    }

    async fn holds(&self, incident: &IncidentDocument) -> bool {
        self.news(incident).await > 0
    }

    async fn writes(&self) -> usize {
        self.receiver.journal.entries().len()
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        let kind = match trouble {
            Trouble::TooManyRequests { retry_after_s } => FaultKind::TooManyRequests { retry_after_s },
            Trouble::Unauthorized => FaultKind::Unauthorized,
            Trouble::ServerError => FaultKind::ServerError,
            Trouble::CutBefore => FaultKind::CutBefore,
            Trouble::CutAfter => FaultKind::CutAfter,
            Trouble::ErrorAfter => FaultKind::ErrorAfter,
            Trouble::ErrorIn200 => FaultKind::ErrorIn200,
        };
        let fault = Fault { kind, times: 1, path: "/hooks/".to_owned(), body: String::new() };
        self.receiver.faults.add_after(skip, fault);
    }

    async fn pending(&self) -> bool {
        self.receiver.faults.pending()
    }

    async fn clear(&self) {
        self.receiver.faults.clear();
    }
}

// Left out: that an error in a 200 is never success. "A webhook delivery is considered successful if it was responded
// to with a 2xx status code" (Standard Webhooks), and receivers answer with any body.
waybill_connector::contract_tests!(
    IncidentDocument,
    WebhookBench::start().await,
    [
        a_second_upsert_makes_no_second_object,
        an_update_changes_and_does_not_add,
        a_limit_is_reported_with_the_vendors_wait,
        refused_credentials_are_unauthorized,
        a_server_error_is_transient_or_ambiguous,
        a_cut_before_acting_ends_in_one_object,
        a_cut_after_acting_ends_in_one_object,
        an_error_after_acting_ends_in_one_object,
        an_update_cut_after_acting_ends_in_one_changed_object,
        a_refused_document_is_rejected,
        a_batch_answers_in_order,
        an_unknown_key_is_not_found,
        a_look_sees_what_was_applied_and_writes_nothing,
    ]
);

#[tokio::test]
async fn a_repeated_call_has_the_same_id_and_body() {
    let bench = WebhookBench::start().await;
    bench.inject(Trouble::CutAfter, 0).await;
    drive(&bench.webhook, &record(1), &incident(1), Known::new()).await.unwrap();
    let receipts = bench.receipts().await;
    assert_eq!((receipts.len(), &receipts[0]["times"]), (1, &Value::from(2)));
    assert_eq!(receipts[0]["idempotency_key"], receipts[0]["id"]);
    assert_eq!(receipts[0]["event"]["id"], receipts[0]["id"]);
}

#[tokio::test]
async fn orders_and_customers_are_told_by_the_same_envelope() {
    let bench = WebhookBench::start().await;
    drive(&bench.webhook, &record(1001), &order(1001), Known::new()).await.unwrap();
    let customer = CustomerDocument {
        key: ObjectKey::new(&record(7), "customer"),
        source_id: Some(7.into()),
        first_name: "Jo".into(),
        last_name: "Ek".into(),
        email: "jo@example.com".into(),
        phone: "".into(),
        fields: [].into(),
        policy: Default::default(),
    };
    drive(&bench.webhook, &record(7), &customer, Known::new()).await.unwrap();
    let receipts = bench.receipts().await;
    let told: Vec<_> = receipts.iter().map(|receipt| (&receipt["event"]["type"], &receipt["event"]["data"])).collect();
    assert_eq!((told[0].0, &told[0].1["total"]), (&Value::from("order.updated"), &Value::from("47.60")));
    assert_eq!((told[1].0, &told[1].1["email"]), (&Value::from("customer.updated"), &Value::from("jo@example.com")));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_a_rejection() {
    let bench = WebhookBench::start().await;
    let gone = webhook(&format!("{}{GONE_PATH}", bench.receiver.url()), SECRET, Arc::new(SystemClock));
    match drive(&gone, &record(1), &incident(1), Known::new()).await {
        Err(Failure::Rejected { code, .. }) => assert_eq!(code, "gone"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_check_tells_a_right_secret_from_a_wrong_one() {
    let bench = WebhookBench::start().await;
    bench.webhook.check().await.unwrap();
    let wrong = webhook(
        &format!("{}{PATH}", bench.receiver.url()),
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        Arc::new(SystemClock),
    );
    assert!(matches!(wrong.check().await, Err(Failure::Unauthorized { .. })));
}

#[tokio::test]
async fn a_signature_carries_the_time_of_the_attempt() {
    let bench = WebhookBench::start().await;
    let url = format!("{}{PATH}", bench.receiver.url());
    let late = SystemClock.now() - Duration::from_secs(600);
    let webhook = webhook(&url, SECRET, Arc::new(FixedClock(late)));
    assert!(
        matches!(webhook.check().await, Err(Failure::Rejected { .. })),
        "the receiver takes what is ten minutes old"
    );
}

#[test]
fn neither_url_nor_secret_is_shown() {
    let secrets = [
        ("url".to_owned(), "hook.example.com/sesame".to_owned().into()),
        ("secret".to_owned(), SECRET.to_owned().into()),
    ]
    .into();
    let settings = SystemSettings::new("make".parse().unwrap(), &descriptor(), [].into(), secrets).unwrap();
    let error = Webhook::new(&settings, Arc::new(SystemClock)).unwrap_err().to_string();
    assert!(error.contains("'url'") && !error.contains("sesame"), "{error}");
    let shown = format!("{:?}", webhook("https://hook.example.com/sesame", SECRET, Arc::new(SystemClock)));
    assert!(!shown.contains("sesame") && !shown.contains("whsec"), "{shown}");
}
