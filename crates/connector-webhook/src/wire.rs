//! What is sent. Receivers depend on it: names and types may be added, never changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use waybill_domain::document::Severity;

/// The envelope.
#[derive(Serialize)]
pub(crate) struct Event<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// The same as `webhook-id`, for receivers that see no headers.
    pub(crate) id: &'a str,
    pub(crate) data: Data<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Data<'a> {
    Incident(Incident<'a>),
    Order(Box<Order<'a>>),
    Customer(Customer<'a>),
    Check {},
}

#[derive(Serialize)]
pub(crate) struct Incident<'a> {
    pub(crate) key: &'a str,
    pub(crate) resolved: bool,
    pub(crate) severity: Severity,
    pub(crate) summary: &'a str,
    pub(crate) meaning: &'a str,
    pub(crate) action: &'a str,
    pub(crate) system: &'a str,
    pub(crate) code: &'a str,
    pub(crate) detail: &'a str,
    pub(crate) count: i64,
    pub(crate) records: &'a [String],
    pub(crate) opened_at: Timestamp,
    pub(crate) link: &'a str,
}

/// Mapped fields: text, exact number as text, yes or no, time, or `null` to clear.
pub(crate) type Fields<'a> = BTreeMap<&'a str, Value>;

#[derive(Serialize)]
pub(crate) struct Customer<'a> {
    pub(crate) key: &'a str,
    pub(crate) source_id: Option<&'a str>,
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) phone: &'a str,
    pub(crate) fields: Fields<'a>,
}

#[derive(Serialize)]
pub(crate) struct Order<'a> {
    pub(crate) key: &'a str,
    pub(crate) store: &'a str,
    pub(crate) source_id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) placed_at: Timestamp,
    pub(crate) currency: &'a str,
    pub(crate) cancelled: bool,
    pub(crate) customer: Option<Customer<'a>>,
    pub(crate) billing_address: Option<Address<'a>>,
    pub(crate) shipping_address: Option<Address<'a>>,
    pub(crate) lines: Vec<Line<'a>>,
    pub(crate) charges: Vec<Charge<'a>>,
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) total: Decimal,
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) total_tax: Decimal,
    pub(crate) fields: Fields<'a>,
}

#[derive(Serialize)]
pub(crate) struct Line<'a> {
    pub(crate) key: &'a str,
    pub(crate) source_id: &'a str,
    pub(crate) item: &'a str,
    pub(crate) title: &'a str,
    pub(crate) quantity: i64,
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) unit_price: Decimal,
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) discount: Decimal,
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) net: Decimal,
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) tax: Decimal,
    pub(crate) tax_codes: &'a [String],
    pub(crate) requires_shipping: bool,
    pub(crate) grams: i64,
}

#[derive(Serialize)]
pub(crate) struct Charge<'a> {
    pub(crate) key: &'a str,
    pub(crate) item: &'a str,
    pub(crate) title: &'a str,
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) net: Decimal,
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) tax: Decimal,
    pub(crate) tax_codes: &'a [String],
}

#[derive(Serialize)]
pub(crate) struct Address<'a> {
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
    pub(crate) company: &'a str,
    pub(crate) address1: &'a str,
    pub(crate) address2: &'a str,
    pub(crate) city: &'a str,
    pub(crate) zip: &'a str,
    pub(crate) province: &'a str,
    pub(crate) province_code: &'a str,
    pub(crate) country: &'a str,
    pub(crate) country_code: &'a str,
    pub(crate) phone: &'a str,
}
