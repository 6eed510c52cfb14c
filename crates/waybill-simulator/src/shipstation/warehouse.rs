//! The people in the warehouse: they split shipments and buy labels in ShipStation's own pages.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Vendor,
    labels::{choose, purchase},
    shape::exact,
    state::{Account, Label, Status, number},
};

/// Labels to buy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarehouseOrder {
    /// Which shipments, by their `external_shipment_id`; empty for all that are pending.
    #[serde(default)]
    pub external_shipment_ids: Vec<String>,
    /// `ups` or `stamps_com`; otherwise what the shipment says, else `ups`.
    #[serde(default)]
    pub carrier_code: Option<String>,
    /// What goes into each parcel; only with one shipment. Every parcel but one that takes all that is left becomes a
    /// shipment of its own, as the vendor's split makes it. What is in no parcel stays pending. Empty for one parcel
    /// with everything.
    #[serde(default)]
    pub parcels: Vec<Vec<ParcelContent>>,
}

/// Some of a line in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParcelContent {
    /// The item's `external_order_item_id`, or its `sku`.
    pub line: String,
    /// How many.
    pub quantity: i64,
}

/// `POST /_control/ship` with a [`WarehouseOrder`]: answers `{"labels": […]}` with the vendor's label of each parcel, or
/// 409 with what is in the way.
pub(super) async fn ship(State(vendor): State<Vendor>, Json(order): Json<WarehouseOrder>) -> Response {
    let mut account = vendor.account();
    match pack(&vendor, &mut account, &order) {
        Ok(labels) => {
            let labels: Vec<_> = labels.iter().map(Label::json).collect();
            Json(json!({ "labels": labels })).into_response()
        }
        Err(problem) => (StatusCode::CONFLICT, problem).into_response(),
    }
}

/// `DELETE /_control/shipments/{external_shipment_id}`
pub(super) async fn lose(State(vendor): State<Vendor>, Path(external_id): Path<String>) -> StatusCode {
    let mut account = vendor.account();
    let Some(id) = account.by_external_id(&external_id).map(|shipment| shipment.id.clone()) else {
        return StatusCode::NOT_FOUND;
    };
    account.shipments.retain(|shipment| shipment.id != id);
    account.labels.retain(|label| label.shipment_id != id);
    StatusCode::NO_CONTENT
}

/// How often the account may ask.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Limit {
    requests_per_minute: usize,
}

/// `PUT /_control/limit`
pub(super) async fn limit(State(vendor): State<Vendor>, Json(limit): Json<Limit>) -> StatusCode {
    vendor.account().requests_per_minute = limit.requests_per_minute;
    StatusCode::NO_CONTENT
}

fn pack(vendor: &Vendor, account: &mut Account, order: &WarehouseOrder) -> Result<Vec<Label>, String> {
    let chosen: Vec<String> = if order.external_shipment_ids.is_empty() {
        account.shipments.iter().filter(|s| s.status == Status::Pending).map(|s| s.id.clone()).collect()
    } else {
        let find = |id: &String| account.by_external_id(id).map(|s| s.id.clone()).ok_or(format!("no shipment {id}"));
        order.external_shipment_ids.iter().map(find).collect::<Result<_, _>>()?
    };
    let mut parcels = Vec::new();
    match (chosen.as_slice(), order.parcels.as_slice()) {
        (_, []) => parcels.clone_from(&chosen),
        ([shipment], contents) => {
            for content in contents {
                parcels.push(split(vendor, account, shipment, content)?);
            }
        }
        _ => return Err("parcels can be told for one shipment only".to_owned()),
    }
    let mut labels = Vec::new();
    for parcel in parcels {
        choose(account, &parcel, order.carrier_code.as_deref());
        let label = purchase(vendor, account, &parcel)
            .map_err(|problems| problems.into_iter().map(|p| p.message).collect::<Vec<_>>().join(" "))?;
        labels.push(label);
    }
    Ok(labels)
}

/// Moves some of a shipment's items into a new one and answers with its id. "At least one item must stay on the
/// original shipment", so a parcel with all that is left is the original itself. The new shipment "is based on the
/// original shipment and stays linked to the same sales order"; its `external_shipment_id` is its own id.
fn split(vendor: &Vendor, account: &mut Account, id: &str, content: &[ParcelContent]) -> Result<String, String> {
    let shipment = account.shipment(id).ok_or("the shipment is gone")?.clone();
    if shipment.status != Status::Pending {
        return Err(format!("the shipment is {}", shipment.status.as_str()));
    }
    if shipment.sales_order_id.is_none() {
        return Err("the shipment is not linked to a sales order, so it cannot be split".to_owned());
    }
    let mut stays = shipment.items().to_vec();
    let mut moved = Vec::new();
    for part in content {
        let item = stays
            .iter_mut()
            .find(|item| item["external_order_item_id"] == part.line || item["sku"] == part.line)
            .ok_or_else(|| format!("the shipment has no line {}", part.line))?;
        let there = exact(&item["quantity"]).unwrap_or_default();
        let taken = part.quantity.into();
        if part.quantity < 1 || taken > there {
            return Err(format!("{} of line {} cannot be packed: {there} are left", part.quantity, part.line));
        }
        let mut copy = item.clone();
        copy["quantity"] = number(taken);
        moved.push(copy);
        item["quantity"] = number(there - taken);
    }
    stays.retain(|item| exact(&item["quantity"]).is_some_and(|quantity| !quantity.is_zero()));
    if stays.is_empty() {
        return Ok(id.to_owned());
    }
    let mut values = shipment.values.clone();
    values.insert("items".to_owned(), Value::Array(moved));
    let child = account.add_shipment(values, shipment.sales_order_id.clone()).clone();
    if let Some(original) = account.shipment_mut(id) {
        original.values.insert("items".to_owned(), Value::Array(stays));
    }
    account.touch(id);
    vendor.journal.write("split", "shipment", &child.id, &shipment.external_id, json!({ "items": child.items() }));
    Ok(child.id)
}
