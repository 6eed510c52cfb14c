//! What follows from how an attempt ended. Pure.

use std::time::Duration;

use waybill_connector::Failure;

use crate::{backoff::Backoff, worker::BREAKER_FAILURES};

/// What happens to a delivery after a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again.
    Retry {
        after: Duration,
        /// Whether this try counts.
        counted: bool,
        message: String,
    },
    /// A person is needed.
    Park { code: String, field: String, message: String },
}

impl Next {
    /// The same, where there is no more time for another try.
    pub(crate) fn or_parked(self) -> Self {
        match self {
            Self::Retry { counted: true, message, .. } => {
                Self::Park { code: "exhausted".to_owned(), field: String::new(), message }
            }
            other => other,
        }
    }
}

/// What happens to the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SystemNext {
    /// A call went through.
    Well,
    /// A failure that counts towards the breaker.
    Failing { message: String },
    /// No calls for a while.
    Limited { wait: Duration },
    /// No calls until the credentials work again.
    Unauthorized { message: String },
}

/// So many unreadable answers are believed. It is more than open the breaker, after which tries do not count: a vendor
/// whose every answer is unreadable is down, and one record of which they stay so while others go through is parked.
const MALFORMED_TRIES: i32 = BREAKER_FAILURES + 1;

/// What follows from a failure after `attempts` earlier counted tries. `serving` says whether the system's breaker is
/// closed: only then a try counts, so that nothing is parked because a vendor is down.
pub(crate) fn after_failure(
    failure: &Failure,
    attempts: i32,
    serving: bool,
    find_lag: Duration,
    backoff: &Backoff,
    random: f64,
) -> (Next, SystemNext) {
    let again = |message: &str, least: Duration| {
        if serving && attempts + 1 >= backoff.tries {
            Next::Park { code: "exhausted".to_owned(), field: String::new(), message: message.to_owned() }
        } else {
            let after = backoff.delay(attempts + 1, random).max(least);
            Next::Retry { after, counted: serving, message: message.to_owned() }
        }
    };
    match failure {
        Failure::Transient { message } => {
            (again(message, Duration::ZERO), SystemNext::Failing { message: message.clone() })
        }
        Failure::Ambiguous { message } => (again(message, find_lag), SystemNext::Failing { message: message.clone() }),
        Failure::RateLimited { retry_after } => (
            Next::Retry { after: *retry_after, counted: false, message: failure.to_string() },
            SystemNext::Limited { wait: *retry_after },
        ),
        Failure::Unauthorized { message } => (
            Next::Retry { after: Duration::ZERO, counted: false, message: message.clone() },
            SystemNext::Unauthorized { message: message.clone() },
        ),
        Failure::Rejected { code, field, message } => {
            (Next::Park { code: code.clone(), field: field.clone(), message: message.clone() }, SystemNext::Well)
        }
        Failure::Conflict { field, .. } => (
            // The three values may name a person; they stay with the connector's record and are read again there.
            Next::Park { code: "conflict".to_owned(), field: field.clone(), message: failure.to_string() },
            SystemNext::Well,
        ),
        Failure::Malformed { message, .. } => {
            // A proxy's page instead of an answer passes; what stays unreadable is parked.
            let next = match again(message, Duration::ZERO) {
                Next::Park { field, message, .. } => Next::Park { code: "malformed".to_owned(), field, message },
                Next::Retry { message, .. } if serving && attempts + 1 >= MALFORMED_TRIES => {
                    Next::Park { code: "malformed".to_owned(), field: String::new(), message }
                }
                retry => retry,
            };
            (next, SystemNext::Failing { message: message.clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use waybill_connector::Failure;

    use super::{Next, SystemNext, after_failure};
    use crate::backoff::DEFAULT;

    fn follow(failure: &Failure, attempts: i32, serving: bool) -> (Next, SystemNext) {
        after_failure(failure, attempts, serving, Duration::from_secs(3), &DEFAULT, 1.0)
    }

    #[test]
    fn a_vendor_that_is_down_parks_nothing() {
        let failure = Failure::Transient { message: "HTTP 503".to_owned() };
        assert!(matches!(follow(&failure, 500, false).0, Next::Retry { counted: false, .. }));
        assert!(matches!(follow(&failure, 19, true).0, Next::Park { code, .. } if code == "exhausted"));
    }

    #[test]
    fn a_limit_is_no_attempt() {
        let failure = Failure::RateLimited { retry_after: Duration::from_secs(7) };
        let (next, system) = follow(&failure, 19, true);
        assert!(matches!(next, Next::Retry { counted: false, after, .. } if after == Duration::from_secs(7)));
        assert_eq!(system, SystemNext::Limited { wait: Duration::from_secs(7) });
    }

    #[test]
    fn an_ambiguous_call_waits_for_the_vendors_search() {
        let failure = Failure::Ambiguous { message: "cut".to_owned() };
        assert!(matches!(follow(&failure, 0, true).0, Next::Retry { after, .. } if after >= Duration::from_secs(3)));
    }

    #[test]
    fn refused_credentials_pause_and_park_nothing() {
        let failure = Failure::Unauthorized { message: "401".to_owned() };
        let (next, system) = follow(&failure, 19, true);
        assert!(matches!(next, Next::Retry { counted: false, .. }));
        assert!(matches!(system, SystemNext::Unauthorized { .. }));
    }

    #[test]
    fn a_vendor_whose_every_answer_is_unreadable_is_down_and_parks_nothing() {
        let failure = Failure::malformed("no JSON", b"<html>");
        // The breaker opens with the fifth failure in a row.
        assert!(matches!(follow(&failure, 4, true).0, Next::Retry { counted: true, .. }));
        assert!(matches!(follow(&failure, 500, false).0, Next::Retry { counted: false, .. }));
        assert!(matches!(follow(&failure, 5, true).0, Next::Park { code, .. } if code == "malformed"));
    }
}
