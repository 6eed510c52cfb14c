//! Parcels → Shopify fulfilments.
//!
//! Shopify has no idempotency key for `fulfillmentCreate` and a fulfilment has no room for a key of ours, so a parcel
//! is known by its tracking number within its order: before anything is created, and after a call that may or may not
//! have taken effect, the order's fulfilments are read, and what those with the parcel's number already hold is not
//! created again. A parcel without a number carries our object key in its place.

mod carriers;
mod look;
mod sink;
mod spread;

use waybill_connector::Failure;
use waybill_domain::{
    ObjectKey,
    document::{FieldValue, ShipmentDocument},
};

use crate::{
    client::{
        redacted,
        shipping::{TrackingInput, Work},
    },
    gid, wire,
};
use spread::{Item, OpenLine, Units, gathered};

/// The role whose object keys parcels have, and under which their fulfilments' ids are known.
const ROLE: &str = "shipment";

/// The statuses of a fulfilment that count: the others are cancelled or never came about.
fn stands(fulfillment: &wire::Fulfillment) -> bool {
    !matches!(fulfillment.status.as_str(), "CANCELLED" | "ERROR" | "FAILURE")
}

/// What Shopify is to show of a parcel's way.
fn tracking(document: &ShipmentDocument, key: &ObjectKey) -> TrackingInput {
    let number = document.tracking_number.trim();
    let company = match document.fields.get("tracking_company") {
        Some(name) => name.to_text(),
        None => carriers::shopify_name(&document.carrier),
    };
    let url = document.tracking_url.trim();
    TrackingInput {
        company: Some(company).filter(|name| !name.is_empty()),
        number: if number.is_empty() { key.to_string() } else { number.to_owned() },
        url: Some(url.to_owned()).filter(|url| !url.is_empty()),
    }
}

/// Whether Shopify mails the buyer. Not unless the plan maps it.
fn notify(document: &ShipmentDocument) -> bool {
    document.fields.get("notify_customer") == Some(&FieldValue::Bool(true))
}

/// Whether a fulfilment shows this tracking. What the document leaves open is not compared: Shopify fills it in.
fn shows(fulfillment: &wire::Fulfillment, tracking: &TrackingInput) -> bool {
    let shown = |info: &wire::TrackingInfo| {
        info.number.as_deref() == Some(tracking.number.as_str())
            && tracking.company.as_ref().is_none_or(|company| info.company.as_ref() == Some(company))
            && tracking.url.as_ref().is_none_or(|url| info.url.as_ref() == Some(url))
    };
    matches!(fulfillment.tracking_info.as_slice(), [info] if shown(info))
}

/// Whether a fulfilment has this tracking number.
fn has_number(fulfillment: &wire::Fulfillment, number: &str) -> bool {
    fulfillment.tracking_info.iter().any(|info| info.number.as_deref().map(str::trim) == Some(number))
}

/// What a parcel holds.
fn wanted(document: &ShipmentDocument) -> Units {
    gathered(document.lines.iter().map(|line| {
        let item = Item { line: line.source_id.clone(), sku: line.sku.clone() };
        (item, line.quantity)
    }))
}

fn item(line: &wire::LineRef) -> Item {
    let id = gid::record_id("LineItem", &line.id);
    Item { line: id.map(|id| id.to_string()).unwrap_or_default(), sku: line.sku.clone().unwrap_or_default() }
}

/// The lines that can be fulfilled now. Shopify also takes those that are in progress (seen in recorded answers).
fn open_lines(work: &Work) -> Vec<OpenLine> {
    let open = work.orders.iter().filter(|order| matches!(order.status.as_str(), "OPEN" | "IN_PROGRESS"));
    open.flat_map(|order| {
        let location = order.assigned_location.location.as_ref().map_or(order.id.as_str(), |location| &location.id);
        order.line_items.nodes.iter().filter(|line| line.remaining_quantity > 0).map(move |line| OpenLine {
            order: order.id.clone(),
            location: location.to_owned(),
            id: line.id.clone(),
            item: item(&line.line_item),
            remaining: line.remaining_quantity,
        })
    })
    .collect()
}

/// Why units cannot be fulfilled: which, how many, and what state the rest of the order is in.
fn unfulfillable(missing: &Units, work: &Work) -> Failure {
    let units = missing.iter().map(|(item, quantity)| {
        if item.line.is_empty() {
            format!("{quantity} of SKU {}", item.sku)
        } else {
            format!("{quantity} of line {}", item.line)
        }
    });
    let units = units.collect::<Vec<_>>().join(", ");
    let mut states: Vec<&str> = work.orders.iter().map(|order| order.status.as_str()).collect();
    states.sort_unstable();
    states.dedup();
    let states = if states.is_empty() { "none that this token may see".to_owned() } else { states.join(", ") };
    Failure::rejected(
        "unfulfillable",
        "lines",
        format!("the order has no open fulfilment order for {units}; its fulfilment orders are: {states}"),
    )
}

/// What Shopify found wrong. These mutations give no code, so one is read from the words that they are known to use.
fn refused(errors: &[wire::UserError]) -> Failure {
    let message = errors.iter().map(|error| redacted(&error.message)).collect::<Vec<_>>().join("; ");
    let code = if message.contains("unfulfillable status") || message.contains("quantity requested") {
        "unfulfillable"
    } else if message.contains("does not exist") || message.contains("not found") {
        "not_found"
    } else {
        "user_error"
    };
    Failure::rejected(code, errors.first().map(wire::UserError::path).unwrap_or_default(), message)
}

#[cfg(test)]
mod tests;
