//! What leaves for a sale and what comes back: shipments and returns, and their ways.

use rust_decimal::Decimal;

use super::{
    context::Context,
    read,
    schema::{self, Model},
    stock,
    store::{Record, Store},
    value::{Id, Value},
};

/// Which way a parcel goes: its model, and the field of the moves that belong to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Out,
    Back,
}

impl Way {
    const fn model(self) -> &'static str {
        match self {
            Self::Out => "stock.shipment.out",
            Self::Back => "stock.shipment.out.return",
        }
    }

    const fn of_move(self) -> &'static str {
        match self {
            Self::Out => "shipment",
            Self::Back => "return",
        }
    }
}

/// `sale.sale.create_shipment`: one parcel for the lines that go this way.
pub(super) fn create(store: &mut Store, context: &Context, sale: Id, way: Way, lines: &[Id]) {
    let sales = schema::known("sale.sale");
    let of_sale = |store: &Store, field: &str| store.value(sales, sale, field);
    let customer = match of_sale(store, "shipment_party") {
        Value::Null => of_sale(store, "party"),
        other => other,
    };
    let model = schema::known(way.model());
    let number = store.number(model);
    let mut record = Record::from([
        ("customer", customer.clone()),
        ("number", number),
        ("warehouse", of_sale(store, "warehouse")),
        ("~sale", Value::Integer(sale)),
    ]);
    match way {
        Way::Out => {
            record.insert("delivery_address", of_sale(store, "shipment_address"));
            record.insert("state", Value::text("waiting"));
        }
        Way::Back => {
            record.insert("contact_address", first_address(store, context, &customer));
            record.insert("state", Value::text("draft"));
        }
    }
    let parcel = store.insert(model, record);
    for line in lines {
        let of_line = |field: &str| store.value(schema::known("sale.line"), *line, field);
        let quantity = of_line("quantity").as_decimal().unwrap_or_default().abs();
        let moved = Record::from([
            ("product", of_line("product")),
            ("quantity", Value::Float(quantity)),
            (way.of_move(), Value::Integer(parcel)),
        ]);
        store.insert(schema::known("-stock.move"), moved);
    }
}

/// `party.party.address_get`.
fn first_address(store: &Store, context: &Context, party: &Value) -> Value {
    let parties = schema::known("party.party");
    let Value::Integer(party) = party else { return Value::Null };
    match read::value(store, context, parties, *party, parties.known("addresses")) {
        Value::Ids(ids) => Value::reference(ids.first().copied()),
        _ => Value::Null,
    }
}

/// A shipment's way: waiting → assigned → picked → packed → shipped → done.
pub(super) fn ship(store: &mut Store, context: &Context, shipment: Id, button: &str) {
    let model = schema::known(Way::Out.model());
    let (storage, output) =
        (zone(store, model, shipment, "storage_location"), zone(store, model, shipment, "output_location"));
    let moves = moves(store, Way::Out, shipment);
    let was = state(store, model, shipment);
    let picked = ["picked", "packed", "shipped"].contains(&was.as_str());
    let next = match button {
        "assign_try" => {
            let there = Context { locations: vec![storage], ..context.clone() };
            let enough = moves.iter().all(|(product, quantity)| stock::quantity(store, &there, *product) >= *quantity);
            if was != "waiting" || !enough {
                return;
            }
            "assigned"
        }
        "pick" | "pack" => {
            if !picked {
                carry(store, &moves, Some(storage), Some(output));
            }
            if button == "pick" { "picked" } else { "packed" }
        }
        "ship" => "shipped",
        "do" => {
            carry(store, &moves, Some(output), None);
            "done"
        }
        _ => "waiting",
    };
    store.set(model, shipment, "state", Value::text(next));
    tell_sale(store, model, shipment);
}

/// A return's way: draft → received → done.
pub(super) fn take_back(store: &mut Store, parcel: Id, button: &str) {
    let model = schema::known(Way::Back.model());
    let (storage, input) =
        (zone(store, model, parcel, "storage_location"), zone(store, model, parcel, "input_location"));
    let moves = moves(store, Way::Back, parcel);
    let next = if button == "receive" {
        carry(store, &moves, None, Some(input));
        "received"
    } else {
        carry(store, &moves, Some(input), Some(storage));
        "done"
    };
    store.set(model, parcel, "state", Value::text(next));
    tell_sale(store, model, parcel);
}

/// Moves goods from one place to another; what is outside of the warehouse is not counted.
fn carry(store: &mut Store, moves: &[(Id, Decimal)], from: Option<Id>, to: Option<Id>) {
    for (product, quantity) in moves {
        for (place, units) in [(from, -*quantity), (to, *quantity)] {
            if let Some(place) = place {
                stock::add(store, *product, place, units);
            }
        }
    }
}

/// `sale.sale.get_shipment_state`: what went and came through the customer's door.
fn tell_sale(store: &mut Store, model: &Model, parcel: Id) {
    let Value::Integer(sale) = store.value(model, parcel, "~sale") else { return };
    let done = |store: &Store, way: Way, ends: &[&str]| -> Vec<bool> {
        let model = schema::known(way.model());
        let parcels = store.pointing_to(model.name, "~sale", sale);
        parcels.into_iter().map(|id| ends.contains(&state(store, model, id).as_str())).collect()
    };
    let mut all = done(store, Way::Out, &["done"]);
    all.extend(done(store, Way::Back, &["received", "done"]));
    let word = match (all.iter().all(|done| *done), all.contains(&true)) {
        (true, _) => "sent",
        (_, true) => "partially shipped",
        _ => "waiting",
    };
    store.set(schema::known("sale.sale"), sale, "shipment_state", Value::text(word));
}

fn state(store: &Store, model: &Model, id: Id) -> String {
    store.value(model, id, "state").as_text().unwrap_or_default().to_owned()
}

fn zone(store: &Store, model: &Model, parcel: Id, zone: &str) -> Id {
    stock::zone(store, store.value(model, parcel, "warehouse").as_id().unwrap_or_default(), zone)
}

fn moves(store: &Store, way: Way, parcel: Id) -> Vec<(Id, Decimal)> {
    let model = schema::known("-stock.move");
    store
        .pointing_to(model.name, way.of_move(), parcel)
        .into_iter()
        .filter_map(|id| {
            Some((store.value(model, id, "product").as_id()?, store.value(model, id, "quantity").as_decimal()?))
        })
        .collect()
}
