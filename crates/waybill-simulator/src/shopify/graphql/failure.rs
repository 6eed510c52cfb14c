//! Why a field is not answered.

use serde_json::{Value, json};

/// Why a field is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Shopify's own refusal, as a top-level error.
    Refused { message: String, code: &'static str, documentation: Option<&'static str> },
    /// The simulator has no answer to it. The whole request fails.
    Unanswered(String),
}

impl Failure {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), code: "BAD_REQUEST", documentation: None }
    }

    pub(crate) fn invalid_id(id: &str) -> Self {
        Self::Refused { message: format!("Invalid id: {id}"), code: "RESOURCE_NOT_FOUND", documentation: None }
    }

    /// A field of a type for which there is no answer here.
    pub(crate) fn unanswered(type_name: &str, field: &str) -> Self {
        Self::Unanswered(format!("The simulator does not answer {type_name}.{field}."))
    }

    /// `extensions` of the top-level error.
    pub(crate) fn extensions(&self) -> Value {
        match self {
            Self::Refused { code, documentation: None, .. } => json!({"code": code}),
            Self::Refused { code, documentation: Some(url), .. } => json!({"code": code, "documentation": url}),
            Self::Unanswered(_) => json!({"code": "INTERNAL_SERVER_ERROR"}),
        }
    }

    /// Its text.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Refused { message, .. } | Self::Unanswered(message) => message,
        }
    }
}
