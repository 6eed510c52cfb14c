//! What of a record webhooks and API both carry, hashed, so that the same state has the same hash on both ways.

use waybill_domain::{
    Body, Money, MoneyPair,
    customer::Customer,
    order::{Order, OrderLine, Refund, TaxLine},
    product::Product,
};

use crate::amount;

/// SHA-256 over the part of a record that webhooks and GraphQL answers both carry, in one form.
///
/// Left out: a line's weight, which the answer has as a floating-point number in a unit of its own. Set to one form:
/// the scale of amounts, zero where it means absent, the order of tags. What a webhook lacks is to be carried over
/// first ([`Whole::carry_over`](super::Whole::carry_over)): a customer's tags and consent then count, so that a
/// change of them, which only a read shows, is a change.
pub fn content_hash(body: &Body) -> [u8; 32] {
    let mut body = body.clone();
    match &mut body {
        Body::Order(record) => order(record),
        Body::Customer(record) => customer(record),
        Body::Product(record) => product(record),
        Body::Refund(record) => refund(record),
        // These hold whole numbers and words only.
        Body::InventoryLevel(_) | Body::Fulfilment(_) | Body::Shipment(_) | Body::StockLevel(_) | Body::Incident(_) => {
        }
        // No webhook carries one.
        Body::Price(_) => {}
    }
    body.content_hash()
}

fn order(order: &mut Order) {
    order.tags.sort_unstable();
    order.lines.iter_mut().for_each(line);
    for shipping in &mut order.shipping_lines {
        pair(&mut shipping.price);
        pair(&mut shipping.discounted_price);
        shipping.taxes.iter_mut().for_each(tax);
    }
    order.refunds.iter_mut().for_each(refund);
    let totals = &mut order.totals;
    for total in [
        &mut totals.lines,
        &mut totals.discounts,
        &mut totals.shipping,
        &mut totals.tax,
        &mut totals.tip,
        &mut totals.total,
        &mut totals.current_total,
    ] {
        pair(total);
    }
    for total in [&mut totals.duties, &mut totals.additional_fees, &mut totals.cash_rounding] {
        optional(total);
    }
}

fn line(line: &mut OrderLine) {
    line.grams = 0;
    pair(&mut line.unit_price);
    pair(&mut line.discount);
    line.taxes.iter_mut().for_each(tax);
    line.duties.iter_mut().for_each(pair);
}

fn tax(tax: &mut TaxLine) {
    tax.rate = amount::plain(tax.rate);
    pair(&mut tax.amount);
}

fn refund(refund: &mut Refund) {
    optional(&mut refund.refunded);
    for line in &mut refund.lines {
        line.taxes.iter_mut().for_each(tax);
        pair(&mut line.subtotal);
        pair(&mut line.tax);
    }
}

fn customer(customer: &mut Customer) {
    customer.tags.sort_unstable();
}

fn product(product: &mut Product) {
    product.tags.sort_unstable();
    for variant in &mut product.variants {
        variant.price = amount::price(variant.price);
    }
}

fn optional(total: &mut Option<MoneyPair>) {
    *total = total.and_then(amount::some);
    if let Some(total) = total {
        pair(total);
    }
}

fn pair(pair: &mut MoneyPair) {
    let one_form = |money: Money| amount::money(money.amount, money.currency);
    *pair = MoneyPair { shop: one_form(pair.shop), presentment: one_form(pair.presentment) };
}
