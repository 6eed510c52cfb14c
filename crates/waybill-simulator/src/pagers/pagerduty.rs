//! PagerDuty's Events API v2, after its OpenAPI document and developer.pagerduty.com/docs (`events-api-v2/overview`,
//! `trigger-events`, `rate-limits`).
//!
//! - An alert is found by routing key and `dedup_key`. A trigger for an open one adds to its log; for a resolved one it
//!   opens a new alert. An acknowledgement or a resolve without an open alert is accepted and dropped.
//! - About 120 events a minute per routing key; more are 429, without `Retry-After`.
//! - The words of the errors are PagerDuty's where they are publicly known ("is missing or blank", "Length of
//!   'routing_key' is incorrect (should be 32 characters)", "Invalid routing key", the list of severities); the others
//!   are formed after them. The status of an event above 512 KB is not documented; 413 is assumed.

mod event;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

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

/// The integration key that the simulated service knows unless told otherwise; the documentation's example.
pub const ROUTING_KEY: &str = "e93facc04764012d7bfb002500d5d1a6";

/// Events in a window of 60 seconds (developer.pagerduty.com/docs/events-api-v2/rate-limits).
const EVENTS_PER_MINUTE: usize = 120;
const MAX_EVENT_BYTES: usize = 512 * 1024;

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Triggered,
    Acknowledged,
    Resolved,
}

#[derive(Debug, Clone, Serialize)]
struct Alert {
    number: usize,
    dedup_key: String,
    status: Status,
    /// How many trigger events it got.
    triggers: usize,
    /// The latest trigger event without its routing key.
    event: Value,
}

struct Service {
    routing_key: String,
    alerts: Mutex<Vec<Alert>>,
    accepted_at_ms: Mutex<VecDeque<i64>>,
    journal: Journal,
}

/// A PagerDuty with one service, whose integration key is `routing_key` (32 letters and digits). The base URL for a
/// client is the server's address and `/v2`.
pub fn simulated(routing_key: &str) -> Simulated {
    let journal = Journal::new("pagerduty");
    let service = Arc::new(Service {
        routing_key: routing_key.to_owned(),
        alerts: Mutex::default(),
        accepted_at_ms: Mutex::default(),
        journal: journal.clone(),
    });
    let router = Router::new()
        .route("/v2/enqueue", post(enqueue))
        .route("/_state", get(state))
        .layer(DefaultBodyLimit::disable())
        .with_state(service);
    Simulated { router, journal, faults: Faults::default(), too_many: |_| too_many(), unauthorized }
}

fn too_many() -> Response {
    let message = "Requests for this service are arriving too quickly.  Please retry later.";
    let body = json!({ "status": "throttle exceeded", "message": message, "errors": ["Enhance Your Calm."] });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}

fn unauthorized() -> Response {
    invalid(&["Invalid routing key".to_owned()])
}

