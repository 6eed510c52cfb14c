//! What a plan wants one system to hold of a record. The plan's `decide` makes documents, connectors write them.

mod incident;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Currency, ObjectKey, Personal, StoreName, customer::Address, names::RecordId};

pub use incident::{IncidentDocument, Severity};

/// The value of a mapped field. `Null` clears the field; a field that is not mapped is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    /// Clear it.
    Null,
    /// A text. It may name a person, so it prints `[redacted]`.
    Text(Personal),
    /// An exact number.
    Number(Decimal),
    /// Yes or no.
    Bool(bool),
    /// An instant.
    Time(Timestamp),
}

impl FieldValue {
    /// The value as text, as vendors whose fields are all strings take it: numbers in plain decimals without
    /// trailing zeros added or removed, times in RFC 3339, `Null` as the empty string.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) => text.expose().to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Bool(flag) => flag.to_string(),
            Self::Time(time) => time.to_string(),
        }
    }
}

/// Mapped fields: the system's field name → value.
pub type Fields = BTreeMap<String, FieldValue>;

/// How a record that may have been in the system before us is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WritePolicy {
    /// Mapped fields that are written only where the record is created, or where an adopted record's own value is
    /// empty: the system owns them, or nothing has changed since they were sent.
    pub keep: BTreeSet<String>,
    /// By what a record that does not carry our key yet is recognised, in this order: the first rule that finds
    /// anything decides. Several found by one rule are for a person (`several_matches`).
    pub matching: Vec<MatchRule>,
    /// What happens to a record that a rule finds.
    pub on_match: OnMatch,
    /// Whether a later change must leave the record as far as it has come: it is not taken back to be written anew.
    /// What the system does not let us change so is `not_amendable`.
    pub amend: bool,
}

/// One way of recognising a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchRule {
    /// Where the value stands in the system.
    pub by: MatchBy,
    /// What it has to be. An empty value finds nothing.
    pub value: Personal,
    /// Whether a person has to look at what is found (`match_needs_person`).
    pub ask: bool,
}

/// Where the value of a [`MatchRule`] stands in the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchBy {
    /// The person's e-mail, compared without case.
    Email,
    /// The person's phone, compared by its digits in the international form (see [`crate::phone`]).
    Phone,
    /// A field of the system, compared exactly.
    Field(String),
}

/// What happens to a record that a [`MatchRule`] finds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnMatch {
    /// It is adopted: it gets our key and is written like one of ours.
    #[default]
    Merge,
    /// It is left alone, and a second record is created.
    CreateSecond,
    /// It is adopted, and of its fields only these are ever written.
    Fields(BTreeSet<String>),
}

/// A person in a system: a contact, a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerDocument {
    /// Our key of the object in the system (role `customer`). The same person reached through an order or through
    /// the customer record has the same key.
    pub key: ObjectKey,
    /// The store's customer id; absent for a buyer without a customer record.
    pub source_id: Option<RecordId>,
    /// Given name.
    pub first_name: Personal,
    /// Family name.
    pub last_name: Personal,
    /// Lower-case, trimmed; empty if there is none.
    pub email: Personal,
    /// Phone; empty if there is none.
    pub phone: Personal,
    /// Mapped fields, by the system's names.
    pub fields: Fields,
    /// How it is written.
    #[serde(default)]
    pub policy: WritePolicy,
}

impl CustomerDocument {
    /// Given and family name with one space between, or the e-mail, or `Customer <key>`.
    pub fn display_name(&self) -> Personal {
        let name = format!("{} {}", self.first_name.expose(), self.last_name.expose());
        let name = name.trim();
        if !name.is_empty() {
            Personal::new(name)
        } else if !self.email.expose().is_empty() {
            self.email.clone()
        } else {
            Personal::new(format!("Customer {}", self.key))
        }
    }
}

/// One line of an order in a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDocument {
    /// Our key of the line (role `line-<id>`).
    pub key: ObjectKey,
    /// The store's line id.
    pub source_id: RecordId,
    /// The system's item code: the SKU, or what the plan's table makes of it.
    pub item: String,
    /// What the buyer saw.
    pub title: String,
    /// Whole units, after edits and refunds of lines (removed ones are not in the document).
    pub quantity: i64,
    /// Price of one before discount, without tax.
    pub unit_price: Decimal,
    /// Discount on the whole line, without tax.
    pub discount: Decimal,
    /// The line's value: quantity × unit price − discount, without tax, exact.
    pub net: Decimal,
    /// Tax on the line.
    pub tax: Decimal,
    /// The system's tax codes, from the plan's table; empty if the line is not taxed.
    pub tax_codes: Vec<String>,
    /// Whether it is a parcel's content.
    pub requires_shipping: bool,
    /// Weight of one, in grams.
    pub grams: i64,
}

/// A charge that is no item: shipping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeDocument {
    /// Our key of the charge (role `shipping-<id>`).
    pub key: ObjectKey,
    /// The system's item code for it, from the plan.
    pub item: String,
    /// What the buyer saw.
    pub title: String,
    /// After discount, without tax.
    pub net: Decimal,
    /// Tax on it.
    pub tax: Decimal,
    /// The system's tax codes, from the plan's table.
    pub tax_codes: Vec<String>,
}

