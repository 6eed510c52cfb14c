//! A field's value.

use std::{cmp::Ordering, str::FromStr};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Number, Value as Json, json};

/// A record's id.
pub(super) type Id = i64;

/// A field's value. Quantities, which Tryton keeps as floats, are exact here and written as floats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(Id),
    Float(Decimal),
    Numeric(Decimal),
    Text(String),
    Date(Date),
    Ids(Vec<Id>),
    Words(Vec<String>),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn reference(id: Option<Id>) -> Self {
        id.map_or(Self::Null, Self::Integer)
    }

    pub(super) fn as_id(&self) -> Option<Id> {
        match self {
            Self::Integer(id) => Some(*id),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Float(number) | Self::Numeric(number) => Some(*number),
            Self::Integer(number) => Some(Decimal::from(*number)),
            _ => None,
        }
    }

    /// What Python calls false: what a required field does not take.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Ids(ids) => ids.is_empty(),
            Self::Words(words) => words.is_empty(),
            Self::Bool(_) | Self::Integer(_) | Self::Float(_) | Self::Numeric(_) | Self::Date(_) => false,
        }
    }

    /// As `trytond.protocols.jsonrpc` encodes it.
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(flag) => json!(flag),
            Self::Integer(number) => json!(number),
            Self::Float(number) => Json::Number(float(*number)),
            Self::Numeric(number) => json!({"__class__": "Decimal", "decimal": number.to_string()}),
            Self::Text(text) => json!(text),
            Self::Date(date) => {
                json!({"__class__": "date", "year": date.year(), "month": date.month(), "day": date.day()})
            }
            Self::Ids(ids) => json!(ids),
            Self::Words(words) => json!(words),
        }
    }

    /// The order of a database: nulls last.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Greater,
            (_, Self::Null) => Ordering::Less,
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (a, b) => a.as_decimal().cmp(&b.as_decimal()),
        }
    }

    /// Equal as a database compares: numbers by value.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self.as_decimal(), other.as_decimal()) {
            (Some(a), Some(b)) => a == b,
            _ => self == other,
        }
    }
}

/// A float as Python writes it: `2.0`, `1.5`.
fn float(number: Decimal) -> Number {
    let mut text = number.normalize().to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    Number::from_str(&text).unwrap_or_else(|_| Number::from(0))
}
