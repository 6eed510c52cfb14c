//! Parcels from ShipStation: `shipment-source`.

use std::sync::PoisonError;

use async_trait::async_trait;
use jiff::Timestamp;
use waybill_connector::{
    Failure,
    source::{ParcelNews, ParcelPage, ShipmentSource},
};

use crate::{ShipStation, cursor::Cursor, mapping, wire::Label};

/// Each label costs a second request, for its shipment: a page stays well under the minute's budget of 200.
const PAGE_SIZE: u32 = 50;
/// More than the overlap of two sweeps holds at the vendor's own limit.
const MOST_TOLD: usize = 2_000;

#[async_trait]
impl ShipmentSource for ShipStation {
    async fn parcels(&self, cursor: &str, since: Timestamp) -> Result<ParcelPage, Failure> {
        let mut place = match cursor {
            "" => Cursor::new(since),
            text => text.parse().map_err(|problem: String| Failure::malformed(problem, text.as_bytes()))?,
        };
        let page = self.client.labels(place.query(PAGE_SIZE)).await?;
        let mut parcels = Vec::new();
        for label in &page.labels {
            let is_news = place.sees(label).map_err(|problem| unreadable(label, &problem))?;
            if is_news {
                parcels.extend(self.parcels_of(label).await?);
            }
        }
        let (next, more) = place.next(page.page, page.pages);
        Ok(ParcelPage { parcels, cursor: next.to_string(), more })
    }
}

impl ShipStation {
    /// What a label is to the orders in it. A label's contents do not change once it is bought.
    async fn parcels_of(&self, label: &Label) -> Result<Vec<ParcelNews>, Failure> {
        if let Some(mut known) = self.told(&label.label_id) {
            for news in &mut known {
                news.parcel.voided = label.is_voided();
            }
            return Ok(known);
        }
        let Some(shipment) = self.client.shipment(&label.shipment_id).await? else {
            // Deleted, or merged into another: whose parcel it is cannot be told any more.
            return Ok(Vec::new());
        };
        let parcels = mapping::parcels(label, &shipment).map_err(|problem| unreadable(label, &problem))?;
        self.remember(&label.label_id, &parcels);
        Ok(parcels)
    }

    fn told(&self, label_id: &str) -> Option<Vec<ParcelNews>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).get(label_id).cloned()
    }

    fn remember(&self, label_id: &str, parcels: &[ParcelNews]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST_TOLD {
            told.clear();
        }
        told.insert(label_id.to_owned(), parcels.to_vec());
    }
}

fn unreadable(label: &Label, problem: &str) -> Failure {
    Failure::malformed(format!("label {}: {problem}", label.label_id), b"")
}
