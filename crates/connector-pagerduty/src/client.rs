//! The Events API's one endpoint.

use std::{fmt, time::Duration};

use reqwest::{Method, StatusCode};
use waybill_connector::{
    Answer, Effect, Failure, HttpClient, SystemSettings,
    settings::{SettingsError, expose},
};

use crate::wire::{Accepted, Event, Refusal, Signed};

const URL: &str = "https://events.pagerduty.com/v2";
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// "We suggest retrying 3 times with each request being 30 seconds apart." (events-api-v2/rate-limits)
const WAIT: Duration = Duration::from_secs(30);
const ROUTING_KEY_CHARS: usize = 32;

pub(crate) struct Client {
    http: HttpClient,
    routing_key: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("http", &self.http).field("routing_key", &"[redacted]").finish()
    }
}

impl Client {
    pub(crate) fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        let routing_key = expose(settings.secret("routing_key")?);
        if routing_key.len() != ROUTING_KEY_CHARS || !routing_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let problem = "an integration key has 32 letters and digits; copy it from the service's integrations";
            return Err(settings.invalid("routing_key", problem));
        }
        let http = HttpClient::new(settings.get("url").unwrap_or(URL), TIMEOUT)
            .map_err(|failure| settings.invalid("url", failure.to_string()))?
            .with_default_wait(WAIT)
            .with_gate(settings.gate());
        Ok(Self { http, routing_key: routing_key.to_owned() })
    }

    /// Sends an event; answers the key of its alert.
    pub(crate) async fn enqueue(&self, event: Event) -> Result<String, Failure> {
        let dedup_key = event.dedup_key.clone();
        let request =
            self.http.request(Method::POST, "/enqueue").json(&Signed { routing_key: &self.routing_key, event: &event });
        let answer = self.http.send(Effect::IdempotentWrite, request).await?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(refusal(&answer));
        }
        let accepted: Accepted = answer.json()?;
        if accepted.status == "success" { Ok(dedup_key) } else { Err(answer.unreadable("the status is not success")) }
    }
}

fn refusal(answer: &Answer) -> Failure {
    if !answer.status.is_client_error() {
        return answer.unreadable("neither accepted nor refused");
    }
    if answer.status == StatusCode::FORBIDDEN {
        return Failure::Unauthorized { message: "HTTP 403: the routing key is refused".to_owned() };
    }
    match serde_json::from_slice::<Refusal>(&answer.body) {
        Ok(refusal) => refusal.into_failure(),
        Err(_) => Failure::rejected(format!("http_{}", answer.status.as_u16()), "", "the event is refused"),
    }
}
