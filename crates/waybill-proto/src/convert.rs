//! Wire ↔ domain.

mod incident;
mod order;
mod records;
mod scalars;

pub use scalars::{WireError, from_timestamp, to_timestamp};

use scalars::{need, parse};
use waybill_domain::{Body, RecordKey, Revision, Snapshot};

use crate::wire;

impl From<&RecordKey> for wire::RecordKey {
    fn from(key: &RecordKey) -> Self {
        Self { store: key.store.to_string(), kind: key.kind.to_string(), id: key.id.to_string() }
    }
}

impl TryFrom<&wire::RecordKey> for RecordKey {
    type Error = WireError;
    fn try_from(key: &wire::RecordKey) -> Result<Self, WireError> {
        Ok(Self {
            store: parse("key.store", &key.store)?,
            kind: parse("key.kind", &key.kind)?,
            id: parse("key.id", &key.id)?,
        })
    }
}

impl From<Revision> for wire::Revision {
    fn from(revision: Revision) -> Self {
        Self { epoch: revision.epoch, number: revision.number }
    }
}

impl From<wire::Revision> for Revision {
    fn from(revision: wire::Revision) -> Self {
        Self { epoch: revision.epoch, number: revision.number }
    }
}

impl From<&Snapshot> for wire::Snapshot {
    fn from(snapshot: &Snapshot) -> Self {
        use wire::snapshot::Body as Wire;
        let body = snapshot.body.as_ref().map(|body| match body {
            Body::Order(order) => Wire::Order(order.as_ref().into()),
            Body::Customer(customer) => Wire::Customer(customer.as_ref().into()),
            Body::Product(product) => Wire::Product(product.into()),
            Body::InventoryLevel(level) => Wire::InventoryLevel(level.into()),
            Body::Fulfilment(fulfilment) => Wire::Fulfilment(fulfilment.into()),
            Body::Refund(refund) => Wire::Refund(refund.into()),
            Body::Shipment(shipment) => Wire::Shipment(shipment.into()),
            Body::StockLevel(level) => Wire::StockLevel(level.into()),
            Body::Price(price) => Wire::Price(price.into()),
            Body::Incident(incident) => Wire::Incident(incident.as_ref().into()),
        });
        Self {
            key: Some((&snapshot.key).into()),
            revision: Some(snapshot.revision.into()),
            observed_at: Some(to_timestamp(snapshot.observed_at)),
            body,
        }
    }
}

impl TryFrom<wire::Snapshot> for Snapshot {
    type Error = WireError;
    fn try_from(snapshot: wire::Snapshot) -> Result<Self, WireError> {
        use wire::snapshot::Body as Wire;
        let body = match snapshot.body {
            None => None,
            Some(Wire::Order(order)) => Some(Body::Order(Box::new(order.try_into()?))),
            Some(Wire::Customer(customer)) => Some(Body::Customer(Box::new(customer.try_into()?))),
            Some(Wire::Product(product)) => Some(Body::Product(product.try_into()?)),
            Some(Wire::InventoryLevel(level)) => Some(Body::InventoryLevel(level.try_into()?)),
            Some(Wire::Fulfilment(fulfilment)) => Some(Body::Fulfilment(fulfilment.try_into()?)),
            Some(Wire::Refund(refund)) => Some(Body::Refund(refund.try_into()?)),
            Some(Wire::Shipment(shipment)) => Some(Body::Shipment(shipment.try_into()?)),
            Some(Wire::StockLevel(level)) => Some(Body::StockLevel(level.into())),
            Some(Wire::Price(price)) => Some(Body::Price(price.try_into()?)),
            Some(Wire::Incident(incident)) => Some(Body::Incident(Box::new(incident.try_into()?))),
        };
        Ok(Self {
            key: (&need("key", snapshot.key)?).try_into()?,
            revision: need("revision", snapshot.revision)?.into(),
            observed_at: from_timestamp("observed_at", &need("observed_at", snapshot.observed_at)?)?,
            body,
        })
    }
}
