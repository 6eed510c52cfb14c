//! A service that could not be asked, and why.

use std::{error::Error as _, time::Duration};

use thiserror::Error;
use tonic::{Code, Status};

/// Why a service gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Its address is not set.
    #[error("has no address: name it in WAYBILL_PEERS, such as alerter=http://127.0.0.1:9095")]
    NoAddress,
    /// Nothing answers at its address.
    #[error("does not answer: is it running? WAYBILL_PEERS says where to look")]
    Silent,
    /// It took too long.
    #[error("takes longer than {} s: look at its log and its database", .0.as_secs())]
    Slow(Duration),
    /// It does not take our token.
    #[error("refuses the token: WAYBILL_GRPC_TOKEN must be the same on both sides")]
    Token,
    /// It answers with an error of its own.
    #[error("answers: {message}")]
    Says {
        /// Its kind.
        code: Code,
        /// In the service's words.
        message: String,
    },
}

impl Problem {
    pub(super) fn of(status: &Status) -> Self {
        match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => Self::Token,
            // A status that came over the wire has no source; one that the transport made of an error has.
            Code::Unavailable | Code::Unknown | Code::Cancelled if status.source().is_some() => Self::Silent,
            code => Self::Says { code, message: said(code, status.message()) },
        }
    }
}

fn said(code: Code, message: &str) -> String {
    if message.is_empty() { code.description().to_owned() } else { message.to_owned() }
}

/// A service that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{service}{} {problem}", at(.url))]
pub struct Unanswered {
    /// Which.
    pub service: String,
    /// Where it was looked for; empty if no address is set.
    pub url: String,
    /// Why.
    pub problem: Problem,
}

impl Unanswered {
    /// Whether the service answered with this code.
    pub fn says(&self, expected: Code) -> bool {
        matches!(&self.problem, Problem::Says { code, .. } if *code == expected)
    }

    /// Whether it may answer if it is asked again.
    pub fn may_pass(&self) -> bool {
        matches!(self.problem, Problem::Silent | Problem::Slow(_)) || self.says(Code::Unavailable)
    }
}

fn at(url: &str) -> String {
    if url.is_empty() { String::new() } else { format!(" at {url}") }
}

#[cfg(test)]
mod tests {
    use super::{Problem, Unanswered};
    use tonic::Status;

    #[test]
    fn the_message_says_where_to_look() {
        let unanswered = Unanswered {
            service: "erp-sync".to_owned(),
            url: "http://127.0.0.1:9091".to_owned(),
            problem: Problem::Silent,
        };
        let said = unanswered.to_string();
        assert_eq!(
            said,
            "erp-sync at http://127.0.0.1:9091 does not answer: is it running? WAYBILL_PEERS says where to look"
        );
    }

    #[test]
    fn a_service_whose_database_is_down_is_not_called_silent() {
        let status = Status::unavailable("the database cannot be read; try again");
        assert!(matches!(Problem::of(&status), Problem::Says { .. }));
    }

    #[test]
    fn a_refused_token_is_told_apart() {
        assert_eq!(Problem::of(&Status::unauthenticated("no")), Problem::Token);
    }
}
