//! A receiver of signed webhooks, after the Standard Webhooks specification 1.0.0 (github.com/standard-webhooks).
//!
//! The specification leaves the statuses of refusals to the receiver. This one answers 400 to missing or unreadable
//! headers, bodies and timestamps outside five minutes, 401 to a wrong signature, 404 to an unknown path, 410 under
//! [`GONE_PATH`], 413 above 1 MiB, 415 to anything but JSON and 422 to an event without `type` or `data`. It uses
//! `webhook-id` as the specification says: a second one is answered like the first and not taken again.

mod signature;

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use super::lock;
use crate::kit::{Faults, Journal, Simulated, now_ms};

/// The secret of the simulated receiver: `whsec_` and 24 bytes in base64.
pub const SECRET: &str = "whsec_c2ltdWxhdGVkLXdlYmhvb2stc2VjcmV0";

/// Where it listens.
pub const PATH: &str = "/hooks/catch";

/// A path that has stopped listening.
pub const GONE_PATH: &str = "/hooks/gone";

const MAX_BODY_BYTES: usize = 1024 * 1024;
const TOLERANCE_S: i64 = 300;

#[derive(Debug, Clone, Serialize)]
struct Receipt {
    /// `webhook-id`.
    id: String,
    /// `Idempotency-Key`; empty if the request had none.
    idempotency_key: String,
    /// How often it came.
    times: usize,
    event: Value,
}

struct Receiver {
    secret: Vec<u8>,
    receipts: Mutex<Vec<Receipt>>,
    journal: Journal,
}

/// A receiver that knows one secret (`whsec_` and base64).
///
/// # Panics
/// If the secret is not of that form.
pub fn simulated(secret: &str) -> Simulated {
    let journal = Journal::new("webhook");
    let secret = signature::key(secret).expect("a secret is whsec_ and base64");
    let receiver = Arc::new(Receiver { secret, receipts: Mutex::default(), journal: journal.clone() });
    let router = Router::new()
        .route(PATH, post(receive))
        .route(GONE_PATH, post(|| async { refused(StatusCode::GONE, "this webhook is no longer listened to") }))
        .route("/_state", get(state))
        .layer(DefaultBodyLimit::disable())
        .with_state(receiver);
    Simulated { router, journal, faults: Faults::default(), too_many, unauthorized }
}

fn too_many(retry_after_s: u64) -> Response {
    let body = Json(json!({ "error": "too many requests" }));
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, retry_after_s.to_string())], body).into_response()
}

fn unauthorized() -> Response {
    refused(StatusCode::UNAUTHORIZED, "no matching signature found")
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

async fn state(State(receiver): State<Arc<Receiver>>) -> Json<Value> {
    Json(json!({ "receipts": &*lock(&receiver.receipts) }))
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> Response {
    match receiver.event(&headers, &body) {
        Ok((id, event)) => {
            receiver.take(id, text(&headers, "idempotency-key").unwrap_or_default().to_owned(), event);
            Json(json!({ "status": "accepted" })).into_response()
        }
        Err((status, error)) => refused(status, error),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
}

impl Receiver {
    fn event(&self, headers: &HeaderMap, body: &[u8]) -> Result<(String, Value), (StatusCode, &'static str)> {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
        if body.len() > MAX_BODY_BYTES {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB"));
        }
        if !text(headers, "content-type").is_some_and(|kind| kind.starts_with("application/json")) {
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not application/json"));
        }
        let id = text(headers, "webhook-id").ok_or((BAD, "webhook-id is missing"))?;
        let timestamp = text(headers, "webhook-timestamp").ok_or((BAD, "webhook-timestamp is missing"))?;
        let signatures = text(headers, "webhook-signature").ok_or((BAD, "webhook-signature is missing"))?;
        let sent_at: i64 =
            timestamp.parse().map_err(|_| (BAD, "webhook-timestamp is not a whole number of seconds"))?;
        let age_s = now_ms() / 1000 - sent_at;
        if age_s > TOLERANCE_S {
            return Err((BAD, "webhook-timestamp is too old"));
        }
        if age_s < -TOLERANCE_S {
            return Err((BAD, "webhook-timestamp is too far in the future"));
        }
        // The specification: neither may contain a full stop, which separates the signed parts.
        if id.contains('.') {
            return Err((BAD, "webhook-id contains a full stop"));
        }
        if !signature::matches(&self.secret, id, timestamp, body, signatures) {
            return Err((StatusCode::UNAUTHORIZED, "no matching signature found"));
        }
        let event: Value = serde_json::from_slice(body).map_err(|_| (BAD, "the body is not JSON"))?;
        let kind = event["type"].as_str().ok_or((UNPROCESSABLE, "type is missing"))?;
        // "hierarchical, full-stop delimited, limited to [a-zA-Z0-9_]"
        if kind.split('.').any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        {
            return Err((UNPROCESSABLE, "type is not a dotted name"));
        }
        if !event["data"].is_object() {
            return Err((UNPROCESSABLE, "data is missing"));
        }
        Ok((id.to_owned(), event))
    }

    fn take(&self, id: String, idempotency_key: String, event: Value) {
        let mut receipts = lock(&self.receipts);
        if let Some(receipt) = receipts.iter_mut().find(|receipt| receipt.id == id) {
            receipt.times += 1;
            return;
        }
        self.journal.write("create", event["type"].as_str().unwrap_or_default(), &id, &idempotency_key, event.clone());
        receipts.push(Receipt { id, idempotency_key, times: 1, event });
    }
}
