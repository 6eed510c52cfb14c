//! Systems that give records.

use async_trait::async_trait;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use waybill_domain::{Currency, ObjectKey, shipment::Shipment};

use crate::failure::Failure;

/// A parcel as the shipping system tells it. `order_key` is the object key that we stored in its record (role
/// `order`); the service knows which order that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelNews {
    /// Our key of the order in the shipping system.
    pub order_key: ObjectKeyText,
    /// The parcel; its `order_id` and `order_name` are filled in by the service.
    pub parcel: Parcel,
}

/// An object key as a vendor gave it back: any text.
pub type ObjectKeyText = String;

/// What a shipping system says of one parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The shipping system's id of the parcel (label), within `[A-Za-z0-9_-]`.
    pub id: String,
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
    pub lines: Vec<waybill_domain::shipment::ParcelLine>,
}

/// A page of parcels, oldest change first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelPage {
    /// The parcels.
    pub parcels: Vec<ParcelNews>,
    /// Where to go on; the same as given if nothing is new.
    pub cursor: String,
    /// Whether there is more right now.
    pub more: bool,
}

/// A system that gives parcels.
#[async_trait]
pub trait ShipmentSource: Send + Sync {
    /// The parcels changed since `cursor` (empty: from `since`). Windows overlap, so that a late row is not missed:
    /// the same parcel may be told again.
    async fn parcels(&self, cursor: &str, since: Timestamp) -> Result<ParcelPage, Failure>;
}

/// What a stock system holds of an item at one of its locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockReading {
    /// The item's code in the system.
    pub item: String,
    /// The system's name of the location, as the plan's `[locations.<name>]` has it for the system.
    pub location: String,
    /// Physical quantity, whole units, rounded down.
    pub quantity: i64,
}

/// A system that gives stock levels.
#[async_trait]
pub trait StockSource: Send + Sync {
    /// The physical quantity of every item at each of the named locations.
    async fn stock(&self, locations: &[String]) -> Result<Vec<StockReading>, Failure>;
}

/// What a catalogue asks for one of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceReading {
    /// The item's code in the system.
    pub item: String,
    /// The catalogue's currency.
    pub currency: Currency,
    /// Price of one unit, as the catalogue has it.
    pub amount: Decimal,
    /// What the catalogue taxes it as; `None` if it does not say.
    pub category: Option<String>,
}

/// A system that gives list prices.
#[async_trait]
pub trait CatalogSource: Send + Sync {
    /// Every item with a list price, each once.
    async fn prices(&self) -> Result<Vec<PriceReading>, Failure>;
}

impl ParcelNews {
    /// Whether this parcel's order has the key.
    pub fn is_for(&self, key: &ObjectKey) -> bool {
        self.order_key == key.as_str()
    }

    /// The domain's record of it.
    ///
    /// # Errors
    /// [`Failure::Malformed`] if the parcel's id cannot be a record id.
    pub fn into_shipment(self, order_id: waybill_domain::RecordId, order_name: String) -> Result<Shipment, Failure> {
        let Parcel { id, carrier, tracking_number, tracking_url, shipped_at, voided, lines } = self.parcel;
        let id = id.parse().map_err(|_| Failure::malformed("the parcel's id is no record id", id.as_bytes()))?;
        Ok(Shipment { id, order_id, order_name, carrier, tracking_number, tracking_url, shipped_at, voided, lines })
    }
}
