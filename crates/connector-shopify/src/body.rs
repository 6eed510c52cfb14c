//! Webhook bodies → the domain's records. Pure: the same topic and bytes give the same result.
//!
//! Fields that are not known are ignored, unknown words and currency codes are kept, and null, absent and empty mean
//! the same. What cannot be read is an error that names its place in the JSON and nothing of its content.

mod content;
mod customer;
mod fulfilment;
mod json;
mod money;
mod order;
mod privacy;
mod product;
mod refund;
mod stock;

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;
use waybill_domain::{Body, Kind, RecordId};

pub use content::content_hash;
pub use privacy::PrivacyRequest;
pub(crate) use stock::level_id;

use crate::{
    gid,
    webhook::{Compliance, Topic},
};
use json::{Node, Read, Stop};

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Problem {
    /// It must be there.
    #[error("is missing")]
    Missing,
    /// Not a text.
    #[error("is not a text")]
    NotText,
    /// Not `true` or `false`.
    #[error("is neither true nor false")]
    NotABool,
    /// Not a whole number.
    #[error("is not a whole number")]
    NotAnInteger,
    /// A whole number past 64 bits.
    #[error("is larger than a 64-bit number")]
    TooLarge,
    /// Not the digits of a 64-bit id.
    #[error("is not a 64-bit id")]
    NotAnId,
    /// Not a decimal that can be held exactly.
    #[error("is not an exact decimal")]
    NotAnAmount,
    /// Amounts of different currencies, or a sum past 28 digits.
    #[error("cannot be added up: the currencies differ or the sum has too many digits")]
    CannotBeAdded,
    /// Not three letters.
    #[error("is not a currency code of three letters")]
    NotACurrency,
    /// Not a time with its offset.
    #[error("is not a time with an offset")]
    NotATime,
    /// Not a list.
    #[error("is not a list")]
    NotAList,
    /// Not an object.
    #[error("is not an object")]
    NotAnObject,
}

/// Why no record can be made of a body. It carries places and kinds of mistakes, nothing of what the body says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BodyError {
    /// The bytes are no JSON: cut, not UTF-8, nested too deep, something else.
    #[error("the body is not JSON: reading stopped at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 0.
        column: usize,
    },
    /// One value is wrong.
    #[error("{path} {problem}")]
    Field {
        /// Such as `$.line_items[2].price`.
        path: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// A record read from a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// The record's id at its source.
    pub id: RecordId,
    /// Its state.
    pub body: Body,
    /// When it last changed at the source, as the body says.
    pub source_updated_at: Option<Timestamp>,
    /// Fields of the state that this body does not carry and that therefore stand empty: a customer's `tags` and
    /// `email_consent` since 2025-01 (<https://shopify.dev/changelog/new-customer-s-webhook-and-changes-to-existing-customer-s-webhooks-payload>).
    pub lacks: &'static [&'static str],
}

impl Whole {
    /// Fills what the body lacks from an earlier state of the same record, so that it is not taken for cleared.
    pub fn carry_over(&mut self, earlier: &Body) {
        if let (Body::Customer(now), Body::Customer(before)) = (&mut self.body, earlier) {
            if self.lacks.contains(&"tags") {
                now.tags.clone_from(&before.tags);
            }
            if self.lacks.contains(&"email_consent") {
                now.email_consent.clone_from(&before.email_consent);
            }
        }
    }
}

/// What a webhook tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// The whole state of a record.
    Whole(Box<Whole>),
    /// A record changed and must be read by API.
    Refetch {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: RecordId,
    },
    /// A record is gone. The body does not say when; the delivery's `triggered_at` does.
    Deleted {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: RecordId,
    },
    /// A privacy request.
    Privacy(PrivacyRequest),
    /// Several of these, such as a refund and the order to be read again.
    Several(Vec<Parsed>),
    /// Nothing about a record that we keep.
    Unknown,
}

/// Reads a webhook's body.
///
/// # Errors
/// The bytes are no JSON, or a value that the topic's record needs is missing or cannot be read. The body of an
/// unknown topic need not be JSON.
pub fn parse(topic: Topic, body: &[u8]) -> Result<Parsed, BodyError> {
    if topic == Topic::Unknown {
        return Ok(Parsed::Unknown);
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| BodyError::NotJson { line: error.line(), column: error.column() })?;
    let root = Node::root(&value);
    read(topic, &root).map_err(|stop| match stop {
        Stop::Wrong(error) => error,
        // Only whole records can be incomplete, and those are answered with `Refetch`.
        Stop::NotWhole => BodyError::Field { path: "$".to_owned(), problem: Problem::Missing },
    })
}

