//! HubSpot's endpoints, one method each. Every write here can be sent again: it sets state or is keyed.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use waybill_connector::{
    Answer, Effect, Failure, HttpClient, SystemSettings,
    settings::{SettingsError, expose},
};

use crate::{
    pace::Pace,
    refusal::{Refusal, missing_scopes},
    wire::{
        AssociateAnswer, AssociationsAnswer, BatchAnswer, BatchRead, Definition, ErrorBody, Id, Inputs, Kind,
        NewDefinition, NewGroup, Pair, Properties, Search, SearchAnswer, WriteInput,
    },
};

const URL: &str = "https://api.hubapi.com";
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);
/// The daily limit ends at midnight in the account's time zone, which is not known here.
const WAIT_FOR_THE_DAILY_LIMIT: Duration = Duration::from_secs(300);
/// "Locks will last for 2 seconds" (error-handling guide, 423).
const WAIT_FOR_A_LOCK: Duration = Duration::from_secs(2);
/// An account that is being moved says when to come back; if it does not, an outage of minutes is likely.
const WAIT_FOR_A_MOVE: Duration = Duration::from_secs(300);
/// "Migration in Progress" (error-handling guide).
const MOVING: u16 = 477;

/// Why a call did not do what it was to do.
#[derive(Debug, Clone)]
pub(crate) enum Denial {
    /// HubSpot refuses what was sent.
    Refused(Box<Refusal>),
    /// Something else, whatever was sent.
    Failed(Failure),
}

impl From<Failure> for Denial {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Denial {
    /// The failure, for a call without values of ours.
    pub(crate) fn into_failure(self, kind: Kind) -> Failure {
        self.into_failure_of(kind, &Properties::new())
    }

    /// The failure, for a call with these values.
    pub(crate) fn into_failure_of(self, kind: Kind, sent: &Properties) -> Failure {
        match self {
            Self::Refused(refusal) => refusal.into_failure(kind, sent),
            Self::Failed(failure) => failure,
        }
    }
}

/// Which batch call writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Upsert,
    Update,
}

#[derive(Debug)]
pub(crate) struct Client {
    http: HttpClient,
    searches: Pace,
}

