//! Tryton's refusals in the engine's terms, without personal data.

use serde_json::Value as Json;
use waybill_connector::Failure;
use waybill_domain::document::Fields;

/// The failure that an answer's `error` stands for: the arguments of the exception that ended the call
/// (`trytond/exceptions.py`). Each of them rolled the transaction back, so that nothing is ambiguous.
pub(crate) fn failure(error: &Json) -> Failure {
    let at = |index: usize| error.get(1).and_then(|arguments| arguments.get(index)).and_then(Json::as_str);
    match error.get(0).and_then(Json::as_str) {
        Some("UserError") => user_error(at(0).unwrap_or_default(), at(1).unwrap_or_default()),
        Some("UserWarning") => Failure::rejected(
            "UserWarning",
            "",
            format!("Tryton asks a person to confirm: {}", without_records(at(1).unwrap_or_default())),
        ),
        Some("ConcurrencyException") => {
            Failure::Transient { message: "the record was changed in Tryton at the same time".to_owned() }
        }
        Some("LoginException") => Failure::Unauthorized { message: "Tryton asks for another login".to_owned() },
        Some(text) => Failure::rejected("exception", "", format!("Tryton failed with: {}", without_records(text))),
        None => Failure::rejected("exception", "", "Tryton failed without a text"),
    }
}

fn user_error(message: &str, description: &str) -> Failure {
    let code = if message.contains("email address") { "invalid_email" } else { "UserError" };
    let field = quoted_after(message, "field ").unwrap_or_default();
    let mut text = without_records(message);
    if !description.is_empty() {
        text = format!("{text} {}", without_records(description));
    }
    Failure::rejected(code, field, text)
}

/// The text in double quotes after a word.
fn quoted_after<'a>(message: &'a str, word: &str) -> Option<&'a str> {
    let start = message.find(&format!("{word}\""))? + word.len() + 1;
    let length = message[start..].find('"')?;
    Some(&message[start..start + length])
}

/// Takes out what Tryton quotes of values and of people's records: `The value "…" for field`, `in record "…" of "Party`,
/// `for party "…"`. Names of fields, models and sales stay.
fn without_records(message: &str) -> String {
    let mut text = message.to_owned();
    for (before, after) in [
        ("The value \"", "\" for field"),
        ("in the value \"", "\" for field"),
        ("in record \"", "\" of \"Party"),
        ("on \"", "\" of \"Party"),
        ("email address \"", "\" for party"),
        ("phone number \"", "\" for party"),
        ("party \"", "\""),
    ] {
        text = hidden_between(&text, before, after);
    }
    text
}

fn hidden_between(text: &str, before: &str, after: &str) -> String {
    let Some(start) = text.find(before).map(|at| at + before.len()) else { return text.to_owned() };
    let Some(length) = text[start..].rfind(after) else { return text.to_owned() };
    format!("{}…{}", &text[..start], &text[start + length..])
}

/// A failure of a document as people may see it: a mapped field that the model does not have is named as such, and the
/// document's texts that name a person are taken out.
pub(crate) fn explained(failure: Failure, model: &str, fields: &Fields, personal: &[&str]) -> Failure {
    match unknown_field(failure, model, fields.keys().map(String::as_str)) {
        // Our own words, of ids, keys and the plan's names: a person's short name may be a part of a key.
        failure @ Failure::Rejected { .. } if is_ours(&failure) => failure,
        failure => without(failure, personal),
    }
}

fn is_ours(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected { code, .. }
        if ["match_needs_person", "several_matches", "unknown_field"].contains(&code.as_str()))
}

/// The same failure, or which of these fields the model does not have: Python's `KeyError` is all that Tryton says of
/// it.
pub(crate) fn unknown_field<'a>(failure: Failure, model: &str, fields: impl IntoIterator<Item = &'a str>) -> Failure {
    let Failure::Rejected { code, message, .. } = &failure else { return failure };
    let mut named = fields
        .into_iter()
        .filter(|field| field.split('.').any(|part| message.ends_with(&format!("'{part}'"))) && code == "exception");
    match named.next() {
        Some(field) => {
            let message = format!("Tryton's model {model} has no field '{field}'");
            Failure::rejected("unknown_field", field, message)
        }
        None => failure,
    }
}

fn without(failure: Failure, personal: &[&str]) -> Failure {
    let clean = |text: String| {
        // Short texts would tear holes into words; none of them names anybody.
        personal.iter().filter(|one| one.chars().count() > 2).fold(text, |text, one| text.replace(one, "…"))
    };
    match failure {
        Failure::Rejected { code, field, message } => {
            Failure::Rejected { code, field: clean(field), message: clean(message) }
        }
        Failure::Transient { message } => Failure::Transient { message: clean(message) },
        Failure::Ambiguous { message } => Failure::Ambiguous { message: clean(message) },
        Failure::Malformed { message, answer } => Failure::Malformed { message: clean(message), answer: clean(answer) },
        other @ (Failure::RateLimited { .. } | Failure::Unauthorized { .. } | Failure::Conflict { .. }) => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use waybill_connector::Failure;

    use super::{failure, without};

    fn rejected(error: serde_json::Value) -> (String, String, String) {
        match failure(&error) {
            Failure::Rejected { code, field, message } => (code, field, message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_no_person() {
        let message = "A value is required for field \"Value\" in record \"Jane \"J\" Roe <None>\" of \"Party Contact Mechanism\".";
        let (code, field, message) = rejected(json!(["UserError", [message, "", null]]));
        assert_eq!((code.as_str(), field.as_str()), ("UserError", "Value"));
        assert_eq!(message, "A value is required for field \"Value\" in record \"…\" of \"Party Contact Mechanism\".");
    }

    #[test]
    fn a_refused_email_has_the_code_that_people_know() {
        let message = "The email address \"jane@\" for party \"Jane Roe\" is not valid.";
        let (code, _, message) = rejected(json!(["UserError", [message, "No domain.", null]]));
        assert_eq!(code, "invalid_email");
        assert!(!message.contains("jane") && !message.contains("Roe"), "{message}");
    }

    #[test]
    fn a_sale_keeps_its_name_in_a_message() {
        let message = "To get a quote for sale \"[wabc]\" you must enter an invoice address.";
        assert_eq!(rejected(json!(["UserError", [message, "", null]])).2, message);
    }

    #[test]
    fn what_a_document_says_of_a_person_is_taken_out() {
        let failure = failure(&json!(["invalid literal for int() with base 10: 'Jane'", ""]));
        let Failure::Rejected { code, message, .. } = without(failure, &["Jane", ""]) else { panic!() };
        assert_eq!((code.as_str(), message.ends_with("'…'")), ("exception", true));
    }

    #[test]
    fn a_change_at_the_same_time_may_be_tried_again() {
        let failure = failure(&json!(["ConcurrencyException", "Records were modified"]));
        assert!(matches!(failure, Failure::Transient { .. }));
    }
}
