//! Parcels: the shipping status of their orders.

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, Known, Sink, Step, StepCall};
use waybill_domain::document::ShipmentDocument;

use crate::{
    HubSpot,
    batch::{self, Deadline, MOST_INPUTS, Outcome, Write},
    client::Call,
    mapping,
    orders::{ORDER, order_result},
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
}

#[async_trait]
impl Sink<ShipmentDocument> for HubSpot {
    fn steps(&self, _shipment: &ShipmentDocument, _known: &Known) -> Vec<Step> {
        vec![STEP]
    }

    fn batch_size(&self, _step: &str) -> usize {
        MOST_INPUTS
    }

    /// Updates the orders that are there, so that their names stay as the orders' own map has them; those that are not
    /// are made with the name that HubSpot requires.
    async fn apply(&self, calls: &[ShipmentCall<'_>]) -> Vec<Result<Applied, Failure>> {
        let key_property = self.key_property(Kind::Orders);
        let updates: Vec<Write> = calls
            .iter()
            .map(|call| {
                let properties = mapping::shipment(call.document, key_property);
                self.shipping_status(Call::Update, call.document, properties)
            })
            .collect();
        let deadline = Deadline::from_now();
        let mut outcomes = batch::write_all(&self.client, Kind::Orders, key_property, &updates, deadline).await;
        let missing: Vec<usize> = (0..calls.len()).filter(|&at| matches!(outcomes[at], Outcome::Missing)).collect();
        let creations: Vec<Write> = missing
            .iter()
            .map(|&at| {
                let document = calls[at].document;
                let properties = mapping::shipment_of_new_order(document, key_property);
                self.shipping_status(Call::Upsert, document, properties)
            })
            .collect();
        let created = batch::write_all(&self.client, Kind::Orders, key_property, &creations, deadline).await;
        for (at, outcome) in missing.into_iter().zip(created) {
            outcomes[at] = outcome;
        }
        outcomes.into_iter().zip(&updates).map(|(outcome, write)| order_result(outcome, write)).collect()
    }

    async fn find(&self, call: &ShipmentCall<'_>) -> Result<Option<Applied>, Failure> {
        let key_property = self.key_property(Kind::Orders);
        let wanted = mapping::shipment(call.document, key_property);
        let key = call.document.order_key.as_str();
        let found = self.read_one(Kind::Orders, Some(key_property), key, &wanted).await?;
        Ok(found.filter(|order| mapping::shows(order, &wanted)).map(|order| Applied::unchanged(ORDER, order.id)))
    }
}
