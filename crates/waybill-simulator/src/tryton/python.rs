//! What Python says, where an answer carries its words.

use serde_json::Value as Json;

/// The name of a value's type.
pub(super) fn type_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if is_float(&number.to_string()) => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(object) => match object.get("__class__").and_then(Json::as_str) {
            Some("Decimal") => "decimal.Decimal",
            Some("date") => "datetime.date",
            Some("datetime") => "datetime.datetime",
            _ => "dict",
        },
    }
}

/// Whether a JSON number becomes a float.
pub(super) fn is_float(text: &str) -> bool {
    text.contains(['.', 'e', 'E'])
}

/// `repr` of a text.
pub(super) fn repr(text: &str) -> String {
    let escaped = escape(text);
    if text.contains('\'') && !text.contains('"') {
        format!("\"{escaped}\"")
    } else {
        format!("'{}'", escaped.replace('\'', "\\'"))
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t")
        .replace('\u{b}', "\\x0b")
        .replace('\u{c}', "\\x0c")
}

/// What a call with too few or too many positional arguments raises. `name` is Python's (`ModelSQL.read`), `first` 1
/// for a class method; `names` are the parameters, of which the first `required` have no default.
pub(super) fn arguments(name: &str, names: &[&str], required: usize, given: usize) -> Result<(), String> {
    if given > names.len() {
        let taken = names.len() + 1;
        let takes =
            if required < names.len() { format!("from {} to {taken}", required + 1) } else { taken.to_string() };
        return Err(format!("{name}() takes {takes} positional arguments but {} were given", given + 1));
    }
    if given >= required {
        return Ok(());
    }
    let missing: Vec<_> = names[given..required].iter().map(|name| format!("'{name}'")).collect();
    let list = match missing.as_slice() {
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [all @ .., last] => format!("{}, and {last}", all.join(", ")),
        [] => String::new(),
    };
    let plural = if missing.len() == 1 { "" } else { "s" };
    Err(format!("{name}() missing {} required positional argument{plural}: {list}", missing.len()))
}
