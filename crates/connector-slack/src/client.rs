//! The webhook.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Serialize;
use waybill_connector::{
    Answer, Effect, Failure, HttpClient, SystemSettings,
    settings::{SettingsError, expose},
};

use crate::wire::{Empty, Message};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Slack's words for a webhook that is no longer one: removed, its app uninstalled, its workspace gone.
const NOT_A_WEBHOOK: &[&str] =
    &["invalid_token", "no_service", "no_service_id", "no_active_hooks", "no_team", "team_disabled"];

pub(crate) struct Client {
    http: HttpClient,
}

impl std::fmt::Debug for Client {
    // The client's URL is the credential.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client([redacted])")
    }
}

impl Client {
    pub(crate) fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        let url = expose(settings.secret("webhook_url")?);
        // The failure quotes the URL, which is a secret.
        let http = HttpClient::new(url, TIMEOUT)
            .map_err(|_| settings.invalid("webhook_url", "it must be the whole URL, beginning with https://"))?
            .with_gate(settings.gate());
        Ok(Self { http })
    }

    pub(crate) async fn post(&self, message: &Message) -> Result<(), Failure> {
        let answer = self.send(Effect::UnkeyedWrite, message).await?;
        match (answer.status, word(&answer)) {
            (StatusCode::OK, "ok") => Ok(()),
            (status, word) if status.is_client_error() => Err(refusal(status, word)),
            _ => Err(answer.unreadable("it is not Slack's ok")),
        }
    }

    /// Posts what Slack must refuse, to see by the refusal whether the URL is good.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        let answer = self.send(Effect::Read, &Empty {}).await?;
        match (answer.status, word(&answer)) {
            (StatusCode::BAD_REQUEST, "no_text" | "missing_text_or_fallback_or_attachments" | "invalid_payload") => {
                Ok(())
            }
            (status, word) if status.is_client_error() => Err(refusal(status, word)),
            _ => Err(answer.unreadable("an empty message was not refused")),
        }
    }

    async fn send(&self, effect: Effect, body: &impl Serialize) -> Result<Answer, Failure> {
        self.http.send(effect, self.http.request(Method::POST, "").json(body)).await
    }
}

/// Slack answers webhooks with one word.
fn word(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap_or_default().trim()
}

fn refusal(status: StatusCode, word: &str) -> Failure {
    let status = status.as_u16();
    // Slack has been seen to embed the word in a longer text (trufflesecurity/trufflehog, detector slackwebhook).
    if let Some(word) = NOT_A_WEBHOOK.iter().find(|known| word.contains(*known)) {
        return Failure::Unauthorized { message: format!("HTTP {status}: {word}: the webhook's URL is refused") };
    }
    let is_word = !word.is_empty() && word.len() <= 64 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_word {
        Failure::rejected(word, "", format!("HTTP {status}: {word}"))
    } else {
        Failure::rejected(format!("http_{status}"), "", format!("HTTP {status}, not in Slack's words"))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use waybill_connector::Failure;

    use super::refusal;

    #[test]
    fn a_webhook_that_is_gone_is_a_matter_of_credentials_and_a_closed_channel_is_not() {
        for (status, word) in
            [(404, "no_service"), (403, "invalid_token"), (400, "error: invalid_token"), (404, "no_team")]
        {
            let failure = refusal(StatusCode::from_u16(status).unwrap(), word);
            assert!(matches!(failure, Failure::Unauthorized { .. }), "{word}");
        }
        assert_eq!(
            refusal(StatusCode::GONE, "channel_is_archived"),
            Failure::rejected("channel_is_archived", "", "HTTP 410: channel_is_archived")
        );
    }

    #[test]
    fn a_page_in_between_is_not_taken_for_slacks_word() {
        assert_eq!(
            refusal(StatusCode::FORBIDDEN, "<html>Blocked by proxy</html>"),
            Failure::rejected("http_403", "", "HTTP 403, not in Slack's words")
        );
    }
}
