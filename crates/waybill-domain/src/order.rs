//! The store's order and its refunds.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    customer::{Address, Person},
    money::{Currency, MoneyPair},
    names::RecordId,
};

/// A tax on a line or on shipping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// As the store shows it, such as `VAT`.
    pub title: String,
    /// As a fraction: 0.19 for 19 %.
    pub rate: Decimal,
    /// The tax on the whole line.
    pub amount: MoneyPair,
}

/// One ordered item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Shopify's line item id.
    pub id: RecordId,
    /// The variant, absent for a custom item.
    pub variant_id: Option<RecordId>,
    /// The product, absent for a custom item.
    pub product_id: Option<RecordId>,
    /// The merchant's own code; empty if the item has none.
    pub sku: String,
    /// What the buyer saw.
    pub title: String,
    /// Ordered quantity.
    pub quantity: i64,
    /// Ordered quantity less what was removed or refunded.
    pub current_quantity: i64,
    /// What is still to be shipped.
    pub fulfillable_quantity: i64,
    /// Price of one, before discounts.
    pub unit_price: MoneyPair,
    /// All discounts on the line, the order's own shared out to it included.
    pub discount: MoneyPair,
    /// Taxes on the line after discounts.
    pub taxes: Vec<TaxLine>,
    /// Import duties on the line.
    pub duties: Vec<MoneyPair>,
    /// Whether it is a parcel's content.
    pub requires_shipping: bool,
    /// Whether it is a gift card.
    pub gift_card: bool,
    /// Weight of one, in grams.
    pub grams: i64,
}

/// A charge for shipping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingLine {
    /// Shopify's id of the line.
    pub id: RecordId,
    /// What the buyer saw, such as `Standard`.
    pub title: String,
    /// The carrier service's code, where there is one.
    pub code: String,
    /// Before discounts.
    pub price: MoneyPair,
    /// After discounts.
    pub discounted_price: MoneyPair,
    /// Taxes on it.
    pub taxes: Vec<TaxLine>,
    /// Whether the buyer's edit took it off the order.
    pub removed: bool,
}

/// The totals that the store states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTotals {
    /// Lines before discounts.
    pub lines: MoneyPair,
    /// All discounts, on lines and on shipping.
    pub discounts: MoneyPair,
    /// Shipping before discounts, as Shopify states it.
    pub shipping: MoneyPair,
    /// All taxes.
    pub tax: MoneyPair,
    /// Import duties; absent if the order has none.
    pub duties: Option<MoneyPair>,
    /// Tips.
    pub tip: MoneyPair,
    /// Fees such as cash on delivery.
    pub additional_fees: Option<MoneyPair>,
    /// The rounding of a cash payment.
    pub cash_rounding: Option<MoneyPair>,
    /// What the buyer was asked to pay.
    pub total: MoneyPair,
    /// The same after edits and refunds.
    pub current_total: MoneyPair,
}

/// Shopify's financial status. Unknown words are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinancialStatus {
    /// Nothing captured or authorised yet.
    Pending,
    /// The money is reserved, not captured.
    Authorized,
    /// A part is captured.
    PartiallyPaid,
    /// All is captured.
    Paid,
    /// A part went back.
    PartiallyRefunded,
    /// All went back.
    Refunded,
    /// The authorisation was released.
    Voided,
    /// The authorisation ran out.
    Expired,
    /// A word that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl FinancialStatus {
    /// Shopify's word for it, as in webhook bodies.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
            Self::Expired => "expired",
            Self::Other(word) => word,
        }
    }

    /// Reads Shopify's word, in the case of webhook bodies or of GraphQL.
    pub fn from_word(word: &str) -> Self {
        let word = word.to_ascii_lowercase();
        match word.as_str() {
            "pending" => Self::Pending,
            "authorized" => Self::Authorized,
            "partially_paid" => Self::PartiallyPaid,
            "paid" => Self::Paid,
            "partially_refunded" => Self::PartiallyRefunded,
            "refunded" => Self::Refunded,
            "voided" => Self::Voided,
            "expired" => Self::Expired,
            _ => Self::Other(word),
        }
    }
}

/// A refund, as part of its order and as a record of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Shopify's id.
    pub id: RecordId,
    /// The order.
    pub order_id: RecordId,
    /// When it was made.
    pub created_at: Timestamp,
    /// What went back: successful transactions only.
    pub refunded: Option<MoneyPair>,
    /// Lines and quantities taken back.
    pub lines: Vec<RefundLine>,
    /// The reason that staff wrote.
    pub note: String,
}

/// A refunded line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundLine {
    /// The order's line.
    pub line_id: RecordId,
    /// The line's own code; empty if the item has none.
    #[serde(default)]
    pub sku: String,
    /// What the buyer saw.
    #[serde(default)]
    pub title: String,
    /// The taxes of the order's line: titles, rates, and what the line bore in all.
    #[serde(default)]
    pub taxes: Vec<TaxLine>,
    /// How many.
    pub quantity: i64,
    /// Value without tax.
    pub subtotal: MoneyPair,
    /// Tax on it.
    pub tax: MoneyPair,
}

/// The store's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Shopify's id.
    pub id: RecordId,
    /// What people call it, such as `#1001`.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was placed, as the books see it.
    pub processed_at: Timestamp,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Why it was cancelled, in Shopify's word.
    pub cancel_reason: Option<String>,
    /// When it was archived.
    pub closed_at: Option<Timestamp>,
    /// The shop's currency.
    pub currency: Currency,
    /// The buyer's currency.
    pub presentment_currency: Currency,
    /// How much of it is paid.
    pub financial_status: FinancialStatus,
    /// How much of it is shipped, in Shopify's word (`fulfilled`, `partial`, …); empty if nothing is.
    pub fulfillment_status: String,
    /// Whether prices contain tax.
    pub taxes_included: bool,
    /// Whether it is a test order.
    pub test: bool,
    /// Where it came from: `web`, `pos`, …
    pub source_name: String,
    /// The merchant's labels.
    pub tags: Vec<String>,
    /// The buyer's or staff's note.
    pub note: String,
    /// The buyer's language, such as `en`.
    pub locale: String,
    /// The buyer's customer record with the name and contact on it.
    pub customer: Option<Person>,
    /// The e-mail given at checkout.
    pub email: crate::Personal,
    /// The phone given at checkout.
    pub phone: crate::Personal,
    /// Whom to bill.
    pub billing_address: Option<Address>,
    /// Where to ship.
    pub shipping_address: Option<Address>,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What shipping costs.
    pub shipping_lines: Vec<ShippingLine>,
    /// What went back.
    pub refunds: Vec<Refund>,
    /// The stated totals.
    pub totals: OrderTotals,
}
