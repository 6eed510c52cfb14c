//! Fulfilments: whole in themselves, and a change of their order.

use waybill_domain::{
    Body, Kind, RecordId,
    shipment::{Fulfilment, ParcelLine},
};

use super::{
    Parsed, Problem, Whole,
    json::{Node, Read},
};

pub(super) fn read(root: &Node<'_, '_>, id: RecordId) -> Read<Parsed> {
    let order = root.at("order_id");
    let order_id = order.id("Order")?.ok_or_else(|| order.wrong(Problem::Missing))?;
    let mut tracking_numbers = root.at("tracking_numbers").items(|number| number.text())?;
    if tracking_numbers.is_empty() {
        tracking_numbers.push(root.at("tracking_number").text()?);
    }
    tracking_numbers.retain(|number| !number.is_empty());
    let fulfilment = Fulfilment {
        id: id.clone(),
        order_id: order_id.clone(),
        status: root.at("status").word()?,
        location_id: root.at("location_id").id("Location")?,
        tracking_company: root.at("tracking_company").text()?,
        tracking_numbers,
        lines: root.at("line_items").items(|line| {
            Ok(ParcelLine {
                line_id: line.own_id("LineItem")?.to_string(),
                sku: line.at("sku").text()?,
                quantity: line.at("quantity").quantity()?,
            })
        })?,
    };
    let whole =
        Whole { id, body: Body::Fulfilment(fulfilment), source_updated_at: root.at("updated_at").time()?, lacks: &[] };
    Ok(Parsed::Several(vec![Parsed::Whole(Box::new(whole)), Parsed::Refetch { kind: Kind::Order, id: order_id }]))
}
