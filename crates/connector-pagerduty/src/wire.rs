//! Events and answers as PagerDuty has them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use waybill_connector::Failure;
use waybill_domain::document::Severity;

/// An event with the key that says where it goes.
#[derive(Serialize)]
pub(crate) struct Signed<'a> {
    pub(crate) routing_key: &'a str,
    #[serde(flatten)]
    pub(crate) event: &'a Event,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Event {
    pub(crate) event_action: &'static str,
    pub(crate) dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
}

impl Event {
    pub(crate) const fn resolve(dedup_key: String) -> Self {
        Self { event_action: "resolve", dedup_key, payload: None, client: None, links: Vec::new() }
    }
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Payload {
    pub(crate) summary: String,
    pub(crate) source: String,
    pub(crate) severity: Severity,
    pub(crate) timestamp: Timestamp,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) class: String,
    pub(crate) custom_details: Details,
}

/// Our part of the event; people see it under the alert in this order.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Details {
    pub(crate) meaning: String,
    pub(crate) action: String,
    pub(crate) count: i64,
    pub(crate) records: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) text: &'static str,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Accepted {
    pub(crate) status: String,
}

/// `{"status":"invalid event","message":"Event object is invalid","errors":[…]}`
#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    status: String,
    message: String,
    #[serde(default)]
    errors: Vec<String>,
}

impl Refusal {
    pub(crate) fn into_failure(self) -> Failure {
        if self.errors.iter().any(|error| error.contains("routing_key") || error.contains("routing key")) {
            return Failure::Unauthorized { message: format!("HTTP 400: {}", self.errors.join("; ")) };
        }
        let code = self.status.to_lowercase().replace(' ', "_");
        // The errors name the field in quotes: 'payload.summary' is missing or blank.
        let field = self.errors.first().and_then(|error| error.split('\'').nth(1)).unwrap_or_default().to_owned();
        let message = if self.errors.is_empty() { self.message } else { self.errors.join("; ") };
        Failure::rejected(code, field, message)
    }
}

#[cfg(test)]
mod tests {
    use waybill_connector::Failure;

    use super::Refusal;

    fn failure(errors: &str) -> Failure {
        let body = format!(r#"{{"status":"invalid event","message":"Event object is invalid","errors":{errors}}}"#);
        serde_json::from_str::<Refusal>(&body).unwrap().into_failure()
    }

    #[test]
    fn a_refused_field_is_named() {
        assert_eq!(
            failure(r#"["'payload.summary' is missing or blank"]"#),
            Failure::rejected("invalid_event", "payload.summary", "'payload.summary' is missing or blank")
        );
        assert_eq!(failure("[]"), Failure::rejected("invalid_event", "", "Event object is invalid"));
    }

    #[test]
    fn a_refused_routing_key_is_a_matter_of_credentials() {
        for errors in
            [r#"["Invalid routing key"]"#, r#"["Length of 'routing_key' is incorrect (should be 32 characters)"]"#]
        {
            assert!(matches!(failure(errors), Failure::Unauthorized { .. }), "{errors}");
        }
    }
}
