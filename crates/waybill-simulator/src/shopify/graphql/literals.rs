//! Literal values of documents.

use apollo_compiler::ast::Value as Literal;
use serde_json::{Map, Value};

/// A literal as JSON, with variables put in. None if it is a variable that was not given.
pub(crate) fn json(literal: &Literal, variables: &Map<String, Value>) -> Option<Value> {
    Some(match literal {
        Literal::Null => Value::Null,
        Literal::Enum(word) => Value::String(word.to_string()),
        Literal::Variable(name) => return variables.get(name.as_str()).cloned(),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Float(number) => serde_json::from_str(number.as_str()).unwrap_or(Value::Null),
        Literal::Int(number) => serde_json::from_str(number.as_str()).unwrap_or(Value::Null),
        Literal::Boolean(flag) => Value::Bool(*flag),
        Literal::List(items) => items.iter().map(|item| json(item, variables).unwrap_or(Value::Null)).collect(),
        Literal::Object(fields) => Value::Object(
            fields.iter().filter_map(|(name, value)| Some((name.to_string(), json(value, variables)?))).collect(),
        ),
    })
}
