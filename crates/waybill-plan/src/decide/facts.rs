//! What is known beside the snapshot.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use waybill_domain::{
    Body, Currency, RecordId, Revision, Snapshot, SystemName,
    customer::Person,
    document::{Fields, VariantRef},
    order::{Order, Refund},
};

use super::{Decision, Overrides, WaitFor};
use crate::{plan::Flow, view::person_email};

/// A buyer's totals over all their orders that count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerTotals {
    /// How many orders.
    pub orders: i64,
    /// What they come to, after refunds, in the shop's currency.
    pub spent: Decimal,
    /// When the last one was placed.
    pub last_order_at: Option<Timestamp>,
}

/// The state of another system's newest receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptState {
    /// It holds the record.
    Applied,
    /// A rule keeps the record away from it.
    Ignored,
    /// A person is needed there.
    Parked,
}

/// What another system has said of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFact {
    /// Its newest word.
    pub state: ReceiptState,
    /// The revision that it is about; where that is not known, the newest.
    #[serde(default)]
    pub said_of: Option<Revision>,
    /// The newest revision that it holds.
    pub applied: Option<Revision>,
}

impl ReceiptFact {
    /// Whether it lets others go on: its first applied receipt does, or that a rule keeps the record away from it. A
    /// rule that kept an older revision away may let this one through: an order that was not paid then.
    pub(super) fn accepts(self, same_revision: bool, desired: Revision) -> bool {
        let is_kept_away =
            self.state == ReceiptState::Ignored && self.said_of.is_none_or(|revision| revision >= desired);
        is_kept_away || self.applied.is_some_and(|applied| !same_revision || applied >= desired)
    }
}

/// The order that a refund belongs to, in the same system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFact {
    /// The newest state of it that was heard.
    pub order: Box<Order>,
    /// Whether the system ever held it.
    pub applied_once: bool,
    /// Whether a rule keeps it away.
    pub ignored: bool,
}

/// A variant of the store, as its product was heard last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreVariant {
    /// Which.
    #[serde(flatten)]
    pub variant: VariantRef,
    /// What it costs there.
    pub price: Decimal,
}

/// What is known beside the snapshot. Recorded with the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// When the flow was first active: records from before are left alone unless the plan says since when.
    pub active_since: Option<Timestamp>,
    /// Other systems' receipts for the record.
    pub receipts: BTreeMap<SystemName, ReceiptFact>,
    /// Whether a person approved it.
    pub approved: bool,
    /// Whether a person paused its flow.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The buyer's or customer's totals, where the service keeps them.
    pub totals: Option<CustomerTotals>,
    /// The order of a refund, where the service has heard of it.
    #[serde(skip)]
    pub order: Option<OrderFact>,
    /// An order's buyer as the store's own record of them says, where the flow's system gets customers too. It is newer
    /// than what the order carries: an order that comes late must not bring back an old phone.
    #[serde(skip)]
    pub buyer: Option<Person>,
    /// The store's inventory item of a stock level's SKU, where the service keeps it.
    pub inventory_item: Option<RecordId>,
    /// Units that orders without an applied receipt of the stock system still take from a stock level.
    pub on_the_way: i64,
    /// The store's variants with a price's SKU, in the order of their ids, where the service keeps them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<StoreVariant>,
    /// The store's currency, where the service knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// What is known of the delivery itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryFacts {
    /// Whether any revision was ever applied.
    pub applied_once: bool,
    /// Whether a call that makes the record there was begun and not refused: the system may hold a part of it.
    pub begun: bool,
    /// Whether a backup was restored since it was settled last, and the record was there before: the system may hold it,
    /// or another revision of it, without our knowing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    /// Hash of what was applied last, see [`super::Write::hash`].
    pub applied_hash: Option<String>,
    /// Whether it is to be written though nothing changed: the system lost it, or holds something else.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// When the first change was heard that the system does not have yet.
    pub first_unapplied_at: Option<Timestamp>,
    /// What was sent last of the mapped fields, by the object's role. It names people, and is not kept with decisions.
    #[serde(skip)]
    pub sent: BTreeMap<String, Fields>,
    /// What a person gave in place of the plan's values. It may name people, and is not kept with decisions.
    #[serde(skip)]
    pub overrides: Overrides,
}

/// The rule by which a refund is ignored while its order is.
pub const ORDER_IGNORED: &str = "order-ignored";

/// The order of a refund that the system holds; else what becomes of the refund.
pub(super) fn order_of<'f>(refund: &Refund, flow: &Flow, facts: &'f Facts) -> Result<&'f Order, Decision> {
    if refund.refunded.is_none() {
        // What was only put back on the shelf is no money.
        return Err(Decision::Ignore { rule: "nothing-refunded".to_owned() });
    }
    match &facts.order {
        Some(OrderFact { order, applied_once: true, .. }) => Ok(order),
        Some(OrderFact { ignored: true, .. }) => Err(Decision::Ignore { rule: ORDER_IGNORED.to_owned() }),
        _ => {
            let reason = format!("its order has to be in {} first", flow.to);
            Err(Decision::Wait { on: WaitFor::After, reason, until: None })
        }
    }
}

/// What must not be worked on twice at once at a system. A person's orders and record share a key, as they touch one
/// contact or party; so do one order's parcels; everything else is its record. A hash where it is a person: it stands
/// in tables.
pub fn target_key(snapshot: &Snapshot) -> String {
    let email = match &snapshot.body {
        Some(Body::Order(order)) => person_email(order),
        Some(Body::Customer(customer)) => customer.email.expose().trim().to_lowercase().into(),
        Some(Body::Shipment(shipment)) => return format!("parcels-{}-{}", snapshot.key.store, shipment.order_id),
        _ => return snapshot.key.to_string(),
    };
    if email.expose().is_empty() {
        return snapshot.key.to_string();
    }
    Sha256::digest(email.expose().as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
