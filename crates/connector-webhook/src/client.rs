//! The receiver's one URL.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use waybill_connector::{
    Answer, Effect, Failure, HttpClient, SystemSettings,
    settings::{SettingsError, expose},
};
use waybill_domain::Clock;

use crate::{
    signature::Secret,
    wire::{Data, Event},
};

/// The specification advises 15 to 30 seconds.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    http: HttpClient,
    /// What ends the URL and an HTTP client's base URL does not keep.
    path: &'static str,
    secret: Secret,
    clock: Arc<dyn Clock>,
}

impl Client {
    pub(crate) fn new(settings: &SystemSettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let url = expose(settings.secret("url")?);
        // The failure quotes the URL, which is a secret.
        let http = HttpClient::new(url, TIMEOUT)
            .map_err(|_| settings.invalid("url", "it must be the whole URL, beginning with https://"))?
            .with_gate(settings.gate());
        let secret = Secret::parse(expose(settings.secret("secret")?))
            .ok_or_else(|| settings.invalid("secret", "it must be whsec_ and 24 to 64 bytes in base64"))?;
        let path = if url.ends_with('/') { "/" } else { "" };
        Ok(Self { http, path, secret, clock })
    }

    /// Posts an event; `id` names it whatever number of times it is sent.
    pub(crate) async fn post(&self, id: &str, event: &Event<'_>) -> Result<(), Failure> {
        let body = serde_json::to_vec(event)
            .map_err(|error| Failure::rejected("map_error", "", format!("the event is no JSON: {error}")))?;
        let timestamp = self.clock.now().as_second();
        let request = self
            .http
            .request(Method::POST, self.path)
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", id)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.secret.sign(id, timestamp, &body))
            .body(body);
        judge(&self.http.send(Effect::IdempotentWrite, request).await?)
    }

    pub(crate) async fn check(&self) -> Result<(), Failure> {
        // A new id for each check, so that a receiver that takes an id once looks at this one.
        let id = format!("check-{}", self.clock.now().as_nanosecond());
        self.post(&id, &Event { kind: "waybill.check", id: &id, data: Data::Check {} }).await
    }
}

fn judge(answer: &Answer) -> Result<(), Failure> {
    let status = answer.status.as_u16();
    match answer.status {
        ok if ok.is_success() => Ok(()),
        StatusCode::FORBIDDEN => Err(Failure::Unauthorized { message: "HTTP 403: the event is refused".to_owned() }),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
            Err(Failure::Transient { message: format!("HTTP {status}") })
        }
        StatusCode::GONE => Err(Failure::rejected("gone", "url", "HTTP 410: nobody listens at this URL any more")),
        redirect if redirect.is_redirection() => {
            Err(Failure::rejected("redirect", "url", format!("HTTP {status}: the receiver is at another URL")))
        }
        // The receiver's words may quote what was sent.
        _ => Err(Failure::rejected(format!("http_{status}"), "", format!("HTTP {status}: the event is refused"))),
    }
}
