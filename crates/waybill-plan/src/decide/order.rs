//! Orders.

use minijinja::Value;
use rust_decimal::{Decimal, RoundingStrategy};
use waybill_domain::{
    ObjectKey, Snapshot,
    document::{ChargeDocument, LineDocument, OrderDocument},
    order::{Order, OrderLine, TaxLine},
    totals,
};

use super::{Edits, Facts, Unfit, fields, merge, people};
use crate::{
    plan::{Flow, Lines, Plan},
    view::{self, sold_quantity},
};

pub(super) fn document(
    plan: &Plan,
    flow: &Flow,
    snapshot: &Snapshot,
    order: &Order,
    facts: &Facts,
    view: &Value,
    edits: &Edits<'_>,
) -> Result<OrderDocument, Unfit> {
    totals::check(order).map_err(|error| Unfit::new("totals", "total", error.to_string()))?;
    let mut lines = Vec::with_capacity(order.lines.len());
    for (index, line) in order.lines.iter().enumerate() {
        let quantity = sold_quantity(order, line);
        if quantity > 0 {
            lines.push(line_document(flow, snapshot, order, (index, line, quantity), view, edits)?);
        }
    }
    let charges = charges(flow, snapshot, order, view, edits)?;
    let net: Decimal = lines.iter().map(|line| line.net).chain(charges.iter().map(|charge| charge.net)).sum();
    let total_tax: Decimal = lines.iter().map(|line| line.tax).chain(charges.iter().map(|charge| charge.tax)).sum();
    Ok(OrderDocument {
        key: ObjectKey::new(&snapshot.key, "order"),
        store: snapshot.key.store.clone(),
        source_id: order.id.clone(),
        name: order.name.clone(),
        placed_at: order.processed_at,
        currency: order.currency,
        cancelled: order.cancelled_at.is_some(),
        customer: people::buyer(plan, flow, snapshot, order, facts, view, edits)?,
        billing_address: edits.address("billing_address", order.billing_address.as_ref()),
        shipping_address: edits.address("shipping_address", order.shipping_address.as_ref()),
        lines,
        charges,
        total: net + total_tax,
        total_tax,
        fields: fields(&flow.fields, view, edits, "")?,
        policy: merge::policy(flow, view)?,
    })
}

