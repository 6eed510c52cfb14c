//! Values as callers give them, converted as Tryton's fields convert them (`trytond/model/fields`).

use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::{
    python,
    schema::{Field, Kind},
    trouble::{Outcome, Trouble},
    value::{Id, Value},
};

/// A value for a field that holds one value: not for lists of records.
pub(super) fn taken(field: &Field, given: &Json) -> Outcome<Value> {
    if given.is_null() {
        return Ok(Value::Null);
    }
    match field.kind {
        Kind::Char | Kind::Selection(_) => text(given).map(|text| Value::text(text.trim())),
        Kind::RawChar | Kind::Text => text(given).map(Value::text),
        Kind::Boolean => Ok(Value::Bool(truth(given))),
        Kind::Integer | Kind::Many2One(_) => integer(given).map(Value::Integer),
        Kind::Numeric(_) => numeric(given).map(Value::Numeric),
        Kind::Float => float(given).map(Value::Float),
        Kind::Date => date(given).map(Value::Date),
        Kind::Reference(_) => reference(given),
        Kind::One2Many(..) | Kind::Many2Many(_) | Kind::MultiSelection => {
            Err(Trouble::not_simulated(format!("a value for {}", field.name)))
        }
    }
}

/// A value to compare a field with.
pub(super) fn compared(field: &Field, given: &Json) -> Outcome<Value> {
    match field.kind {
        Kind::One2Many(..) | Kind::Many2Many(_) if !given.is_null() => integer(given).map(Value::Integer),
        Kind::Many2One(_) if given.is_string() => Err(Trouble::not_simulated("a search by a related record's name")),
        Kind::Char | Kind::Selection(_) if given.is_string() => text(given).map(Value::text),
        _ => taken(field, given),
    }
}

fn text(given: &Json) -> Outcome<String> {
    given.as_str().map(str::to_owned).ok_or_else(|| Trouble::attribute(given, "strip"))
}

/// `model,id`, which Tryton splits when it looks at the model.
fn reference(given: &Json) -> Outcome<Value> {
    let text = match given {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return Err(Trouble::not_simulated("a reference of this type")),
    };
    match text.split(',').collect::<Vec<_>>().as_slice() {
        [_, id] if id.parse::<Id>().is_ok() => Ok(Value::Text(text)),
        [_] => Err(Trouble::Exception("not enough values to unpack (expected 2, got 1)".to_owned())),
        _ => Err(Trouble::not_simulated("a reference without an id")),
    }
}

fn truth(given: &Json) -> bool {
    match given {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Number(number) => number.to_string() != "0",
        Json::String(text) => !text.is_empty(),
        Json::Array(list) => !list.is_empty(),
        Json::Object(object) => !object.is_empty(),
    }
}

/// `int(…)`.
pub(super) fn integer(given: &Json) -> Outcome<Id> {
    match given {
        Json::Bool(flag) => Ok(Id::from(*flag)),
        Json::Number(number) => {
            let whole = number.to_string().parse::<Decimal>().map(|number| number.trunc()).ok();
            whole.and_then(|whole| Id::try_from(whole).ok()).ok_or_else(|| Trouble::not_simulated("a number so large"))
        }
        Json::String(text) => text
            .trim()
            .parse()
            .map_err(|_| Trouble::Exception(format!("invalid literal for int() with base 10: {}", python::repr(text)))),
        other => Err(Trouble::Exception(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            python::type_name(other)
        ))),
    }
}

fn numeric(given: &Json) -> Outcome<Decimal> {
    match given {
        Json::Bool(flag) => Ok(Decimal::from(u8::from(*flag))),
        Json::Number(number) => decimal(&number.to_string()),
        Json::String(text) => decimal(text.trim()),
        Json::Object(object) => object
            .get("decimal")
            .and_then(Json::as_str)
            .ok_or_else(|| Trouble::not_simulated("a numeric value of this type"))
            .and_then(decimal),
        Json::Array(_) => Err(Trouble::Exception("argument must be a sequence of length 3".to_owned())),
        Json::Null => Ok(Decimal::ZERO),
    }
}

/// `decimal.Decimal(…)`.
pub(super) fn decimal(text: &str) -> Outcome<Decimal> {
    Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|_| Trouble::Exception("[<class 'decimal.ConversionSyntax'>]".to_owned()))
}

fn float(given: &Json) -> Outcome<Decimal> {
    match given {
        Json::String(text) => Decimal::from_str(text.trim())
            .map_err(|_| Trouble::Exception(format!("could not convert string to float: {}", python::repr(text)))),
        Json::Array(_) => Err(Trouble::Exception(format!(
            "float() argument must be a string or a real number, not '{}'",
            python::type_name(given)
        ))),
        other => numeric(other),
    }
}

fn date(given: &Json) -> Outcome<Date> {
    let parsed = match given {
        Json::String(text) => text.parse().ok(),
        Json::Object(object) => {
            let part = |name: &str| object.get(name).and_then(Json::as_i64).unwrap_or_default();
            match (i16::try_from(part("year")), i8::try_from(part("month")), i8::try_from(part("day"))) {
                (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
                _ => None,
            }
        }
        _ => None,
    };
    parsed.ok_or_else(|| Trouble::not_simulated("a date of this type"))
}

/// Whether `trytond.protocols.jsonrpc` can decode all that is marked with `__class__`.
pub(super) fn decodes(given: &Json) -> bool {
    match given {
        Json::Array(list) => list.iter().all(decodes),
        Json::Object(object) => {
            let known = match object.get("__class__").and_then(Json::as_str) {
                Some("Decimal") => {
                    object.get("decimal").and_then(Json::as_str).is_some_and(|text| decimal(text).is_ok())
                }
                Some("date") => date(given).is_ok(),
                _ => true,
            };
            known && object.values().all(decodes)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => true,
    }
}
