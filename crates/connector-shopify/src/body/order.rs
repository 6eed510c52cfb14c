//! Orders.

use waybill_domain::{
    MoneyPair,
    order::{FinancialStatus, Order, OrderLine, OrderTotals, ShippingLine, TaxLine},
};

use super::{
    Problem, customer,
    json::{Node, Read},
    money::Currencies,
    refund,
};
use crate::amount;

pub(super) fn read(root: &Node<'_, '_>) -> Read<Order> {
    let id = root.own_id("Order")?;
    let currencies = currencies(root)?;
    let created = root.at("created_at");
    let created_at = created.time()?.ok_or_else(|| created.wrong(Problem::Missing))?;
    let cancel_reason = Some(root.at("cancel_reason").word()?).filter(|reason| !reason.is_empty());
    let lines = root.at("line_items").items(|line| read_line(&line, currencies))?;
    Ok(Order {
        name: root.at("name").text()?,
        created_at,
        processed_at: root.at("processed_at").time()?.unwrap_or(created_at),
        cancelled_at: root.at("cancelled_at").time()?,
        cancel_reason,
        closed_at: root.at("closed_at").time()?,
        currency: currencies.shop,
        presentment_currency: currencies.presentment,
        financial_status: FinancialStatus::from_word(&root.at("financial_status").text()?),
        fulfillment_status: root.at("fulfillment_status").word()?,
        taxes_included: root.at("taxes_included").flag()?,
        test: root.at("test").flag()?,
        source_name: root.at("source_name").text()?,
        tags: root.at("tags").tags()?,
        note: root.at("note").text()?,
        locale: root.at("customer_locale").text()?,
        customer: customer::person(&root.at("customer"))?,
        email: root.at("email").personal()?,
        phone: root.at("phone").personal()?,
        billing_address: customer::address(&root.at("billing_address"))?,
        shipping_address: customer::address(&root.at("shipping_address"))?,
        shipping_lines: root.at("shipping_lines").items(|line| read_shipping(&line, currencies))?,
        refunds: root.at("refunds").items(|refund| refund::read(&refund, currencies, &id, &lines))?,
        lines,
        totals: read_totals(root, currencies)?,
        id,
    })
}

fn currencies(root: &Node<'_, '_>) -> Read<Currencies> {
    let shop = root.at("currency").currency()?;
    let presentment = root.at("presentment_currency");
    let presentment = if presentment.text()?.is_empty() { shop } else { presentment.currency()? };
    Ok(Currencies { shop, presentment })
}

fn read_line(node: &Node<'_, '_>, currencies: Currencies) -> Read<OrderLine> {
    let quantity = node.at("quantity").quantity()?;
    Ok(OrderLine {
        id: node.own_id("LineItem")?,
        variant_id: node.at("variant_id").id("ProductVariant")?,
        product_id: node.at("product_id").id("Product")?,
        sku: node.at("sku").text()?,
        title: node.at("title").text()?,
        quantity,
        current_quantity: node.at("current_quantity").integer()?.unwrap_or(quantity),
        fulfillable_quantity: node.at("fulfillable_quantity").integer()?.unwrap_or(0),
        unit_price: currencies.required(&node.at("price_set"), &node.at("price"))?,
        discount: discount(node, currencies)?,
        taxes: line_taxes(node, currencies)?,
        duties: node.at("duties").items(|duty| duty_price(&duty, currencies))?,
        requires_shipping: node.at("requires_shipping").flag()?,
        gift_card: node.at("gift_card").flag()?,
        grams: node.at("grams").integer()?.unwrap_or(0),
    })
}

/// All taxes of a line.
pub(super) fn line_taxes(node: &Node<'_, '_>, currencies: Currencies) -> Read<Vec<TaxLine>> {
    let mut taxes = read_taxes(node, currencies)?;
    // A tax on a duty is part of the order's total tax.
    for taxed in node.at("duties").items(|duty| read_taxes(&duty, currencies))? {
        taxes.extend(taxed);
    }
    Ok(taxes)
}

/// All discounts on a line. The allocations include the order's own discounts shared out to the line; the line's
/// `total_discount` does not, and stands in only where nothing is allocated.
fn discount(node: &Node<'_, '_>, currencies: Currencies) -> Read<MoneyPair> {
    let allocations = node.at("discount_allocations");
    let allocated =
        allocations.items(|allocation| currencies.required(&allocation.at("amount_set"), &allocation.at("amount")))?;
    if allocated.is_empty() {
        let total = currencies.optional(&node.at("total_discount_set"), &node.at("total_discount"))?;
        return Ok(total.unwrap_or_else(|| currencies.zero()));
    }
    currencies.sum(&allocations, allocated)
}

/// A duty's price: `price_set`, or the two amounts in the duty itself; Shopify's schema shows the one, its REST
/// reference the other.
fn duty_price(duty: &Node<'_, '_>, currencies: Currencies) -> Read<MoneyPair> {
    let price = duty.at("price_set");
    let set = if duty.has("shop_money") { duty } else { &price };
    currencies.required(set, &duty.at("price"))
}

fn read_taxes(node: &Node<'_, '_>, currencies: Currencies) -> Read<Vec<TaxLine>> {
    node.at("tax_lines").items(|tax| {
        Ok(TaxLine {
            title: tax.at("title").text()?,
            rate: tax.at("rate").rate()?,
            amount: currencies.required(&tax.at("price_set"), &tax.at("price"))?,
        })
    })
}

fn read_shipping(node: &Node<'_, '_>, currencies: Currencies) -> Read<ShippingLine> {
    let price = currencies.required(&node.at("price_set"), &node.at("price"))?;
    let discounted = currencies.optional(&node.at("discounted_price_set"), &node.at("discounted_price"))?;
    Ok(ShippingLine {
        id: node.own_id("ShippingLine")?,
        title: node.at("title").text()?,
        code: node.at("code").text()?,
        price,
        discounted_price: discounted.unwrap_or(price),
        taxes: read_taxes(node, currencies)?,
        removed: node.at("is_removed").flag()?,
    })
}

fn read_totals(root: &Node<'_, '_>, currencies: Currencies) -> Read<OrderTotals> {
    let required = |set, plain| currencies.required(&root.at(set), &root.at(plain));
    let optional = |set, plain| currencies.optional(&root.at(set), &root.at(plain));
    let or_zero = |pair: Option<MoneyPair>| pair.unwrap_or_else(|| currencies.zero());
    let total = required("total_price_set", "total_price")?;
    Ok(OrderTotals {
        lines: required("total_line_items_price_set", "total_line_items_price")?,
        discounts: or_zero(optional("total_discounts_set", "total_discounts")?),
        shipping: or_zero(optional("total_shipping_price_set", "total_shipping_price")?),
        tax: or_zero(optional("total_tax_set", "total_tax")?),
        duties: optional("original_total_duties_set", "original_total_duties")?.and_then(amount::some),
        // Webhooks state tips without a set, in the shop's currency.
        tip: or_zero(optional("total_tip_received_set", "total_tip_received")?),
        additional_fees: optional("original_total_additional_fees_set", "original_total_additional_fees")?
            .and_then(amount::some),
        cash_rounding: optional(
            "total_cash_rounding_payment_adjustment_set",
            "total_cash_rounding_payment_adjustment",
        )?
        .and_then(amount::some),
        total,
        current_total: optional("current_total_price_set", "current_total_price")?.unwrap_or(total),
    })
}
