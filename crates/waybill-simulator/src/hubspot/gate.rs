//! What every request passes before its call: the token, its scopes, the body's type.

use http::{HeaderMap, Method, StatusCode, header};

use super::{Settings, answers::Refusal, record::Kind};

/// Whether the request bears the account's token.
pub(super) fn is_authentic(settings: &Settings, headers: &HeaderMap) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|token| token == settings.token)
}

/// A body must be JSON by its content type (the documents know no other).
pub(super) fn check_type(method: &Method, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let carries = matches!(*method, Method::POST | Method::PATCH) || (*method == Method::PUT && !body.is_empty());
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !carries || content_type.split(';').next().is_some_and(|kind| kind.trim() == "application/json") {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_MEDIA_TYPE",
        "Unsupported Media Type: the body must be application/json",
    ))
}

/// Checks the scopes that the documents' `security` names for a call on a kind's records.
pub(super) fn check_object_scope(settings: &Settings, kind: Kind, writes: bool) -> Result<(), Refusal> {
    let word = if writes { "write" } else { "read" };
    check(settings, &[format!("crm.objects.{}.{word}", kind.plural())])
}

/// Checks the scopes for a call on a kind's definitions: of those that the document lists, the kind's own.
pub(super) fn check_schema_scope(settings: &Settings, kind: Kind, writes: bool) -> Result<(), Refusal> {
    let kind = kind.plural();
    if writes {
        check(settings, &[format!("crm.schemas.{kind}.write")])
    } else {
        check(settings, &[format!("crm.schemas.{kind}.read"), format!("crm.objects.{kind}.read")])
    }
}

/// One of the scopes is enough.
fn check(settings: &Settings, any: &[String]) -> Result<(), Refusal> {
    if any.iter().any(|scope| settings.scopes.contains(scope)) { Ok(()) } else { Err(Refusal::missing_scopes(any)) }
}
