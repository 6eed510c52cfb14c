//! Parcels, stock levels and prices.

use minijinja::Value;
use rust_decimal::Decimal;
use waybill_domain::{
    Kind, ObjectKey, RecordKey, Snapshot,
    document::{FieldValue, PriceDocument, ShipmentDocument, ShippedLine, StockDocument, StockQuantity},
    price::ListPrice,
    shipment::Shipment,
    stock::StockLevel,
};

use super::{Decision, Document, Edits, Facts, Unfit, fields};
use crate::plan::{Flow, Plan};

/// The field that a map of prices gives.
const PRICE: &str = "price";

pub(super) fn shipment(
    flow: &Flow,
    snapshot: &Snapshot,
    shipment: &Shipment,
    view: &Value,
    edits: &Edits<'_>,
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
        fields: fields(&flow.fields, view, edits, "")?,
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

/// A list price as the store is to have it. Every variant with the SKU gets it: what is listed is the item's price, and
/// an item that a store shows twice costs the same in both places.
pub(super) fn price(
    flow: &Flow,
    snapshot: &Snapshot,
    listed: &ListPrice,
    facts: &Facts,
    view: &Value,
    edits: &Edits<'_>,
) -> Result<PriceDocument, Decision> {
    if facts.variants.is_empty() {
        // It was sold when the price was read.
        return Err(Decision::Ignore { rule: "not-sold".to_owned() });
    }
    if let Some(theirs) = facts.currency.filter(|theirs| *theirs != listed.currency) {
        let message = format!("the price is in {}, and the store sells in {theirs}", listed.currency);
        return Err(Unfit::new("currency", "currency", message).into());
    }
    let Some(value) = fields(&flow.fields, view, edits, "")?.remove(PRICE) else {
        // The map says `skip` where there is nothing.
        return Err(Decision::Ignore { rule: format!("skip:{}", flow.name) });
    };
    Ok(PriceDocument {
        key: ObjectKey::new(&snapshot.key, "price"),
        sku: listed.sku.clone(),
        variants: facts.variants.iter().map(|one| one.variant.clone()).collect(),
        price: in_smallest_units(&value, listed)?,
    })
}

/// What a map gave, with as many digits behind the point as the currency has. It is not rounded here: which way would be
/// a rule of the business.
fn in_smallest_units(value: &FieldValue, listed: &ListPrice) -> Result<Decimal, Unfit> {
    let unfit = |what: &str| Unfit::new("map_error", PRICE, format!("{}: {what}", value.to_text()));
    let amount = match value {
        FieldValue::Number(amount) => Some(*amount),
        FieldValue::Text(text) => Decimal::from_str_exact(text.expose().trim()).ok(),
        FieldValue::Null | FieldValue::Bool(_) | FieldValue::Time(_) => None,
    };
    let mut amount = amount.ok_or_else(|| unfit("this is no price"))?.normalize();
    let (currency, digits) = (listed.currency, listed.currency.exponent());
    if amount < Decimal::ZERO {
        return Err(unfit("a price is not below zero"));
    }
    if amount.scale() > digits {
        return Err(unfit(&format!("finer than {currency} can be paid; write round(…, {digits}) in the map")));
    }
    amount.rescale(digits);
    Ok(amount)
}

/// Whether the store shows another price than a document wants: somebody changed it there. The price is its owner's, so
/// that it is written again.
pub(super) fn was_changed_there(document: &Document, facts: &Facts) -> bool {
    match document {
        Document::Price(document) => facts.variants.iter().any(|one| one.price != document.price),
        Document::Order(_)
        | Document::Customer(_)
        | Document::Refund(_)
        | Document::Shipment(_)
        | Document::Stock(_)
        | Document::Incident(_) => false,
    }
}
