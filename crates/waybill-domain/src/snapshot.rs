//! The whole state of a record at one revision.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    customer::Customer,
    document::IncidentDocument,
    names::{Kind, RecordKey},
    order::{Order, Refund},
    price::ListPrice,
    product::Product,
    revision::Revision,
    shipment::{Fulfilment, Shipment},
    stock::{InventoryLevel, StockLevel},
};

/// A record's state, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// See [`Order`].
    Order(Box<Order>),
    /// See [`Customer`].
    Customer(Box<Customer>),
    /// See [`Product`].
    Product(Product),
    /// See [`InventoryLevel`].
    InventoryLevel(InventoryLevel),
    /// See [`Fulfilment`].
    Fulfilment(Fulfilment),
    /// See [`Refund`].
    Refund(Refund),
    /// See [`Shipment`].
    Shipment(Shipment),
    /// See [`StockLevel`].
    StockLevel(StockLevel),
    /// See [`ListPrice`].
    Price(ListPrice),
    /// See [`IncidentDocument`].
    Incident(Box<IncidentDocument>),
}

impl Body {
    /// The kind of record that this is the state of.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Order(_) => Kind::Order,
            Self::Customer(_) => Kind::Customer,
            Self::Product(_) => Kind::Product,
            Self::InventoryLevel(_) => Kind::InventoryLevel,
            Self::Fulfilment(_) => Kind::Fulfilment,
            Self::Refund(_) => Kind::Refund,
            Self::Shipment(_) => Kind::Shipment,
            Self::StockLevel(_) => Kind::StockLevel,
            Self::Price(_) => Kind::Price,
            Self::Incident(_) => Kind::Incident,
        }
    }

    /// What people call the record: an order's name, a shipment's order, else nothing.
    pub fn name(&self) -> &str {
        match self {
            Self::Order(order) => &order.name,
            Self::Shipment(shipment) => &shipment.order_name,
            Self::Product(product) => &product.title,
            Self::StockLevel(level) => &level.sku,
            Self::Price(price) => &price.sku,
            Self::Incident(incident) => &incident.code,
            Self::Customer(_) | Self::InventoryLevel(_) | Self::Fulfilment(_) | Self::Refund(_) => "",
        }
    }

    /// SHA-256 over the state, to tell a change from an echo.
    pub fn content_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let json = serde_json::to_vec(self).expect("domain types have string keys only");
        hash.update(json);
        hash.finalize().into()
    }
}

/// The whole state of a record at one revision; what services send to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which record.
    pub key: RecordKey,
    /// Its place in the source's history.
    pub revision: Revision,
    /// When the source learned of this state.
    pub observed_at: Timestamp,
    /// Its state; absent once it was deleted.
    pub body: Option<Body>,
}

impl Snapshot {
    /// Whether the record is gone at its source.
    pub const fn deleted(&self) -> bool {
        self.body.is_none()
    }

    /// What people call the record; its id if it has no name.
    pub fn name(&self) -> &str {
        match self.body.as_ref().map(Body::name) {
            Some(name) if !name.is_empty() => name,
            _ => self.key.id.as_str(),
        }
    }
}
