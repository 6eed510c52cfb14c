//! What HubSpot's refusals mean. Pure.

use http::StatusCode;
use waybill_connector::Failure;

use crate::wire::{ErrorBody, InvalidValue, Kind, Properties};

/// HubSpot's category for a value that another record has.
const CONFLICT: &str = "CONFLICT";
const INVALID_LIST: &str = "Property values were not valid: ";

/// A definite refusal: of a request, or of one input of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HubSpot's code, the value's if it names one.
    code: String,
    /// The property; empty if HubSpot names none.
    property: String,
    /// HubSpot's words, values included.
    words: String,
    correlation_id: String,
    /// The record that already has the value, for a value that must be unique.
    holder: Option<String>,
    /// Whether it says that the record of an input is not there.
    missing_record: bool,
    /// Whether it is about the call and not about what was sent.
    of_call: bool,
}

impl Refusal {
    /// Reads an error; `status` is 207 for an input of a batch.
    pub(crate) fn read(status: StatusCode, body: &ErrorBody) -> Self {
        let found = taken(body).or_else(|| first_detail(body));
        let missing_record = status == StatusCode::MULTI_STATUS && body.category == "OBJECT_NOT_FOUND";
        let of_call = !matches!(status, StatusCode::MULTI_STATUS | StatusCode::BAD_REQUEST | StatusCode::CONFLICT);
        let (code, property, words, holder) = found.unwrap_or_else(|| {
            let code =
                if body.category.is_empty() { format!("http_{}", status.as_u16()) } else { body.category.clone() };
            let property = body.context.get("properties").and_then(|names| names.first()).cloned();
            (code, property.unwrap_or_default(), body.message.clone(), None)
        });
        Self { code, property, words, correlation_id: body.correlation_id.clone(), holder, missing_record, of_call }
    }

    /// Whether it says that the record to be updated is not there.
    pub(crate) fn is_missing_record(&self) -> bool {
        self.missing_record
    }

    /// Whether another record has the value of this property, which must be unique.
    pub(crate) fn is_taken(&self, property: &str) -> bool {
        self.code == CONFLICT && self.property == property
    }

    /// Whether it holds for every input with these properties, so that splitting a batch finds no innocent ones.
    pub(crate) fn is_of_all<'a>(&self, mut inputs: impl Iterator<Item = &'a Properties>) -> bool {
        let of_definition = matches!(self.code.as_str(), "PROPERTY_DOESNT_EXIST" | "READ_ONLY_VALUE");
        (of_definition && inputs.all(|input| input.contains_key(&self.property)))
            || self.words.contains("by non-unique")
            || self.of_call
    }

    /// Whether it may be about an input with these properties: it names a property, and the input has it with a value
    /// that HubSpot repeats, or with any value if HubSpot repeats none.
    pub(crate) fn may_concern(&self, properties: &Properties) -> bool {
        let words = self.words.to_ascii_lowercase();
        properties.get(&self.property).is_some_and(|value| {
            self.code == "PROPERTY_DOESNT_EXIST"
                || self.code == "READ_ONLY_VALUE"
                || words.contains(&value.to_ascii_lowercase())
        })
    }

    /// The failure for the record that had these properties.
    pub(crate) fn into_failure(self, kind: Kind, sent: &Properties) -> Failure {
        let words = redacted(&self.words, sent);
        let place = if self.property.is_empty() {
            kind.as_str().to_owned()
        } else {
            format!("{}.{}", kind.as_str(), self.property)
        };
        let mut message = match &self.holder {
            Some(holder) => format!(
                "HubSpot refuses {place}: record {holder} already has that value; merge the two records or correct one"
            ),
            None => format!("HubSpot refuses {place}: {words}"),
        };
        if !self.correlation_id.is_empty() {
            message.push_str(&format!(" (correlation id {})", self.correlation_id));
        }
        let code = if self.code == "INVALID_EMAIL" { "invalid_email".to_owned() } else { self.code };
        Failure::Rejected { code, field: self.property, message }
    }
}

type Found = (String, String, String, Option<String>);

/// A value that another record has, in the two ways that HubSpot says it.
fn taken(body: &ErrorBody) -> Option<Found> {
    let words = body.message.as_str();
    let (property, holder) = if let Some((_, rest)) = words.split_once("PropertyValueCoordinates{") {
        let (_, rest) = rest.split_once("propertyName=")?;
        let property = rest.split([',', '}']).next()?.trim();
        let before = words.strip_suffix('.').unwrap_or(words).strip_suffix(" already has that value")?;
        (property, before.rsplit(' ').next()?)
    } else {
        let (_, holder) = words.split_once("already exists. Existing ID: ")?;
        ("email", holder)
    };
    let holder: String = holder.chars().take_while(char::is_ascii_digit).collect();
    Some((CONFLICT.to_owned(), property.to_owned(), words.to_owned(), Some(holder)))
}

/// The first value that is not valid: from `errors`, else from the list within the message.
fn first_detail(body: &ErrorBody) -> Option<Found> {
    if let Some(detail) = body.errors.iter().find(|detail| !detail.code.is_empty()) {
        let property = detail.context.get("propertyName").and_then(|names| names.first()).unwrap_or(&detail.place);
        return Some((detail.code.clone(), property.clone(), detail.message.clone(), None));
    }
    let (_, list) = body.message.split_once(INVALID_LIST)?;
    let values: Vec<InvalidValue> = serde_json::from_str(list).ok()?;
    let value = values.into_iter().find(|value| !value.error.is_empty())?;
    Some((value.error, value.name, value.message, None))
}

