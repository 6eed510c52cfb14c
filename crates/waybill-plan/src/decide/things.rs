//! Parcels and stock levels.

use minijinja::Value;
use waybill_domain::{
    Kind, ObjectKey, RecordKey, Snapshot,
    document::{ShipmentDocument, ShippedLine, StockDocument, StockQuantity},
    shipment::Shipment,
    stock::StockLevel,
};

use super::{Facts, Unfit, fields};
use crate::plan::{Flow, Plan};

pub(super) fn shipment(
    flow: &Flow,
    snapshot: &Snapshot,
    shipment: &Shipment,
    view: &Value,
) -> Result<ShipmentDocument, Unfit> {
    let order = RecordKey { store: snapshot.key.store.clone(), kind: Kind::Order, id: shipment.order_id.clone() };
    Ok(ShipmentDocument {
        key: ObjectKey::new(&snapshot.key, "shipment"),
        order_key: ObjectKey::new(&order, "order"),
        order_source_id: shipment.order_id.clone(),
        order_name: shipment.order_name.clone(),
        carrier: shipment.carrier.clone(),
        tracking_number: shipment.tracking_number.clone(),
        tracking_url: shipment.tracking_url.clone(),
        shipped_at: shipment.shipped_at,
        voided: shipment.voided,
        lines: shipment
            .lines
            .iter()
            .map(|line| ShippedLine { source_id: line.line_id.clone(), sku: line.sku.clone(), quantity: line.quantity })
            .collect(),
        fields: fields(&flow.fields, view)?,
        policy: Default::default(),
    })
}

pub(super) fn stock(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    level: &StockLevel,
    facts: &Facts,
) -> Result<StockDocument, Unfit> {
    let Some(stock) = &plan.stock else {
        return Err(Unfit::new("unmapped", "stock", "the plan has no [stock]"));
    };
    let location = plan.locations.get(&level.location).and_then(|names| names.get(&flow.to)).ok_or_else(|| {
        let message = format!("location '{}' has no name in '{}'", level.location, flow.to);
        Unfit::new("unmapped", "location", message)
    })?;
    let location_id = location.parse().map_err(|_| {
        Unfit::new("unmapped", "location", format!("'{location}' is not a location's id at {}", flow.to))
    })?;
    let inventory_item_id = facts.inventory_item.clone().ok_or_else(|| {
        let message = format!("the store has no variant with the SKU '{}'", level.sku);
        Unfit::new("unknown_item", "sku", message)
    })?;
    let held_back = stock.held_back(&level.location, &level.sku)
        + match stock.quantity {
            // Shopify subtracts what it has committed itself.
            StockQuantity::OnHand => 0,
            StockQuantity::Available => facts.on_the_way,
        };
    Ok(StockDocument {
        key: ObjectKey::new(&snapshot.key, "stock"),
        sku: level.sku.clone(),
        inventory_item_id,
        location_id,
        name: stock.quantity,
        quantity: level.quantity.saturating_sub(held_back).max(0),
    })
}