fn invalid(errors: &[String]) -> Response {
    let body = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn unrecognized(error: &str) -> Response {
    let body =
        json!({ "status": "Unrecognized object", "message": "Event object format is unrecognized", "errors": [error] });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

async fn state(State(service): State<Arc<Service>>) -> Json<Value> {
    Json(json!({ "alerts": &*lock(&service.alerts) }))
}

async fn enqueue(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    if body.len() > MAX_EVENT_BYTES {
        let body = json!({
            "status": "invalid event",
            "message": "Event object is invalid",
            "errors": ["Event is too large (should be at most 512 KB)"],
        });
        return (StatusCode::PAYLOAD_TOO_LARGE, Json(body)).into_response();
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/json") {
        return unrecognized("Content-Type should be application/json");
    }
    let Ok(mut event) = serde_json::from_slice::<Value>(&body) else { return unrecognized("JSON parse error") };
    if !event.is_object() {
        return unrecognized("Event should be an object");
    }
    let errors = event::errors(&event);
    if !errors.is_empty() {
        return invalid(&errors);
    }
    if event["routing_key"] != service.routing_key.as_str() {
        return unauthorized();
    }
    if !service.admits(now_ms()) {
        return too_many();
    }
    if let Some(event) = event.as_object_mut() {
        event.remove("routing_key");
    }
    let dedup_key = service.take(event);
    let body = json!({ "status": "success", "message": "Event processed", "dedup_key": dedup_key });
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

impl Service {
    fn admits(&self, now_ms: i64) -> bool {
        let mut accepted = lock(&self.accepted_at_ms);
        while accepted.front().is_some_and(|at| now_ms - at >= 60_000) {
            accepted.pop_front();
        }
        let admitted = accepted.len() < EVENTS_PER_MINUTE;
        if admitted {
            accepted.push_back(now_ms);
        }
        admitted
    }

    /// Applies a valid event; answers its dedup key.
    fn take(&self, event: Value) -> String {
        let mut alerts = lock(&self.alerts);
        let number = alerts.len() + 1;
        let dedup_key =
            event["dedup_key"].as_str().map_or_else(|| format!("{:032x}", fastrand::u128(..)), str::to_owned);
        let open = alerts.iter_mut().find(|alert| alert.dedup_key == dedup_key && alert.status != Status::Resolved);
        let (action, number) = match (event["event_action"].as_str().unwrap_or_default(), open) {
            ("trigger", Some(alert)) => {
                alert.triggers += 1;
                alert.event = event.clone();
                ("update", alert.number)
            }
            ("trigger", None) => {
                alerts.push(Alert {
                    number,
                    dedup_key: dedup_key.clone(),
                    status: Status::Triggered,
                    triggers: 1,
                    event: event.clone(),
                });
                ("create", number)
            }
            (_, None) => ("drop", 0),
            ("acknowledge", Some(alert)) => {
                alert.status = Status::Acknowledged;
                ("acknowledge", alert.number)
            }
            (_, Some(alert)) => {
                alert.status = Status::Resolved;
                ("resolve", alert.number)
            }
        };
        self.journal.write(action, "alert", number, &dedup_key, event);
        dedup_key
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::{EVENTS_PER_MINUTE, ROUTING_KEY, simulated};
    use crate::kit::Simulated;

    async fn send(pagerduty: &Simulated, action: &str) -> u16 {
        let payload = json!({ "summary": "parked", "source": "erp", "severity": "error" });
        let event = json!({
            "routing_key": ROUTING_KEY, "event_action": action, "dedup_key": "incident-1", "payload": payload,
        });
        let request = Request::post("/v2/enqueue").header("content-type", "application/json");
        let response = pagerduty.router.clone().oneshot(request.body(Body::from(event.to_string())).unwrap()).await;
        response.unwrap().status().as_u16()
    }

    fn actions(pagerduty: &Simulated) -> Vec<String> {
        pagerduty.journal.entries().into_iter().map(|entry| entry.action).collect()
    }

    #[tokio::test]
    async fn a_trigger_for_an_open_alert_adds_to_it_and_for_a_resolved_one_opens_another() {
        let pagerduty = simulated(ROUTING_KEY);
        for action in ["resolve", "trigger", "acknowledge", "trigger", "resolve", "resolve", "trigger"] {
            assert_eq!(send(&pagerduty, action).await, 202);
        }
        assert_eq!(actions(&pagerduty), ["drop", "create", "acknowledge", "update", "resolve", "drop", "create"]);
    }

    #[tokio::test]
    async fn the_121st_event_within_a_minute_is_refused() {
        let pagerduty = simulated(ROUTING_KEY);
        for _ in 0..EVENTS_PER_MINUTE {
            assert_eq!(send(&pagerduty, "trigger").await, 202);
        }
        assert_eq!(send(&pagerduty, "trigger").await, 429);
    }

    #[tokio::test]
    async fn the_journal_does_not_hold_the_routing_key() {
        let pagerduty = simulated(ROUTING_KEY);
        send(&pagerduty, "trigger").await;
        assert_eq!(pagerduty.journal.entries()[0].body["routing_key"], Value::Null);
    }
}
