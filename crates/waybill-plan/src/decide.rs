//! Deciding is pure: plan, snapshot and facts in, decision out.

mod order;
mod people;
mod things;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use waybill_domain::{
    Body, RecordId, Snapshot, SystemName,
    document::{
        CustomerDocument, Fields, IncidentDocument, OrderDocument, RefundDocument, ShipmentDocument, StockDocument,
    },
};

use crate::{
    expression::ExpressionError,
    file::Missing,
    plan::{Flow, Map, Plan},
    view,
};

/// What the system is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Document {
    /// An order.
    Order(Box<OrderDocument>),
    /// A customer.
    Customer(Box<CustomerDocument>),
    /// A refund.
    Refund(Box<RefundDocument>),
    /// A parcel.
    Shipment(Box<ShipmentDocument>),
    /// A stock level.
    Stock(StockDocument),
    /// An incident, for a pager.
    Incident(IncidentDocument),
}

/// What follows for a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Bring this document into the system.
    Write(Document),
    /// A rule keeps the record away.
    Ignore {
        /// Which.
        rule: String,
    },
    /// Not yet.
    Wait {
        /// For what.
        reason: String,
    },
    /// A person is needed.
    Park {
        /// A code of `waybill_domain::cause`.
        code: &'static str,
        /// The field concerned; may be empty.
        field: String,
        /// What is wrong.
        message: String,
    },
}

/// A buyer's totals over all their orders that count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerTotals {
    /// How many orders.
    pub orders: i64,
    /// What they come to, after refunds, in the shop's currency.
    pub spent: Decimal,
    /// When the last one was placed.
    pub last_order_at: Option<Timestamp>,
}

/// What another system has said of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptFact {
    /// It holds the record.
    Applied,
    /// A rule keeps the record away from it.
    Ignored,
    /// A person is needed there.
    Parked,
}

/// What is known beside the snapshot. Recorded with the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Other systems' receipts for the record.
    pub receipts: BTreeMap<SystemName, ReceiptFact>,
    /// The buyer's or customer's totals, where the service keeps them.
    pub totals: Option<CustomerTotals>,
    /// The store's inventory item of a stock level's SKU, where the service keeps it.
    pub inventory_item: Option<RecordId>,
    /// Units that orders without an applied receipt of the stock system still take from a stock level.
    pub on_the_way: i64,
}

/// What is known of the delivery itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryFacts {
    /// Whether any revision was ever applied.
    pub applied_once: bool,
}

/// Why a document cannot be made.
struct Unfit {
    code: &'static str,
    field: String,
    message: String,
}

impl Unfit {
    fn new(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, field: field.into(), message: message.into() }
    }

    fn expression(field: impl Into<String>, error: &ExpressionError) -> Self {
        let code = match error {
            ExpressionError::Unmapped { .. } => "unmapped",
            ExpressionError::Failed { .. } => "map_error",
        };
        Self::new(code, field, error.to_string())
    }
}

/// Decides what becomes of a snapshot for the flow's system. The same input always gives the same decision.
pub fn decide(plan: &Plan, flow: &Flow, desired: &Snapshot, delivery: DeliveryFacts, facts: &Facts) -> Decision {
    let Some(body) = &desired.body else {
        // Systems keep what was booked; erasing a person is a request of its own.
        return Decision::Ignore { rule: "deleted".to_owned() };
    };
    let view = view::of(desired, facts.totals.as_ref(), &plan.tables);
    if !delivery.applied_once {
        if let Body::Order(order) = body
            && order.cancelled_at.is_some()
        {
            return Decision::Ignore { rule: "cancelled-before-applied".to_owned() };
        }
        if let Some(when) = &flow.when {
            match when.holds(&view) {
                Ok(true) => {}
                Ok(false) => return Decision::Ignore { rule: format!("when:{}", flow.name) },
                Err(error) => {
                    let unfit = Unfit::expression("when", &error);
                    return Decision::Park { code: unfit.code, field: unfit.field, message: unfit.message };
                }
            }
        }
    }
    let document = match body {
        Body::Order(order) => {
            order::document(flow, desired, order, &view).map(|document| Document::Order(Box::new(document)))
        }
        Body::Customer(customer) => {
            people::document(flow, desired, customer, &view).map(|document| Document::Customer(Box::new(document)))
        }
        Body::Shipment(shipment) => {
            things::shipment(flow, desired, shipment, &view).map(|document| Document::Shipment(Box::new(document)))
        }
        Body::StockLevel(level) => things::stock(plan, flow, desired, level, facts).map(Document::Stock),
        Body::Incident(incident) => Ok(Document::Incident(incident.as_ref().clone())),
        Body::Product(_) | Body::InventoryLevel(_) | Body::Fulfilment(_) | Body::Refund(_) => {
            return Decision::Ignore { rule: "no-sink".to_owned() };
        }
    };
    let document = match document {
        Ok(document) => document,
        Err(Unfit { code, field, message }) => return Decision::Park { code, field, message },
    };
    // What cannot be written is told before what has to wait: the mending can begin at once.
    for system in &flow.after {
        match facts.receipts.get(system) {
            Some(ReceiptFact::Applied | ReceiptFact::Ignored) => {}
            Some(ReceiptFact::Parked) => {
                return Decision::Wait { reason: format!("{system} has to accept it first, and it is parked there") };
            }
            None => return Decision::Wait { reason: format!("{system} has to accept it first") },
        }
    }
    Decision::Write(document)
}

fn fields(maps: &BTreeMap<String, Map>, view: &minijinja::Value) -> Result<Fields, Unfit> {
    let mut fields = Fields::new();
    for (name, map) in maps {
        match map.value.field(view) {
            Ok(Some(value)) => {
                fields.insert(name.clone(), value);
            }
            Ok(None) if map.missing == Missing::Error => {
                let message = format!("{}: there is no such value in this record", map.value.source());
                return Err(Unfit::new("map_error", name, message));
            }
            Err(error) if map.missing == Missing::Error || matches!(error, ExpressionError::Unmapped { .. }) => {
                return Err(Unfit::expression(name, &error));
            }
            Ok(None) | Err(_) if map.missing == Missing::Skip => {}
            Ok(None) | Err(_) => {
                fields.insert(name.clone(), waybill_domain::document::FieldValue::Null);
            }
        }
    }
    Ok(fields)
}
