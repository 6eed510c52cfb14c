//! The small values: times, ids, money.

use std::str::FromStr;

use jiff::Timestamp;
use rust_decimal::Decimal;
use thiserror::Error;
use waybill_domain::{Money, MoneyPair};

use crate::wire;

/// A message that cannot be a domain value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// A field that must be there is not.
    #[error("field '{0}' is missing")]
    Missing(&'static str),
    /// A field with an impossible value.
    #[error("field '{field}': {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Bytes that are no message of the schema.
    #[error("not a message of the schema: {0}")]
    Bytes(#[from] prost::DecodeError),
}

pub(super) fn need<T>(field: &'static str, value: Option<T>) -> Result<T, WireError> {
    value.ok_or(WireError::Missing(field))
}

pub(super) fn parse<T>(field: &'static str, text: &str) -> Result<T, WireError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| WireError::Invalid { field, problem: error.to_string() })
}

pub(super) fn parse_opt<T>(field: &'static str, text: Option<&String>) -> Result<Option<T>, WireError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.map(|text| parse(field, text)).transpose()
}

pub(super) fn decimal(field: &'static str, text: &str) -> Result<Decimal, WireError> {
    Decimal::from_str_exact(text).map_err(|error| WireError::Invalid { field, problem: error.to_string() })
}

/// An instant on the wire, to the nanosecond.
pub fn to_timestamp(time: Timestamp) -> prost_types::Timestamp {
    let mut seconds = time.as_second();
    let mut nanos = time.subsec_nanosecond();
    // protobuf's nanos count forward from the second, jiff's share its sign.
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    prost_types::Timestamp { seconds, nanos }
}

/// An instant from the wire.
///
/// # Errors
/// [`WireError::Invalid`] outside the years −9999 to 9999.
pub fn from_timestamp(field: &'static str, time: &prost_types::Timestamp) -> Result<Timestamp, WireError> {
    Timestamp::new(time.seconds, time.nanos).map_err(|error| WireError::Invalid { field, problem: error.to_string() })
}

pub(super) fn from_timestamp_opt(
    field: &'static str,
    time: Option<&prost_types::Timestamp>,
) -> Result<Option<Timestamp>, WireError> {
    time.map(|time| from_timestamp(field, time)).transpose()
}

impl From<Money> for wire::Money {
    fn from(money: Money) -> Self {
        Self { amount: money.amount.to_string(), currency: money.currency.to_string() }
    }
}

impl TryFrom<wire::Money> for Money {
    type Error = WireError;
    fn try_from(money: wire::Money) -> Result<Self, WireError> {
        Ok(Self::new(decimal("money.amount", &money.amount)?, parse("money.currency", &money.currency)?))
    }
}

impl From<MoneyPair> for wire::MoneyPair {
    fn from(pair: MoneyPair) -> Self {
        Self { shop: Some(pair.shop.into()), presentment: Some(pair.presentment.into()) }
    }
}

impl TryFrom<wire::MoneyPair> for MoneyPair {
    type Error = WireError;
    fn try_from(pair: wire::MoneyPair) -> Result<Self, WireError> {
        Ok(Self {
            shop: need("money.shop", pair.shop)?.try_into()?,
            presentment: need("money.presentment", pair.presentment)?.try_into()?,
        })
    }
}

pub(super) fn pair(field: &'static str, value: Option<wire::MoneyPair>) -> Result<MoneyPair, WireError> {
    need(field, value)?.try_into()
}

pub(super) fn pair_opt(value: Option<wire::MoneyPair>) -> Result<Option<MoneyPair>, WireError> {
    value.map(TryInto::try_into).transpose()
}
