//! What a GraphQL answer means: data, a limit, a refusal, or an error of Shopify's own.
//!
//! Sources: <https://shopify.dev/docs/api/admin-graphql#status-and-error-codes>,
//! <https://shopify.dev/docs/api/usage/implementing-idempotency>,
//! <https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits>.

use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use waybill_connector::{Answer, Effect, Failure};

/// Waited where Shopify says that the bucket is empty and not how empty.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);
/// Waited after HTTP 430, with which Shopify turns away what looks like an attack, for a time that it does not state.
const SECURITY_WAIT: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Vec<GraphqlError>,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Deserialize)]
struct GraphqlError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    path: Vec<Value>,
    #[serde(default)]
    extensions: ErrorExtensions,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorExtensions {
    code: Option<String>,
    required_access: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Extensions {
    cost: Option<Cost>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    #[serde(default)]
    requested_query_cost: f64,
    throttle_status: ThrottleStatus,
}

/// The leaky bucket, in points.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThrottleStatus {
    currently_available: f64,
    restore_rate: f64,
}

impl Cost {
    /// How long until the bucket holds enough for the same query.
    fn wait(&self) -> Option<Duration> {
        let missing = self.requested_query_cost - self.throttle_status.currently_available;
        let seconds = missing / self.throttle_status.restore_rate;
        // Rounded up, so that the next attempt is not a hair too early.
        (seconds.is_finite() && seconds > 0.0)
            .then(|| Duration::from_millis((seconds.min(600.0) * 1000.0).ceil() as u64))
    }
}

/// The answer's data, or what its errors mean.
pub(super) fn data<T: DeserializeOwned>(effect: Effect, answer: &Answer) -> Result<T, Failure> {
    status(answer)?;
    let envelope: Envelope<'_> =
        serde_json::from_slice(&answer.body).map_err(|error| answer.unreadable(&place(&error)))?;
    if let Some(error) = worst(&envelope.errors) {
        return Err(meaning(effect, error, envelope.extensions.cost.as_ref()));
    }
    let data = envelope.data.ok_or_else(|| answer.unreadable("it has neither data nor errors"))?;
    serde_json::from_str(data.get()).map_err(|error| answer.unreadable(&place(&error)))
}

/// Where reading stopped. The error's own words may hold a value.
fn place(error: &serde_json::Error) -> String {
    let what = if error.is_data() { "another shape than the schema's" } else { "not JSON" };
    format!("{what}, at line {}, column {}", error.line(), error.column())
}

/// What an HTTP status other than 200 means. 401, 429 and 5xx are told by the HTTP client.
fn status(answer: &Answer) -> Result<(), Failure> {
    let paused = |message: &str| Err(Failure::Unauthorized { message: message.to_owned() });
    match answer.status {
        StatusCode::OK => Ok(()),
        StatusCode::PAYMENT_REQUIRED => paused("HTTP 402: the shop is frozen"),
        StatusCode::FORBIDDEN => paused("HTTP 403: the shop or the app's access is not active"),
        StatusCode::NOT_FOUND => paused("HTTP 404: no such shop, or the API version is gone"),
        StatusCode::LOCKED => paused("HTTP 423: the shop is locked"),
        status if status.as_u16() == 430 => Err(Failure::RateLimited { retry_after: SECURITY_WAIT }),
        status if status.is_client_error() => {
            Err(Failure::rejected(format!("http_{}", status.as_u16()), "", format!("HTTP {}", status.as_u16())))
        }
        status => Err(answer.unreadable(&format!("HTTP {} is no answer of this API", status.as_u16()))),
    }
}

/// The error that decides: a limit before a refusal before the rest.
fn worst(errors: &[GraphqlError]) -> Option<&GraphqlError> {
    let rank = |error: &&GraphqlError| match error.extensions.code.as_deref() {
        Some("THROTTLED") => 0,
        Some("ACCESS_DENIED" | "SHOP_INACTIVE") => 1,
        _ => 2,
    };
    errors.iter().min_by_key(rank)
}

fn meaning(effect: Effect, error: &GraphqlError, cost: Option<&Cost>) -> Failure {
    let message = redacted(&error.message);
    let Some(code) = error.extensions.code.as_deref() else {
        return uncertain(effect, format!("an error without a code: {message}"));
    };
    match code {
        "THROTTLED" => Failure::RateLimited { retry_after: cost.and_then(Cost::wait).unwrap_or(DEFAULT_WAIT) },
        "ACCESS_DENIED" => {
            let needed = error.extensions.required_access.as_deref().map(redacted).unwrap_or(message);
            Failure::Unauthorized { message: format!("ACCESS_DENIED: {needed}") }
        }
        "SHOP_INACTIVE" => Failure::Unauthorized { message: "SHOP_INACTIVE: the shop is not active".to_owned() },
        "INTERNAL_SERVER_ERROR" | "TIMEOUT" => uncertain(effect, code.to_owned()),
        // The first request with this key is still running: it is asked again later.
        "IDEMPOTENCY_CONCURRENT_REQUEST" => Failure::Transient { message: code.to_owned() },
        _ => Failure::rejected(code, path(&error.path), message),
    }
}

/// An error that does not say whether the call took effect.
fn uncertain(effect: Effect, message: String) -> Failure {
    match effect {
        Effect::UnkeyedWrite => Failure::Ambiguous { message },
        Effect::Read | Effect::IdempotentWrite => Failure::Transient { message },
    }
}

fn path(path: &[Value]) -> String {
    let words = path.iter().map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned));
    words.collect::<Vec<_>>().join(".")
}

/// Shopify's words without what may name a person: anything with an `@`, and all past 300 characters.
pub(crate) fn redacted(message: &str) -> String {
    let words = message.split_whitespace().map(|word| if word.contains('@') { "[redacted]" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests;
