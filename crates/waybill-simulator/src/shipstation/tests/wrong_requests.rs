//! What the vendor refuses, with its status, code and field.

use reqwest::Method;
use serde_json::{Value, json};

use super::{super::Config, Account, address, shipment, with};

struct Wrong {
    what: &'static str,
    request: (&'static str, String, Value),
    status: u16,
    code: &'static str,
    field: &'static str,
}

fn wrong(
    what: &'static str,
    request: (&'static str, &str, Value),
    status: u16,
    code: &'static str,
    field: &'static str,
) -> Wrong {
    let (method, path, body) = request;
    Wrong { what, request: (method, path.to_owned(), body), status, code, field }
}

/// A create with one value of the shipment changed.
fn create(what: &'static str, pointer: &str, value: Value, code: &'static str, field: &'static str) -> Wrong {
    let body = json!({ "shipments": [with(shipment("wrong"), pointer, value)] });
    wrong(what, ("POST", "/v2/shipments", body), 400, code, field)
}

fn get(what: &'static str, path: &str, status: u16, code: &'static str, field: &'static str) -> Wrong {
    wrong(what, ("GET", path, Value::Null), status, code, field)
}

fn table() -> Vec<Wrong> {
    let required = "field_value_required";
    let invalid = "invalid_field_value";
    let length = "invalid_string_length";
    let long = "x".repeat(51);
    vec![
        wrong("no body", ("POST", "/v2/shipments", Value::Null), 400, "request_body_required", ""),
        wrong("an array", ("POST", "/v2/shipments", json!([])), 400, "invalid_object", ""),
        wrong("no shipments", ("POST", "/v2/shipments", json!({})), 400, required, "shipments"),
        wrong("an empty list", ("POST", "/v2/shipments", json!({"shipments": []})), 400, invalid, "shipments"),
        wrong("no object", ("POST", "/v2/shipments", json!({"shipments": [1]})), 400, invalid, "shipments[0]"),
        create("an unknown field", "/order_number", json!("#1"), invalid, "shipments[0].order_number"),
        create("a field of the response", "/service_code", json!("ups_ground"), invalid, "shipments[0].service_code"),
        create("a long external id", "/external_shipment_id", json!(long), length, "shipments[0].external_shipment_id"),
        create("a carrier id that is none", "/carrier_id", json!("ups"), invalid, "shipments[0].carrier_id"),
        create("a status that is none", "/shipment_status", json!("shipped"), invalid, "shipments[0].shipment_status"),
        create("a text for a flag", "/is_gift", json!("yes"), invalid, "shipments[0].is_gift"),
        create("no recipient", "/ship_to", Value::Null, required, "shipments[0].ship_to"),
        create("no origin", "/ship_from", Value::Null, required, "shipments[0].ship_from"),
        create("no name", "/ship_to/name", Value::Null, required, "shipments[0].ship_to.name"),
        create("no phone", "/ship_to/phone", Value::Null, required, "shipments[0].ship_to.phone"),
        create("an empty phone", "/ship_to/phone", json!(""), length, "shipments[0].ship_to.phone"),
        create("an empty street", "/ship_to/address_line1", json!(""), length, "shipments[0].ship_to.address_line1"),
        create(
            "an empty second line",
            "/ship_to/address_line2",
            json!(""),
            length,
            "shipments[0].ship_to.address_line2",
        ),
        create("no city", "/ship_to/city_locality", Value::Null, required, "shipments[0].ship_to.city_locality"),
        create(
            "a three-letter country",
            "/ship_to/country_code",
            json!("USA"),
            length,
            "shipments[0].ship_to.country_code",
        ),
        create(
            "a country that is none",
            "/ship_to/country_code",
            json!("ZZ"),
            "invalid_address",
            "shipments[0].ship_to.country_code",
        ),
        create(
            "a state by its name",
            "/ship_to/state_province",
            json!("California"),
            "invalid_address",
            "shipments[0].ship_to.state_province",
        ),
        create(
            "a short postal code",
            "/ship_to/postal_code",
            json!("9512"),
            "invalid_address",
            "shipments[0].ship_to.postal_code",
        ),
        create(
            "residential as a flag",
            "/ship_to/address_residential_indicator",
            json!(true),
            invalid,
            "shipments[0].ship_to.address_residential_indicator",
        ),
        create(
            "a negative amount",
            "/amount_paid",
            json!({"currency": "usd", "amount": -1}),
            invalid,
            "shipments[0].amount_paid.amount",
        ),
        create(
            "money without a currency",
            "/tax_paid",
            json!({"amount": 1}),
            required,
            "shipments[0].tax_paid.currency",
        ),
        create("no packages in the list", "/packages", json!([]), invalid, "shipments[0].packages"),
        create("a package without weight", "/packages", json!([{}]), required, "shipments[0].packages[0].weight"),
        create(
            "a weightless package",
            "/packages",
            json!([{"weight": {"value": 0, "unit": "gram"}}]),
            invalid,
            "shipments[0].packages[0].weight.value",
        ),
        create(
            "a unit that is none",
            "/packages",
            json!([{"weight": {"value": 1, "unit": "stone"}}]),
            invalid,
            "shipments[0].packages[0].weight.unit",
        ),
        create("half an item", "/items", json!([{"quantity": 1.5}]), invalid, "shipments[0].items[0].quantity"),
        create("a negative quantity", "/items", json!([{"quantity": -1}]), invalid, "shipments[0].items[0].quantity"),
        create(
            "a quantity past 32 bits",
            "/items",
            json!([{"quantity": 2_147_483_648_i64}]),
            invalid,
            "shipments[0].items[0].quantity",
        ),
        create(
            "a price as text",
            "/items",
            json!([{"unit_price": "12.50"}]),
            invalid,
            "shipments[0].items[0].unit_price",
        ),
        get("a shipment id that is none", "/v2/shipments/1001", 400, "invalid_identifier", "shipment_id"),
        get("a shipment that is not there", "/v2/shipments/se-404", 404, "invalid_identifier", "shipment_id"),
        get(
            "an external id that is not there",
            "/v2/shipments/external_shipment_id/none",
            404,
            "invalid_identifier",
            "external_shipment_id",
        ),
        get("a status filter that is none", "/v2/shipments?shipment_status=shipped", 400, invalid, "shipment_status"),
        get("page 0", "/v2/shipments?page=0", 400, invalid, "page"),
        get("a page size of 0", "/v2/labels?page_size=0", 400, invalid, "page_size"),
        get("a sort order that is none", "/v2/labels?sort_by=ship_date", 400, invalid, "sort_by"),
        get("a date for a time", "/v2/labels?created_at_start=yesterday", 400, invalid, "created_at_start"),
        get("a label that is not there", "/v2/labels/se-404", 404, "invalid_identifier", "label_id"),
        get("a warehouse that is not there", "/v2/warehouses/se-404", 404, "invalid_identifier", "warehouse_id"),
        get("a path that is not there", "/v2/orders", 404, "unspecified", ""),
        wrong("a method that is not there", ("DELETE", "/v2/shipments/se-1", Value::Null), 405, "unspecified", ""),
        wrong(
            "cancelling what is not there",
            ("PUT", "/v2/shipments/se-404/cancel", Value::Null),
            404,
            "invalid_identifier",
            "shipment_id",
        ),
        wrong(
            "voiding what is not there",
            ("PUT", "/v2/labels/se-404/void", Value::Null),
            404,
            "invalid_identifier",
            "label_id",
        ),
        wrong(
            "a label for what is not there",
            ("POST", "/v2/labels/shipment/se-404", json!({})),
            404,
            "invalid_identifier",
            "shipment_id",
        ),
        wrong(
            "a label in a format that is none",
            ("POST", "/v2/labels/shipment/se-404", json!({"label_format": "doc"})),
            400,
            invalid,
            "label_format",
        ),
        wrong(
            "an update without a recipient",
            ("PUT", "/v2/shipments/se-404", json!({"ship_from": address()})),
            404,
            "invalid_identifier",
            "shipment_id",
        ),
    ]
}

#[tokio::test]
async fn every_wrong_request_is_refused_as_the_vendor_refuses_it() {
    let account = Account::with(Config { requests_per_minute: 1000, ..Config::default() }).await;
    let table = table();
    assert!(table.len() >= 25);
    for Wrong { what, request: (method, path, body), status, code, field } in table {
        let (got, answer) = account.ask(method, &path, &body).await;
        assert_eq!(got, status, "{what}: {answer}");
        assert_eq!(answer["request_id"].as_str().map(str::len), Some(36), "{what}: {answer}");
        let errors = answer["errors"].as_array().unwrap();
        let named = errors.iter().any(|error| {
            error["error_code"] == code
                && error["field_name"].as_str().unwrap_or_default() == field
                && error["error_source"] == "ShipStation"
                && error["message"].as_str().is_some_and(|message| !message.is_empty())
        });
        assert!(named, "{what}: {answer}");
    }
    assert!(account.vendor.journal.entries().is_empty(), "a refused request was written down");
}

#[tokio::test]
async fn a_missing_and_a_wrong_key_read_the_same() {
    let account = Account::open().await;
    for key in [None, Some("wrong")] {
        let response = account.send(Method::GET, "/v2/warehouses", key, "").await;
        assert_eq!(response.status(), 401);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["error_code"], "unauthorized");
        assert_eq!(body["errors"][0]["message"], "Access denied.");
    }
}

#[tokio::test]
async fn the_request_over_the_limit_is_told_when_to_come_back() {
    let account = Account::with(Config { requests_per_minute: 2, ..Config::default() }).await;
    account.get("/v2/warehouses").await;
    account.get("/v2/warehouses").await;
    let response = account.send(Method::GET, "/v2/warehouses", Some("shipstation-key"), "").await;
    assert_eq!(response.status(), 429);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["error_code"], "rate_limit_exceeded");
    let (status, _) = account.ask("PUT", "/_control/limit", &json!({ "requests_per_minute": 3 })).await;
    assert_eq!(status, 204);
    account.get("/v2/warehouses").await;
}

