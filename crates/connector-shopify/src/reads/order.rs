//! Orders.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use waybill_connector::Failure;
use waybill_domain::{
    Body, Currency, MoneyPair, RecordId,
    order::{FinancialStatus, Order, OrderLine, OrderTotals, Refund, RefundLine, ShippingLine, TaxLine},
};

use super::{Fetched, address, id, person};
use crate::{amount, wire};

/// A whole order, its further pages and its refunds' lines already read into it.
pub(crate) fn order(answer: wire::Order) -> Result<Fetched, Failure> {
    let order_id = id("Order", &answer.id)?;
    let zero = amount::zero(answer.currency_code, answer.presentment_currency_code);
    let lines = all(answer.line_items.nodes, line)?;
    let totals = OrderTotals {
        lines: lines_total(&lines, zero)?,
        discounts: answer.total_discounts_set.map_or(zero, pair),
        shipping: pair(answer.total_shipping_price_set),
        tax: answer.total_tax_set.map_or(zero, pair),
        duties: answer.original_total_duties_set.map(pair).and_then(amount::some),
        tip: pair(answer.total_tip_received_set),
        additional_fees: answer.original_total_additional_fees_set.map(pair).and_then(amount::some),
        cash_rounding: amount::some(pair(answer.total_cash_rounding_adjustment.payment_set)),
        total: pair(answer.total_price_set),
        current_total: pair(answer.current_total_price_set),
    };
    let order = Order {
        name: answer.name,
        created_at: answer.created_at,
        processed_at: answer.processed_at,
        cancelled_at: answer.cancelled_at,
        cancel_reason: answer.cancel_reason.map(|reason| reason.to_ascii_lowercase()),
        closed_at: answer.closed_at,
        currency: answer.currency_code,
        presentment_currency: answer.presentment_currency_code,
        financial_status: FinancialStatus::from_word(answer.display_financial_status.as_deref().unwrap_or_default()),
        fulfillment_status: fulfillment_status(&answer.display_fulfillment_status, &lines).to_owned(),
        taxes_included: answer.taxes_included,
        test: answer.test,
        source_name: answer.source_name.unwrap_or_default(),
        tags: answer.tags,
        note: answer.note.unwrap_or_default(),
        locale: answer.customer_locale.unwrap_or_default(),
        customer: answer.customer.map(person).transpose()?,
        email: answer.email.unwrap_or_default(),
        phone: answer.phone.unwrap_or_default(),
        billing_address: answer.billing_address.map(address),
        shipping_address: answer.shipping_address.map(address),
        shipping_lines: all(answer.shipping_lines.nodes, shipping_line)?,
        refunds: all(answer.refunds, |answer| refund(answer, &order_id, &lines))?,
        lines,
        totals,
        id: order_id,
    };
    Ok(Fetched { body: Body::Order(Box::new(order)), source_updated_at: answer.updated_at })
}

fn all<A, T>(answers: Vec<A>, read: impl Fn(A) -> Result<T, Failure>) -> Result<Vec<T>, Failure> {
    answers.into_iter().map(read).collect()
}

/// The webhook's word for what GraphQL tells in more words. Webhooks know `fulfilled`, `partial`, `restocked` and
/// nothing; GraphQL's words for what happens to the rest (on hold, scheduled, in progress) hide whether some of the
/// order is fulfilled already, which the lines tell.
fn fulfillment_status(display: &str, lines: &[OrderLine]) -> &'static str {
    match display {
        "FULFILLED" => "fulfilled",
        "PARTIALLY_FULFILLED" => "partial",
        "RESTOCKED" => "restocked",
        "UNFULFILLED" | "OPEN" => "",
        _ if lines.iter().any(|line| line.fulfillable_quantity < line.current_quantity) => "partial",
        _ => "",
    }
}

fn line(answer: wire::LineItem) -> Result<OrderLine, Failure> {
    let mut taxes = all(answer.tax_lines, tax)?;
    let mut duties = Vec::with_capacity(answer.duties.len());
    for duty in answer.duties {
        taxes.extend(all(duty.tax_lines, tax)?);
        duties.push(pair(duty.price));
    }
    Ok(OrderLine {
        id: id("LineItem", &answer.id)?,
        variant_id: answer.variant.map(|variant| id("ProductVariant", &variant.id)).transpose()?,
        product_id: answer.product.map(|product| id("Product", &product.id)).transpose()?,
        sku: answer.sku.unwrap_or_default(),
        title: answer.title,
        quantity: answer.quantity,
        current_quantity: answer.current_quantity,
        fulfillable_quantity: answer.unfulfilled_quantity,
        unit_price: pair(answer.original_unit_price_set),
        discount: discount(&answer.discount_allocations, answer.total_discount_set)?,
        taxes,
        duties,
        requires_shipping: answer.requires_shipping,
        gift_card: answer.is_gift_card,
        grams: answer.weight.map_or(Ok(0), |weight| grams(weight.unit, &weight.value))?,
    })
}

