//! What may be decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use waybill_domain::document::{
    CustomerDocument, Fields, IncidentDocument, OrderDocument, PriceDocument, RefundDocument, ShipmentDocument,
    StockDocument,
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
    /// A price.
    Price(PriceDocument),
    /// An incident, for a pager.
    Incident(IncidentDocument),
}

impl Document {
    /// SHA-256 over the document, in hexadecimal digits.
    pub fn hash(&self) -> String {
        let json = serde_json::to_vec(self).expect("documents have string keys only");
        Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A document to be brought into the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// What the system is to hold, with what of it is written.
    pub document: Document,
    /// Hash of what it is to hold, to tell a change from none: what the system owns and how it is written are not in.
    pub hash: String,
    /// What the mapped fields' base is once this is written, by the object's role.
    pub sent: BTreeMap<String, Fields>,
}

/// What a delivery waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitFor {
    /// Another system.
    After,
    /// A time.
    Time,
    /// A person.
    Approval,
    /// That a person lets its flow go on.
    Resume,
}

impl WaitFor {
    /// The word for it in tables and on receipts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::Time => "time",
            Self::Approval => "approval",
            Self::Resume => "paused",
        }
    }
}

/// What follows for a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Bring this document into the system.
    Write(Box<Write>),
    /// Read these fields of the system's objects first and decide again.
    ReadFirst {
        /// What is going to be written, so far as it is known.
        document: Box<Document>,
        /// The fields, by the object's role.
        fields: BTreeMap<String, BTreeSet<String>>,
    },
    /// The system holds it already.
    Nothing,
    /// It would be written, but the system is in shadow.
    Shadow(Box<Write>),
    /// A rule keeps the record away.
    Ignore {
        /// Which.
        rule: String,
    },
    /// Not yet.
    Wait {
        /// For what.
        on: WaitFor,
        /// The same in words.
        reason: String,
        /// Until when, where that is known.
        until: Option<Timestamp>,
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