/// HubSpot's words without the values that were sent and without anything that looks like an e-mail address.
fn redacted(words: &str, sent: &Properties) -> String {
    // The names and shorter values of properties could be parts of ordinary words.
    const SHORTEST: usize = 3;
    let mut values: Vec<String> =
        sent.values().filter(|value| value.len() >= SHORTEST).map(|value| value.to_ascii_lowercase()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let mut text = words.to_owned();
    for value in values {
        // ASCII lower case keeps every byte's place.
        while let Some(at) = text.to_ascii_lowercase().find(&value) {
            text.replace_range(at..at + value.len(), "\u{0}");
        }
    }
    text = text.replace('\u{0}', "[redacted]");
    text.split(' ').map(|word| if word.contains('@') { "[redacted]" } else { word }).collect::<Vec<_>>().join(" ")
}

/// The scopes that a 403 asks for.
pub(crate) fn missing_scopes(body: &ErrorBody) -> String {
    let contexts = std::iter::once(&body.context).chain(body.errors.iter().map(|detail| &detail.context));
    let scopes = contexts
        .flat_map(|context| ["requiredGranularScopes", "requiredScopes", "missingScopes"].map(|key| context.get(key)))
        .flatten()
        .next();
    scopes.map(|scopes| scopes.join(" or ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: serde_json::Value) -> ErrorBody {
        serde_json::from_value(value).unwrap()
    }

    fn sent(pairs: &[(&str, &str)]) -> Properties {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn failure(value: serde_json::Value, pairs: &[(&str, &str)]) -> (String, String, String) {
        let refusal = Refusal::read(StatusCode::BAD_REQUEST, &body(value));
        match refusal.into_failure(Kind::Contacts, &sent(pairs)) {
            Failure::Rejected { code, field, message } => (code, field, message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_invalid_email_is_named_without_the_address() {
        let (code, field, message) = failure(
            json!({
                "status": "error",
                "message": "Property values were not valid: [{\"isValid\":false,\"message\":\"Email address Jo@x.con is invalid\",\"error\":\"INVALID_EMAIL\",\"name\":\"email\"}]",
                "correlationId": "e3d7ddf8-5d21-4059-86d0-35ae9093755c",
                "category": "VALIDATION_ERROR",
            }),
            &[("email", "jo@x.con"), ("firstname", "Jo")],
        );
        assert_eq!((code.as_str(), field.as_str()), ("invalid_email", "email"));
        assert_eq!(
            message,
            "HubSpot refuses contacts.email: Email address [redacted] is invalid (correlation id e3d7ddf8-5d21-4059-86d0-35ae9093755c)"
        );
    }

    #[test]
    fn an_error_list_beside_the_message_is_read_first() {
        let (code, field, _) = failure(
            json!({
                "message": "Property values were not valid: []",
                "category": "VALIDATION_ERROR",
                "errors": [{"message": "Property \"colour\" does not exist", "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["colour"]}}],
            }),
            &[],
        );
        assert_eq!((code.as_str(), field.as_str()), ("PROPERTY_DOESNT_EXIST", "colour"));
    }

    #[test]
    fn a_value_that_another_record_has_names_that_record_and_not_the_value() {
        let (code, field, message) = failure(
            json!({
                "message": "Cannot set PropertyValueCoordinates{portalId=1, objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, propertyName=email, value=jo@example.com} on 552. 553 already has that value.",
                "category": "VALIDATION_ERROR",
            }),
            &[("email", "jo@example.com")],
        );
        assert_eq!((code.as_str(), field.as_str()), ("CONFLICT", "email"));
        assert!(message.contains("record 553 already has that value") && !message.contains("jo@"), "{message}");
        let (code, field, message) =
            failure(json!({"message": "Contact already exists. Existing ID: 77", "category": "CONFLICT"}), &[]);
        assert_eq!((code.as_str(), field.as_str()), ("CONFLICT", "email"));
        assert!(message.contains("record 77"), "{message}");
    }

    #[test]
    fn a_refusal_without_details_keeps_the_category_or_the_status() {
        let (code, field, _) = failure(
            json!({"message": "Error creating ORDER. Some required properties were not set.", "category": "VALIDATION_ERROR", "context": {"properties": ["hs_order_name"]}}),
            &[],
        );
        assert_eq!((code.as_str(), field.as_str()), ("VALIDATION_ERROR", "hs_order_name"));
        let refusal = Refusal::read(StatusCode::URI_TOO_LONG, &ErrorBody::default());
        assert!(
            matches!(refusal.into_failure(Kind::Orders, &Properties::new()), Failure::Rejected { code, .. } if code == "http_414")
        );
    }

    #[test]
    fn sent_values_do_not_appear_in_a_message() {
        let sent = sent(&[("lastname", "Ängström"), ("city", "Bath"), ("zip", "BA1")]);
        assert_eq!(
            redacted("bath was not one of the allowed options; Ängström BA1 x@y.z", &sent),
            "[redacted] was not one of the allowed options; [redacted] [redacted] [redacted]"
        );
    }

    #[test]
    fn a_403_says_which_scopes_are_needed() {
        let body = body(json!({
            "category": "MISSING_SCOPES",
            "errors": [{"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": ["a.read", "b.read"]}}],
        }));
        assert_eq!(missing_scopes(&body), "a.read or b.read");
    }
}
