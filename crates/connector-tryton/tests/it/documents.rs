//! Orders and customers as the plan makes them.

use rust_decimal::{Decimal, RoundingStrategy};
use waybill_domain::{
    ObjectKey,
    customer::Address,
    document::{
        ChargeDocument, CustomerDocument, FieldValue, Fields, LineDocument, OrderDocument, RefundDocument,
        RefundedLineDocument,
    },
    names::{Kind, RecordKey},
};

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Which order.
pub(crate) fn order_record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: (1000 + n as u64).into() }
}

/// Which customer.
pub(crate) fn customer_record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::Customer, id: (5000 + n as u64).into() }
}

pub(crate) fn customer(n: usize) -> CustomerDocument {
    CustomerDocument {
        key: ObjectKey::new(&customer_record(n), "customer"),
        source_id: Some(customer_record(n).id),
        first_name: "Jane".into(),
        last_name: format!("Roe{n}").into(),
        email: format!("jane{n}@example.com").into(),
        phone: "+49301234567".into(),
        fields: Fields::new(),
        policy: Default::default(),
    }
}

pub(crate) fn address(street: &str) -> Address {
    Address {
        first_name: "Jane".into(),
        last_name: "Roe".into(),
        address1: street.into(),
        city: "Berlin".into(),
        zip: "10115".into(),
        country: "Germany".into(),
        country_code: "DE".into(),
        ..Address::default()
    }
}

/// Two shirts with a discount, three mugs and shipping: 75.63.
pub(crate) fn order(n: usize) -> OrderDocument {
    let record = order_record(n);
    let mut order = OrderDocument {
        key: ObjectKey::new(&record, "order"),
        store: record.store.clone(),
        source_id: record.id.clone(),
        name: format!("#{}", 1000 + n),
        placed_at: "2026-10-01T10:00:00Z".parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        cancelled: false,
        customer: Some(customer(n)),
        billing_address: Some(address("Hauptstraße 1")),
        shipping_address: Some(address("Nebenstraße 2")),
        lines: Vec::new(),
        charges: Vec::new(),
        total: Decimal::ZERO,
        total_tax: Decimal::ZERO,
        fields: Fields::from([("comment".to_owned(), FieldValue::Text("leave at the door".into()))]),
        policy: Default::default(),
    };
    order = with_line(order, "TEE-M", 2, "20.00", "3.00", Some("VAT 19 %"));
    order = with_line(order, "MUG", 3, "7.99", "0", Some("VAT 7 %"));
    with_shipping(order, "5.00")
}

/// An order without lines yet.
pub(crate) fn empty_order(n: usize) -> OrderDocument {
    let full = order(n);
    OrderDocument { lines: Vec::new(), charges: Vec::new(), total: Decimal::ZERO, total_tax: Decimal::ZERO, ..full }
}

pub(crate) fn with_line(
    mut order: OrderDocument,
    item: &str,
    quantity: i64,
    unit_price: &str,
    discount: &str,
    tax: Option<&str>,
) -> OrderDocument {
    let at = order.lines.len();
    let (unit_price, discount) = (decimal(unit_price), decimal(discount));
    let net = unit_price * Decimal::from(quantity) - discount;
    let tax_amount = tax.map_or(Decimal::ZERO, |name| taxed(net, name));
    order.lines.push(LineDocument {
        key: ObjectKey::new(&record_of(&order), &format!("line-{at}")),
        source_id: (at as u64 + 1).into(),
        item: item.to_owned(),
        title: format!("{item} as the buyer saw it"),
        quantity,
        unit_price,
        discount,
        net,
        tax: tax_amount,
        tax_codes: tax.map(str::to_owned).into_iter().collect(),
        requires_shipping: true,
        grams: 200,
    });
    totalled(order)
}

pub(crate) fn with_shipping(mut order: OrderDocument, net: &str) -> OrderDocument {
    let net = decimal(net);
    order.charges.push(ChargeDocument {
        key: ObjectKey::new(&record_of(&order), "shipping-1"),
        item: "SHIPPING".to_owned(),
        title: "Standard".to_owned(),
        net,
        tax: taxed(net, "VAT 19 %"),
        tax_codes: vec!["VAT 19 %".to_owned()],
    });
    totalled(order)
}