fn discount(allocations: &[wire::Allocation], stated: wire::MoneyBag) -> Result<MoneyPair, Failure> {
    let mut allocated = allocations.iter().map(|allocation| pair(allocation.allocated_amount_set));
    let Some(first) = allocated.next() else {
        return Ok(pair(stated));
    };
    allocated.try_fold(first, amount::plus).ok_or_else(|| too_large("a line's discounts"))
}

/// Whole grams. Source of the factors: the international avoirdupois pound is 0.45359237 kg.
fn grams(unit: wire::WeightUnit, value: &serde_json::Number) -> Result<i64, Failure> {
    let in_grams = match unit {
        wire::WeightUnit::Grams => Decimal::ONE,
        wire::WeightUnit::Kilograms => Decimal::ONE_THOUSAND,
        wire::WeightUnit::Pounds => Decimal::new(45_359_237, 5),
        wire::WeightUnit::Ounces => Decimal::new(28_349_523_125, 9),
    };
    wire::float(value)
        .and_then(|value| value.checked_mul(in_grams))
        .and_then(|grams| grams.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).to_i64())
        .ok_or_else(|| too_large("a line's weight"))
}

fn tax(answer: wire::TaxLine) -> Result<TaxLine, Failure> {
    let rate = answer.rate.as_ref().map_or(Some(Decimal::ZERO), wire::float);
    let rate = rate.map(amount::plain).ok_or_else(|| too_large("a tax rate"))?;
    Ok(TaxLine { title: answer.title, rate, amount: pair(answer.price_set) })
}

fn shipping_line(answer: wire::ShippingLine) -> Result<ShippingLine, Failure> {
    Ok(ShippingLine {
        id: id("ShippingLine", &answer.id.unwrap_or_default())?,
        title: answer.title,
        code: answer.code.unwrap_or_default(),
        price: pair(answer.original_price_set),
        discounted_price: pair(answer.discounted_price_set),
        taxes: all(answer.tax_lines, tax)?,
        removed: answer.is_removed,
    })
}

/// A refund; `bought` are its order's lines, which tell what came back.
fn refund(answer: wire::Refund, order_id: &RecordId, bought: &[OrderLine]) -> Result<Refund, Failure> {
    let refund_line = |answer: wire::RefundLineItem| {
        let line_id = id("LineItem", &answer.line_item.id)?;
        let line = bought
            .iter()
            .find(|line| line.id == line_id)
            .ok_or_else(|| Failure::malformed("a refund has a line that its order does not show", b""))?;
        Ok(RefundLine {
            sku: line.sku.clone(),
            title: line.title.clone(),
            taxes: line.taxes.clone(),
            line_id,
            quantity: answer.quantity,
            subtotal: pair(answer.subtotal_set),
            tax: pair(answer.total_tax_set),
        })
    };
    Ok(Refund {
        id: id("Refund", &answer.id)?,
        order_id: order_id.clone(),
        created_at: answer.created_at.ok_or_else(|| Failure::malformed("a refund has no createdAt", b""))?,
        refunded: amount::some(pair(answer.total_refunded_set)),
        lines: all(answer.lines, refund_line)?,
        note: answer.note.unwrap_or_default(),
    })
}

/// GraphQL does not state the sum of the lines before discounts; webhooks do, and it is price times quantity.
fn lines_total(lines: &[OrderLine], zero: MoneyPair) -> Result<MoneyPair, Failure> {
    lines
        .iter()
        .try_fold(zero, |sum, line| amount::plus(sum, amount::times(line.unit_price, line.quantity)?))
        .ok_or_else(|| too_large("the sum of the lines"))
}

fn pair(bag: wire::MoneyBag) -> MoneyPair {
    let money = |money: wire::MoneyV2| {
        let currency: Currency = money.currency_code;
        amount::money(money.amount, currency)
    };
    MoneyPair { shop: money(bag.shop_money), presentment: money(bag.presentment_money) }
}

fn too_large(what: &str) -> Failure {
    Failure::malformed(format!("{what} cannot be held exactly"), b"")
}

#[cfg(test)]
mod tests {
    use super::{fulfillment_status, grams};
    use crate::wire::WeightUnit;

    #[test]
    fn weights_become_whole_grams() {
        for (unit, value, expected) in [
            (WeightUnit::Grams, "100.0", 100),
            (WeightUnit::Kilograms, "0.25", 250),
            (WeightUnit::Pounds, "1.0", 454),
            (WeightUnit::Ounces, "3.5", 99),
        ] {
            let value: serde_json::Number = serde_json::from_str(value).unwrap();
            assert_eq!(grams(unit, &value), Ok(expected), "{unit:?}");
        }
    }

    #[test]
    fn an_unfulfilled_order_has_no_word_as_in_webhooks() {
        assert_eq!(fulfillment_status("UNFULFILLED", &[]), "");
        assert_eq!(fulfillment_status("ON_HOLD", &[]), "");
        assert_eq!(fulfillment_status("PARTIALLY_FULFILLED", &[]), "partial");
    }
}
