//! A simulated HubSpot account with the connector pointed at it.

use std::{collections::BTreeMap, time::Duration};

use connector_hubspot::{HubSpot, descriptor};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use waybill_connector::{
    Failure, Known, Sink, SystemSettings,
    contract::{Delivery, Trouble, drive},
};
use waybill_domain::{
    Kind, ObjectKey, Personal, RecordKey,
    document::{CustomerDocument, FieldValue, OrderDocument, ShipmentDocument},
};
use waybill_simulator::{
    hubspot::{Settings, simulated},
    kit::{Fault, FaultKind, Running, serve},
};

/// Far above what a test sends.
pub(crate) const UNLIMITED: usize = 1_000_000;

pub(crate) struct Account {
    pub(crate) hubspot: HubSpot,
    pub(crate) running: Running,
    token: String,
    http: reqwest::Client,
}

impl Account {
    /// An account on which `setup` has run.
    pub(crate) async fn ready() -> Self {
        Self::ready_with(Settings::default()).await
    }

    pub(crate) async fn ready_with(settings: Settings) -> Self {
        let account = Self::bare(settings).await;
        account.hubspot.setup(&[]).await.expect("the account can be set up");
        account
    }

    /// An account as HubSpot gives it.
    pub(crate) async fn bare(settings: Settings) -> Self {
        let settings = Settings { requests: UNLIMITED, ..settings };
        let token = settings.token.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let running = serve(simulated(settings), listener).expect("the listener has an address");
        let hubspot = connector(&running.url(), &token);
        Self { hubspot, running, token, http: reqwest::Client::new() }
    }

    /// Sends a request of a colleague's to HubSpot; answers its body.
    pub(crate) async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.running.url());
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("the simulated HubSpot answers");
        let status = response.status();
        let text = response.text().await.expect("the answer has a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(reqwest::Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.call(reqwest::Method::POST, path, Some(body)).await
    }

    /// All records of a kind with these properties and their contacts.
    pub(crate) async fn all(&self, kind: &str, properties: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!(
                "/crm/objects/2026-03/{kind}?limit=100&after={after}&properties={properties}&associations=contacts"
            );
            let page = self.get(&path).await;
            all.extend(page["results"].as_array().expect("a list").clone());
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => return all,
            }
        }
    }

    pub(crate) async fn state(&self) -> Value {
        self.get("/_control/state").await
    }

    pub(crate) fn inject(&self, trouble: Trouble, skip: usize) {
        let kind = match trouble {
            Trouble::TooManyRequests { retry_after_s } => FaultKind::TooManyRequests { retry_after_s },
            Trouble::Unauthorized => FaultKind::Unauthorized,
            Trouble::ServerError => FaultKind::ServerError,
            Trouble::CutBefore => FaultKind::CutBefore,
            Trouble::CutAfter => FaultKind::CutAfter,
            Trouble::ErrorAfter => FaultKind::ErrorAfter,
            Trouble::ErrorIn200 => FaultKind::ErrorIn200,
        };
        self.running.faults.add_after(skip, Fault { kind, times: 1, path: String::new(), body: String::new() });
    }

    /// Sends a document as the engine does; answers what it left.
    pub(crate) async fn deliver<D>(&self, record: &RecordKey, document: &D, known: Known) -> Result<Known, Failure>
    where
        D: Serialize + Send + Sync,
        HubSpot: Sink<D>,
    {
        drive(&self.hubspot, record, document, known).await
    }

    /// Sends the first step of documents in one batch; answers each one's outcome.
    pub(crate) async fn batch<D>(&self, documents: &[(RecordKey, D)], step: usize) -> Vec<Result<Known, Failure>>
    where
        D: Serialize + Send + Sync,
        HubSpot: Sink<D>,
    {
        let deliveries: Vec<Delivery<'_, D>> = documents
            .iter()
            .map(|(record, document)| Delivery::new(&self.hubspot, record, document, Known::new()))
            .collect();
        let keys: Vec<_> = deliveries.iter().map(|delivery| call_keys(delivery, documents, step)).collect();
        let (empty, mut calls) = (Known::new(), Vec::new());
        for ((delivery, (_, document)), (object_key, call_key)) in deliveries.iter().zip(documents).zip(&keys) {
            calls.push(waybill_connector::StepCall {
                step: &delivery.steps()[step],
                document,
                object_key,
                call_key,
                known: &empty,
            });
        }
        let outcomes = self.hubspot.apply(&calls).await;
        outcomes.into_iter().map(|outcome| outcome.map(|applied| applied.known)).collect()
    }
}

