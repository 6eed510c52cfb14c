//! Fulfilment orders and fulfilments.

use serde::Deserialize;

use super::{Page, Ref, UserError};

#[derive(Debug, Deserialize)]
pub(crate) struct FulfillmentWorkData {
    pub(crate) order: Option<FulfillmentWork>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentWork {
    pub(crate) fulfillments: Vec<Fulfillment>,
    pub(crate) fulfillment_orders: Page<FulfillmentOrder>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fulfillment {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) tracking_info: Vec<TrackingInfo>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TrackingInfo {
    pub(crate) company: Option<String>,
    pub(crate) number: Option<String>,
    pub(crate) url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentOrder {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) assigned_location: AssignedLocation,
    pub(crate) line_items: Page<FulfillmentOrderLine>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AssignedLocation {
    pub(crate) location: Option<Ref>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentOrderLine {
    pub(crate) id: String,
    pub(crate) remaining_quantity: i64,
    pub(crate) line_item: LineRef,
}

/// An order's line.
#[derive(Debug, Deserialize)]
pub(crate) struct LineRef {
    pub(crate) id: String,
    pub(crate) sku: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentOrderLinesData {
    pub(crate) fulfillment_order: Option<FulfillmentOrderLines>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentOrderLines {
    pub(crate) line_items: Page<FulfillmentOrderLine>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FulfillmentLinesData {
    pub(crate) fulfillment: Option<FulfillmentLines>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentLines {
    pub(crate) fulfillment_line_items: Page<FulfillmentLine>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentLine {
    pub(crate) quantity: Option<i64>,
    pub(crate) line_item: LineRef,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentCreateData {
    pub(crate) fulfillment_create: Option<FulfillmentMutation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentTrackingData {
    pub(crate) fulfillment_tracking_info_update: Option<FulfillmentMutation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentCancelData {
    pub(crate) fulfillment_cancel: Option<FulfillmentMutation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FulfillmentMutation {
    pub(crate) fulfillment: Option<Ref>,
    pub(crate) user_errors: Vec<UserError>,
}
