//! What ShipStation says when it refuses, without what it says of people.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::Value;
use waybill_connector::{Answer, Failure};
use waybill_domain::Personal;

use crate::wire::{ErrorBody, ErrorEntry};

/// Why a call did not do what was asked.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The vendor refused the request, and says why. Nothing took effect.
    Refused(Refusal),
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl CallError {
    /// The failure, for a call that has nothing to add to it.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Refused(refusal) => refusal.failure(&[]),
            Self::Failed(failure) => failure,
        }
    }
}

/// A definite refusal.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    errors: Vec<ErrorEntry>,
}

impl Refusal {
    /// The refusal in an answer that is no success. Only the vendor's own error body counts: a 404 with any other is
    /// something between us and the vendor, and says nothing about the shipment.
    pub(crate) fn read(answer: &Answer) -> CallError {
        match serde_json::from_slice::<ErrorBody>(&answer.body) {
            Ok(ErrorBody { errors }) if answer.status.is_client_error() && !errors.is_empty() => {
                if answer.status == StatusCode::FORBIDDEN {
                    let message = "HTTP 403: the account or its plan does not allow the API call".to_owned();
                    return CallError::Failed(Failure::Unauthorized { message });
                }
                CallError::Refused(Self { status: answer.status, errors })
            }
            _ => CallError::Failed(answer.unreadable("it is neither the vendor's success nor its error")),
        }
    }

    /// Which elements of a create with several shipments are refused by name: `shipments[3].ship_to.phone`.
    pub(crate) fn named(&self) -> BTreeSet<usize> {
        self.errors.iter().filter_map(|error| element(error.field())?.0).collect()
    }

    /// The refusal of one element of such a create.
    pub(crate) fn of_element(&self, at: usize) -> Self {
        let ours = |error: &&ErrorEntry| element(error.field()).and_then(|(named, _)| named) == Some(at);
        Self { status: self.status, errors: self.errors.iter().filter(ours).cloned().collect() }
    }

    /// The refusal of an element that was told in the element's own `errors`: texts, by the document.
    pub(crate) fn in_element(errors: &[Value]) -> Self {
        let entry = |error: &Value| match error {
            Value::String(text) => ErrorEntry { message: text.clone(), ..ErrorEntry::default() },
            other => serde_json::from_value(other.clone()).unwrap_or_default(),
        };
        Self { status: StatusCode::BAD_REQUEST, errors: errors.iter().map(entry).collect() }
    }

    /// Whether it says anything but that fields are wrong: an id that is taken, for one.
    pub(crate) fn may_be_a_second_create(&self) -> bool {
        self.errors.iter().any(|error| !is_of_fields(&error.error_code))
    }

    /// Whether the shipment is past the state in which it can be changed.
    pub(crate) fn is_of_status(&self) -> bool {
        self.errors.iter().any(|error| error.error_code == "invalid_status")
    }

    /// The failure: `invalid_address` with the field of the recipient's address if that is what is wrong, else the
    /// vendor's code and field. The texts of `people` and the values of fields are taken out of the vendor's words, and
    /// what it says of addresses is not passed on at all.
    pub(crate) fn failure(&self, people: &[&str]) -> Failure {
        let told: Vec<Told> = self.errors.iter().map(|error| Told::of(error, people)).collect();
        let Some(first) = told.iter().find(|told| told.code == INVALID_ADDRESS).or(told.first()) else {
            return Failure::rejected("refused", "", "ShipStation refuses the shipment and does not say why");
        };
        let all: Vec<_> = told.iter().map(|told| told.words.as_str()).collect();
        Failure::rejected(&first.code, &first.field, format!("ShipStation refuses: {}", all.join("; ")))
    }
}

const INVALID_ADDRESS: &str = "invalid_address";

fn is_of_fields(code: &str) -> bool {
    matches!(
        code,
        "field_value_required" | "invalid_field_value" | "invalid_string_length" | "invalid_object" | INVALID_ADDRESS
    )
}

/// One error in our words.
struct Told {
    code: String,
    field: String,
    words: String,
}

impl Told {
    fn of(error: &ErrorEntry, people: &[&str]) -> Self {
        let field = match element(error.field()) {
            Some((_, field)) => field,
            None => error.field().unwrap_or_default(),
        };
        let field = if field.is_empty() { field_in(&error.message) } else { field };
        let vendors = if error.error_code.is_empty() { "refused" } else { &error.error_code };
        let of_address = field == "ship_to" || field.starts_with("ship_to.");
        let says_address = field.is_empty() && error.message.to_lowercase().contains("address");
        if of_address || says_address || (vendors == INVALID_ADDRESS && !field.starts_with("ship_from")) {
            let field = if of_address { field } else { "ship_to" };
            return Self {
                code: INVALID_ADDRESS.to_owned(),
                field: field.to_owned(),
                words: format!("{field}: {vendors}"),
            };
        }
        if field.starts_with("ship_from") {
            let words = format!("{field}: {vendors}; correct the warehouse's origin address in ShipStation");
            return Self { code: "invalid_ship_from".to_owned(), field: field.to_owned(), words };
        }
        let value = error.field_value.as_ref().and_then(Value::as_str).unwrap_or_default();
        let mut words = redacted(&error.message, people);
        words = redacted(&words, &[value]);
        Self { code: vendors.to_owned(), field: field.to_owned(), words }
    }
}