fn call_keys<D: Serialize + Sync>(
    delivery: &Delivery<'_, D>,
    documents: &[(RecordKey, D)],
    step: usize,
) -> (ObjectKey, waybill_domain::CallKey) {
    let step = &delivery.steps()[step];
    let object_key = ObjectKey::new(&documents[0].0, &step.role);
    let call_key = waybill_domain::CallKey::new(&object_key, &step.name, b"");
    (object_key, call_key)
}

/// A value from a text that is right.
fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a right text")
}

pub(crate) fn connector(url: &str, token: &str) -> HubSpot {
    let values = BTreeMap::from([("url".to_owned(), url.to_owned())]);
    let secrets = BTreeMap::from([("token".to_owned(), SecretString::from(token.to_owned()))]);
    let settings = SystemSettings::new(parsed("hubspot"), descriptor(), values, secrets).expect("right settings");
    HubSpot::new(&settings).expect("right settings")
}

pub(crate) fn record(kind: Kind, n: usize) -> RecordKey {
    RecordKey { store: parsed("main"), kind, id: parsed(&n.to_string()) }
}

pub(crate) fn field(value: &str) -> FieldValue {
    FieldValue::Text(Personal::new(value))
}

/// A person with an e-mail of their own.
pub(crate) fn person(n: usize) -> CustomerDocument {
    CustomerDocument {
        key: ObjectKey::new(&record(Kind::Customer, n), "customer"),
        source_id: Some(parsed(&n.to_string())),
        first_name: Personal::new("Jo"),
        last_name: Personal::new(format!("Number{n}")),
        email: Personal::new(format!("person{n}@example.com")),
        phone: Personal::new(""),
        fields: BTreeMap::from([
            ("firstname".to_owned(), field("Jo")),
            ("lastname".to_owned(), field(&format!("Number{n}"))),
        ]),
        policy: Default::default(),
    }
}

/// An order of the person with the same number.
pub(crate) fn order(n: usize) -> OrderDocument {
    OrderDocument {
        key: ObjectKey::new(&record(Kind::Order, n), "order"),
        store: parsed("main"),
        source_id: parsed(&n.to_string()),
        name: format!("#{n}"),
        placed_at: parsed("2026-11-01T10:00:00Z"),
        currency: parsed("EUR"),
        cancelled: false,
        customer: Some(person(n)),
        billing_address: None,
        shipping_address: None,
        lines: Vec::new(),
        charges: Vec::new(),
        total: parsed("12.50"),
        total_tax: parsed("2.00"),
        fields: BTreeMap::from([
            ("hs_currency_code".to_owned(), field("EUR")),
            ("hs_total_price".to_owned(), FieldValue::Number(parsed("12.50"))),
            ("hs_external_created_date".to_owned(), FieldValue::Time(parsed("2026-11-01T10:00:00Z"))),
            ("hs_external_order_status".to_owned(), field("paid")),
        ]),
        policy: Default::default(),
    }
}

/// A parcel of the order with the same number.
pub(crate) fn parcel(n: usize) -> ShipmentDocument {
    ShipmentDocument {
        key: ObjectKey::new(&record(Kind::Shipment, n), "shipment"),
        order_key: order(n).key,
        order_source_id: parsed(&n.to_string()),
        order_name: format!("#{n}"),
        carrier: "DHL".to_owned(),
        tracking_number: format!("T{n}"),
        tracking_url: String::new(),
        shipped_at: Some(parsed("2026-11-02T10:00:00Z")),
        voided: false,
        lines: Vec::new(),
        fields: BTreeMap::from([
            ("hs_fulfillment_status".to_owned(), field("shipped")),
            ("hs_shipping_tracking_number".to_owned(), field(&format!("T{n}"))),
        ]),
        policy: Default::default(),
    }
}

/// HubSpot's JSON of one property.
pub(crate) fn property(object: &Value, name: &str) -> String {
    object["properties"][name].as_str().unwrap_or_default().to_owned()
}

pub(crate) fn create(properties: Value) -> Value {
    json!({"properties": properties, "associations": []})
}

/// Ten seconds: the rolling window that HubSpot states.
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
