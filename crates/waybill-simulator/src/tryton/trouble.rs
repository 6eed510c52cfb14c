//! What goes wrong in a call, as Tryton's exceptions name it.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::python;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trouble {
    /// `werkzeug.exceptions.HTTPException`: an HTML page with the status and these words.
    Page(StatusCode, &'static str),
    /// No session, or one that has ended: 401 with an empty body.
    NoSession,
    /// `trytond.exceptions.UserError`.
    User { message: String, description: String, domain: Json },
    /// `trytond.exceptions.LoginException`: asks for one more parameter.
    Login { parameter: &'static str, message: String },
    /// Any other exception of Python, by its text.
    Exception(String),
    /// What this simulator does not keep.
    NotSimulated(String),
}

pub(super) type Outcome<T> = Result<T, Trouble>;

impl Trouble {
    pub(super) fn user(message: impl Into<String>) -> Self {
        Self::User { message: message.into(), description: String::new(), domain: Json::Null }
    }

    /// A `KeyError`.
    pub(super) fn key(name: &str) -> Self {
        Self::Exception(python::repr(name))
    }

    /// An `AttributeError` of a value that is used as if it were another type.
    pub(super) fn attribute(value: &Json, name: &str) -> Self {
        Self::Exception(format!("'{}' object has no attribute '{name}'", python::type_name(value)))
    }

    pub(super) fn not_iterable(value: &Json) -> Self {
        Self::Exception(format!("'{}' object is not iterable", python::type_name(value)))
    }

    pub(super) fn not_simulated(what: impl Into<String>) -> Self {
        Self::NotSimulated(what.into())
    }

    /// The arguments of the exception, as an answer's `error` lists them.
    pub(super) fn error(&self) -> Json {
        match self {
            Self::User { message, description, domain } => json!(["UserError", [message, description, domain]]),
            Self::Login { parameter, message } => json!(["LoginException", [parameter, message, "password"]]),
            Self::Exception(text) => json!([text, ""]),
            Self::Page(..) | Self::NoSession | Self::NotSimulated(_) => Json::Null,
        }
    }
}
