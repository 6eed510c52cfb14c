//! The HTTP side: `trytond.protocols.dispatcher` and `trytond.protocols.jsonrpc`.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value as Json, json};

use super::{
    Tryton, taking,
    trouble::{Outcome, Trouble},
};

/// Above this many characters Tryton streams the answer and says that it is compressed, compressed or not.
const WHOLE_CHARS: usize = 1400;

/// Werkzeug's words.
pub(super) const UNAUTHORIZED: &str = "The server could not verify that you are authorized to access the URL requested. You either supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand how to supply the credentials required.";
/// Werkzeug's words.
pub(super) const FORBIDDEN: &str = "You don't have the permission to access the requested resource. It is either read-protected or not readable by the server.";
/// Werkzeug's words.
pub(super) const TOO_MANY: &str = "This user has exceeded an allotted request count. Try again later.";
const NOT_FOUND: &str = "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.";
const NOT_ALLOWED: &str = "The method is not allowed for the requested URL.";

/// Tryton's paths.
pub(super) fn router(tryton: Tryton) -> Router {
    let wrong_method = |allow: &'static str| {
        move || async move {
            let page = page(StatusCode::METHOD_NOT_ALLOWED, NOT_ALLOWED);
            ([(header::ALLOW, allow)], page).into_response()
        }
    };
    Router::new()
        .route("/rpc/", post(server).fallback(wrong_method("POST, OPTIONS")))
        .route("/{database}/rpc/", post(database).fallback(wrong_method("POST, OPTIONS")))
        .route("/_control/records/{model}/{key}", delete(lose))
        .fallback(wrong_method("OPTIONS"))
        .with_state(tryton)
}

/// The answer to a session that is not one: Tryton's `_do_basic_auth`.
pub(super) fn unauthorized() -> Response {
    let headers =
        [(header::WWW_AUTHENTICATE, "Basic realm=\"Tryton\""), (header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (StatusCode::UNAUTHORIZED, headers, "").into_response()
}

/// The answer to too many failed logins. Tryton states no wait.
pub(super) fn too_many() -> Response {
    page(StatusCode::TOO_MANY_REQUESTS, TOO_MANY)
}

async fn lose(State(tryton): State<Tryton>, Path((model, key)): Path<(String, String)>) -> StatusCode {
    if tryton.lose(&model, &key) == 0 { StatusCode::NOT_FOUND } else { StatusCode::NO_CONTENT }
}

async fn server(State(tryton): State<Tryton>, headers: HeaderMap, body: Bytes) -> Response {
    let request = match Request::parse(&headers, &body) {
        Ok(request) => request,
        Err(trouble) => return refused(&trouble, None),
    };
    let outcome = match request.method.as_str() {
        "common.server.version" => Ok(json!("8.2")),
        "common.db.list" => Ok(json!([&*tryton.database])),
        "common.authentication.services" => Ok(json!([])),
        other => Err(Trouble::key(other)),
    };
    request.answer(outcome)
}

async fn database(
    State(tryton): State<Tryton>,
    Path(database): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut request = match Request::parse(&headers, &body) {
        Ok(request) => request,
        Err(trouble) => return refused(&trouble, None),
    };
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let parameters = std::mem::take(&mut request.parameters);
    let outcome = if database == *tryton.database {
        tryton.call(&request.method, parameters, authorization)
    } else {
        Err(Trouble::Page(StatusCode::NOT_FOUND, NOT_FOUND))
    };
    request.answer(outcome)
}

struct Request {
    method: String,
    parameters: Vec<Json>,
    /// The `id` to be given back, if the body is exactly `{id, method, params}`; else results and errors come bare.
    id: Option<Json>,
    takes_gzip: bool,
}

impl Request {
    fn parse(headers: &HeaderMap, body: &[u8]) -> Outcome<Self> {
        let refuse = |words| Err(Trouble::Page(StatusCode::BAD_REQUEST, words));
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !text(header::CONTENT_TYPE).contains("json") {
            return refuse("Not a RPC request");
        }
        let parsed = serde_json::from_slice::<Json>(body).ok().filter(taking::decodes);
        let Some(Json::Object(object)) = parsed else { return refuse("Unable to get RPC method") };
        let Some(method) = object.get("method") else { return refuse("Unable to get RPC method") };
        let Some(parameters) = object.get("params") else { return refuse("Unable to get RPC params") };
        let (Some(method), Some(parameters)) = (method.as_str(), parameters.as_array()) else {
            return Err(Trouble::not_simulated("a method or parameters of this type"));
        };
        Ok(Self {
            method: method.to_owned(),
            parameters: parameters.clone(),
            id: (object.len() == 3).then(|| object.get("id").cloned()).flatten(),
            takes_gzip: text(header::ACCEPT_ENCODING).contains("gzip"),
        })
    }

    fn answer(&self, outcome: Outcome<Json>) -> Response {
        let result = match outcome {
            Ok(result) => result,
            Err(trouble) => return refused(&trouble, self.id.as_ref()),
        };
        let body = match &self.id {
            Some(id) => json!({"id": id, "result": result}),
            None => result,
        };
        let text = body.to_string();
        let mut response = json_answer(text.clone());
        if text.chars().count() > WHOLE_CHARS && !self.takes_gzip {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

fn json_answer(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn refused(trouble: &Trouble, id: Option<&Json>) -> Response {
    match (trouble, id) {
        (Trouble::NotSimulated(what), _) => {
            (StatusCode::NOT_IMPLEMENTED, format!("the simulated Tryton does not keep {what}\n")).into_response()
        }
        (Trouble::NoSession, _) => unauthorized(),
        (Trouble::Page(status, words), _) => page(*status, words),
        (_, Some(id)) => {
            let mut body = Map::new();
            body.insert("id".to_owned(), id.clone());
            body.insert("error".to_owned(), trouble.error());
            json_answer(Json::Object(body).to_string())
        }
        (Trouble::User { message, description, .. }, None) => {
            page(StatusCode::BAD_REQUEST, &format!("{message} - {description}"))
        }
        (Trouble::Login { message, .. }, None) => page(StatusCode::FORBIDDEN, message),
        (Trouble::Exception(text), None) => page(StatusCode::INTERNAL_SERVER_ERROR, text),
    }
}

/// Werkzeug's page for an error.
fn page(status: StatusCode, words: &str) -> Response {
    let escaped = words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;");
    let (code, reason) = (status.as_u16(), status.canonical_reason().unwrap_or_default());
    let html = format!(
        "<!doctype html>\n<html lang=en>\n<title>{code} {reason}</title>\n<h1>{reason}</h1>\n<p>{escaped}</p>\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}
