//! Reads requests' bodies as the OpenAPI documents describe them: required members and types, unknown members ignored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answers::Refusal;

/// A body that must be JSON.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        Refusal::validation(format!(
            "Invalid input JSON on line {}, column {}: {error}",
            error.line().max(1),
            error.column().max(1)
        ))
    })
}

/// An object with all of these members.
pub(super) fn object<'a>(value: &'a Value, required: &[&str]) -> Result<&'a Map<String, Value>, Refusal> {
    let object = value.as_object().ok_or_else(|| mismatch("an object", value))?;
    let missing: Vec<&str> = required.iter().copied().filter(|name| !object.contains_key(*name)).collect();
    if missing.is_empty() { Ok(object) } else { Err(Refusal::missing(&missing)) }
}

/// A list.
pub(super) fn list<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], Refusal> {
    match object.get(name) {
        None => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(other) => Err(mismatch("an array", other)),
    }
}

/// A text, if it is there.
pub(super) fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    object.get(name).map(as_text).transpose()
}

/// A text that is there.
pub(super) fn required_text(object: &Map<String, Value>, name: &str) -> Result<String, Refusal> {
    text(object, name)?.ok_or_else(|| Refusal::missing(&[name]))
}

/// A text out of a closed set, if it is there.
pub(super) fn word(object: &Map<String, Value>, name: &str, words: &[&str]) -> Result<Option<String>, Refusal> {
    match text(object, name)? {
        Some(word) if !words.contains(&word.as_str()) => {
            Err(Refusal::body(&format!("Cannot build {name}: \"{word}\" is not one of [{}]", words.join(", "))))
        }
        word => Ok(word),
    }
}

/// Yes or no, if it is there.
pub(super) fn flag(object: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refusal> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(mismatch("a boolean", other)),
    }
}

/// A 32-bit integer, if it is there.
pub(super) fn integer(object: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    match object.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) if i32::try_from(number).is_ok() => Ok(Some(number)),
            Some(_) | None => Err(mismatch("an integer", value)),
        },
    }
}

/// A list of texts.
pub(super) fn texts(object: &Map<String, Value>, name: &str) -> Result<Vec<String>, Refusal> {
    list(object, name)?.iter().map(as_text).collect()
}

/// An object whose values are texts: a record's properties.
pub(super) fn text_map(object: &Map<String, Value>, name: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let value = object.get(name).ok_or_else(|| Refusal::missing(&[name]))?;
    let map = value.as_object().ok_or_else(|| mismatch("an object", value))?;
    map.iter().map(|(name, value)| Ok((name.clone(), as_text(value)?))).collect()
}

/// The id of `{"id": "…"}` under a name.
pub(super) fn id_of(object: &Map<String, Value>, name: &str) -> Result<String, Refusal> {
    let value = object.get(name).ok_or_else(|| Refusal::missing(&[name]))?;
    required_text(self::object(value, &["id"])?, "id")
}

fn as_text(value: &Value) -> Result<String, Refusal> {
    value.as_str().map(str::to_owned).ok_or_else(|| mismatch("a string", value))
}

fn mismatch(wanted: &str, found: &Value) -> Refusal {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Refusal::body(&format!("Cannot deserialize {wanted} from {found}"))
}