/// The record that a body too large to be read whole is about, if the topic's body is about one that can be read by
/// API: found in the body's first bytes, as far as they were kept. `None` if it is not found there.
pub fn parse_start(topic: Topic, start: &[u8]) -> Option<Parsed> {
    let (kind, object) = match topic {
        Topic::Snapshot(Kind::Order) => (Kind::Order, "Order"),
        Topic::Snapshot(Kind::Customer) => (Kind::Customer, "Customer"),
        Topic::Snapshot(Kind::Product) => (Kind::Product, "Product"),
        _ => return None,
    };
    // Shopify writes a record's own `id` and `admin_graphql_api_id` before all that is nested in it.
    let text = String::from_utf8_lossy(start);
    let after = text.split_once("\"admin_graphql_api_id\"")?.1;
    let gid = after.split('"').nth(1)?;
    Some(Parsed::Refetch { kind, id: gid::record_id(object, gid)? })
}

fn read(topic: Topic, root: &Node<'_, '_>) -> Read<Parsed> {
    match topic {
        Topic::Snapshot(kind) => snapshot(kind, root),
        Topic::Partial { kind, id_at } => partial(kind, id_at, root),
        Topic::Deleted(kind) => Ok(Parsed::Deleted { kind, id: record_id(kind, root)? }),
        Topic::CustomersMerged => customer::merged(root),
        Topic::Compliance(Compliance::DataRequest) => privacy::read(Compliance::DataRequest, root),
        Topic::Compliance(Compliance::RedactCustomer) => privacy::read(Compliance::RedactCustomer, root),
        Topic::Compliance(Compliance::RedactShop) => privacy::read(Compliance::RedactShop, root),
        Topic::Unknown => Ok(Parsed::Unknown),
    }
}

fn snapshot(kind: Kind, root: &Node<'_, '_>) -> Read<Parsed> {
    let id = record_id(kind, root)?;
    let body = match kind {
        Kind::Order => order::read(root).map(|order| Body::Order(Box::new(order))),
        Kind::Customer => customer::read(root).map(|customer| Body::Customer(Box::new(customer))),
        Kind::Product => product::read(root).map(Body::Product),
        Kind::InventoryLevel => stock::read(root).map(Body::InventoryLevel),
        Kind::Fulfilment => return fulfilment::read(root, id),
        Kind::Refund => return refund::read_alone(root, id),
        Kind::Shipment | Kind::StockLevel | Kind::Price | Kind::Incident => return Ok(Parsed::Unknown),
    };
    let lacks = if kind == Kind::Customer { customer::lacks(root) } else { &[] };
    match body {
        Ok(body) => {
            let source_updated_at = root.at("updated_at").time()?;
            Ok(Parsed::Whole(Box::new(Whole { id, body, source_updated_at, lacks })))
        }
        Err(Stop::NotWhole) => Ok(Parsed::Refetch { kind, id }),
        Err(stop) => Err(stop),
    }
}

fn partial(kind: Kind, id_at: &'static str, root: &Node<'_, '_>) -> Read<Parsed> {
    let object = if kind == Kind::Customer { "Customer" } else { "Order" };
    let keys = id_at.trim_start_matches('/');
    let id = match keys.split_once('/') {
        Some((outer, inner)) => {
            let outer = root.at(outer);
            let node = outer.at(inner);
            node.id(object)?.ok_or_else(|| node.wrong(Problem::Missing))?
        }
        None => {
            let node = root.at(keys);
            node.id(object)?.ok_or_else(|| node.wrong(Problem::Missing))?
        }
    };
    Ok(Parsed::Refetch { kind, id })
}

fn record_id(kind: Kind, root: &Node<'_, '_>) -> Read<RecordId> {
    match kind {
        Kind::Order => root.own_id("Order"),
        Kind::Customer => root.own_id("Customer"),
        Kind::Product => root.own_id("Product"),
        Kind::Fulfilment => root.own_id("Fulfillment"),
        Kind::Refund => root.own_id("Refund"),
        Kind::InventoryLevel => stock::record_id(root),
        Kind::Shipment | Kind::StockLevel | Kind::Price | Kind::Incident => Err(root.wrong(Problem::Missing)),
    }
}
