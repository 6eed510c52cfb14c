//! Variables, coerced to their types, with Shopify's words for what is wrong with them.

use apollo_compiler::{
    ExecutableDocument,
    ast::Type,
    executable::Operation,
    schema::{ExtendedType, InputObjectType},
    validation::Valid,
};
use serde_json::{Map, Value, json};

use super::{document::SCHEMA, literals};

struct Problem {
    path: Vec<Value>,
    explanation: String,
    /// Shopify repeats the explanation as a message for its own scalars.
    repeated: bool,
}

/// Coerces what was given for an operation's variables.
///
/// # Errors
/// Shopify's top-level errors, one for each variable.
pub(crate) fn coerce(
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<Value>> {
    let mut values = Map::new();
    let mut errors = Vec::new();
    for variable in &operation.variables {
        let name = variable.name.as_str();
        let default = variable.default_value.as_ref();
        let value = match (given.get(name), default) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => literals::json(default, &Map::new()).unwrap_or(Value::Null),
            (None, None) if variable.ty.is_non_null() => Value::Null,
            (None, None) => continue,
        };
        let mut problems = Vec::new();
        let coerced = coerce_value(&variable.ty, &value, &mut Vec::new(), &mut problems);
        if problems.is_empty() {
            values.insert(name.to_owned(), coerced);
            continue;
        }
        let at: Vec<String> = problems
            .iter()
            .filter(|problem| !problem.path.is_empty())
            .map(|problem| {
                let path: Vec<String> = problem
                    .path
                    .iter()
                    .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
                    .collect();
                format!("{} ({})", path.join("."), problem.explanation)
            })
            .collect();
        let place = variable.line_column_range(&document.sources).map_or((1, 1), |at| (at.start.line, at.start.column));
        let mut message = format!("Variable ${name} of type {} was provided invalid value", variable.ty);
        if !at.is_empty() {
            message = format!("{message} for {}", at.join(", "));
        }
        let problems: Vec<Value> = problems
            .into_iter()
            .map(|problem| {
                let mut body = json!({"path": problem.path, "explanation": problem.explanation});
                if problem.repeated {
                    body["message"] = json!(problem.explanation);
                }
                body
            })
            .collect();
        errors.push(json!({
            "message": message,
            "locations": [{"line": place.0, "column": place.1}],
            "extensions": {"code": "INVALID_VARIABLE", "value": value, "problems": problems},
        }));
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

fn coerce_value(ty: &Type, value: &Value, path: &mut Vec<Value>, problems: &mut Vec<Problem>) -> Value {
    if value.is_null() {
        if ty.is_non_null() {
            let explanation = "Expected value to not be null".to_owned();
            problems.push(Problem { path: path.clone(), explanation, repeated: false });
        }
        return Value::Null;
    }
    match ty {
        Type::List(inner) | Type::NonNullList(inner) => {
            let one = std::slice::from_ref(value);
            let items = value.as_array().map_or(one, Vec::as_slice);
            let mut coerced = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(json!(index));
                coerced.push(coerce_value(inner, item, path, problems));
                path.pop();
            }
            Value::Array(coerced)
        }
        Type::Named(name) | Type::NonNullNamed(name) => match SCHEMA.types.get(name) {
            Some(ExtendedType::InputObject(input)) => coerce_input(input, value, path, problems),
            Some(ExtendedType::Enum(words)) => {
                let word = value.as_str().unwrap_or_default();
                if !words.values.contains_key(word) {
                    let known: Vec<&str> = words.values.keys().map(|name| name.as_str()).collect();
                    let explanation = format!("Expected {value} to be one of: {}", known.join(", "));
                    problems.push(Problem { path: path.clone(), explanation, repeated: false });
                }
                value.clone()
            }
            _ => {
                if let Err((explanation, repeated)) = scalar(name, value) {
                    problems.push(Problem { path: path.clone(), explanation, repeated });
                }
                value.clone()
            }
        },
    }
}

fn coerce_input(input: &InputObjectType, value: &Value, path: &mut Vec<Value>, problems: &mut Vec<Problem>) -> Value {
    let Some(given) = value.as_object() else {
        let explanation = format!("Expected {value} to be a key-value object.");
        problems.push(Problem { path: path.clone(), explanation, repeated: false });
        return Value::Null;
    };
    for name in given.keys().filter(|name| !input.fields.contains_key(name.as_str())) {
        path.push(json!(name));
        let explanation = format!("Field is not defined on {}", input.name);
        problems.push(Problem { path: path.clone(), explanation, repeated: false });
        path.pop();
    }
    let mut coerced = Map::new();
    for (name, field) in &input.fields {
        path.push(json!(name.as_str()));
        match (given.get(name.as_str()), &field.default_value) {
            (Some(value), _) => {
                coerced.insert(name.to_string(), coerce_value(&field.ty, value, path, problems));
            }
            (None, Some(default)) => {
                coerced.insert(name.to_string(), literals::json(default, &Map::new()).unwrap_or(Value::Null));
            }
            (None, None) if field.ty.is_non_null() => {
                coerce_value(&field.ty, &Value::Null, path, problems);
            }
            (None, None) => {}
        }
        path.pop();
    }
    Value::Object(coerced)
}

/// Checks a scalar.
///
/// # Errors
/// Shopify's explanation, and whether it is repeated as a message.
pub(crate) fn scalar(name: &str, value: &Value) -> Result<(), (String, bool)> {
    let text = value.as_str();
    let fits = match name {
        "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        "ID" => {
            let id = text.map_or_else(|| value.to_string(), str::to_owned);
            return if is_global_id(&id) { Ok(()) } else { Err((format!("Invalid global id '{id}'"), true)) };
        }
        "DateTime" => {
            let instant = text.unwrap_or_default();
            let fits = instant.parse::<jiff::Timestamp>().is_ok();
            return if fits { Ok(()) } else { Err((format!("invalid DateTime '{instant}'"), true)) };
        }
        "URL" => {
            let url = text.unwrap_or_default();
            return if url.contains("://") {
                Ok(())
            } else {
                Err((format!("Invalid url '{url}', missing scheme"), true))
            };
        }
        "Decimal" | "Money" => {
            let number = text.map_or_else(|| value.to_string(), str::to_owned);
            (text.is_some() || value.is_number()) && number.parse::<rust_decimal::Decimal>().is_ok()
        }
        "UnsignedInt64" => text.is_some() || value.is_number(),
        "JSON" => true,
        _ => text.is_some(),
    };
    if fits { Ok(()) } else { Err((format!("Could not coerce value {value} to {name}"), false)) }
}

fn is_global_id(text: &str) -> bool {
    let parts: Vec<&str> = text.strip_prefix("gid://shopify/").unwrap_or_default().splitn(2, '/').collect();
    matches!(parts[..], [kind, id] if !kind.is_empty() && !id.is_empty())
}
