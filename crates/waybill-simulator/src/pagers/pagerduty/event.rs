//! What an event must look like.

use serde_json::{Map, Value};

const SUMMARY_CHARS: usize = 1024;
const DEDUP_KEY_CHARS: usize = 255;
const ROUTING_KEY_CHARS: usize = 32;

/// All that is wrong with an event that is an object, in PagerDuty's words as far as they are known.
pub(super) fn errors(event: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    let Some(event) = event.as_object() else { return errors };
    routing_key(event, &mut errors);
    let action = one_of(event, "", "event_action", &["trigger", "acknowledge", "resolve"], &mut errors);
    dedup_key(event, action, &mut errors);
    text(event, "", "client", &mut errors);
    url(event, "client_url", "client_url", &mut errors);
    match event.get("payload") {
        // Only a trigger needs one; without it the three required fields are reported.
        None if action == Some("trigger") => payload(&Map::new(), &mut errors),
        None => {}
        Some(Value::Object(object)) => payload(object, &mut errors),
        Some(_) => errors.push("'payload' is invalid (must be an object)".to_owned()),
    }
    attached(event, "links", "href", &mut errors);
    attached(event, "images", "src", &mut errors);
    errors
}

fn routing_key(event: &Map<String, Value>, errors: &mut Vec<String>) {
    match event.get("routing_key") {
        None | Some(Value::Null) => errors.push("'routing_key' cannot be blank".to_owned()),
        Some(Value::String(key)) => {
            if key.chars().count() != ROUTING_KEY_CHARS {
                errors.push(format!("Length of 'routing_key' is incorrect (should be {ROUTING_KEY_CHARS} characters)"));
            }
            if !key.chars().all(char::is_alphanumeric) {
                errors.push("'routing_key' cannot contain non-alphanumeric characters.".to_owned());
            }
        }
        Some(_) => errors.push("'routing_key' is invalid (must be a string)".to_owned()),
    }
}

fn dedup_key(event: &Map<String, Value>, action: Option<&str>, errors: &mut Vec<String>) {
    match text(event, "", "dedup_key", errors) {
        Some(key) if key.chars().count() > DEDUP_KEY_CHARS => {
            errors.push(format!("Length of 'dedup_key' is incorrect (should be at most {DEDUP_KEY_CHARS} characters)"));
        }
        // "Required unless the event_type is trigger" (the OpenAPI document).
        None | Some("") if matches!(action, Some("acknowledge" | "resolve")) && !is_wrong_type(event, "dedup_key") => {
            errors.push("'dedup_key' is missing or blank".to_owned());
        }
        _ => {}
    }
}

fn is_wrong_type(event: &Map<String, Value>, name: &str) -> bool {
    event.get(name).is_some_and(|value| !value.is_string() && !value.is_null())
}

fn payload(payload: &Map<String, Value>, errors: &mut Vec<String>) {
    if let Some(summary) = required(payload, "summary", errors)
        && summary.chars().count() > SUMMARY_CHARS
    {
        errors.push(format!("Length of 'payload.summary' is incorrect (should be at most {SUMMARY_CHARS} characters)"));
    }
    required(payload, "source", errors);
    one_of(payload, "payload.", "severity", &["critical", "warning", "error", "info"], errors);
    if let Some(time) = text(payload, "payload.", "timestamp", errors)
        && !is_iso_8601(time)
    {
        errors.push("'payload.timestamp' is invalid (must be an ISO 8601 date and time)".to_owned());
    }
    for name in ["component", "group", "class"] {
        text(payload, "payload.", name, errors);
    }
    if payload.get("custom_details").is_some_and(|details| !details.is_object()) {
        errors.push("'payload.custom_details' is invalid (must be an object)".to_owned());
    }
}

fn required<'a>(payload: &'a Map<String, Value>, name: &str, errors: &mut Vec<String>) -> Option<&'a str> {
    if is_wrong_type(payload, name) {
        errors.push(format!("'payload.{name}' is invalid (must be a string)"));
        return None;
    }
    match payload.get(name).and_then(Value::as_str) {
        Some(text) if !text.trim().is_empty() => Some(text),
        _ => {
            errors.push(format!("'payload.{name}' is missing or blank"));
            None
        }
    }
}

/// An optional text.
fn text<'a>(object: &'a Map<String, Value>, path: &str, name: &str, errors: &mut Vec<String>) -> Option<&'a str> {
    if is_wrong_type(object, name) {
        errors.push(format!("'{path}{name}' is invalid (must be a string)"));
    }
    object.get(name).and_then(Value::as_str)
}

fn one_of<'a>(
    object: &'a Map<String, Value>,
    path: &str,
    name: &str,
    words: &[&str],
    errors: &mut Vec<String>,
) -> Option<&'a str> {
    match object.get(name) {
        None | Some(Value::Null) => errors.push(format!("'{path}{name}' is missing or blank")),
        Some(Value::String(word)) if word.trim().is_empty() => {
            errors.push(format!("'{path}{name}' is missing or blank"));
        }
        Some(Value::String(word)) if words.contains(&word.as_str()) => return Some(word),
        Some(_) => {
            let (last, others) = words.split_last().unwrap_or((&"", &[]));
            let others = others.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
            errors.push(format!("'{path}{name}' is invalid (must be one of the following: {others} or '{last}')"));
        }
    }
    None
}

/// `links` and `images`: lists of objects with one required URL.
fn attached(event: &Map<String, Value>, list: &str, required: &str, errors: &mut Vec<String>) {
    let Some(value) = event.get(list) else { return };
    let Some(items) = value.as_array() else {
        errors.push(format!("'{list}' is invalid (must be an array)"));
        return;
    };
    for (at, item) in items.iter().enumerate() {
        let Some(item) = item.as_object() else {
            errors.push(format!("'{list}[{at}]' is invalid (must be an object)"));
            continue;
        };
        let path = format!("{list}[{at}].");
        if item.get(required).is_none_or(Value::is_null) {
            errors.push(format!("'{path}{required}' is missing or blank"));
        } else {
            url(item, required, &format!("{path}{required}"), errors);
            // "This image must be served via HTTPS."
            if list == "images" && item[required].as_str().is_some_and(|url| url.starts_with("http://")) {
                errors.push(format!("'{path}{required}' is invalid (must be served via HTTPS)"));
            }
        }
        for optional in ["text", "alt"] {
            text(item, &path, optional, errors);
        }
        if required != "href" {
            url(item, "href", &format!("{path}href"), errors);
        }
    }
}

fn url(object: &Map<String, Value>, name: &str, path: &str, errors: &mut Vec<String>) {
    match object.get(name) {
        None | Some(Value::Null) => {}
        Some(Value::String(url)) if url.starts_with("https://") || url.starts_with("http://") => {}
        Some(_) => errors.push(format!("'{path}' is invalid (must be a URL)")),
    }
}

/// `2015-07-17T08:42:58.315+0000`, the documentation's example, or RFC 3339.
fn is_iso_8601(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
        || jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).is_ok_and(|time| time.to_timestamp().is_ok())
}
