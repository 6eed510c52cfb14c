//! Parcels: the shipping status of their orders.

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::document::ShipmentDocument;

use crate::{
    HubSpot,
    batch::{self, Deadline, MOST_INPUTS, Outcome, Write},
    client::Call,
    mapping,
    orders::{ORDER, order_result},
    records::{self, Record},
    wire::{Kind, Properties},
};

const STEP: Step = Step::idempotent("shipping-status", ORDER);

type ShipmentCall<'a> = StepCall<'a, ShipmentDocument>;

impl HubSpot {
    fn shipping_status(&self, call: Call, document: &ShipmentDocument, properties: Properties) -> Write {
        Write {
            call,
            id_property: Some(self.key_property(Kind::Orders).to_owned()),
            id: document.order_key.as_str().to_owned(),
            properties,
        }
    }

    /// Updates the orders that are there, so that their names stay as the orders' own map has them; those that are not
    /// are made with the name that HubSpot requires.
    async fn write_plain_statuses(&self, documents: &[&ShipmentDocument]) -> Vec<Result<Applied, Failure>> {
        let key_property = self.key_property(Kind::Orders);
        let updates: Vec<Write> = documents
            .iter()
            .map(|document| self.shipping_status(Call::Update, document, mapping::shipment(document, key_property)))
            .collect();
        let deadline = Deadline::from_now();
        let mut outcomes = batch::write_all(&self.client, Kind::Orders, key_property, &updates, deadline).await;
        let missing: Vec<usize> = (0..documents.len()).filter(|&at| matches!(outcomes[at], Outcome::Missing)).collect();
        let creations: Vec<Write> = missing
            .iter()
            .map(|&at| {
                let properties = mapping::shipment_of_new_order(documents[at], key_property);
                self.shipping_status(Call::Upsert, documents[at], properties)
            })
            .collect();
        let created = batch::write_all(&self.client, Kind::Orders, key_property, &creations, deadline).await;
        for (at, outcome) in missing.into_iter().zip(created) {
            outcomes[at] = outcome;
        }
        outcomes.into_iter().zip(&updates).map(|(outcome, write)| order_result(outcome, write)).collect()
    }

    fn status_record<'a>(&self, call: &ShipmentCall<'a>) -> Record<'a> {
        let key_property = self.key_property(Kind::Orders);
        let properties = mapping::shipment(call.document, key_property);
        let mut required = mapping::shipment_of_new_order(call.document, key_property);
        required.retain(|name, _| !properties.contains_key(name));
        Record {
            key: call.document.order_key.as_str(),
            known: call.known.get(ORDER).map(String::as_str),
            policy: &call.document.policy,
            email: "",
            joins: true,
            properties,
            required,
        }
    }
}

#[async_trait]
impl Sink<ShipmentDocument> for HubSpot {
    fn steps(&self, _shipment: &ShipmentDocument, _known: &Known) -> Vec<Step> {
        vec![STEP]
    }

    fn batch_size(&self, _step: &str) -> usize {
        MOST_INPUTS
    }

    async fn apply(&self, calls: &[ShipmentCall<'_>]) -> Vec<Result<Applied, Failure>> {
        let is_plain = |call: &&ShipmentCall<'_>| records::is_plain(&call.document.policy);
        let plain: Vec<&ShipmentDocument> = calls.iter().filter(is_plain).map(|call| call.document).collect();
        let ruled: Vec<Record<'_>> =
            calls.iter().filter(|call| !is_plain(call)).map(|call| self.status_record(call)).collect();
        let mut plain = self.write_plain_statuses(&plain).await.into_iter();
        let ruled = self.write_records(Kind::Orders, &ruled).await;
        let mut ruled = ruled.into_iter().map(|result| result.map(|saved| saved.applied(ORDER)));
        let result = |call| if is_plain(&call) { plain.next() } else { ruled.next() };
        calls.iter().map(result).map(|result| result.expect("one result per parcel")).collect()
    }

    async fn find(&self, call: &ShipmentCall<'_>) -> Result<Option<Applied>, Failure> {
        let found = if records::is_plain(&call.document.policy) {
            let key_property = self.key_property(Kind::Orders);
            let wanted = mapping::shipment(call.document, key_property);
            let key = call.document.order_key.as_str();
            let found = self.read_one(Kind::Orders, Some(key_property), key, &wanted).await?;
            found.map(|order| {
                let shows = mapping::shows(&order, &wanted);
                (order.id, shows)
            })
        } else {
            self.find_record(Kind::Orders, &self.status_record(call)).await?
        };
        Ok(found.filter(|(_, shows)| *shows).map(|(id, _)| Applied::unchanged(ORDER, id)))
    }

    async fn look(&self, calls: &[LookCall<'_, ShipmentDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_for_shipments(calls).await
    }
}
