//! Checks a request against a shape: the part of JSON Schema that the vendor's document uses.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::answers::Problem;

/// What a value may be.
pub(super) enum Kind {
    /// A text of so many characters; no upper limit if it is 0.
    Text {
        min: usize,
        max: usize,
    },
    /// A text of so many characters in a form of its own.
    Form {
        min: usize,
        max: usize,
        matches: fn(&str) -> bool,
    },
    /// One of these words.
    OneOf(&'static [&'static str]),
    Bool,
    /// A 32-bit integer from 0 on.
    Count,
    /// Any 32-bit number from 0 on; above 0 if `positive`.
    Number {
        positive: bool,
    },
    /// Any number.
    AnyNumber,
    /// An object with these properties and no others.
    Object(&'static Shape),
    /// Any object: its parts are not checked here.
    AnyObject,
    /// So many of these or more.
    List {
        of: &'static Kind,
        min: usize,
    },
}

/// Any text, the empty one too.
pub(super) const TEXT: Kind = Kind::Text { min: 0, max: 0 };
/// Any text but the empty one.
pub(super) const FILLED: Kind = Kind::Text { min: 1, max: 0 };
/// `se_id` of the document.
pub(super) const ID: Kind = Kind::Form { min: 1, max: 25, matches: is_id };

/// A property of an object.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// A property that may be there.
pub(super) const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

/// A property that must be there.
pub(super) const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

/// An object's properties; `additionalProperties` is false throughout the vendor's requests.
pub(super) struct Shape(pub(super) &'static [Field]);

/// `^se(-[a-z0-9]+)+$`
pub(super) fn is_id(text: &str) -> bool {
    let mut parts = text.split('-');
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    parts.next() == Some("se") && parts.clone().next().is_some() && parts.all(part)
}

/// `^[a-z0-9]+(_[a-z0-9]+)*$`
pub(super) fn is_package_code(text: &str) -> bool {
    text.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// `^[a-z0-9]+(_[a-z0-9-]+)* ?$`
pub(super) fn is_service_code(text: &str) -> bool {
    let text = text.strip_suffix(' ').unwrap_or(text);
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.split('_')
        .enumerate()
        .all(|(at, part)| !part.is_empty() && part.bytes().all(|b| lower(b) || (at > 0 && b == b'-')))
}

/// `format: uri`
pub(super) fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && !rest.is_empty() && !text.contains(char::is_whitespace)
    })
}

/// Everything that is wrong with an object.
pub(super) fn check_object(object: &Map<String, Value>, shape: &Shape, path: &str, problems: &mut Vec<Problem>) {
    for field in shape.0.iter().filter(|field| field.required && !object.contains_key(field.name)) {
        problems.push(Problem::required(&under(path, field.name)));
    }
    for (name, value) in object {
        let path = under(path, name);
        match shape.0.iter().find(|field| field.name == name) {
            Some(field) => check(value, &field.kind, &path, problems),
            None => problems.push(Problem::invalid(&path, value, format!("{path} is not a known field."))),
        }
    }
}

/// Everything that is wrong with a value.
pub(super) fn check(value: &Value, kind: &Kind, path: &str, problems: &mut Vec<Problem>) {
    match kind {
        Kind::Text { min, max } => check_text(value, (*min, *max), |_| true, path, problems),
        Kind::Form { min, max, matches } => check_text(value, (*min, *max), matches, path, problems),
        Kind::OneOf(words) => {
            if !value.as_str().is_some_and(|word| words.contains(&word)) {
                let message = format!("{path} must be one of {}.", words.join(", "));
                problems.push(Problem::invalid(path, value, message));
            }
        }
        Kind::Bool => {
            if !value.is_boolean() {
                problems.push(Problem::invalid(path, value, format!("{path} must be a boolean.")));
            }
        }
        Kind::Count => {
            if !exact(value).is_some_and(|n| n.fract().is_zero() && in_range(n, Decimal::ZERO)) {
                problems.push(Problem::invalid(path, value, format!("{path} must be a 32-bit integer from 0 on.")));
            }
        }
        Kind::Number { positive } => {
            let fits = exact(value).is_some_and(|n| n >= Decimal::ZERO && (!*positive || !n.is_zero()));
            if !fits {
                let least = if *positive { "above 0" } else { "from 0 on" };
                problems.push(Problem::invalid(path, value, format!("{path} must be a number {least}.")));
            }
        }
        Kind::AnyNumber => {
            if !value.is_number() {
                problems.push(Problem::invalid(path, value, format!("{path} must be a number.")));
            }
        }
        Kind::Object(shape) => match value.as_object() {
            Some(object) => check_object(object, shape, path, problems),
            None => problems.push(Problem::invalid(path, value, format!("{path} must be an object."))),
        },
        Kind::AnyObject => {
            if !value.is_object() {
                problems.push(Problem::invalid(path, value, format!("{path} must be an object.")));
            }
        }
        Kind::List { of, min } => check_list(value, of, *min, path, problems),
    }
}

fn check_text(
    value: &Value,
    (min, max): (usize, usize),
    matches: impl Fn(&str) -> bool,
    path: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(text) = value.as_str() else {
        return problems.push(Problem::invalid(path, value, format!("{path} must be a string.")));
    };
    let length = text.chars().count();
    if length < min {
        problems.push(Problem::coded("invalid_string_length", path, value, format!("{path} must not be empty.")));
    } else if max > 0 && length > max {
        let message = format!("{path} must not be longer than {max} characters.");
        problems.push(Problem::coded("invalid_string_length", path, value, message));
    } else if !matches(text) {
        problems.push(Problem::invalid(path, value, format!("{path} has an invalid format.")));
    }
}

fn check_list(value: &Value, of: &Kind, min: usize, path: &str, problems: &mut Vec<Problem>) {
    let Some(list) = value.as_array() else {
        return problems.push(Problem::invalid(path, value, format!("{path} must be an array.")));
    };
    if list.len() < min {
        problems.push(Problem::invalid(path, value, format!("{path} must have at least {min} elements.")));
    }
    for (at, value) in list.iter().enumerate() {
        check(value, of, &format!("{path}[{at}]"), problems);
    }
}

/// A JSON number by its digits.
pub(super) fn exact(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

fn in_range(number: Decimal, least: Decimal) -> bool {
    number >= least && number <= Decimal::from(i32::MAX)
}

fn under(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::{is_id, is_package_code, is_service_code};

    #[test]
    fn forms_are_those_of_the_document() {
        assert!(["se-1", "se-28529731", "se-a-b"].into_iter().all(is_id));
        assert!(!["se", "se-", "SE-1", "se-A", "sx-1", "se--1", ""].into_iter().any(is_id));
        assert!(is_package_code("large_flat_rate_box") && !is_package_code("large__box") && !is_package_code("Box"));
        assert!(is_service_code("usps_priority_mail") && is_service_code("ups_2nd-day ") && !is_service_code("UPS"));
    }
}
