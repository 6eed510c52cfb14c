//! Before a Tryton that runs elsewhere.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use waybill_simulator::{
    kit::{Faults, Journal, Simulated},
    tryton,
};

use super::{DATABASE, setup};

/// A Tryton that is elsewhere, with the faults of a simulated one.
pub(super) fn to(url: &str) -> Simulated {
    let to = Proxy { http: reqwest::Client::new(), url: url.to_owned() };
    let simulated = tryton::Tryton::new(DATABASE, &setup()).simulated();
    Simulated {
        router: Router::new().fallback(forward).with_state(to),
        journal: Journal::new("tryton"),
        faults: Faults::default(),
        too_many: simulated.too_many,
        unauthorized: simulated.unauthorized,
    }
}

#[derive(Clone)]
struct Proxy {
    http: reqwest::Client,
    url: String,
}

async fn forward(State(to): State<Proxy>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut forwarded = to.http.request(parts.method, format!("{}{}", to.url, parts.uri.path())).body(body);
    for name in ["content-type", "authorization", "accept"] {
        if let Some(value) = parts.headers.get(name) {
            forwarded = forwarded.header(name, value);
        }
    }
    let response = forwarded.send().await.unwrap();
    let (status, content) = (response.status(), response.headers().get("content-type").cloned());
    let body: Bytes = response.bytes().await.unwrap();
    let mut answer = (status, Body::from(body)).into_response();
    if let Some(content) = content {
        answer.headers_mut().insert("content-type", content);
    }
    answer
}