/// An order in a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDocument {
    /// Our key of the object in the system (role `order`).
    pub key: ObjectKey,
    /// The store.
    pub store: StoreName,
    /// The store's order id.
    pub source_id: RecordId,
    /// What people call it, such as `#1001`.
    pub name: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The currency of every amount in the document: the shop's.
    pub currency: Currency,
    /// Whether it was cancelled at the store.
    pub cancelled: bool,
    /// Who bought it; absent if the store has neither customer nor e-mail.
    pub customer: Option<CustomerDocument>,
    /// Whom to bill.
    pub billing_address: Option<Address>,
    /// Where to ship.
    pub shipping_address: Option<Address>,
    /// What was bought.
    pub lines: Vec<LineDocument>,
    /// Shipping and the like.
    pub charges: Vec<ChargeDocument>,
    /// Net of lines and charges, plus tax: what the system's own total must come to.
    pub total: Decimal,
    /// The tax within `total`.
    pub total_tax: Decimal,
    /// Mapped fields, by the system's names.
    pub fields: Fields,
    /// How it is written.
    #[serde(default)]
    pub policy: WritePolicy,
}

/// One line of a refund in a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundedLineDocument {
    /// Our key of the line (role `line-<id of the order's line>` of the refund's record).
    pub key: ObjectKey,
    /// The store's id of the order's line.
    pub source_id: RecordId,
    /// The system's item code: the SKU, or what the plan makes of it.
    pub item: String,
    /// What the buyer saw.
    pub title: String,
    /// Whole units that came back, above 0.
    pub quantity: i64,
    /// What went back for them, without tax, exact; not negative.
    pub net: Decimal,
    /// Tax that went back with it.
    pub tax: Decimal,
    /// The system's tax codes, from the plan's table; empty if the line is not taxed.
    pub tax_codes: Vec<String>,
}

/// A refund in a system: what goes back to the buyer of an order that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundDocument {
    /// Our key of the object in the system (role `refund`).
    pub key: ObjectKey,
    /// The key that the order has in the same system (role `order` of the order's record).
    pub order_key: ObjectKey,
    /// The store's refund id.
    pub source_id: RecordId,
    /// The store's order id.
    pub order_source_id: RecordId,
    /// When it was made.
    pub refunded_at: Timestamp,
    /// The currency of every amount in the document: the shop's.
    pub currency: Currency,
    /// What came back.
    pub lines: Vec<RefundedLineDocument>,
    /// What went back beside the lines: shipping, an allowance. A negative one was kept back (a return fee).
    pub charges: Vec<ChargeDocument>,
    /// What went back in all, tax included: net of lines and charges, plus tax.
    pub total: Decimal,
    /// The tax within `total`.
    pub total_tax: Decimal,
    /// Mapped fields, by the system's names.
    pub fields: Fields,
    /// How it is written.
    #[serde(default)]
    pub policy: WritePolicy,
}

/// Some of an order's line in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippedLine {
    /// The store's line id; empty where only the SKU is known.
    pub source_id: String,
    /// The merchant's own code.
    pub sku: String,
    /// How many.
    pub quantity: i64,
}

/// A parcel in a system: a Shopify fulfilment, or the order's shipping status in a CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentDocument {
    /// Our key of the object in the system (role `shipment`).
    pub key: ObjectKey,
    /// The key that the order has in the same system (role `order` of the order's record).
    pub order_key: ObjectKey,
    /// The store's order id.
    pub order_source_id: RecordId,
    /// What people call the order.
    pub order_name: String,
    /// Who carries it.
    pub carrier: String,
    /// The number to follow it by.
    pub tracking_number: String,
    /// Where to follow it.
    pub tracking_url: String,
    /// When it left.
    pub shipped_at: Option<Timestamp>,
    /// Whether its label was voided.
    pub voided: bool,
    /// What is in it.
    pub lines: Vec<ShippedLine>,
    /// Mapped fields, by the system's names.
    pub fields: Fields,
    /// How it is written.
    #[serde(default)]
    pub policy: WritePolicy,
}

/// Which of Shopify's quantities a stock level is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockQuantity {
    /// The physical quantity; Shopify subtracts what it has committed itself.
    OnHand,
    /// What can be sold.
    Available,
}

/// A stock level in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockDocument {
    /// Our key (role `stock`).
    pub key: ObjectKey,
    /// The merchant's own code.
    pub sku: String,
    /// The store's inventory item id (decimal digits).
    pub inventory_item_id: RecordId,
    /// The store's location id (decimal digits).
    pub location_id: RecordId,
    /// Which quantity is set.
    pub name: StockQuantity,
    /// To what.
    pub quantity: i64,
}

/// One variant of a product in the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VariantRef {
    /// The store's product id (decimal digits).
    pub product_id: RecordId,
    /// The store's variant id (decimal digits).
    pub variant_id: RecordId,
}

/// An item's price in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceDocument {
    /// Our key (role `price`).
    pub key: ObjectKey,
    /// The merchant's own code.
    pub sku: String,
    /// Every variant with that code, in the order of their ids.
    pub variants: Vec<VariantRef>,
    /// What each of them costs, in the store's currency.
    pub price: Decimal,
}
