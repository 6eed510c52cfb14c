//! The connector and the simulator against the vendor's own document: `prism` answers 422 to what it does not allow.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, response::IntoResponse};
use http::{Method, Uri, header};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use waybill_connector::{Known, Sink, StepCall, contract::prism::Prism, sink::Check, source::ShipmentSource};
use waybill_domain::{CallKey, document::OrderDocument};

use crate::{
    bench::{Account, KEY, connector},
    documents::{cancelled, mapped, order},
};

const DOCUMENT: &str = "shipstation-v2.json";

/// Stands before prism and notes its answers. Warehouses are the simulator's: prism's sample of one has no real address,
/// which it would refuse itself.
struct Front {
    url: String,
    seen: Seen,
    _prism: Prism,
    _warehouses: Account,
    serving: JoinHandle<()>,
}

type Seen = Arc<Mutex<Vec<(String, StatusCode)>>>;

#[derive(Clone)]
struct Behind {
    prism: String,
    warehouses: String,
    client: Client,
    seen: Seen,
}

impl Front {
    async fn open() -> Option<Self> {
        let prism = Prism::start(DOCUMENT)?;
        let warehouses = Account::open().await;
        let seen = Seen::default();
        let behind = Behind {
            prism: prism.url(),
            warehouses: warehouses.vendor.url(),
            client: Client::new(),
            seen: seen.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass_on).with_state(behind);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Some(Self { url, seen, _prism: prism, _warehouses: warehouses, serving })
    }

