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
    document::{CustomerDocument, FieldValue, MatchBy, MatchRule, OrderDocument, ShipmentDocument, WritePolicy},
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

    /// An account on which `setup` has run, whose records have been there for long: search finds them.
    pub(crate) async fn indexed() -> Self {
        Self::ready_with(Settings { search_lag: Duration::ZERO, ..Settings::default() }).await
    }

    /// Creates a record as a colleague does; answers its id.
    pub(crate) async fn made(&self, kind: &str, properties: Value) -> String {
        let made = self.post(&format!("/crm/objects/2026-03/{kind}"), create(properties)).await;
        made["id"].as_str().expect("a record has an id").to_owned()
    }

    /// One record with some of its properties.
    pub(crate) async fn one(&self, kind: &str, id: &str, properties: &str) -> Value {
        self.get(&format!("/crm/objects/2026-03/{kind}/{id}?properties={properties}")).await
    }

    /// The record with this value of a unique property, with some of its properties and its contacts.
    pub(crate) async fn with(&self, kind: &str, property: &str, value: &str, properties: &str) -> Option<Value> {
        let path = format!("/crm/objects/2026-03/{kind}/{value}?idProperty={property}&properties={properties}");
        let url = format!("{}{path}&associations=contacts", self.running.url());
        let response = self.http.get(url).bearer_auth(&self.token).send().await.expect("the simulated HubSpot answers");
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return None;
        }
        Some(response.json().await.expect("a record is JSON"))
    }

    /// A colleague deletes the record with a key.
    pub(crate) async fn delete(&self, kind: &str, key: &str) {
        let record = self.with(kind, "waybill_key", key, "").await.expect("the record is there");
        let path = format!("/crm/objects/2026-03/{kind}/{}", record["id"].as_str().expect("a record has an id"));
        self.call(reqwest::Method::DELETE, &path, None).await;
    }

    /// How often records were created and updated since the start.
    pub(crate) fn writes(&self) -> usize {
        self.running
            .journal
            .entries()
            .iter()
            .filter(|entry| ["contact", "order"].contains(&entry.object.as_str()))
            .count()
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
                is_again: false,
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

/// A rule that recognises records by a value.
pub(crate) fn rule(by: MatchBy, value: &str) -> MatchRule {
    MatchRule { by, value: Personal::new(value), ask: false }
}

/// The person, recognised by e-mail, then by phone.
pub(crate) fn recognised(person: CustomerDocument) -> CustomerDocument {
    let rules =
        [(MatchBy::Email, person.email.expose()), (MatchBy::Phone, person.phone.expose())].map(|(by, v)| rule(by, v));
    CustomerDocument { policy: WritePolicy { matching: rules.into(), ..person.policy.clone() }, ..person }
}

/// The order, recognised by the store's number for it.
pub(crate) fn recognised_order(n: usize) -> OrderDocument {
    let mut order = order(n);
    let number = format!("SHOP-{n}");
    order.fields.insert("hs_external_order_id".to_owned(), field(&number));
    order.policy.matching = vec![rule(MatchBy::Field("hs_external_order_id".to_owned()), &number)];
    order
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
