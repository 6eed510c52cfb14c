//! A place in a webhook's JSON that knows where it is, so that each error can name it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use waybill_domain::{Currency, Personal, RecordId};

use super::{BodyError, Problem};
use crate::gid;

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The body is wrong.
    Wrong(BodyError),
    /// The body is right and does not carry all of the record: it must be read by API.
    NotWhole,
}

pub(crate) type Read<T> = Result<T, Stop>;

/// A value and the way to it.
#[derive(Clone, Copy)]
pub(crate) struct Node<'v, 'p> {
    value: Option<&'v Value>,
    place: Place<'p>,
}

#[derive(Clone, Copy)]
enum Place<'p> {
    Root,
    Key(&'p Place<'p>, &'static str),
    Item(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn write(&self, text: &mut String) {
        match self {
            Self::Root => text.push('$'),
            Self::Key(parent, key) => {
                parent.write(text);
                text.push('.');
                text.push_str(key);
            }
            Self::Item(parent, at) => {
                parent.write(text);
                text.push_str(&format!("[{at}]"));
            }
        }
    }
}

impl<'v> Node<'v, 'static> {
    pub(crate) const fn root(value: &'v Value) -> Self {
        Self { value: Some(value), place: Place::Root }
    }
}

impl<'v, 'p> Node<'v, 'p> {
    /// What stands under a key; absent if this is no object or has no such key.
    pub(crate) fn at<'q>(&'q self, key: &'static str) -> Node<'v, 'q> {
        Node { value: self.value.and_then(|value| value.get(key)), place: Place::Key(&self.place, key) }
    }

    /// Whether the key is there, be it null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value.is_some_and(|value| value.get(key).is_some())
    }

    /// The value; `None` for absent and null alike.
    pub(crate) fn value(&self) -> Option<&'v Value> {
        self.value.filter(|value| !value.is_null())
    }

    pub(crate) fn wrong(&self, problem: Problem) -> Stop {
        let mut path = String::new();
        self.place.write(&mut path);
        Stop::Wrong(BodyError::Field { path, problem })
    }

    /// This node if it is an object; `None` if it is absent, null or empty.
    pub(crate) fn object(&self) -> Read<Option<Self>> {
        match self.value() {
            None => Ok(None),
            Some(Value::Object(map)) => Ok((!map.is_empty()).then_some(*self)),
            Some(_) => Err(self.wrong(Problem::NotAnObject)),
        }
    }

    /// Calls `read` with each item of a list; absent and null are an empty one.
    pub(crate) fn items<T>(&self, mut read: impl FnMut(Node<'v, '_>) -> Read<T>) -> Read<Vec<T>> {
        match self.value() {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(at, item)| read(Node { value: Some(item), place: Place::Item(&self.place, at) }))
                .collect(),
            Some(_) => Err(self.wrong(Problem::NotAList)),
        }
    }

    /// A text; empty if there is none. Numbers are taken as written.
    pub(crate) fn text(&self) -> Read<String> {
        match self.value() {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(_) => Err(self.wrong(Problem::NotText)),
        }
    }

    pub(crate) fn personal(&self) -> Read<Personal> {
        self.text().map(Personal::new)
    }

    /// Shopify's words in lower case.
    pub(crate) fn word(&self) -> Read<String> {
        Ok(self.text()?.to_ascii_lowercase())
    }

    /// `a, b` or `["a", "b"]` → its parts.
    pub(crate) fn tags(&self) -> Read<Vec<String>> {
        if let Some(Value::Array(_)) = self.value() {
            return self.items(|tag| tag.text());
        }
        let text = self.text()?;
        Ok(text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
    }

    /// Yes or no; no if it is absent.
    pub(crate) fn flag(&self) -> Read<bool> {
        match self.value() {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(Problem::NotABool)),
        }
    }

    /// A whole number of at most 64 bits, read from its own text.
    pub(crate) fn integer(&self) -> Read<Option<i64>> {
        let Some(text) = self.number_text(Problem::NotAnInteger)? else {
            return Ok(None);
        };
        match text.parse::<i64>() {
            Ok(number) => Ok(Some(number)),
            Err(error)
                if matches!(
                    error.kind(),
                    std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow
                ) =>
            {
                Err(self.wrong(Problem::TooLarge))
            }
            Err(_) => Err(self.wrong(Problem::NotAnInteger)),
        }
    }

    /// A whole number that must be there.
    pub(crate) fn quantity(&self) -> Read<i64> {
        self.integer()?.ok_or_else(|| self.wrong(Problem::Missing))
    }

    /// An exact decimal, from a text or a number's own text.
    pub(crate) fn decimal(&self) -> Read<Option<Decimal>> {
        let Some(text) = self.number_text(Problem::NotAnAmount)? else {
            return Ok(None);
        };
        Decimal::from_str_exact(&text).map(Some).map_err(|_| self.wrong(Problem::NotAnAmount))
    }

    /// A fraction such as a tax rate, which may be written with an exponent; zero if it is absent.
    pub(crate) fn rate(&self) -> Read<Decimal> {
        let Some(text) = self.number_text(Problem::NotAnAmount)? else {
            return Ok(Decimal::ZERO);
        };
        Decimal::from_str_exact(&text)
            .or_else(|_| Decimal::from_scientific(&text))
            .map(crate::amount::plain)
            .map_err(|_| self.wrong(Problem::NotAnAmount))
    }

    /// A currency code that must be there. Codes are not checked against a list.
    pub(crate) fn currency(&self) -> Read<Currency> {
        let text = self.text()?;
        if text.is_empty() {
            return Err(self.wrong(Problem::Missing));
        }
        text.trim().to_ascii_uppercase().parse().map_err(|_| self.wrong(Problem::NotACurrency))
    }

    /// An instant, from a time with its offset.
    pub(crate) fn time(&self) -> Read<Option<Timestamp>> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| self.wrong(Problem::NotATime))
    }

    /// An id of decimal digits in a field of its own; a global id of this type of object is taken too.
    pub(crate) fn id(&self, object: &str) -> Read<Option<RecordId>> {
        let Some(text) = self.number_text(Problem::NotAnId)? else {
            return Ok(None);
        };
        let id = gid::record_id(object, &text).or_else(|| gid::digits(&text));
        id.map(Some).ok_or_else(|| self.wrong(Problem::NotAnId))
    }

    /// The id of the record that this object is: from its global id, else from `id`, which some of Shopify's samples
    /// show rounded past 2^53.
    pub(crate) fn own_id(&self, object: &str) -> Read<RecordId> {
        if let Some(Value::String(gid)) = self.at("admin_graphql_api_id").value()
            && let Some(id) = gid::record_id(object, gid)
        {
            return Ok(id);
        }
        let id = self.at("id");
        id.id(object)?.ok_or_else(|| id.wrong(Problem::Missing))
    }

    fn number_text(&self, problem: Problem) -> Read<Option<String>> {
        match self.value() {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
            Some(_) => Err(self.wrong(problem)),
        }
    }
}
