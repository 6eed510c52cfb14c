//! Where bulk operations' files are served, as Google's storage serves them: by a signed address, for a while, in parts
//! if a range is asked for.

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use super::{bulk::Status, store::Store};
use crate::kit::now_ms;

/// Where files are.
pub(crate) const PATH: &str = "/bulk-operation-outputs";

pub(super) fn routes() -> Router<Store> {
    Router::new().route(&format!("{PATH}/{{name}}"), get(serve))
}

async fn serve(State(store): State<Store>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    // The address is the permission: a token that is sent along is shown to a stranger.
    if headers.contains_key("x-shopify-access-token") || headers.contains_key(header::AUTHORIZATION) {
        return (StatusCode::BAD_REQUEST, "<Error><Code>InvalidArgument</Code></Error>").into_response();
    }
    let settings = &store.0.settings;
    let ms = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4);
    let found = store.state().bulk.values().find(|one| one.file_name() == name).cloned();
    let served = found.filter(|one| {
        let status = one.status(now_ms(), ms(settings.bulk_takes), ms(settings.bulk_kept));
        matches!(status, Status::Completed | Status::Failed)
    });
    match served {
        Some(one) => part(&one.served(), &headers),
        None => (StatusCode::BAD_REQUEST, "<Error><Code>ExpiredToken</Code></Error>").into_response(),
    }
}

/// What the range holds of the file: `bytes=FROM-` or `bytes=FROM-TO`.
fn part(file: &Bytes, headers: &HeaderMap) -> Response {
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let range = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((from, to)) = range.and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok())))
    else {
        return (StatusCode::OK, file.clone()).into_response();
    };
    if from >= file.len() {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    }
    let last = to.unwrap_or(usize::MAX).min(file.len() - 1).max(from);
    let told = format!("bytes {from}-{last}/{}", file.len());
    (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, told)], file.slice(from..=last)).into_response()
}