    /// prism's answers since the last look.
    fn answers(&self) -> Vec<(String, StatusCode)> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// Runs an order's first step, and looks it up before.
    async fn deliver(&self, order: &OrderDocument, known: &Known) {
        let connector = connector(&self.url, &[]);
        let step = connector.steps(order, known).remove(0);
        let call_key = CallKey::new(&order.key, "step", b"");
        let call = StepCall {
            step: &step,
            document: order,
            object_key: &order.key,
            call_key: &call_key,
            known,
            is_again: false,
        };
        // prism's samples hold other keys than ours: what the connector makes of them is of no interest here.
        let _ = connector.find(&call).await;
        let _ = connector.apply(&[call]).await;
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass_on(State(behind): State<Behind>, method: Method, uri: Uri, body: Bytes) -> impl IntoResponse {
    let of_warehouses = uri.path().starts_with("/v2/warehouses");
    let base = if of_warehouses { &behind.warehouses } else { &behind.prism };
    let request = behind.client.request(method.clone(), format!("{base}{uri}")).header("api-key", KEY);
    let request = if body.is_empty() { request } else { request.header(header::CONTENT_TYPE, "application/json") };
    let response = request.body(body).send().await.unwrap();
    let status = response.status();
    if !of_warehouses {
        behind.seen.lock().unwrap().push((format!("{method} {}", uri.path()), status));
    }
    (status, [(header::CONTENT_TYPE, "application/json")], response.bytes().await.unwrap())
}

fn request(text: &str, status: u16) -> (String, StatusCode) {
    (text.to_owned(), StatusCode::from_u16(status).unwrap())
}

#[tokio::test]
async fn no_request_of_the_connector_is_refused_by_the_vendors_document() {
    let Some(front) = Front::open().await else {
        return;
    };
    let full = [
        ("carrier_id", "se-2774150"),
        ("store_id", "1582173"),
        ("assigned_user", "a2df9fa5-b7ee-467f-be4e-9c660542c187"),
        ("notes_from_buyer", "Ring twice"),
        ("notes_for_gift", "For you"),
        ("is_gift", "true"),
        ("validate_address", "no_validation"),
    ];
    let full = full.into_iter().fold(order(1), |order, (name, value)| mapped(order, name, value));
    let find = format!("GET /v2/shipments/external_shipment_id/{}", order(1).key);
    for document in [order(1), full] {
        front.deliver(&document, &Known::new()).await;
        assert_eq!(front.answers(), [request(&find, 200), request("POST /v2/shipments", 200)]);
    }
    let known = Known::from([("order".to_owned(), "se-1".to_owned())]);
    front.deliver(&cancelled(order(1)), &known).await;
    let cancel =
        [request(&find, 200), request("GET /v2/shipments/se-1", 200), request("PUT /v2/shipments/se-1/cancel", 204)];
    assert_eq!(front.answers(), cancel);
    for cursor in ["", "2026-11-01T00:00:00Z 2026-11-01T00:00:00Z voided 2 - - -"] {
        let since = "2026-11-01T00:00:00Z".parse().unwrap();
        let _ = connector(&front.url, &[]).parcels(cursor, since).await;
        assert_eq!(front.answers(), [request("GET /v2/labels", 200)]);
    }
}

#[tokio::test]
async fn the_check_is_allowed_by_the_vendors_document() {
    let Some(prism) = Prism::start(DOCUMENT) else {
        return;
    };
    assert_eq!(connector(&prism.url(), &[]).check().await, Ok(()));
}

/// The document has no update; the vendor's guide has. Should a newer document have it, this test says so.
#[tokio::test]
async fn the_vendors_document_has_no_update() {
    let Some(front) = Front::open().await else {
        return;
    };
    let known = Known::from([("order".to_owned(), "se-1".to_owned())]);
    front.deliver(&order(1), &known).await;
    assert_eq!(front.answers().last(), Some(&request("PUT /v2/shipments/se-1", 405)));
}

fn bodies() -> Vec<(&'static str, Value)> {
    let address = json!({
        "name": "Amanda Miller", "phone": "555-555-5555", "address_line1": "525 S Winchester Blvd",
        "city_locality": "San Jose", "state_province": "CA", "postal_code": "95128", "country_code": "US",
        "address_residential_indicator": "unknown",
    });
    let valid = json!({ "external_shipment_id": "w1", "ship_to": address, "ship_from": address });
    let mut bodies = vec![("nothing", json!({})), ("an empty list", json!({ "shipments": [] }))];
    let changes = [
        ("/shipment_number", json!("#1001")),
        ("/service_code", json!("ups_ground")),
        ("/warehouse_id", json!("se-1951")),
        ("/external_shipment_id", json!("x".repeat(51))),
        ("/external_shipment_id", json!(1001)),
        ("/external_shipment_id", Value::Null),
        ("/carrier_id", json!("ups")),
        ("/carrier_id", json!(format!("se-{}", "1".repeat(23)))),
        ("/create_sales_order", json!("true")),
        ("/shipment_status", json!("shipped")),
        ("/validate_address", json!("yes")),
        ("/zone", json!(-1)),
        ("/zone", json!(1.5)),
        ("/amount_paid", json!({ "amount": 1 })),
        ("/amount_paid", json!({ "currency": "usd", "amount": "1" })),
        ("/amount_paid", json!({ "currency": "usd", "amount": 1, "tax": 0 })),
        ("/ship_to", json!("525 S Winchester Blvd")),
        ("/ship_to/phone", json!("")),
        ("/ship_to/street1", json!("x")),
        ("/ship_to/country_code", json!("USA")),
        ("/ship_to/address_line2", json!("")),
        ("/ship_to/email", Value::Null),
        ("/ship_to/address_residential_indicator", json!("maybe")),
        ("/ship_from/geolocation", json!([])),
        ("/items", json!({})),
        ("/items", json!([{ "quantity": 2_147_483_648_i64 }])),
        ("/items", json!([{ "quantity": "2" }])),
        ("/items", json!([{ "unit_price": -1 }])),
        ("/items", json!([{ "asin": "short" }])),
        ("/items", json!([{ "image_url": "no uri" }])),
        ("/items", json!([{ "order_source_code": "myshop" }])),
        ("/items", json!([{ "weight": { "value": 0, "unit": "gram" } }])),
        ("/items", json!([{ "weight": { "value": 1, "unit": "g" } }])),
        ("/items", json!([{ "lineItemKey": "1" }])),
        ("/packages", json!([])),
        ("/packages", json!([{}])),
        ("/packages", json!([{ "weight": { "value": 1 } }])),
        ("/packages", json!([{ "weight": { "value": 1, "unit": "gram" }, "package_code": "Box" }])),
        ("/packages", json!([{ "weight": { "value": 1, "unit": "gram" }, "package_id": "box" }])),
        ("/packages", json!([{ "weight": { "value": 1, "unit": "gram" }, "tracking_number": "1Z" }])),
        ("/packages", json!([{ "weight": { "value": 1, "unit": "gram" }, "content_description": "x".repeat(36) }])),
        ("/packages", json!([{ "weight": { "value": 1, "unit": "gram" }, "label_messages": {} }])),
        ("/packages", json!([{ "weight": { "value": 1, "unit": "gram" }, "dimensions": { "unit": "inch" } }])),
        ("/packages", json!([{ "weight": { "value": 1, "unit": "gram" }, "products": [{ "quantity": -1 }] }])),
    ];
    for (pointer, value) in changes {
        let mut shipment = valid.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        shipment.pointer_mut(parent).unwrap()[name] = value;
        bodies.push((pointer, json!({ "shipments": [shipment] })));
    }
    for required in ["name", "phone", "address_line1", "city_locality", "state_province", "postal_code", "country_code"]
    {
        let mut shipment = valid.clone();
        shipment["ship_to"].as_object_mut().unwrap().remove(required);
        bodies.push((required, json!({ "shipments": [shipment] })));
    }
    bodies
}

/// Requests without a body, and small ones. `pickup_id` is required by the document and by nothing else.
fn requests() -> Vec<(Method, &'static str, Value)> {
    let get = |path| (Method::GET, path, Value::Null);
    let shipments = "/v2/labels/shipment/se-404";
    vec![
        get("/v2/labels?page=0"),
        get("/v2/labels?page=one"),
        get("/v2/labels?page_size=0"),
        get("/v2/labels?sort_by=ship_date"),
        get("/v2/labels?sort_dir=up"),
        get("/v2/labels?label_status=shipped"),
        get("/v2/labels?created_at_start=yesterday"),
        get("/v2/labels?created_at_end=2026-11-21"),
        get("/v2/labels?shipment_id=1001"),
        get("/v2/labels?carrier_id=ups"),
        get("/v2/labels?tracking_number="),
        get("/v2/shipments?pickup_id=pik"),
        get("/v2/shipments?pickup_id=pik_1&shipment_status=shipped"),
        get("/v2/shipments?pickup_id=pik_1&modified_at_start=1"),
        get("/v2/shipments?pickup_id=pik_1&store_id=1"),
        get("/v2/shipments/1001"),
        get("/v2/labels/1001"),
        get("/v2/labels/1001/track"),
        get("/v2/warehouses/main"),
        get("/v2/carriers/ups"),
        (Method::PUT, "/v2/shipments/1001/cancel", Value::Null),
        (Method::PUT, "/v2/labels/1001/void", Value::Null),
        (Method::POST, shipments, json!({ "label_format": "doc" })),
        (Method::POST, shipments, json!({ "label_layout": "a4" })),
        (Method::POST, shipments, json!({ "display_scheme": "none" })),
        (Method::POST, shipments, json!({ "weight": 1 })),
    ]
}

#[tokio::test]
async fn parameters_that_the_vendors_document_refuses_the_simulator_refuses() {
    let Some(prism) = Prism::start(DOCUMENT) else { return };
    let account = Account::open().await;
    let client = Client::new();
    let mut refused = 0;
    for (method, path, body) in requests() {
        let status = |url: String| {
            let request = client.request(method.clone(), format!("{url}{path}")).header("api-key", KEY);
            let request = if body.is_null() { request } else { request.json(&body) };
            async move { request.send().await.unwrap().status() }
        };
        if status(prism.url()).await == StatusCode::UNPROCESSABLE_ENTITY {
            refused += 1;
            assert_eq!(status(account.vendor.url()).await, StatusCode::BAD_REQUEST, "{path} {body}");
        }
    }
    assert!(refused >= 20, "{refused}");
}

#[tokio::test]
async fn what_the_vendors_document_refuses_the_simulator_refuses() {
    let Some(prism) = Prism::start(DOCUMENT) else {
        return;
    };
    let account = Account::open().await;
    let client = Client::new();
    let mut refused = 0;
    for (what, body) in bodies() {
        let status = |url: String| {
            let request = client.post(format!("{url}/v2/shipments")).header("api-key", KEY).json(&body);
            async move { request.send().await.unwrap().status() }
        };
        let (theirs, ours) = (status(prism.url()).await, status(account.vendor.url()).await);
        if theirs == StatusCode::UNPROCESSABLE_ENTITY {
            refused += 1;
            assert_eq!(ours, StatusCode::BAD_REQUEST, "{what}: {body}");
        } else {
            assert_eq!(theirs, StatusCode::OK, "{what}: {body}");
        }
    }
    assert!(refused >= 25, "{refused}");
}