/// The document with totals that its lines add up to.
pub(crate) fn totalled(mut order: OrderDocument) -> OrderDocument {
    let taxes = order.lines.iter().map(|line| line.tax).chain(order.charges.iter().map(|charge| charge.tax));
    let nets = order.lines.iter().map(|line| line.net).chain(order.charges.iter().map(|charge| charge.net));
    order.total_tax = taxes.sum();
    order.total = nets.sum::<Decimal>() + order.total_tax;
    order
}

pub(crate) fn with_comment(mut order: OrderDocument, comment: &str) -> OrderDocument {
    order.fields.insert("comment".to_owned(), FieldValue::Text(comment.into()));
    order
}

/// Which refund.
pub(crate) fn refund_record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::Refund, id: (9000 + n as u64).into() }
}

/// A refund of an order that gives nothing back yet.
pub(crate) fn empty_refund(n: usize, order: &OrderDocument) -> RefundDocument {
    let record = refund_record(n);
    RefundDocument {
        key: ObjectKey::new(&record, "refund"),
        order_key: order.key.clone(),
        source_id: record.id,
        order_source_id: order.source_id.clone(),
        refunded_at: "2026-10-05T10:00:00Z".parse().unwrap(),
        currency: order.currency,
        lines: Vec::new(),
        charges: Vec::new(),
        total: Decimal::ZERO,
        total_tax: Decimal::ZERO,
        fields: Fields::from([("comment".to_owned(), FieldValue::Text("too small".into()))]),
        policy: Default::default(),
    }
}

/// One shirt and half of the shipping: 24.99.
pub(crate) fn refund(n: usize, order: &OrderDocument) -> RefundDocument {
    let refund = with_returned(empty_refund(n, order), "TEE-M", 1, "18.50", Some("VAT 19 %"));
    with_given_back(refund, "2.50")
}

pub(crate) fn with_returned(
    mut refund: RefundDocument,
    item: &str,
    quantity: i64,
    net: &str,
    tax: Option<&str>,
) -> RefundDocument {
    let at = refund.lines.len();
    let net = decimal(net);
    refund.lines.push(RefundedLineDocument {
        key: ObjectKey::new(&refund_record(0), &format!("line-{at}")),
        source_id: (at as u64 + 1).into(),
        item: item.to_owned(),
        title: format!("{item} as the buyer saw it"),
        quantity,
        net,
        tax: tax.map_or(Decimal::ZERO, |name| taxed(net, name)),
        tax_codes: tax.map(str::to_owned).into_iter().collect(),
    });
    refund_totalled(refund)
}

/// Shipping that goes back; below 0 it is kept back.
pub(crate) fn with_given_back(mut refund: RefundDocument, net: &str) -> RefundDocument {
    let net = decimal(net);
    refund.charges.push(ChargeDocument {
        key: ObjectKey::new(&refund_record(0), &format!("shipping-{}", refund.charges.len())),
        item: "SHIPPING".to_owned(),
        title: "Standard".to_owned(),
        net,
        tax: taxed(net, "VAT 19 %"),
        tax_codes: vec!["VAT 19 %".to_owned()],
    });
    refund_totalled(refund)
}

fn refund_totalled(mut refund: RefundDocument) -> RefundDocument {
    let taxes = refund.lines.iter().map(|line| line.tax).chain(refund.charges.iter().map(|charge| charge.tax));
    let nets = refund.lines.iter().map(|line| line.net).chain(refund.charges.iter().map(|charge| charge.net));
    refund.total_tax = taxes.sum();
    refund.total = nets.sum::<Decimal>() + refund.total_tax;
    refund
}

fn record_of(order: &OrderDocument) -> RecordKey {
    RecordKey { store: order.store.clone(), kind: Kind::Order, id: order.source_id.clone() }
}

/// A line's tax as a store computes it: rounded on the line.
fn taxed(net: Decimal, name: &str) -> Decimal {
    let rate = decimal(if name == "VAT 7 %" { "0.07" } else { "0.19" });
    (net * rate).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}
