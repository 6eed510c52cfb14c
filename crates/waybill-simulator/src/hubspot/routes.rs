//! Which call a path is.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{Method, Request, StatusCode, request::Parts};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{
    answers::{self, Refusal},
    associations,
    batch::{self, Answer},
    body, gate,
    hub::Hub,
    objects, property_api, property_groups,
    record::Kind,
    search,
};
use crate::kit::now_ms;

/// A query string.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    fn of(parts: &Parts) -> Self {
        // A URL needs a scheme and a host to be read.
        let url = reqwest::Url::parse(&format!("http://hub{}", parts.uri));
        Self(url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A list: the parameter repeated, or comma-separated, or both.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(','));
        values.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let number = self.text(name).map(str::parse).transpose();
        number.map_err(|_| Refusal::validation(format!("{name} must be a number")))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let flag = self.text(name).map(str::parse).transpose();
        flag.map_err(|_| Refusal::validation(format!("{name} must be true or false")))
    }
}

/// All paths.
pub(super) fn router(hub: Arc<Hub>) -> Router {
    Router::new().fallback(receive).with_state(hub)
}

async fn receive(State(hub): State<Arc<Hub>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Refusal::validation(error.to_string()).into_response(),
    };
    let path = parts.uri.path().to_owned();
    if let Some(control) = path.strip_prefix("/_control/") {
        return controlled(&hub, &parts.method, control, &body);
    }
    if !gate::is_authentic(&hub.settings, &parts.headers) {
        return answers::unauthorized();
    }
    let is_search = path.ends_with("/search");
    let admitted = hub.limits().admit(is_search, now_ms());
    let mut response = match admitted {
        Some(refusal) => refusal,
        None => match respond(&hub, &parts, &path, &body) {
            Ok((status, Some(body))) => (status, Json(body)).into_response(),
            Ok((status, None)) => status.into_response(),
            Err(refusal) => refusal.into_response(),
        },
    };
    if !is_search {
        hub.limits().mark(&mut response);
    }
    response
}

fn respond(hub: &Hub, parts: &Parts, path: &str, body: &[u8]) -> Result<Answer, Refusal> {
    gate::check_type(&parts.method, &parts.headers, body)?;
    let decoded: Vec<String> = path.split('/').skip(1).map(decode).collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let query = Query::of(parts);
    match segments.as_slice() {
        ["crm", "objects", "2026-03", from, from_id, "associations", rest @ ..]
        | ["crm", "v4", "objects", from, from_id, "associations", rest @ ..] => {
            record_association(hub, &parts.method, (known(from)?, from_id), rest, body)
        }
        ["crm", "v4", "associations", from, to, "batch", call @ ..] => {
            association_batch(hub, &parts.method, known(from)?, known(to)?, call, body)
        }
        ["crm", "objects", "2026-03", kind, rest @ ..] => object(hub, &parts.method, known(kind)?, rest, &query, body),
        ["crm", "properties", "2026-03", kind, rest @ ..] => {
            definition(hub, &parts.method, known(kind)?, rest, &query, body)
        }
        _ => Err(Refusal::not_found()),
    }
}

fn known(word: &str) -> Result<Kind, Refusal> {
    // Seen.
    Kind::from_path(word).ok_or_else(|| Refusal::validation(format!("Unable to infer object type from: {word}")))
}

fn not_allowed() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Method Not Allowed")
}

fn object(
    hub: &Hub,
    method: &Method,
    kind: Kind,
    rest: &[&str],
    query: &Query,
    bytes: &[u8],
) -> Result<Answer, Refusal> {
    let reads = *method == Method::GET || matches!(rest, ["batch", "read"] | ["search"]);
    gate::check_object_scope(&hub.settings, kind, !reads)?;
    let value = || body::parse(bytes);
    match (method.as_str(), rest) {
        ("GET", []) => objects::list(hub, kind, query),
        ("POST", []) => objects::create(hub, kind, &value()?),
        ("POST", ["batch", "create"]) => batch::create(hub, kind, &value()?),
        ("POST", ["batch", "read"]) => batch::read(hub, kind, &value()?, query.flag("archived")?.unwrap_or_default()),
        ("POST", ["batch", "update"]) => batch::update(hub, kind, &value()?),
        ("POST", ["batch", "upsert"]) => batch::upsert(hub, kind, &value()?),
        ("POST", ["batch", "archive"]) => batch::archive(hub, kind, &value()?),
        ("POST", ["search"]) => search::search(hub, kind, bytes),
        ("POST", ["merge"]) => objects::merge(hub, kind, &value()?),
        ("POST", ["gdpr-delete"]) if kind == Kind::Contacts => objects::gdpr_delete(hub, &value()?),
        ("GET", [id]) => objects::get(hub, kind, id, query),
        ("PATCH", [id]) => objects::update(hub, kind, id, query, &value()?),
        ("DELETE", [id]) => Ok(objects::delete(hub, kind, id)),
        (_, [] | [_] | ["batch", _]) => Err(not_allowed()),
        _ => Err(Refusal::not_found()),
    }
}

