//! What lies where: `stock.move.compute_quantities` of done moves, kept as sums.

use rust_decimal::Decimal;

use super::{
    context::Context,
    schema::{self, Model},
    store::{Record, Store},
    value::{Id, Value},
};

fn levels() -> &'static Model {
    schema::known("-stock.level")
}

fn level(store: &Store, product: Id, location: Id) -> Option<Id> {
    store
        .pointing_to("-stock.level", "product", product)
        .into_iter()
        .find(|id| store.value(levels(), *id, "location") == Value::Integer(location))
}

/// What lies at one location itself.
fn at(store: &Store, product: Id, location: Id) -> Decimal {
    level(store, product, location)
        .and_then(|id| store.value(levels(), id, "quantity").as_decimal())
        .unwrap_or_default()
}

/// Adds to what lies at a location.
pub(super) fn add(store: &mut Store, product: Id, location: Id, quantity: Decimal) {
    let sum = Value::Float(at(store, product, location) + quantity);
    match level(store, product, location) {
        Some(id) => store.set(levels(), id, "quantity", sum),
        None => {
            store.insert(
                levels(),
                Record::from([
                    ("product", Value::Integer(product)),
                    ("location", Value::Integer(location)),
                    ("quantity", sum),
                ]),
            );
        }
    }
}

/// Sets what lies at a location.
pub(super) fn count(store: &mut Store, product: Id, location: Id, quantity: Decimal) {
    let missing = quantity - at(store, product, location);
    add(store, product, location, missing);
}

/// The locations of the context, with their children if there is one location or if they are asked for.
fn places(store: &Store, context: &Context) -> Vec<Id> {
    let mut places = context.locations.clone();
    if context.with_childs.unwrap_or(places.len() == 1) {
        let mut next = 0;
        while next < places.len() {
            let children = store.pointing_to("stock.location", "parent", places[next]);
            places.extend(children.into_iter().filter(|child| !places.contains(child)).collect::<Vec<_>>());
            next += 1;
        }
    }
    places
}

/// `product.product.quantity`: what lies at the context's locations.
pub(super) fn quantity(store: &Store, context: &Context, product: Id) -> Decimal {
    places(store, context).into_iter().map(|location| at(store, product, location)).sum()
}

/// `product.product.forecast_quantity`: the same less what shipments from there will take, and with what returns will
/// bring.
pub(super) fn forecast(store: &Store, context: &Context, product: Id) -> Decimal {
    let moves = schema::known("-stock.move");
    let places = places(store, context);
    let coming = |id: Id| {
        let open = |model: &'static str, field: &str, ends: &[&str]| {
            let parcel = store.value(moves, id, field).as_id()?;
            let of_parcel = |field: &str| store.value(schema::known(model), parcel, field);
            let is_over = ends.iter().any(|end| of_parcel("state") == Value::text(*end));
            (!is_over && places.contains(&of_parcel("warehouse").as_id()?)).then_some(())
        };
        let quantity = store.value(moves, id, "quantity").as_decimal()?;
        let leaves = open("stock.shipment.out", "shipment", &["done", "cancelled"]).map(|()| -quantity);
        leaves.or_else(|| {
            open("stock.shipment.out.return", "return", &["received", "done", "cancelled"]).map(|()| quantity)
        })
    };
    let all = store.pointing_to("-stock.move", "product", product);
    quantity(store, context, product) + all.into_iter().filter_map(coming).sum::<Decimal>()
}

/// A warehouse's zone: `input_location`, `storage_location`, `output_location`.
pub(super) fn zone(store: &Store, warehouse: Id, zone: &str) -> Id {
    store.value(schema::known("stock.location"), warehouse, zone).as_id().unwrap_or(warehouse)
}
