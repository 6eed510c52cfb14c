//! The store's order and what belongs to it.

mod amounts;
mod status;

use rust_decimal::Decimal;

use super::{
    address::Address,
    clock::Moment,
    metafield::Metafield,
    money::{Exchange, Pair},
};

/// A tax on a line, on shipping or on a whole order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaxLine {
    pub(crate) title: String,
    /// 0.2 for 20 %.
    pub(crate) rate: Decimal,
    pub(crate) price: Pair,
}

/// A part of a discount on a line or on shipping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allocation {
    /// Which of the order's discount applications.
    pub(crate) application: usize,
    pub(crate) amount: Pair,
}

/// How a discount came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscountKind {
    /// By a code that the buyer typed.
    Code,
    /// By staff, on an edit or a draft.
    Manual,
    /// By itself.
    Automatic,
}

/// What a discount is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscountValue {
    /// So many per cent.
    Percentage(Decimal),
    /// So much, in the shop's currency.
    Fixed(Decimal),
}

/// A discount of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiscountApplication {
    pub(crate) kind: DiscountKind,
    /// The code or the title.
    pub(crate) name: String,
    pub(crate) value: DiscountValue,
    /// Whether it is on the shipping price, not on lines.
    pub(crate) on_shipping: bool,
    /// Whether it is shared out over all lines.
    pub(crate) across: bool,
}

/// An import duty on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Duty {
    pub(crate) id: u64,
    pub(crate) price: Pair,
    pub(crate) country: String,
    pub(crate) harmonized_system_code: String,
}

/// One ordered item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: u64,
    pub(crate) variant_id: Option<u64>,
    pub(crate) product_id: Option<u64>,
    pub(crate) inventory_item_id: Option<u64>,
    pub(crate) sku: Option<String>,
    pub(crate) title: String,
    pub(crate) variant_title: Option<String>,
    pub(crate) vendor: Option<String>,
    /// Ordered, removed and refunded ones included.
    pub(crate) quantity: i64,
    /// Taken off by an edit.
    pub(crate) removed: i64,
    /// Taken back by refunds.
    pub(crate) refunded: i64,
    /// Sent.
    pub(crate) fulfilled: i64,
    pub(crate) price: Pair,
    pub(crate) allocations: Vec<Allocation>,
    pub(crate) taxes: Vec<TaxLine>,
    pub(crate) duties: Vec<Duty>,
    pub(crate) requires_shipping: bool,
    pub(crate) gift_card: bool,
    pub(crate) taxable: bool,
    pub(crate) grams: i64,
}

/// A charge for shipping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShippingLine {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) code: String,
    pub(crate) price: Pair,
    pub(crate) allocations: Vec<Allocation>,
    pub(crate) taxes: Vec<TaxLine>,
}

/// What a transaction does with money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionKind {
    Authorization,
    Capture,
    Sale,
    Refund,
    Void,
}

impl TransactionKind {
    /// As webhook bodies write it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Capture => "capture",
            Self::Sale => "sale",
            Self::Refund => "refund",
            Self::Void => "void",
        }
    }
}

/// A successful movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) id: u64,
    pub(crate) kind: TransactionKind,
    pub(crate) amount: Pair,
    pub(crate) parent: Option<u64>,
    pub(crate) at: Moment,
}

/// What becomes of refunded units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restock {
    /// Sent back by the buyer, not put on the shelf again.
    No,
    /// Not sent yet: back on the shelf.
    Cancel,
    /// Sent back by the buyer: on the shelf again, where it came from.
    Return,
}

impl Restock {
    /// As webhook bodies write it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::No => "no_restock",
            Self::Cancel => "cancel",
            Self::Return => "return",
        }
    }
}

/// Units of a line that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefundLine {
    pub(crate) id: u64,
    pub(crate) line: u64,
    pub(crate) quantity: i64,
    pub(crate) restock: Restock,
    pub(crate) location: Option<u64>,
    /// After discounts; with tax where prices contain it.
    pub(crate) subtotal: Pair,
    pub(crate) tax: Pair,
}

/// A charge for shipping that went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefundShippingLine {
    pub(crate) id: u64,
    /// The order's shipping line.
    pub(crate) line: u64,
    /// After discounts; with tax where prices contain it.
    pub(crate) subtotal: Pair,
    pub(crate) tax: Pair,
}

/// Money or units that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refund {
    pub(crate) id: u64,
    pub(crate) at: Moment,
    pub(crate) note: Option<String>,
    pub(crate) lines: Vec<RefundLine>,
    pub(crate) shipping: Vec<RefundShippingLine>,
    /// What lines and shipping are worth beyond the money: negative if more went back.
    pub(crate) discrepancy: Option<(u64, Pair)>,
    pub(crate) transactions: Vec<u64>,
}

/// Some of a line that one location sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FulfillmentOrderLine {
    pub(crate) id: u64,
    pub(crate) line: u64,
    pub(crate) total: i64,
    pub(crate) remaining: i64,
}

/// How far a fulfilment order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FulfillmentOrderStatus {
    Open,
    InProgress,
    Closed,
}

/// What one location sends of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FulfillmentOrder {
    pub(crate) id: u64,
    pub(crate) location: u64,
    pub(crate) status: FulfillmentOrderStatus,
    pub(crate) lines: Vec<FulfillmentOrderLine>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
}

/// Some of a line in a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FulfillmentLine {
    pub(crate) id: u64,
    pub(crate) line: u64,
    pub(crate) fulfillment_order: u64,
    pub(crate) quantity: i64,
}

/// Who carries a parcel and how to follow it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tracking {
    pub(crate) company: Option<String>,
    pub(crate) numbers: Vec<String>,
    pub(crate) urls: Vec<String>,
}

/// A parcel, or goods handed over without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fulfillment {
    pub(crate) id: u64,
    /// `#1001-F1` in GraphQL, `#1001.1` in webhook bodies.
    pub(crate) number: usize,
    pub(crate) cancelled: bool,
    pub(crate) location: u64,
    pub(crate) tracking: Tracking,
    pub(crate) lines: Vec<FulfillmentLine>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
}

/// The store's order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) token: String,
    pub(crate) confirmation: String,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    pub(crate) cancelled: Option<(Moment, &'static str)>,
    pub(crate) closed_at: Option<Moment>,
    pub(crate) exchange: Exchange,
    pub(crate) taxes_included: bool,
    pub(crate) customer: Option<u64>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) locale: String,
    pub(crate) note: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) billing: Option<Address>,
    pub(crate) shipping: Option<Address>,
    pub(crate) lines: Vec<Line>,
    pub(crate) shipping_lines: Vec<ShippingLine>,
    pub(crate) discounts: Vec<DiscountApplication>,
    pub(crate) tip: Pair,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) fulfillment_orders: Vec<FulfillmentOrder>,
    pub(crate) fulfillments: Vec<Fulfillment>,
    pub(crate) metafields: Vec<Metafield>,
    pub(crate) edited: bool,
    /// The total when it was placed.
    pub(crate) original_total: Pair,
    /// What the stated total lies above its parts: zero unless the order is planted with wrong sums.
    pub(crate) skew: Decimal,
}

impl Order {
    /// What people call it, such as `#1001`.
    pub(crate) fn name(&self) -> String {
        format!("#{}", self.number)
    }

    /// The line with an id.
    pub(crate) fn line(&self, id: u64) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// The line with an id, to be changed.
    pub(crate) fn line_mut(&mut self, id: u64) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.id == id)
    }
}