fn record_association(
    hub: &Hub,
    method: &Method,
    from: (Kind, &str),
    rest: &[&str],
    bytes: &[u8],
) -> Result<Answer, Refusal> {
    gate::check_object_scope(&hub.settings, from.0, *method != Method::GET)?;
    match (method.as_str(), rest) {
        ("GET", [to]) => associations::list(hub, from, known(to)?),
        ("PUT", ["default", to, to_id]) => associations::associate_one_default(hub, from, (known(to)?, to_id)),
        ("PUT", [to, to_id]) => associations::create_one(hub, from, (known(to)?, to_id), &body::parse(bytes)?),
        ("DELETE", [to, to_id]) => Ok(associations::remove(hub, from, (known(to)?, to_id))),
        (_, [_] | [_, _]) => Err(not_allowed()),
        _ => Err(Refusal::not_found()),
    }
}

fn association_batch(
    hub: &Hub,
    method: &Method,
    from: Kind,
    to: Kind,
    call: &[&str],
    bytes: &[u8],
) -> Result<Answer, Refusal> {
    gate::check_object_scope(&hub.settings, from, call != ["read"])?;
    if *method != Method::POST {
        return Err(not_allowed());
    }
    match call {
        ["associate", "default"] => associations::associate_default(hub, from, to, &body::parse(bytes)?),
        ["create"] => associations::create(hub, from, to, &body::parse(bytes)?),
        ["archive"] => associations::archive(hub, from, to, &body::parse(bytes)?),
        ["read"] => associations::read(hub, from, to, &body::parse(bytes)?),
        _ => Err(Refusal::not_found()),
    }
}

fn definition(
    hub: &Hub,
    method: &Method,
    kind: Kind,
    rest: &[&str],
    query: &Query,
    bytes: &[u8],
) -> Result<Answer, Refusal> {
    let reads = *method == Method::GET || rest == ["batch", "read"];
    gate::check_schema_scope(&hub.settings, kind, !reads)?;
    let value = || body::parse(bytes);
    match (method.as_str(), rest) {
        ("GET", []) => property_api::list(hub, kind, query),
        ("POST", []) => property_api::create(hub, kind, &value()?),
        ("POST", ["batch", "create"]) => property_api::create_all(hub, kind, &value()?),
        ("POST", ["batch", "read"]) => property_api::read(hub, kind, &value()?),
        ("POST", ["batch", "archive"]) => property_api::archive_all(hub, kind, &value()?),
        ("GET", ["groups"]) => Ok(property_groups::list(hub, kind)),
        ("POST", ["groups"]) => property_groups::create(hub, kind, &value()?),
        ("GET", ["groups", name]) => property_groups::get(hub, kind, name),
        ("PATCH", ["groups", name]) => property_groups::update(hub, kind, name, &value()?),
        ("DELETE", ["groups", name]) => property_groups::archive(hub, kind, name),
        ("GET", [name]) => property_api::get(hub, kind, name),
        ("PATCH", [name]) => property_api::update(hub, kind, name, &value()?),
        ("DELETE", [name]) => property_api::archive(hub, kind, name),
        (_, [] | [_] | ["groups", _] | ["batch", _]) => Err(not_allowed()),
        _ => Err(Refusal::not_found()),
    }
}

fn controlled(hub: &Hub, method: &Method, control: &str, bytes: &[u8]) -> Response {
    match (method.as_str(), control) {
        ("GET", "state") => Json(hub.state()).into_response(),
        ("PUT", "limit") => {
            let wanted: Option<Value> = serde_json::from_slice(bytes).ok();
            let member = |name: &str| wanted.as_ref().and_then(|wanted| wanted[name].as_i64());
            let requests = member("requests").and_then(|requests| usize::try_from(requests).ok());
            match (requests, member("window_ms")) {
                (Some(requests), Some(window_ms)) => {
                    hub.limits().set(requests, window_ms);
                    StatusCode::NO_CONTENT.into_response()
                }
                _ => StatusCode::BAD_REQUEST.into_response(),
            }
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A path's segment without its percent signs.
fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