impl Client {
    pub(crate) fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        let url = settings.get("url").unwrap_or(URL);
        let http = HttpClient::new(url, TIMEOUT)
            .map_err(|failure| settings.invalid("url", failure.to_string()))?
            .with_gate(settings.gate());
        let mut token = HeaderValue::try_from(format!("Bearer {}", expose(settings.secret("token")?)))
            .map_err(|_| settings.invalid("token", "it has characters that no token has"))?;
        token.set_sensitive(true);
        let http = http.with_header(header::AUTHORIZATION, token).with_wait_reader(stated_wait);
        Ok(Self { http, searches: Pace::default() })
    }

    /// `GET /crm/objects/2026-03/{kind}?limit=1`
    pub(crate) async fn first(&self, kind: Kind) -> Result<(), Failure> {
        let path = format!("/crm/objects/2026-03/{}?limit=1", kind.as_str());
        let answer: Result<BatchAnswer, Denial> = self.get(&path).await;
        answer.map(drop).map_err(|denial| denial.into_failure(kind))
    }

    /// `POST /crm/objects/2026-03/{kind}/batch/upsert` or `…/batch/update`
    pub(crate) async fn write(
        &self,
        kind: Kind,
        call: Call,
        inputs: Vec<WriteInput<'_>>,
    ) -> Result<BatchAnswer, Denial> {
        let call = match call {
            Call::Upsert => "upsert",
            Call::Update => "update",
        };
        let path = format!("/crm/objects/2026-03/{}/batch/{call}", kind.as_str());
        self.send(Effect::IdempotentWrite, Method::POST, &path, &Inputs { inputs }).await
    }

    /// `POST /crm/objects/2026-03/{kind}/batch/read`
    pub(crate) async fn read(&self, kind: Kind, body: &BatchRead<'_>) -> Result<BatchAnswer, Failure> {
        let path = format!("/crm/objects/2026-03/{}/batch/read", kind.as_str());
        self.send(Effect::Read, Method::POST, &path, body).await.map_err(|denial| denial.into_failure(kind))
    }

    /// `POST /crm/objects/2026-03/{kind}/search`, not faster than HubSpot takes them.
    pub(crate) async fn search(&self, kind: Kind, body: &Search<'_>) -> Result<SearchAnswer, Denial> {
        self.searches.pass().await;
        let path = format!("/crm/objects/2026-03/{}/search", kind.as_str());
        self.send(Effect::Read, Method::POST, &path, body).await
    }

    /// `POST /crm/v4/associations/orders/contacts/batch/associate/default`: orders (507) and their contacts (508).
    pub(crate) async fn associate(&self, inputs: Vec<Pair<'_>>) -> Result<AssociateAnswer, Failure> {
        let path = "/crm/v4/associations/orders/contacts/batch/associate/default";
        let answer = self.send(Effect::IdempotentWrite, Method::POST, path, &Inputs { inputs }).await;
        answer.map_err(|denial| denial.into_failure(Kind::Orders))
    }

    /// `POST /crm/v4/associations/orders/contacts/batch/read`
    pub(crate) async fn associations(&self, orders: &[&str]) -> Result<AssociationsAnswer, Failure> {
        let path = "/crm/v4/associations/orders/contacts/batch/read";
        let inputs = orders.iter().map(|id| Id { id }).collect();
        let answer = self.send(Effect::Read, Method::POST, path, &Inputs { inputs }).await;
        answer.map_err(|denial| denial.into_failure(Kind::Orders))
    }

    /// `DELETE /crm/v4/objects/orders/{order}/associations/contacts/{contact}`
    pub(crate) async fn dissociate(&self, order: &str, contact: &str) -> Result<(), Failure> {
        let path = format!("/crm/v4/objects/orders/{order}/associations/contacts/{contact}");
        let request = self.http.request(Method::DELETE, &path);
        let answer = self.http.send(Effect::IdempotentWrite, request).await?;
        match accepted(&answer) {
            Ok(()) if answer.status == StatusCode::NO_CONTENT => Ok(()),
            Ok(()) => Err(answer.unreadable("it is not HubSpot's empty answer")),
            // One of the two is gone, and the association with it.
            Err(Denial::Refused(_)) if answer.status == StatusCode::NOT_FOUND => Ok(()),
            Err(denial) => Err(denial.into_failure(Kind::Orders)),
        }
    }

    /// `GET /crm/properties/2026-03/{kind}/{name}`; `None` if there is no such property.
    pub(crate) async fn property(&self, kind: Kind, name: &str) -> Result<Option<Definition>, Failure> {
        self.get_if_there(kind, &format!("/crm/properties/2026-03/{}/{name}", kind.as_str())).await
    }

    /// `POST /crm/properties/2026-03/{kind}`; false if it is there already.
    pub(crate) async fn create_property(&self, kind: Kind, definition: &NewDefinition<'_>) -> Result<bool, Failure> {
        self.create(kind, &format!("/crm/properties/2026-03/{}", kind.as_str()), definition).await
    }

    /// `GET /crm/properties/2026-03/{kind}/groups/{name}`: whether the group is there.
    pub(crate) async fn has_group(&self, kind: Kind, name: &str) -> Result<bool, Failure> {
        let path = format!("/crm/properties/2026-03/{}/groups/{name}", kind.as_str());
        let group: Option<serde_json::Value> = self.get_if_there(kind, &path).await?;
        Ok(group.is_some())
    }

    /// `POST /crm/properties/2026-03/{kind}/groups`; false if it is there already.
    pub(crate) async fn create_group(&self, kind: Kind, group: &NewGroup<'_>) -> Result<bool, Failure> {
        self.create(kind, &format!("/crm/properties/2026-03/{}/groups", kind.as_str()), group).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Denial> {
        let answer = self.http.send(Effect::Read, self.http.request(Method::GET, path)).await?;
        accepted(&answer)?;
        Ok(answer.json()?)
    }

    async fn get_if_there<T: DeserializeOwned>(&self, kind: Kind, path: &str) -> Result<Option<T>, Failure> {
        let answer = self.http.send(Effect::Read, self.http.request(Method::GET, path)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        accepted(&answer).map_err(|denial| denial.into_failure(kind))?;
        answer.json().map(Some)
    }

    async fn create(&self, kind: Kind, path: &str, body: &impl Serialize) -> Result<bool, Failure> {
        let request = self.http.request(Method::POST, path).json(body);
        let answer = self.http.send(Effect::IdempotentWrite, request).await?;
        if answer.status == StatusCode::CONFLICT {
            return Ok(false);
        }
        accepted(&answer).map_err(|denial| denial.into_failure(kind))?;
        let _made: serde_json::Map<String, serde_json::Value> = answer.json()?;
        Ok(true)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        effect: Effect,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Denial> {
        let answer = self.http.send(effect, self.http.request(method, path).json(body)).await?;
        accepted(&answer)?;
        Ok(answer.json()?)
    }
}

/// Tells a success from HubSpot's ways to say no.
fn accepted(answer: &Answer) -> Result<(), Denial> {
    let status = answer.status;
    if status.is_success() {
        return Ok(());
    }
    let body: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
    let failure = match status {
        StatusCode::FORBIDDEN => {
            let mut message =
                format!("HTTP 403: {}", if body.category.is_empty() { "forbidden" } else { &body.category });
            let scopes = missing_scopes(&body);
            if !scopes.is_empty() {
                message.push_str(&format!(": the token needs the scope {scopes}"));
            }
            Failure::Unauthorized { message }
        }
        StatusCode::LOCKED => Failure::RateLimited { retry_after: WAIT_FOR_A_LOCK },
        status if status.as_u16() == MOVING => {
            Failure::RateLimited { retry_after: retry_after(&answer.headers).unwrap_or(WAIT_FOR_A_MOVE) }
        }
        status if status.is_client_error() => {
            return Err(Denial::Refused(Box::new(Refusal::read(status, &body))));
        }
        _ => answer.unreadable("HubSpot does not redirect"),
    };
    Err(Denial::Failed(failure))
}

/// How long a 429 without `Retry-After` means (usage guidelines): its body names the limit, a header the window.
fn stated_wait(headers: &HeaderMap, body: &[u8]) -> Option<Duration> {
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    match body.policy_name.as_str() {
        "DAILY" => return Some(WAIT_FOR_THE_DAILY_LIMIT),
        // The limit of searches, whose answers have no headers that say how long it is.
        "SECONDLY" => return Some(Duration::from_secs(1)),
        _ => {}
    }
    number(headers, "x-hubspot-ratelimit-interval-milliseconds").map(Duration::from_millis)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    number(headers, header::RETRY_AFTER.as_str()).map(Duration::from_secs)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daily_limit_waits_minutes_and_another_its_window() {
        let mut headers = HeaderMap::new();
        headers.insert("x-hubspot-ratelimit-interval-milliseconds", HeaderValue::from_static("10000"));
        let daily = br#"{"policyName":"DAILY","errorType":"RATE_LIMIT"}"#;
        let rolling = br#"{"policyName":"TEN_SECONDLY_ROLLING"}"#;
        assert_eq!(stated_wait(&headers, daily), Some(Duration::from_secs(300)));
        assert_eq!(stated_wait(&headers, rolling), Some(Duration::from_secs(10)));
        let searches = br#"{"policyName":"SECONDLY"}"#;
        assert_eq!(stated_wait(&HeaderMap::new(), searches), Some(Duration::from_secs(1)));
        assert_eq!(stated_wait(&HeaderMap::new(), b"<html>"), None);
    }
}
