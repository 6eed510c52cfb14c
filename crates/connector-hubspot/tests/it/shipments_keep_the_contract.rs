//! The contract suite with shipments.

use async_trait::async_trait;
use waybill_connector::{
    Sink,
    contract::{Bench, Trouble},
};
use waybill_domain::{Kind, RecordKey, document::ShipmentDocument};

use crate::account::{Account, field, parcel, property, record};

struct Shipments(Account);

#[async_trait]
impl Bench<ShipmentDocument> for Shipments {
    fn sink(&self) -> &dyn Sink<ShipmentDocument> {
        &self.0.hubspot
    }

    fn record(&self, n: usize) -> RecordKey {
        record(Kind::Shipment, n)
    }

    fn document(&self, n: usize) -> ShipmentDocument {
        parcel(n)
    }

    fn changed(&self, document: &ShipmentDocument) -> ShipmentDocument {
        let mut changed = document.clone();
        changed.fields.insert("hs_fulfillment_status".to_owned(), field("returned"));
        changed
    }

    fn refused(&self, n: usize) -> Option<ShipmentDocument> {
        let mut refused = parcel(n);
        refused.fields.insert("hs_pipeline_stage".to_owned(), field("nowhere"));
        Some(refused)
    }

    async fn objects(&self, document: &ShipmentDocument) -> usize {
        let all = self.0.all("orders", "waybill_key").await;
        all.iter().filter(|order| property(order, "waybill_key") == document.order_key.as_str()).count()
    }

    async fn holds(&self, document: &ShipmentDocument) -> bool {
        let all = self.0.all("orders", "waybill_key,hs_fulfillment_status,hs_shipping_tracking_number").await;
        let found = all.iter().find(|order| property(order, "waybill_key") == document.order_key.as_str());
        found.is_some_and(|order| document.fields.iter().all(|(name, value)| property(order, name) == value.to_text()))
    }

    async fn writes(&self) -> usize {
        self.0.running.journal.entries().len()
    }

    async fn lose(&self, document: &ShipmentDocument) {
        self.0.delete("orders", document.order_key.as_str()).await;
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        self.0.inject(trouble, skip);
    }

    async fn pending(&self) -> bool {
        self.0.running.faults.pending()
    }

    async fn clear(&self) {
        self.0.running.faults.clear();
    }
}

waybill_connector::contract_tests!(ShipmentDocument, Shipments(Account::ready().await));
waybill_connector::contract_tests!(ShipmentDocument, Shipments(Account::ready().await), [a_look_tells_what_was_lost]);
