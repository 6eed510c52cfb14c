//! Answers in the vendor's shapes: errors are `{request_id, errors: [{error_source, error_type, error_code, message,
//! field_name?, field_value?}]}` (docs.shipstation.com, "Error Handling" and "Error Codes").

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// Something that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) kind: &'static str,
    pub(super) code: &'static str,
    pub(super) field: String,
    pub(super) value: Option<String>,
    pub(super) message: String,
}

impl Problem {
    /// A field that must be there.
    pub(super) fn required(field: &str) -> Self {
        Self {
            kind: "validation",
            code: "field_value_required",
            field: field.to_owned(),
            value: None,
            message: format!("{field} is required."),
        }
    }

    /// A field with an impossible value.
    pub(super) fn invalid(field: &str, value: &Value, message: impl Into<String>) -> Self {
        Self::coded("invalid_field_value", field, value, message)
    }

    /// A field that is wrong in a way that has a code of its own.
    pub(super) fn coded(code: &'static str, field: &str, value: &Value, message: impl Into<String>) -> Self {
        Self {
            kind: "validation",
            code,
            field: field.to_owned(),
            value: Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
            message: message.into(),
        }
    }

    /// A request that is well formed and not allowed.
    pub(super) fn business(code: &'static str, field: &str, message: impl Into<String>) -> Self {
        Self { kind: "business_rules", code, field: field.to_owned(), value: None, message: message.into() }
    }

    fn json(&self) -> Value {
        let mut error = json!({
            "error_source": "ShipStation",
            "error_type": self.kind,
            "error_code": self.code,
            "message": self.message,
        });
        if !self.field.is_empty() {
            error["field_name"] = self.field.clone().into();
        }
        if let Some(value) = &self.value {
            error["field_value"] = value.clone().into();
        }
        error
    }
}

/// 400 with everything that is wrong.
pub(super) fn bad_request(problems: &[Problem]) -> Response {
    errors(StatusCode::BAD_REQUEST, problems)
}

/// 404 for a resource with this id.
pub(super) fn not_found(field: &str, id: &str) -> Response {
    let problem = Problem::coded("invalid_identifier", field, &id.into(), format!("No {field} {id} was found."));
    errors(StatusCode::NOT_FOUND, &[problem])
}

/// 404 for a path that the API has not.
pub(super) async fn no_such_path() -> Response {
    errors(StatusCode::NOT_FOUND, &[Problem::business("unspecified", "", "The requested resource does not exist.")])
}

/// 405.
pub(super) async fn no_such_method() -> Response {
    errors(StatusCode::METHOD_NOT_ALLOWED, &[Problem::business("unspecified", "", "The method is not allowed.")])
}

/// 401, the same for a missing and for a wrong key.
pub(super) fn unauthorized() -> Response {
    let problem = Problem {
        kind: "security",
        code: "unauthorized",
        field: String::new(),
        value: None,
        message: "Access denied.".to_owned(),
    };
    errors(StatusCode::UNAUTHORIZED, &[problem])
}

/// 429.
pub(super) fn too_many(retry_after_s: u64) -> Response {
    let problem = Problem {
        kind: "system",
        code: "rate_limit_exceeded",
        field: String::new(),
        value: None,
        message: "You have exceeded the rate limit.".to_owned(),
    };
    let mut response = errors(StatusCode::TOO_MANY_REQUESTS, &[problem]);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
    response
}

/// 200.
pub(super) fn ok(body: Value) -> Response {
    Json(body).into_response()
}

/// 204.
pub(super) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn errors(status: StatusCode, problems: &[Problem]) -> Response {
    let errors: Vec<_> = problems.iter().map(Problem::json).collect();
    (status, Json(json!({ "request_id": request_id(), "errors": errors }))).into_response()
}

fn request_id() -> String {
    let bits = fastrand::u128(..);
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        (bits >> 96) as u32,
        (bits >> 80) as u16,
        (bits >> 64) as u16 & 0xfff,
        (bits >> 48) as u16 & 0xfff,
        bits as u64 & 0xffff_ffff_ffff
    )
}
