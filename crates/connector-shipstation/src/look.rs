//! Looking at orders' shipments without touching them.
//!
//! ShipStation keeps `external_shipment_id` unique, so that no two shipments have an order's key.

use waybill_connector::{Failure, Finding, Look, LookCall, look::in_parts};
use waybill_domain::document::OrderDocument;

use crate::{ShipStation, orders::ORDER};

impl ShipStation {
    pub(crate) async fn look_for_orders(&self, calls: &[LookCall<'_, OrderDocument>]) -> Vec<Result<Look, Failure>> {
        in_parts(calls, 1, |part| async move {
            let [call] = part else { return Ok(Vec::new()) };
            self.look_for_order(call).await.map(|look| vec![look])
        })
        .await
    }

    /// By our key, else by its id: a shipment that was merged into another in ShipStation answers to that still.
    async fn look_for_order(&self, call: &LookCall<'_, OrderDocument>) -> Result<Look, Failure> {
        let mut there = self.client.shipment_by_external_id(call.document.key.as_str()).await?;
        if let (None, Some(id)) = (&there, call.known.get(ORDER)) {
            there = self.client.shipment(id).await?;
        }
        let is_cancelled = there.map(|shipment| shipment.status == "cancelled");
        Ok(match (call.document.cancelled, is_cancelled) {
            (false, None) => Look::missing(ORDER),
            // Who cancelled it there meant it.
            (false, Some(true)) => Look::found(Finding::cancelled(ORDER, false, false)),
            (true, Some(false)) => Look::found(Finding::cancelled(ORDER, true, true)),
            (false, Some(false)) | (true, None | Some(true)) => Look::whole(),
        })
    }
}
