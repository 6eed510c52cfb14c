use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::send;
use crate::pagers::pagerduty::{ROUTING_KEY, simulated};

fn valid() -> Value {
    json!({
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "incident-1",
        "client": "Waybill",
        "client_url": "https://waybill.example.com",
        "payload": {
            "summary": "3 orders are parked",
            "source": "erp",
            "severity": "error",
            "timestamp": "2026-11-21T10:00:00Z",
            "component": "erp-sync",
            "group": "main",
            "class": "unknown_item",
            "custom_details": { "count": 3 },
        },
        "links": [{ "href": "https://waybill.example.com/incidents/1", "text": "Incident" }],
        "images": [{ "src": "https://waybill.example.com/a.png" }],
    })
}

/// What is done to the valid event, and the error it must give with 400.
type Case = (fn(&mut Value), &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (|e| remove(e, "routing_key"), "'routing_key' cannot be blank"),
    (|e| e["routing_key"] = json!(""), "Length of 'routing_key' is incorrect (should be 32 characters)"),
    (|e| e["routing_key"] = json!("e93facc04764012d7bfb"), "Length of 'routing_key' is incorrect (should be 32 characters)"),
    (|e| e["routing_key"] = json!("e93facc0-4764-012d-7bfb-0250d5d1"), "'routing_key' cannot contain non-alphanumeric characters."),
    (|e| e["routing_key"] = json!(7), "'routing_key' is invalid (must be a string)"),
    (|e| e["routing_key"] = json!("00000000000000000000000000000000"), "Invalid routing key"),
    (|e| remove(e, "event_action"), "'event_action' is missing or blank"),
    (|e| e["event_action"] = json!("open"), "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"),
    (|e| e["event_action"] = json!(1), "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"),
    (|e| { e["event_action"] = json!("resolve"); remove(e, "dedup_key") }, "'dedup_key' is missing or blank"),
    (|e| { e["event_action"] = json!("acknowledge"); e["dedup_key"] = json!("") }, "'dedup_key' is missing or blank"),
    (|e| e["dedup_key"] = json!("k".repeat(256)), "Length of 'dedup_key' is incorrect (should be at most 255 characters)"),
    (|e| e["dedup_key"] = json!(1), "'dedup_key' is invalid (must be a string)"),
    (|e| remove(e, "payload"), "'payload.summary' is missing or blank"),
    (|e| e["payload"] = json!("down"), "'payload' is invalid (must be an object)"),
    (|e| remove(&mut e["payload"], "summary"), "'payload.summary' is missing or blank"),
    (|e| e["payload"]["summary"] = json!("   "), "'payload.summary' is missing or blank"),
    (|e| e["payload"]["summary"] = json!("s".repeat(1025)), "Length of 'payload.summary' is incorrect (should be at most 1024 characters)"),
    (|e| e["payload"]["summary"] = json!(["down"]), "'payload.summary' is invalid (must be a string)"),
    (|e| remove(&mut e["payload"], "source"), "'payload.source' is missing or blank"),
    (|e| e["payload"]["source"] = json!(1), "'payload.source' is invalid (must be a string)"),
    (|e| remove(&mut e["payload"], "severity"), "'payload.severity' is missing or blank"),
    (|e| e["payload"]["severity"] = json!("fatal"), "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"),
    (|e| e["payload"]["timestamp"] = json!("yesterday"), "'payload.timestamp' is invalid (must be an ISO 8601 date and time)"),
    (|e| e["payload"]["timestamp"] = json!(1_763_719_200), "'payload.timestamp' is invalid (must be a string)"),
    (|e| e["payload"]["component"] = json!({}), "'payload.component' is invalid (must be a string)"),
    (|e| e["payload"]["group"] = json!(true), "'payload.group' is invalid (must be a string)"),
    (|e| e["payload"]["class"] = json!(1), "'payload.class' is invalid (must be a string)"),
    (|e| e["payload"]["custom_details"] = json!("text"), "'payload.custom_details' is invalid (must be an object)"),
    (|e| e["links"] = json!({}), "'links' is invalid (must be an array)"),
    (|e| e["links"] = json!(["https://x.example.com"]), "'links[0]' is invalid (must be an object)"),
    (|e| e["links"] = json!([{ "text": "Incident" }]), "'links[0].href' is missing or blank"),
    (|e| e["links"] = json!([{ "href": "incident 1" }]), "'links[0].href' is invalid (must be a URL)"),
    (|e| e["images"] = json!([{ "alt": "a picture" }]), "'images[0].src' is missing or blank"),
    (|e| e["images"] = json!([{ "src": "http://x.example.com/a.png" }]), "'images[0].src' is invalid (must be served via HTTPS)"),
    (|e| e["images"][0]["href"] = json!(1), "'images[0].href' is invalid (must be a URL)"),
    (|e| e["client"] = json!(1), "'client' is invalid (must be a string)"),
    (|e| e["client_url"] = json!("not a url"), "'client_url' is invalid (must be a URL)"),
];

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name).unwrap();
}

fn post(content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/v2/enqueue").header("content-type", content_type).body(body.into()).unwrap()
}

#[tokio::test]
async fn the_valid_event_is_accepted() {
    let (status, body) = send(&simulated(ROUTING_KEY), post("application/json", valid().to_string())).await;
    assert_eq!(status, 202);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({ "status": "success", "message": "Event processed", "dedup_key": "incident-1" })
    );
}

#[tokio::test]
async fn each_wrong_event_is_refused_with_its_error_and_leaves_no_trace() {
    assert!(CASES.len() >= 25);
    let pagerduty = simulated(ROUTING_KEY);
    for (at, (spoil, error)) in CASES.iter().enumerate() {
        let mut event = valid();
        spoil(&mut event);
        let (status, body) = send(&pagerduty, post("application/json", event.to_string())).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["status"]), (400, &json!("invalid event")), "case {at}: {error}: {body}");
        assert_eq!(body["message"], "Event object is invalid", "case {at}");
        assert_eq!(body["errors"][0], *error, "case {at}: {body}");
    }
    assert!(pagerduty.journal.entries().is_empty());
}

#[tokio::test]
async fn all_errors_of_an_event_are_told_at_once() {
    let event = json!({ "event_action": "trigger", "routing_key": ROUTING_KEY, "payload": {} });
    let (_, body) = send(&simulated(ROUTING_KEY), post("application/json", event.to_string())).await;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["errors"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_no_event_at_all_is_unrecognized() {
    let pagerduty = simulated(ROUTING_KEY);
    for (content_type, body) in [
        ("application/json", "{\"routing_key\":".to_owned()),
        ("application/json", "[]".to_owned()),
        ("application/json", String::new()),
        ("text/plain", valid().to_string()),
    ] {
        let (status, body) = send(&pagerduty, post(content_type, body)).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["status"]), (400, &json!("Unrecognized object")), "{body}");
    }
}

#[tokio::test]
async fn an_event_above_512_kb_is_too_large() {
    let mut event = valid();
    event["payload"]["custom_details"]["log"] = json!("x".repeat(512 * 1024));
    assert_eq!(send(&simulated(ROUTING_KEY), post("application/json", event.to_string())).await.0, 413);
}

#[tokio::test]
async fn the_documentations_form_of_a_timestamp_is_accepted() {
    let mut event = valid();
    event["payload"]["timestamp"] = json!("2015-07-17T08:42:58.315+0000");
    assert_eq!(send(&simulated(ROUTING_KEY), post("application/json", event.to_string())).await.0, 202);
}
