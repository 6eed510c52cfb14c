//! What expressions see of a snapshot.

use minijinja::{
    Value, context,
    value::{Serde, merge_maps},
};
use rust_decimal::Decimal;
use serde::Serialize;
use waybill_domain::{
    Body, Personal, Snapshot,
    order::{FinancialStatus, Order, OrderLine, Refund, TaxLine},
    price::ListPrice,
};

use crate::{Plan, decide::CustomerTotals, expression::Amount, schema};

fn amount(value: Decimal) -> Value {
    Value::from_object(Amount(value))
}

/// The e-mail by which an order's buyer is one person: the customer's, else the one given at checkout; lower-case,
/// trimmed, empty if there is none.
pub fn person_email(order: &Order) -> Personal {
    let customers = order.customer.as_ref().map(|person| person.email.expose().trim()).unwrap_or_default();
    let email = if customers.is_empty() { order.email.expose().trim() } else { customers };
    Personal::new(email.to_lowercase())
}

/// Whether the money was captured, if only in part of it now: what can be booked.
fn captured(order: &Order) -> bool {
    matches!(
        order.financial_status,
        FinancialStatus::Paid | FinancialStatus::PartiallyRefunded | FinancialStatus::Refunded
    )
}

/// Units sold: ordered, less those that an edit took off again. What was refunded stays sold: a refund is a record
/// of its own.
pub(crate) fn sold_quantity(order: &Order, line: &OrderLine) -> i64 {
    let refunded: i64 = order
        .refunds
        .iter()
        .flat_map(|refund| &refund.lines)
        .filter(|refund| refund.line_id == line.id)
        .map(|refund| refund.quantity)
        .sum();
    line.current_quantity.saturating_add(refunded).min(line.quantity)
}

fn order(order: &Order) -> Value {
    let totals = &order.totals;
    let refunded: Decimal = order.refunds.iter().filter_map(|r| r.refunded).map(|r| r.shop.amount).sum();
    let extras = context! {
        cancelled => order.cancelled_at.is_some(),
        captured => captured(order),
        requires_shipping => order.lines.iter().any(|line| line.requires_shipping && sold_quantity(order, line) > 0),
        person_email => person_email(order).expose(),
        country => order.shipping_address.as_ref().or(order.billing_address.as_ref())
            .map(|address| address.country_code.as_str()).unwrap_or_default(),
        shipping_method => order.shipping_lines.iter().find(|line| !line.removed)
            .map(|line| line.title.as_str()).unwrap_or_default(),
        total => amount(totals.total.shop.amount),
        current_total => amount(totals.current_total.shop.amount),
        subtotal => amount(totals.lines.shop.amount),
        discount_total => amount(totals.discounts.shop.amount),
        shipping_total => amount(totals.shipping.shop.amount),
        tax_total => amount(totals.tax.shop.amount),
        refunded_total => amount(refunded),
    };
    merge_maps([extras, Value::from(Serde(order))])
}

/// The customer's totals for expressions.
fn totals(totals: Option<&CustomerTotals>) -> Value {
    match totals {
        None => context! { orders => 0, spent => amount(Decimal::ZERO), last_order_at => Value::from(()) },
        Some(totals) => context! {
            orders => totals.orders,
            spent => amount(totals.spent),
            last_order_at => totals.last_order_at.map(|time| time.to_string()),
        },
    }
}

fn refund(refund: &Refund) -> Value {
    let total = refund.refunded.map_or(Decimal::ZERO, |refunded| refunded.shop.amount);
    merge_maps([context! { total => amount(total) }, Value::from(Serde(refund))])
}

fn price(price: &ListPrice) -> Value {
    let ListPrice { sku, currency, amount: listed, category } = price;
    context! {
        sku => sku.as_str(),
        currency => currency.as_str(),
        amount => amount(*listed),
        category => category.as_deref(),
    }
}

/// The view of a snapshot: its body under its kind (`order`, `customer`, `shipment`, …), `store`, `channel`, `totals`.
pub(crate) fn of(plan: &Plan, snapshot: &Snapshot, customer_totals: Option<&CustomerTotals>) -> Value {
    let body = match &snapshot.body {
        None => Value::from(()),
        Some(Body::Order(body)) => order(body),
        Some(Body::Customer(body)) => Value::from(Serde(body)),
        Some(Body::Product(body)) => Value::from(Serde(body)),
        Some(Body::InventoryLevel(body)) => Value::from(Serde(body)),
        Some(Body::Fulfilment(body)) => Value::from(Serde(body)),
        Some(Body::Refund(body)) => refund(body),
        Some(Body::Shipment(body)) => Value::from(Serde(body)),
        Some(Body::StockLevel(body)) => Value::from(Serde(body)),
        Some(Body::Price(body)) => price(body),
        Some(Body::Incident(body)) => Value::from(Serde(body)),
    };
    let store = &snapshot.key.store;
    Value::from_pairs([
        (schema::variable(snapshot.key.kind), body),
        ("store".to_owned(), Value::from(store.as_str())),
        ("channel".to_owned(), Value::from(plan.channel(store))),
        ("totals".to_owned(), totals(customer_totals)),
        ("tables".to_owned(), plan.tables.clone()),
    ])
}

/// The view with one more name, which outdoes one of before.
pub(crate) fn with(view: &Value, name: &'static str, value: Value) -> Value {
    merge_maps([Value::from_pairs([(name, value)]), view.clone()])
}

/// A line as expressions see it.
pub(crate) fn line(line: &impl Serialize) -> Value {
    Value::from(Serde(line))
}

/// A tax as expressions see it.
pub(crate) fn tax(tax: &TaxLine) -> Value {
    context! { title => tax.title.as_str(), rate => amount(tax.rate.normalize()) }
}
