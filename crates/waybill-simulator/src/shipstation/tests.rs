//! A table of wrong requests, the life of a shipment, and every answer held against the vendor's document.

mod document;
mod life;
mod wrong_requests;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Config, simulated};
use crate::kit::{Running, serve};

struct Account {
    vendor: Running,
    client: Client,
}

impl Account {
    async fn open() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { vendor: serve(simulated(config), listener).unwrap(), client: Client::new() }
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: &str) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.vendor.url()));
        let request = match key {
            Some(key) => request.header("api-key", key),
            None => request,
        };
        request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap()
    }

    /// Status and body of a request with the right key.
    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = self.send(method.parse().unwrap(), path, Some("shipstation-key"), &body).await;
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Creates a shipment and answers with it.
    async fn create(&self, shipment: Value) -> Value {
        let (status, body) = self.ask("POST", "/v2/shipments", &json!({ "shipments": [shipment] })).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["has_errors"], false, "{body}");
        body["shipments"][0].clone()
    }

    /// Has the warehouse buy labels.
    async fn ship(&self, order: Value) -> Vec<Value> {
        let (status, body) = self.ask("POST", "/_control/ship", &order).await;
        assert_eq!(status, 200, "{body}");
        body["labels"].as_array().unwrap().clone()
    }
}

fn address() -> Value {
    json!({
        "name": "Amanda Miller",
        "phone": "555-555-5555",
        "address_line1": "525 S Winchester Blvd",
        "city_locality": "San Jose",
        "state_province": "CA",
        "postal_code": "95128",
        "country_code": "US",
        "address_residential_indicator": "unknown",
    })
}

/// A valid shipment with two lines.
fn shipment(external_id: &str) -> Value {
    json!({
        "external_shipment_id": external_id,
        "create_sales_order": true,
        "ship_to": address(),
        "ship_from": address(),
        "items": [
            { "external_order_item_id": "11", "sku": "TEE-M", "name": "Tee", "quantity": 2, "unit_price": 12.5 },
            { "external_order_item_id": "12", "sku": "MUG", "name": "Mug", "quantity": 1, "unit_price": 8 },
        ],
        "packages": [{ "weight": { "value": 700, "unit": "gram" } }],
    })
}

/// A shipment with one value changed; `Null` takes it out.
fn with(mut shipment: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = shipment.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => parent.remove(name),
        value => parent.insert(name.to_owned(), value),
    };
    shipment
}
