//! `POST /webhooks/<store>`.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
    response::{IntoResponse, Response},
    routing::post,
};
use connector_shopify::webhook::{self, Verifier};
use futures::StreamExt as _;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tracing::Instrument as _;
use waybill_domain::StoreName;
use waybill_runtime::trace_context;

use crate::{
    app::Shared,
    inbox::{NotCommitted, Received},
};

/// Of a body that is too large to be kept, so much is, to find its record's id in.
const START_BYTES: usize = 64 * 1024;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/webhooks/{store}", post(receive)).with_state(shared)
}

/// Shopify's ids have 36; what is longer would not fit the inbox's index.
const LONGEST_ID_BYTES: usize = 200;

/// Why a webhook is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    UnknownStore,
    Signature,
    TooLarge,
    Cut,
    NotCommitted,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::UnknownStore => (StatusCode::NOT_FOUND, "the plan has no such store"),
            Self::Signature => {
                (StatusCode::UNAUTHORIZED, "the signature is missing or not made with this store's secret")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 16 MiB"),
            Self::Cut => (StatusCode::BAD_REQUEST, "the body ended early; send it again"),
            Self::NotCommitted => (StatusCode::SERVICE_UNAVAILABLE, "not stored; send it again"),
        };
        (status, format!("{text}\n")).into_response()
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    Path(store): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let span = tracing::info_span!(
        "webhook",
        store,
        topic = tracing::field::Empty,
        webhook = tracing::field::Empty,
        trace_id = tracing::field::Empty
    );
    take(&shared, &store, &headers, body).instrument(span).await.inspect_err(|refusal| {
        shared.metrics.add("waybill_webhooks_refused_total", &[("reason", &format!("{refusal:?}"))], 1);
        // The store is a path anybody can send: only what the plan knows is logged as such.
        tracing::warn!(?refusal, "a webhook was refused");
    })
}

/// A header's text; empty if there is none.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(format!("x-shopify-{name}")).or_else(|| headers.get(format!("shopify-{name}")));
    value.and_then(|value| value.to_str().ok()).unwrap_or_default().trim()
}

/// Whether the message has an id that the inbox can keep.
fn has_id(headers: &HeaderMap) -> bool {
    (1..=LONGEST_ID_BYTES).contains(&header(headers, "webhook-id").len())
}

async fn take(shared: &Shared, store: &str, headers: &HeaderMap, body: Body) -> Result<StatusCode, Refusal> {
    let store: StoreName = store.parse().map_err(|_| Refusal::UnknownStore)?;
    let shop = shared.shops.get(&store).ok_or(Refusal::UnknownStore)?;
    // Without a signature there is no reason to read on.
    let signature = webhook::signature(headers).ok_or(Refusal::Signature)?.to_owned();
    let mut verifier = Verifier::new(&shop.secrets);
    // The id stands in a header. Only a message without one is told from others by its bytes.
    let mut digest = (!has_id(headers)).then(Sha256::new);
    // Grown chunk by chunk, it would be copied several times.
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
    let mut kept = Vec::with_capacity(shared.largest_kept_bytes.min(announced));
    let mut body_bytes = 0usize;
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refusal::Cut)?;
        body_bytes += chunk.len();
        if body_bytes > shared.largest_bytes {
            return Err(Refusal::TooLarge);
        }
        verifier.update(&chunk);
        if let Some(digest) = &mut digest {
            digest.update(&chunk);
        }
        if body_bytes <= shared.largest_kept_bytes {
            kept.extend_from_slice(&chunk);
        } else if kept.len() > START_BYTES {
            kept.truncate(START_BYTES);
            kept.shrink_to_fit();
        }
    }
    if !verifier.finish(&signature) {
        return Err(Refusal::Signature);
    }
    let kept_whole = body_bytes <= shared.largest_kept_bytes;
    let read = webhook::Headers::read(headers);
    let header = |name: &str| header(headers, name).to_owned();
    let (topic, webhook_id, event_id, triggered_at) = match read {
        Ok(read) => (read.topic, read.webhook_id, read.event_id, read.triggered_at),
        Err(error) => {
            // Its signature holds, so it is Shopify's and is kept: what is missing is told with it.
            tracing::warn!(%error, "a signed webhook lacks a header; it is kept");
            (header("topic"), header("webhook-id"), header("event-id"), None)
        }
    };
    let webhook_id = match digest {
        None => webhook_id,
        Some(digest) => {
            // The same bytes of the same topic are the same message.
            let topic: String = topic.chars().take(100).collect();
            let hash: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            format!("sha256-{topic}-{hash}")
        }
    };
    // No webhook is older than the epoch, and times before PostgreSQL's calendar would fail the whole group.
    let triggered_at = triggered_at.filter(|time| *time > Timestamp::UNIX_EPOCH);
    let span = tracing::Span::current();
    let traceparent = trace_context::current();
    span.record("topic", &topic)
        .record("webhook", &webhook_id)
        .record("trace_id", trace_context::trace_id(&traceparent));
    let received = Received {
        store: store.to_string(),
        webhook_id,
        topic,
        event_id,
        triggered_at,
        body: kept,
        body_bytes: i64::try_from(body_bytes).unwrap_or(i64::MAX),
        kept_whole,
        traceparent,
    };
    shared.inbox.keep(received).await.map_err(|NotCommitted| Refusal::NotCommitted)?;
    shared.metrics.add("waybill_webhooks_received_total", &[("store", store.as_str())], 1);
    shared.received.notify_one();
    waybill_faults::crash_soon("webhook-answered");
    Ok(StatusCode::OK)
}
