//! HubSpot's error answers.
//!
//! The shape is that of developers.hubspot.com/docs/api-reference/error-handling and of `Error` and `StandardError` in
//! the OpenAPI documents. Texts marked "seen" are quoted by people who met them in live accounts.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

/// What is wrong with one property's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detail {
    pub(super) code: &'static str,
    pub(super) property: String,
    pub(super) message: String,
}

/// A refused request, or a refused input of a batch.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    category: &'static str,
    message: String,
    details: Vec<Value>,
    context: Map<String, Value>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, category: &'static str, message: impl Into<String>) -> Self {
        Self { status, category, message: message.into(), details: Vec::new(), context: Map::new() }
    }

    /// 400, the commonest.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    /// A body that is JSON but not what the document describes (seen).
    pub(super) fn body(problem: &str) -> Self {
        Self::validation(format!("Invalid input JSON on line 1, column 1: {problem}"))
    }

    /// Members that the document requires and the body lacks (seen).
    pub(super) fn missing(members: &[&str]) -> Self {
        Self::validation(format!(
            "Invalid input JSON on line 1, column 1. Some required fields were not set: [{}]",
            members.join(", ")
        ))
    }

    /// Property values that are not valid: the list is in the message and again in `errors`, as the error-handling
    /// guide shows.
    pub(super) fn values(details: &[Detail]) -> Self {
        let listed: Vec<Value> = details
            .iter()
            .map(|detail| {
                json!({
                    "isValid": false,
                    "message": detail.message,
                    "error": detail.code,
                    "name": detail.property,
                    "localizedErrorMessage": detail.message,
                    "portalId": PORTAL,
                })
            })
            .collect();
        let mut refusal = Self::validation(format!("Property values were not valid: {}", Value::from(listed)));
        refusal.details = details
            .iter()
            .map(|detail| {
                json!({
                    "message": detail.message,
                    "code": detail.code,
                    "context": {"propertyName": [detail.property]},
                })
            })
            .collect();
        refusal
    }

    /// A value that another record holds and that must be unique (seen, for e-mail and for custom properties, on
    /// update and on upsert).
    pub(super) fn taken(kind: &str, property: &str, value: &str, by: u64, on: Option<u64>) -> Self {
        let on = on.map_or(String::new(), |id| format!(" on {id}"));
        Self::validation(format!(
            "Cannot set PropertyValueCoordinates{{portalId={PORTAL}, objectTypeId=ObjectTypeId{{legacyObjectType={kind}}}, \
             propertyName={property}, value={value}}}{on}. {by} already has that value."
        ))
    }

    /// A contact created with an e-mail that is there already (seen; the legacy documentation states the 409).
    pub(super) fn contact_exists(id: u64) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", format!("Contact already exists. Existing ID: {id}"))
            .with_context("existingId", [id.to_string()])
    }

    /// Ids that are not there, in a batch (seen).
    pub(super) fn not_found_in_batch(kind: &str, ids: &[String]) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "OBJECT_NOT_FOUND",
            format!("Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid."),
        )
        .with_context("ids", ids.iter().cloned())
    }

    /// One record or definition that is not there (seen).
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", "resource not found")
    }

    /// A token without a scope (seen).
    pub(super) fn missing_scopes(scopes: &[String]) -> Self {
        let mut refusal = Self::new(
            StatusCode::FORBIDDEN,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call. Read more about required scopes \
             here: https://developers.hubspot.com/scopes.",
        );
        refusal.details = vec![json!({
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": scopes},
        })];
        refusal
    }

    /// Whether it says that a record is not there, which never spoils a batch.
    pub(super) fn is_missing_record(&self) -> bool {
        self.category == "OBJECT_NOT_FOUND"
    }

    pub(super) fn with_context(mut self, key: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.context.insert(key.to_owned(), values.into_iter().collect::<Vec<_>>().into());
        self
    }

    /// The error as an entry of a 207's `errors`.
    pub(super) fn entry(mut self, trace: Option<&str>) -> Value {
        if let Some(trace) = trace {
            self.context.insert("objectWriteTraceId".to_owned(), json!([trace]));
        }
        json!({
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": self.context,
            "errors": self.details,
            "links": {},
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id(),
            "category": self.category,
        });
        if !self.details.is_empty() {
            body["errors"] = self.details.into();
        }
        if !self.context.is_empty() {
            body["context"] = self.context.into();
        }
        (self.status, Json(body)).into_response()
    }
}

/// The account's number.
pub(super) const PORTAL: u32 = 891_936_587;

/// 401 for a token that is missing or not the account's (seen).
pub(super) fn unauthorized() -> Response {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more \
         details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
    )
    .into_response()
}

/// 429 for the ten-second limit that also says when to come back.
pub(super) fn too_many(retry_after_s: u64) -> Response {
    let mut response = over_limit("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
    response
}

/// 429 as developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines shows it.
pub(super) fn over_limit(policy: &str, message: &str) -> Response {
    let body = json!({
        "status": "error",
        "message": message,
        "errorType": "RATE_LIMIT",
        "category": "RATE_LIMITS",
        "correlationId": correlation_id(),
        "policyName": policy,
        "requestId": correlation_id(),
    });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}

/// A random UUID, version 4.
fn correlation_id() -> String {
    let bits = (fastrand::u128(..) & !(0xf000 << 64) & !(0xc000 << 48)) | (0x4000 << 64) | (0x8000 << 48);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
