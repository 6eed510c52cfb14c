//! The connector and a simulated account beside each other.

use std::collections::BTreeMap;

use async_trait::async_trait;
use connector_shipstation::{ShipStation, descriptor};
use reqwest::{Client, Method};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use waybill_connector::{
    Failure, Known, Sink, SystemSettings,
    contract::{Bench, Trouble, drive},
    sink::Check,
};
use waybill_domain::{RecordKey, document::OrderDocument};
use waybill_simulator::{
    kit::{Fault, FaultKind, Running, serve},
    shipstation::{Config, simulated},
};

use crate::documents::{mapped, order, record, to};

pub(crate) const KEY: &str = "shipstation-key";

pub(crate) struct Account {
    pub(crate) connector: ShipStation,
    pub(crate) vendor: Running,
    client: Client,
    /// Whether documents map fields that only an update takes.
    details: bool,
}

/// A connector for an account at `url`.
pub(crate) fn connector(url: &str, settings: &[(&str, &str)]) -> ShipStation {
    let mut values: BTreeMap<String, String> = [("url".to_owned(), url.to_owned())].into();
    values.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let secrets = [("api_key".to_owned(), SecretString::from(KEY))].into();
    let settings = SystemSettings::new("shipping".parse().unwrap(), &descriptor(), values, secrets).unwrap();
    ShipStation::new(&settings).unwrap()
}

/// Code, field and message of a rejection.
pub(crate) fn rejected(outcome: Result<Known, Failure>) -> (String, String, String) {
    match outcome {
        Err(Failure::Rejected { code, field, message }) => (code, field, message),
        other => panic!("{other:?}"),
    }
}

impl Account {
    /// An empty account that may be asked as often as a test likes. The warehouse has been read.
    pub(crate) async fn open() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let account = Self::limited(1_000_000, settings).await;
        account.connector.check().await.unwrap();
        account
    }

    pub(crate) async fn limited(requests_per_minute: usize, settings: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = Config { api_key: KEY.to_owned(), requests_per_minute };
        let vendor = serve(simulated(config), listener).unwrap();
        let connector = connector(&vendor.url(), settings);
        Self { connector, vendor, client: Client::new(), details: false }
    }

    /// One whose documents map fields that only an update takes.
    pub(crate) async fn open_with_details() -> Self {
        Self { details: true, ..Self::open().await }
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.client.request(method, format!("{}{path}", self.vendor.url())).header("api-key", KEY);
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// All shipments with an order's key, asked from the vendor.
    pub(crate) async fn shipments(&self, order: &OrderDocument) -> Vec<Value> {
        let path = format!("/v2/shipments?page_size=100&external_shipment_id={}", order.key);
        self.ask(Method::GET, &path, Value::Null).await["shipments"].as_array().unwrap().clone()
    }

    /// The one shipment of an order.
    pub(crate) async fn shipment(&self, order: &OrderDocument) -> Value {
        let mut shipments = self.shipments(order).await;
        assert_eq!(shipments.len(), 1, "shipments of {}", order.name);
        shipments.remove(0)
    }

    /// Changes a shipment as a person in ShipStation does.
    pub(crate) async fn edit(&self, order: &OrderDocument, change: impl FnOnce(&mut Value)) {
        let mut shipment = self.shipment(order).await;
        change(&mut shipment);
        let path = format!("/v2/shipments/{}", shipment["shipment_id"].as_str().unwrap());
        self.ask(Method::PUT, &path, shipment).await;
    }

    /// Has the warehouse buy labels.
    pub(crate) async fn ship(&self, order: Value) -> Vec<Value> {
        self.ask(Method::POST, "/_control/ship", order).await["labels"].as_array().unwrap().clone()
    }

    /// Has the warehouse pack an order in parcels of lines and quantities.
    pub(crate) async fn pack(&self, order: &OrderDocument, parcels: Value) -> Vec<Value> {
        self.ship(json!({ "external_shipment_ids": [order.key.as_str()], "parcels": parcels })).await
    }

    /// Delivers an order as the engine does.
    pub(crate) async fn deliver(&self, n: usize, order: &OrderDocument, known: Known) -> Result<Known, Failure> {
        drive(&self.connector, &record(n), order, known).await
    }
}

#[async_trait]
impl Bench<OrderDocument> for Account {
    fn sink(&self) -> &dyn Sink<OrderDocument> {
        &self.connector
    }

    fn record(&self, n: usize) -> RecordKey {
        record(n)
    }

    fn document(&self, n: usize) -> OrderDocument {
        if self.details {
            mapped(mapped(order(n), "shipment_number", &format!("#{n}")), "service_code", "ups_ground")
        } else {
            order(n)
        }
    }

    fn changed(&self, document: &OrderDocument) -> OrderDocument {
        let mut changed = to(document.clone(), |address| address.city = "Cupertino".into());
        changed.lines[0].quantity += 1;
        changed
    }

    fn refused(&self, n: usize) -> Option<OrderDocument> {
        Some(to(self.document(n), |address| address.country_code = "ZZ".to_owned()))
    }

    async fn objects(&self, document: &OrderDocument) -> usize {
        self.shipments(document).await.len()
    }

    async fn holds(&self, document: &OrderDocument) -> bool {
        let shipment = self.shipment(document).await;
        let city = document.shipping_address.as_ref().unwrap().city.expose();
        let fields = document.fields.iter().all(|(name, value)| shipment[name] == value.to_text());
        shipment["items"][0]["quantity"] == document.lines[0].quantity
            && shipment["ship_to"]["city_locality"] == city
            && fields
    }

    async fn writes(&self) -> usize {
        self.vendor.journal.entries().len()
    }

    async fn lose(&self, document: &OrderDocument) {
        self.ask(Method::DELETE, &format!("/_control/shipments/{}", document.key), Value::Null).await;
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
        self.vendor.faults.add_after(skip, Fault { kind, times: 1, path: String::new(), body: String::new() });
    }

    async fn pending(&self) -> bool {
        self.vendor.faults.pending()
    }

    async fn clear(&self) {
        self.vendor.faults.clear();
    }
}