#[tokio::test]
async fn a_second_create_with_the_same_external_id_is_refused_alone() {
    let account = Account::open().await;
    account.create(shipment("w1")).await;
    let body = json!({ "shipments": [shipment("w1"), shipment("w2"), shipment("w2")] });
    let (status, answer) = account.ask("POST", "/v2/shipments", &body).await;
    assert_eq!(status, 200);
    assert_eq!(answer["has_errors"], true);
    let refused: Vec<_> = answer["shipments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shipment| !shipment["errors"].as_array().unwrap().is_empty())
        .collect();
    assert_eq!(refused, [true, false, true]);
    assert_eq!(account.get("/v2/shipments").await["total"], 2);
}

#[tokio::test]
async fn what_is_not_pending_is_not_updated() {
    let account = Account::open().await;
    let created = account.create(shipment("w1")).await;
    account.ship(json!({})).await;
    let path = format!("/v2/shipments/{}", created["shipment_id"].as_str().unwrap());
    let body = json!({ "ship_to": address(), "ship_from": address() });
    let (status, answer) = account.ask("PUT", &path, &body).await;
    assert_eq!((status, &answer["errors"][0]["error_code"]), (400, &json!("invalid_status")));
    let (status, answer) = account.ask("PUT", &format!("{path}/cancel"), &Value::Null).await;
    assert_eq!((status, &answer["errors"][0]["error_code"]), (400, &json!("invalid_status")));
}

#[tokio::test]
async fn an_update_is_refused_for_what_it_must_not_change() {
    let account = Account::open().await;
    account.create(shipment("w1")).await;
    let created = account.create(shipment("w2")).await;
    let path = format!("/v2/shipments/{}", created["shipment_id"].as_str().unwrap());
    let update = json!({ "ship_to": address(), "ship_from": address() });
    for (name, value, code) in [
        ("external_shipment_id", json!("w3"), "identifiers_must_match"),
        ("shipment_number", json!("w1"), "identifier_conflict"),
        ("service_code", json!("no_such_service"), "invalid_field_value"),
        ("carrier_id", json!("se-1"), "carrier_not_connected"),
        ("warehouse_id", json!("se-1"), "invalid_field_value"),
        ("ship_to", Value::Null, "field_value_required"),
        ("ship_from", Value::Null, "field_value_required"),
    ] {
        let (status, answer) = account.ask("PUT", &path, &with(update.clone(), &format!("/{name}"), value)).await;
        assert_eq!((status, &answer["errors"][0]["error_code"]), (400, &json!(code)), "{name}: {answer}");
        assert_eq!(answer["errors"][0]["field_name"], name);
    }
}