impl ErrorEntry {
    fn field(&self) -> Option<&str> {
        self.field_name.as_deref().or(self.field.as_deref())
    }
}

/// `shipments[3].ship_to.phone` or `shipments.3.ship_to.phone` → 3 and `ship_to.phone`; `shipment.ship_to` → `ship_to`.
fn element(field: Option<&str>) -> Option<(Option<usize>, &str)> {
    let field = field?;
    if let Some(rest) = field.strip_prefix("shipment.") {
        return Some((None, rest));
    }
    let rest = field.strip_prefix("shipments")?;
    let (at, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => rest.strip_prefix('.')?.split_once('.').unwrap_or((rest.strip_prefix('.')?, "")),
    };
    Some((Some(at.parse().ok()?), rest.trim_start_matches('.')))
}

/// The field that a text speaks of: its first word with an underscore.
fn field_in(text: &str) -> &str {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .find(|word| word.contains('_'))
        .map_or("", |word| word.trim_matches('.'))
}

/// A text without these values, whatever their case. Values of one or two characters stay: they name no one and would
/// tear words apart.
fn redacted(text: &str, values: &[&str]) -> String {
    let mut text = text.to_owned();
    for value in values.iter().filter(|value| value.chars().count() > 2) {
        while let Some(at) = position(&text, value) {
            text.replace_range(at..at + value.len(), "[…]");
        }
    }
    text
}

fn position(text: &str, value: &str) -> Option<usize> {
    let (text, value) = (text.as_bytes(), value.as_bytes());
    text.windows(value.len()).position(|window| window.eq_ignore_ascii_case(value))
}

/// The texts of people that a refusal might repeat.
pub(crate) fn exposed<'a>(texts: impl IntoIterator<Item = &'a Personal>) -> Vec<&'a str> {
    texts.into_iter().map(Personal::expose).filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use waybill_connector::Failure;

    use super::{Refusal, redacted};
    use crate::wire::ErrorBody;

    fn refusal(errors: Value) -> Refusal {
        let ErrorBody { errors } = serde_json::from_value(json!({ "errors": errors })).unwrap();
        Refusal { status: reqwest::StatusCode::BAD_REQUEST, errors }
    }

    fn parts(failure: Failure) -> (String, String, String) {
        match failure {
            Failure::Rejected { code, field, message } => (code, field, message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_address_is_told_by_its_field_and_never_by_its_value() {
        let refused = refusal(json!([
            { "error_code": "invalid_field_value", "message": "sku is odd", "field_name": "shipments[0].items[0].sku" },
            { "error_code": "field_value_required", "message": "1 Elm St has no phone", "field_name": "shipments[0].ship_to.phone" },
        ]));
        let (code, field, message) = parts(refused.failure(&["1 Elm St"]));
        assert_eq!((code.as_str(), field.as_str()), ("invalid_address", "ship_to.phone"));
        assert!(!message.contains("Elm"), "{message}");
    }

    #[test]
    fn an_element_is_named_by_index_or_by_number() {
        let refused = refusal(json!([
            { "error_code": "invalid_address", "message": "", "field_name": "shipments[3].ship_to.postal_code" },
            { "error_code": "invalid_address", "message": "", "field_name": "shipments.5.ship_to" },
            { "error_code": "unspecified", "message": "" },
        ]));
        assert_eq!(refused.named().into_iter().collect::<Vec<_>>(), [3, 5]);
        assert_eq!(parts(refused.of_element(3).failure(&[])).1, "ship_to.postal_code");
        assert_eq!(parts(refused.of_element(5).failure(&[])).1, "ship_to");
    }

    #[test]
    fn an_elements_own_errors_are_texts() {
        let carrier = Refusal::in_element(&[json!("carrier_id 'se-9' is not connected to this account.")]);
        let (code, field, message) = parts(carrier.failure(&[]));
        assert_eq!((code.as_str(), field.as_str()), ("refused", "carrier_id"));
        assert!(message.contains("not connected"));
        assert!(carrier.may_be_a_second_create());
        let address = Refusal::in_element(&[json!("The recipient's address could not be validated: Amanda Miller")]);
        let (code, field, message) = parts(address.failure(&[]));
        assert_eq!((code.as_str(), field.as_str()), ("invalid_address", "ship_to"));
        assert!(!message.contains("Amanda"));
    }

    #[test]
    fn the_warehouses_address_is_not_the_buyers() {
        let refused = refusal(json!([
            { "error_code": "invalid_address", "message": "", "field_name": "shipments[0].ship_from.postal_code" },
        ]));
        assert_eq!(parts(refused.failure(&[])).0, "invalid_ship_from");
    }

    #[test]
    fn names_are_taken_out_whatever_their_case() {
        assert_eq!(redacted("note of AMANDA miller: hi", &["Amanda Miller", "hi"]), "note of […]: hi");
    }
}
