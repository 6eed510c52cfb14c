//! Orders as a plan makes them for ShipStation.

use rust_decimal::Decimal;
use waybill_domain::{
    ObjectKey, Personal, RecordKey,
    customer::Address,
    document::{FieldValue, LineDocument, OrderDocument},
    names::Kind,
};

/// The record of the order with this number.
pub(crate) fn record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: n.to_string().parse().unwrap() }
}

/// An order of two shirts and a mug to an address in California; every number another one.
pub(crate) fn order(n: usize) -> OrderDocument {
    let record = record(n);
    OrderDocument {
        key: ObjectKey::new(&record, "order"),
        store: record.store.clone(),
        source_id: record.id.clone(),
        name: format!("#{n}"),
        placed_at: "2026-11-20T09:30:00Z".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        cancelled: false,
        customer: None,
        billing_address: None,
        shipping_address: Some(address()),
        lines: vec![line(n, 1, "TEE-M", 2), line(n, 2, "MUG", 1)],
        charges: Vec::new(),
        total: Decimal::new(4125, 2),
        total_tax: Decimal::new(375, 2),
        fields: [].into(),
        policy: Default::default(),
    }
}

pub(crate) fn line(order: usize, n: usize, item: &str, quantity: i64) -> LineDocument {
    let unit_price = Decimal::new(1250, 2);
    LineDocument {
        key: ObjectKey::new(&record(order), &format!("line-{n}")),
        source_id: format!("{order}0{n}").parse().unwrap(),
        item: item.to_owned(),
        title: format!("Item {item}"),
        quantity,
        unit_price,
        discount: Decimal::ZERO,
        net: unit_price * Decimal::from(quantity),
        tax: Decimal::new(125, 2),
        tax_codes: Vec::new(),
        requires_shipping: true,
        grams: 150,
    }
}

pub(crate) fn address() -> Address {
    Address {
        first_name: "Amanda".into(),
        last_name: "Miller".into(),
        address1: "525 S Winchester Blvd".into(),
        city: "San Jose".into(),
        zip: "95128".into(),
        province: "California".to_owned(),
        province_code: "CA".to_owned(),
        country: "United States".to_owned(),
        country_code: "US".to_owned(),
        phone: "555-555-5555".into(),
        ..Address::default()
    }
}

/// The same order to an address with one part changed.
pub(crate) fn to(mut order: OrderDocument, change: impl FnOnce(&mut Address)) -> OrderDocument {
    change(order.shipping_address.as_mut().unwrap());
    order
}

/// The same order with a mapped field.
pub(crate) fn mapped(mut order: OrderDocument, name: &str, value: &str) -> OrderDocument {
    order.fields.insert(name.to_owned(), FieldValue::Text(Personal::from(value)));
    order
}

pub(crate) fn cancelled(mut order: OrderDocument) -> OrderDocument {
    order.cancelled = true;
    order
}
