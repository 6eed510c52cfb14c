//! What can go wrong with a call, in the engine's terms.

use std::time::Duration;

use thiserror::Error;

/// Why a call to a vendor failed. Messages carry no personal data: vendors' own words are kept only where they
/// speak of fields and codes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// It may pass: a refused connection, a 5xx on a read or a keyed write. Tried again with backoff.
    #[error("{message}")]
    Transient {
        /// What was seen.
        message: String,
    },
    /// The vendor's limit is reached. Waits; not counted as an attempt.
    #[error("the limit is reached; wait {retry_after:?}")]
    RateLimited {
        /// How long the vendor asks us to wait.
        retry_after: Duration,
    },
    /// The credentials are refused. Pauses the system.
    #[error("{message}")]
    Unauthorized {
        /// What was seen.
        message: String,
    },
    /// A definite refusal of this payload. Parked at once.
    #[error("{message}")]
    Rejected {
        /// A code of `waybill_domain::cause` where one fits, else the vendor's own.
        code: String,
        /// The field concerned; empty if the vendor does not say.
        field: String,
        /// The vendor's words, without personal data.
        message: String,
    },
    /// The vendor's value changed under us.
    #[error("{field} was changed on both sides")]
    Conflict {
        /// The field.
        field: String,
        /// The value that we built on.
        base: String,
        /// The value that we want.
        ours: String,
        /// The value that is there.
        theirs: String,
    },
    /// An unreadable answer to a read. Parked, with the answer kept.
    #[error("{message}")]
    Malformed {
        /// What could not be read.
        message: String,
        /// The start of the answer, at most 2,000 characters.
        answer: String,
    },
    /// A write may or may not have taken effect. Looked up by object key before anything else.
    #[error("{message}")]
    Ambiguous {
        /// What was seen.
        message: String,
    },
}

impl Failure {
    /// The word for logs and metrics.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Rejected { .. } => "rejected",
            Self::Conflict { .. } => "conflict",
            Self::Malformed { .. } => "malformed",
            Self::Ambiguous { .. } => "ambiguous",
        }
    }

    /// A definite refusal.
    pub fn rejected(code: impl Into<String>, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Rejected { code: code.into(), field: field.into(), message: message.into() }
    }

    /// An answer to a read that cannot be read; keeps its start.
    pub fn malformed(message: impl Into<String>, answer: &[u8]) -> Self {
        let answer = String::from_utf8_lossy(answer).chars().take(2000).collect();
        Self::Malformed { message: message.into(), answer }
    }
}
