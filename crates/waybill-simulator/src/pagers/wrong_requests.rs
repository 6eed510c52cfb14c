//! What the vendors refuse, the simulated ones refuse.

mod pagerduty;
mod slack;
mod webhook;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::kit::Simulated;

/// Sends a request; answers status and body.
async fn send(vendor: &Simulated, request: Request<Body>) -> (u16, String) {
    let response = vendor.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
