//! Slack's incoming webhooks, after docs.slack.dev (`messaging/sending-messages-using-incoming-webhooks`,
//! `reference/block-kit/blocks`, `apis/web-api/rate-limits`) and api.slack.com's changelog of 2016-05-17, which lists the
//! errors with their statuses.
//!
//! - The URL is the credential. An unknown workspace is `no_team`, an unknown or removed webhook `no_service`, a wrong
//!   token `invalid_token`; all answers are plain words.
//! - Every accepted post is a new message: nothing is deduplicated, changed or looked up.
//! - One message a second with bursts allowed; how long a burst may be is not documented, 30 is assumed.

mod message;

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use super::lock;
use crate::kit::{Faults, Journal, Simulated, now_ms};

/// The path of the webhook that works; the documentation's example.
pub const WEBHOOK_PATH: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";

const TEAM: &str = "T00000000";
const TOKEN: &str = "XXXXXXXXXXXXXXXXXXXXXXXX";
const BURST: f64 = 30.0;

/// The webhooks of the simulated workspace by id, with what has become of each one's channel.
const WEBHOOKS: &[(&str, Option<(StatusCode, &str)>)] = &[
    ("B00000000", None),
    ("B0ARCHIVED", Some((StatusCode::GONE, "channel_is_archived"))),
    ("B0DELETED", Some((StatusCode::NOT_FOUND, "channel_not_found"))),
    ("B0FORBIDDEN", Some((StatusCode::FORBIDDEN, "action_prohibited"))),
    ("B0GENERAL", Some((StatusCode::FORBIDDEN, "posting_to_general_channel_denied"))),
];

#[derive(Debug, Clone, Serialize)]
struct Message {
    /// Slack's time stamp of a message, unique in its channel.
    ts: String,
    message: Value,
}

/// How much may be sent at once, refilled by one a second.
struct Allowance {
    left: f64,
    at_ms: i64,
}

struct Workspace {
    messages: Mutex<Vec<Message>>,
    allowance: Mutex<Allowance>,
    journal: Journal,
}

/// A workspace with one working webhook under [`WEBHOOK_PATH`] and some whose channels take no messages.
pub fn simulated() -> Simulated {
    let journal = Journal::new("slack");
    let workspace = Arc::new(Workspace {
        messages: Mutex::default(),
        allowance: Mutex::new(Allowance { left: BURST, at_ms: now_ms() }),
        journal: journal.clone(),
    });
    let router = Router::new()
        .route("/services/{team}/{webhook}/{token}", post(incoming))
        .route("/_state", get(state))
        .with_state(workspace);
    Simulated { router, journal, faults: Faults::default(), too_many, unauthorized }
}

fn too_many(retry_after_s: u64) -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, retry_after_s.to_string())], "rate_limited").into_response()
}

fn unauthorized() -> Response {
    word(StatusCode::FORBIDDEN, "invalid_token")
}

/// All of Slack's answers to a webhook are one word, typed as HTML.
fn word(status: StatusCode, word: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html")], word).into_response()
}

async fn state(State(workspace): State<Arc<Workspace>>) -> Json<Value> {
    Json(json!({ "messages": &*lock(&workspace.messages) }))
}

async fn incoming(
    State(workspace): State<Arc<Workspace>>,
    Path((team, webhook, token)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if team != TEAM {
        return word(StatusCode::NOT_FOUND, "no_team");
    }
    let Some((_, channel)) = WEBHOOKS.iter().find(|(id, _)| *id == webhook) else {
        return word(StatusCode::NOT_FOUND, "no_service");
    };
    if token != TOKEN {
        return unauthorized();
    }
    if let Some(retry_after_s) = workspace.wait_s(now_ms()) {
        return too_many(retry_after_s);
    }
    let message = match message::parse(&headers, &body) {
        Ok(message) => message,
        Err(refusal) => return word(StatusCode::BAD_REQUEST, refusal),
    };
    if let Some((status, refusal)) = channel {
        return word(*status, refusal);
    }
    workspace.post(message);
    word(StatusCode::OK, "ok")
}

impl Workspace {
    /// How long to wait if too much was sent.
    fn wait_s(&self, now_ms: i64) -> Option<u64> {
        let mut allowance = lock(&self.allowance);
        #[expect(clippy::cast_precision_loss, reason = "a difference of a few minutes in milliseconds")]
        let passed_s = (now_ms - allowance.at_ms).max(0) as f64 / 1000.0;
        allowance.left = (allowance.left + passed_s).min(BURST);
        allowance.at_ms = now_ms;
        if allowance.left < 1.0 {
            return Some(1);
        }
        allowance.left -= 1.0;
        None
    }

    fn post(&self, message: Value) {
        let mut messages = lock(&self.messages);
        let ts = format!("{}.{:06}", now_ms() / 1000, messages.len() + 1);
        messages.push(Message { ts: ts.clone(), message: message.clone() });
        self.journal.write("create", "message", ts, "", message);
    }
}
