//! The limits on requests.
//!
//! developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines: so many requests in a rolling ten seconds and
//! in a day, with `X-HubSpot-RateLimit-*` on every answer but those of search, which has a limit of its own.

use std::collections::VecDeque;

use axum::response::Response;
use http::{HeaderName, HeaderValue};

use super::{Settings, answers};

const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 86_400_000;

/// What is used of the limits.
#[derive(Debug)]
pub(super) struct Limits {
    requests: usize,
    window_ms: i64,
    daily: usize,
    searches: usize,
    recent: VecDeque<i64>,
    recent_searches: VecDeque<i64>,
    day: i64,
    today: usize,
    /// Requests let through since the start.
    pub(super) passed: usize,
    /// Requests refused for a limit since the start.
    pub(super) refused: usize,
}

impl Limits {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            requests: settings.requests,
            window_ms: i64::try_from(settings.window.as_millis()).unwrap_or(i64::MAX),
            daily: settings.daily,
            searches: settings.searches_per_second,
            recent: VecDeque::new(),
            recent_searches: VecDeque::new(),
            day: 0,
            today: 0,
            passed: 0,
            refused: 0,
        }
    }

    /// Sets the rolling limit.
    pub(super) fn set(&mut self, requests: usize, window_ms: i64) {
        (self.requests, self.window_ms) = (requests, window_ms);
    }

    /// Counts a request; the refusal if it is one too many.
    pub(super) fn admit(&mut self, is_search: bool, now_ms: i64) -> Option<Response> {
        forget(&mut self.recent, now_ms - self.window_ms);
        forget(&mut self.recent_searches, now_ms - SECOND_MS);
        if self.day != now_ms / DAY_MS {
            (self.day, self.today) = (now_ms / DAY_MS, 0);
        }
        let refusal = if self.today >= self.daily {
            Some(("DAILY", "You have reached your daily limit."))
        } else if is_search && self.recent_searches.len() >= self.searches {
            Some(("SECONDLY", "You have reached your secondly limit."))
        } else if self.recent.len() >= self.requests {
            Some(("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."))
        } else {
            None
        };
        if let Some((policy, message)) = refusal {
            self.refused += 1;
            return Some(answers::over_limit(policy, message));
        }
        self.recent.push_back(now_ms);
        if is_search {
            self.recent_searches.push_back(now_ms);
        }
        self.today += 1;
        self.passed += 1;
        None
    }

    /// Says on an answer what is left.
    pub(super) fn mark(&self, response: &mut Response) {
        let interval = usize::try_from(self.window_ms).unwrap_or_default();
        for (name, value) in [
            ("x-hubspot-ratelimit-max", self.requests),
            ("x-hubspot-ratelimit-remaining", self.requests.saturating_sub(self.recent.len())),
            ("x-hubspot-ratelimit-interval-milliseconds", interval),
            ("x-hubspot-ratelimit-daily", self.daily),
            ("x-hubspot-ratelimit-daily-remaining", self.daily.saturating_sub(self.today)),
        ] {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

fn forget(times: &mut VecDeque<i64>, before_ms: i64) {
    while times.front().is_some_and(|time| *time <= before_ms) {
        times.pop_front();
    }
}
