//! What every request passes: session, forms, headers, access log. Closed unless a path is named here.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use crate::{app::Console, pages, sessions::Session};

/// For monitors; no session and no line in the access log.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
/// What the page to sign in needs. The only paths besides [`PROBES`] without a session.
const OPEN: [&str; 3] = ["/sign-in", "/style.css", "/icon.svg"];
/// No form of ours comes near.
const FORM_BYTES: usize = 64 * 1024;

/// A form's fields. Present in every POST that is let through.
#[derive(Debug, Clone)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// A field without the spaces around it; empty if it is absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(|text| text.trim()).unwrap_or_default()
    }

    /// A field exactly as it was typed; empty if it is absent.
    pub(crate) fn exact(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A field, if it is there and not empty.
    pub(crate) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

/// Lets a request pass, or answers it.
pub(crate) async fn pass(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    if PROBES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    console.metrics.add("waybill_console_requests_total", &[], 1);
    let session = console.sessions.find(request.headers(), console.clock.now());
    let who = session.as_ref().map_or_else(|| "nobody".to_owned(), Session::who);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = answer(&console, session, request, next).await;
    harden(response.headers_mut(), console.https);
    // The path holds a record's id at most; the query, which may hold what people typed, is left out.
    tracing::info!(who, %method, path, status = response.status().as_u16(), "request");
    response
}

async fn answer(console: &Console, session: Option<Session>, request: Request, next: Next) -> Response {
    let open = OPEN.contains(&request.uri().path());
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    if session.is_none() && !open {
        return if reads {
            Redirect::to(&pages::sign_in_then(request.uri())).into_response()
        } else {
            pages::refused(StatusCode::UNAUTHORIZED, "You are not signed in. Nothing was changed.")
        };
    }
    let mut request = request;
    if !reads {
        request = match form(console, session.as_ref(), open, request).await {
            Ok(request) => request,
            Err(refusal) => return refusal,
        };
    }
    if let Some(session) = session {
        request.extensions_mut().insert(session);
    }
    next.run(request).await
}

/// Reads and checks a form; it goes on as [`Fields`].
async fn form(console: &Console, session: Option<&Session>, open: bool, request: Request) -> Result<Request, Response> {
    let forged = || {
        pages::refused(
            StatusCode::FORBIDDEN,
            "This form did not come from a page of this sign-in. Nothing was changed. \
             Reload the page and send it again.",
        )
    };
    if !same_origin(request.headers()) {
        return Err(forged());
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, FORM_BYTES).await else {
        return Err(pages::refused(StatusCode::PAYLOAD_TOO_LARGE, "The form is too large. Nothing was changed."));
    };
    let fields = Fields(url::form_urlencoded::parse(&body).into_owned().collect());
    let ours = session.is_some_and(|session| console.sessions.form_is_ours(session, fields.exact("form")));
    if !ours && !open {
        return Err(forged());
    }
    let mut request = Request::from_parts(parts, Body::empty());
    request.extensions_mut().insert(fields);
    Ok(request)
}

/// Whether the browser says that the form is from our own page. Tools that say nothing are judged by the form's
/// token alone.
fn same_origin(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(site) => site == b"same-origin" || site == b"none",
        None => true,
    }
}

/// Nothing from elsewhere, nothing framed, nothing kept, no script.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

fn harden(headers: &mut HeaderMap, https: bool) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::same_origin;
    use axum::http::{HeaderMap, HeaderName};

    fn sent_from(site: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static("sec-fetch-site"), site.parse().unwrap())])
    }

    #[test]
    fn a_form_of_another_site_is_not_ours() {
        assert!(same_origin(&sent_from("same-origin")));
        assert!(!same_origin(&sent_from("cross-site")));
        assert!(!same_origin(&sent_from("same-site")));
    }
}
