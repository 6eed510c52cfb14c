use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Request};
use serde_json::{Value, json};
use sha2::Sha256;

use super::send;
use crate::{
    kit::now_ms,
    pagers::webhook::{GONE_PATH, PATH, SECRET, simulated},
};

fn sign(id: &str, timestamp: &str, body: &str) -> String {
    let key = BASE64_STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(format!("{id}.{timestamp}.{body}"));
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

/// A rightly signed request, sent so many seconds ago.
fn signed(body: &str, age_s: i64) -> (HeaderMap, String) {
    let timestamp = (now_ms() / 1000 - age_s).to_string();
    let signature = sign("wabc", &timestamp, body);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("idempotency-key", HeaderValue::from_static("wabc"));
    headers.insert("webhook-id", HeaderValue::from_static("wabc"));
    headers.insert("webhook-timestamp", HeaderValue::from_str(&timestamp).unwrap());
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).unwrap());
    (headers, body.to_owned())
}

fn request(path: &str, headers: &HeaderMap, body: String) -> Request<Body> {
    let mut request = Request::post(path).body(Body::from(body)).unwrap();
    *request.headers_mut() = headers.clone();
    request
}

const EVENT: &str = r#"{"type":"incident.opened","id":"wabc","data":{"key":"w1"}}"#;

/// What is done to the headers of a valid request, and the answer.
type Case = (fn(&mut HeaderMap), u16, &'static str);

#[rustfmt::skip]
const WRONG_HEADERS: &[Case] = &[
    (|h| remove(h, "webhook-id"), 400, "webhook-id is missing"),
    (|h| set(h, "webhook-id", ""), 400, "webhook-id is missing"),
    (|h| set(h, "webhook-id", "w.abc"), 400, "webhook-id contains a full stop"),
    (|h| set(h, "webhook-id", "other"), 401, "no matching signature found"),
    (|h| remove(h, "webhook-timestamp"), 400, "webhook-timestamp is missing"),
    (|h| set(h, "webhook-timestamp", "today"), 400, "webhook-timestamp is not a whole number of seconds"),
    (|h| set(h, "webhook-timestamp", "1.5"), 400, "webhook-timestamp is not a whole number of seconds"),
    (|h| set(h, "webhook-timestamp", "1614265330"), 400, "webhook-timestamp is too old"),
    (|h| set(h, "webhook-timestamp", "99999999999"), 400, "webhook-timestamp is too far in the future"),
    (|h| remove(h, "webhook-signature"), 400, "webhook-signature is missing"),
    (|h| set(h, "webhook-signature", "v1,"), 401, "no matching signature found"),
    (|h| set(h, "webhook-signature", "v1,bm90IGl0"), 401, "no matching signature found"),
    (|h| set(h, "webhook-signature", "nothing like it"), 401, "no matching signature found"),
    (|h| { let right = h["webhook-signature"].to_str().unwrap().replace("v1,", "v1a,"); set(h, "webhook-signature", &right) }, 401, "no matching signature found"),
    (|h| remove(h, "content-type"), 415, "the body is not application/json"),
    (|h| set(h, "content-type", "text/plain"), 415, "the body is not application/json"),
];

#[rustfmt::skip]
const WRONG_BODIES: &[(&str, u16, &str)] = &[
    ("", 400, "the body is not JSON"),
    ("{\"type\":", 400, "the body is not JSON"),
    ("[]", 422, "type is missing"),
    ("{\"data\":{}}", 422, "type is missing"),
    ("{\"type\":7,\"data\":{}}", 422, "type is missing"),
    ("{\"type\":\"\",\"data\":{}}", 422, "type is not a dotted name"),
    ("{\"type\":\"incident opened\",\"data\":{}}", 422, "type is not a dotted name"),
    ("{\"type\":\"incident..opened\",\"data\":{}}", 422, "type is not a dotted name"),
    ("{\"type\":\"incident.opened\"}", 422, "data is missing"),
    ("{\"type\":\"incident.opened\",\"data\":\"text\"}", 422, "data is missing"),
];

fn remove(headers: &mut HeaderMap, name: &'static str) {
    headers.remove(name).unwrap();
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(name, HeaderValue::from_str(value).unwrap());
}

fn error(body: &str) -> Value {
    serde_json::from_str::<Value>(body).unwrap()["error"].take()
}

#[tokio::test]
async fn a_rightly_signed_event_is_taken_once_however_often_it_comes() {
    let receiver = simulated(SECRET);
    let (headers, body) = signed(EVENT, 0);
    for _ in 0..2 {
        assert_eq!(send(&receiver, request(PATH, &headers, body.clone())).await.0, 200);
    }
    assert_eq!(receiver.journal.entries().len(), 1);
    let (_, state) = send(&receiver, Request::get("/_state").body(Body::empty()).unwrap()).await;
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["receipts"][0]["times"], json!(2));
}

#[tokio::test]
async fn each_wrong_header_is_refused() {
    let receiver = simulated(SECRET);
    for (at, (spoil, status, expected)) in WRONG_HEADERS.iter().enumerate() {
        let (mut headers, body) = signed(EVENT, 0);
        spoil(&mut headers);
        let (actual, body) = send(&receiver, request(PATH, &headers, body)).await;
        assert_eq!((actual, error(&body)), (*status, json!(expected)), "case {at}");
    }
    assert!(receiver.journal.entries().is_empty());
}

#[tokio::test]
async fn each_wrong_body_is_refused_though_it_is_rightly_signed() {
    let receiver = simulated(SECRET);
    for (body, status, expected) in WRONG_BODIES {
        let (headers, body) = signed(body, 0);
        let (actual, answer) = send(&receiver, request(PATH, &headers, body.clone())).await;
        assert_eq!((actual, error(&answer)), (*status, json!(expected)), "{body}");
    }
    assert!(receiver.journal.entries().is_empty());
}

#[tokio::test]
async fn a_body_changed_after_signing_is_refused() {
    let (headers, body) = signed(EVENT, 0);
    let answer = send(&simulated(SECRET), request(PATH, &headers, body.replace("opened", "closed"))).await;
    assert_eq!(answer.0, 401);
}

#[tokio::test]
async fn a_request_is_taken_for_five_minutes_and_no_longer() {
    let receiver = simulated(SECRET);
    for (age_s, status) in [(290, 200), (310, 400), (-290, 200), (-310, 400)] {
        let (headers, body) = signed(EVENT, age_s);
        assert_eq!(send(&receiver, request(PATH, &headers, body)).await.0, status, "{age_s} s old");
    }
}

#[tokio::test]
async fn a_body_above_one_mebibyte_is_too_large() {
    let body = format!(r#"{{"type":"incident.opened","data":{{"detail":"{}"}}}}"#, "x".repeat(1024 * 1024));
    let (headers, body) = signed(&body, 0);
    assert_eq!(send(&simulated(SECRET), request(PATH, &headers, body)).await.0, 413);
}

#[tokio::test]
async fn a_path_nobody_listens_to_is_gone_or_not_found() {
    let receiver = simulated(SECRET);
    let (headers, body) = signed(EVENT, 0);
    assert_eq!(send(&receiver, request(GONE_PATH, &headers, body.clone())).await.0, 410);
    assert_eq!(send(&receiver, request("/hooks/other", &headers, body)).await.0, 404);
}