/// A share of an amount for a part of a line's quantity, to the currency's smallest unit.
fn share(amount: Decimal, part: i64, whole: i64, digits: u32) -> Decimal {
    if part == whole {
        return amount;
    }
    (amount * Decimal::from(part) / Decimal::from(whole))
        .round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

fn line_document(
    flow: &Flow,
    snapshot: &Snapshot,
    order: &Order,
    (index, line, quantity): (usize, &OrderLine, i64),
    view: &Value,
    edits: &Edits<'_>,
) -> Result<LineDocument, Unfit> {
    let at = |what: &str| format!("lines.{index}.{what}");
    let view = view::with(view, "line", view::line(line));
    let item = match &flow.lines {
        None => line.sku.clone(),
        Some(lines) => {
            let item = item(lines, &view, &at("item"), || format!("line {} of the order has no SKU", index + 1));
            edits.text_of(line.id.as_str(), format_args!("lines.{index}.item"), item)?
        }
    };
    let digits = order.currency.exponent();
    let tax: Decimal = line.taxes.iter().map(|tax| tax.amount.shop.amount).sum();
    let tax = share(tax, quantity, line.quantity, digits);
    let discount = share(line.discount.shop.amount, quantity, line.quantity, digits);
    let price = line.unit_price.shop.amount;
    let paid = price * Decimal::from(quantity) - discount;
    let (net, unit_price, discount) = if order.taxes_included {
        // What was paid holds the tax. The price of one without it is a quotient, so the discount, which holds tax
        // too, is folded into it: only the line's value is exact.
        let net = paid - tax;
        (net, (net / Decimal::from(quantity)).round_dp(6), Decimal::ZERO)
    } else {
        (paid, price, discount)
    };
    Ok(LineDocument {
        key: ObjectKey::new(&snapshot.key, &format!("line-{}", line.id)),
        source_id: line.id.clone(),
        item,
        title: line.title.clone(),
        quantity,
        unit_price,
        discount,
        net,
        tax,
        tax_codes: tax_codes(flow.lines.as_ref(), &line.taxes, &view, (line.id.as_str(), &at("tax")), edits)?,
        requires_shipping: line.requires_shipping,
        grams: line.grams,
    })
}

/// The item that the plan has for a line.
pub(super) fn item(lines: &Lines, view: &Value, at: &str, missing: impl Fn() -> String) -> Result<String, Unfit> {
    let item = lines.item.text(view).map_err(|error| Unfit::expression(at, &error))?;
    if item.is_empty() { Err(Unfit::new("missing_sku", at, missing())) } else { Ok(item) }
}

pub(super) fn tax_codes(
    lines: Option<&Lines>,
    taxes: &[TaxLine],
    view: &Value,
    (part, at): (&str, &str),
    edits: &Edits<'_>,
) -> Result<Vec<String>, Unfit> {
    let Some(expression) = lines.and_then(|lines| lines.tax.as_ref()) else { return Ok(Vec::new()) };
    let mut codes = Vec::new();
    for (index, tax) in taxes.iter().enumerate() {
        let code =
            expression.text(&view::with(view, "tax", view::tax(tax))).map_err(|error| Unfit::expression(at, &error));
        let part = format!("{part} {}", tax.title);
        // The first is what a message names.
        let code = match index {
            0 => edits.text_of(&part, format_args!("{at}"), code)?,
            _ => edits.text_of(&part, format_args!("{at}.{index}"), code)?,
        };
        if !code.is_empty() {
            codes.push(code);
        }
    }
    Ok(codes)
}

fn charges(
    flow: &Flow,
    snapshot: &Snapshot,
    order: &Order,
    view: &Value,
    edits: &Edits<'_>,
) -> Result<Vec<ChargeDocument>, Unfit> {
    let mut charges = Vec::new();
    for (index, line) in order.shipping_lines.iter().enumerate().filter(|(_, line)| !line.removed) {
        let tax: Decimal = line.taxes.iter().map(|tax| tax.amount.shop.amount).sum();
        let paid = line.discounted_price.shop.amount;
        charges.push(ChargeDocument {
            key: ObjectKey::new(&snapshot.key, &format!("shipping-{}", line.id)),
            item: charge_item(flow, "shipping", paid, edits)?,
            title: line.title.clone(),
            net: if order.taxes_included { paid - tax } else { paid },
            tax,
            tax_codes: tax_codes(
                flow.lines.as_ref(),
                &line.taxes,
                view,
                (line.id.as_str(), &format!("shipping.{index}.tax")),
                edits,
            )?,
        });
    }
    let totals = &order.totals;
    let others = [
        ("tip", Some(totals.tip)),
        ("duty", totals.duties),
        ("fee", totals.additional_fees),
        ("rounding", totals.cash_rounding),
    ];
    for (name, amount) in others {
        let amount = amount.map_or(Decimal::ZERO, |amount| amount.shop.amount);
        if !amount.is_zero() {
            charges.push(ChargeDocument {
                key: ObjectKey::new(&snapshot.key, name),
                item: charge_item(flow, name, amount, edits)?,
                title: name.to_owned(),
                net: amount,
                tax: Decimal::ZERO,
                tax_codes: Vec::new(),
            });
        }
    }
    Ok(charges)
}

pub(super) fn charge_item(flow: &Flow, name: &str, amount: Decimal, edits: &Edits<'_>) -> Result<String, Unfit> {
    let item = match &flow.lines {
        None => Ok(String::new()),
        Some(lines) => match lines.charges.get(name) {
            Some(item) => Ok(item.clone()),
            None if amount.is_zero() => Ok(String::new()),
            None => {
                let message = format!("'{name}' is not in lines.charges of flow '{}'", flow.name);
                Err(Unfit::new("unmapped", format!("charges.{name}"), message))
            }
        },
    };
    edits.text_of("", format_args!("charges.{name}"), item)
}
