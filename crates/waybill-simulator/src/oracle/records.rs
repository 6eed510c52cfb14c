//! The store's final records.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

/// A line of an order.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: u64,
    pub(super) sku: String,
    /// Ordered and not taken off by an edit; refunded ones are still sold.
    pub(super) sold: i64,
    pub(super) requires_shipping: bool,
    /// Value of what is sold, after discounts, without tax.
    pub(super) net: Decimal,
    /// Titles of its taxes, sorted.
    pub(super) taxes: Vec<String>,
}

/// An address of an order.
#[derive(Debug, Clone, Default)]
pub(super) struct Address {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) company: String,
    pub(super) address1: String,
    pub(super) city: String,
    pub(super) zip: String,
    pub(super) country_code: String,
}

/// A parcel that the store knows of.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) tracking: Vec<String>,
    /// SKU and units.
    pub(super) content: Vec<(String, i64)>,
}

/// An order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) placed_at: Timestamp,
    pub(super) customer: Option<String>,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) financial_status: String,
    pub(super) cancelled: bool,
    pub(super) currency: String,
    pub(super) current_total: Decimal,
    /// What was sold: value with tax, shipping included.
    pub(super) sold_total: Decimal,
    pub(super) billing: Address,
    pub(super) shipping: Option<Address>,
    pub(super) lines: Vec<Line>,
    /// Shipping after discounts, without tax.
    pub(super) shipping_net: Decimal,
    pub(super) parcels: Vec<Parcel>,
    pub(super) refunds: Vec<Refund>,
}

/// What went back of an order.
#[derive(Debug, Clone)]
pub(super) struct Refund {
    pub(super) id: String,
    /// In the shop's currency; absent where only the buyer's is stated.
    pub(super) total: Option<Decimal>,
    /// SKU and units.
    pub(super) content: Vec<(String, i64)>,
}

impl Order {
    /// Whether its money was taken.
    pub(super) fn captured(&self) -> bool {
        ["paid", "partially_refunded", "refunded"].contains(&self.financial_status.as_str())
    }

    /// Whether there is something to send.
    pub(super) fn requires_shipping(&self) -> bool {
        self.lines.iter().any(|line| line.requires_shipping && line.sold > 0)
    }
}

/// A customer.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

/// A stock level.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) sku: String,
    pub(super) location: String,
    pub(super) on_hand: i64,
}

/// What a variant costs.
#[derive(Debug, Clone)]
pub(super) struct Price {
    pub(super) sku: String,
    pub(super) price: Decimal,
}

/// All that the store holds, and what was planted in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    pub(super) orders: Vec<Order>,
    pub(super) customers: BTreeMap<String, Customer>,
    pub(super) levels: Vec<Level>,
    pub(super) prices: Vec<Price>,
    /// Kind, id and system of each planted record.
    pub(super) planted: BTreeSet<(String, String, String)>,
}

impl Records {
    /// Whether a record is planted to be parked in a system.
    pub(super) fn is_planted(&self, kind: &str, id: &str, system: &str) -> bool {
        self.planted.contains(&(kind.to_owned(), id.to_owned(), system.to_owned()))
    }
}

/// Asks the store.
pub(super) async fn read(url: &str) -> anyhow::Result<Records> {
    let client = reqwest::Client::new();
    let text = client.get(format!("{url}/_control/records")).send().await?.error_for_status()?.text().await?;
    let planted = super::http::answer(|| client.get(format!("{url}/_control/planted"))).await?;
    let mut records = of_lines(&text)?;
    for one in planted.as_array().into_iter().flatten() {
        let part = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        records.planted.insert((part("kind"), part("id"), part("system")));
    }
    Ok(records)
}

/// Reads the store's JSON lines.
pub(super) fn of_lines(text: &str) -> anyhow::Result<Records> {
    let mut records = Records::default();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line)?;
        let body = &line["body"];
        match line["kind"].as_str().unwrap_or_default() {
            "order" => records.orders.push(order(body).with_context(|| format!("order {}", line["id"]))?),
            "customer" => {
                let customer = Customer {
                    id: line["id"].as_str().unwrap_or_default().to_owned(),
                    first_name: part(body, "first_name"),
                    last_name: part(body, "last_name"),
                    email: part(body, "email").to_lowercase(),
                    phone: part(body, "phone"),
                };
                records.customers.insert(customer.id.clone(), customer);
            }
            "inventory-level" => records.levels.push(Level {
                sku: part(body, "sku"),
                location: part(body, "location"),
                on_hand: body["on_hand"].as_i64().context("on_hand")?,
            }),
            "product" => {
                for variant in body["variants"].as_array().into_iter().flatten() {
                    let price = amount(&variant["price"]).context("a variant's price")?;
                    records.prices.push(Price { sku: part(variant, "sku"), price });
                }
            }
            _ => {}
        }
    }
    Ok(records)
}

fn part(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}

fn amount(value: &Value) -> anyhow::Result<Decimal> {
    value.as_str().context("an amount")?.parse().context("an amount")
}

fn address(body: &Value) -> Address {
    Address {
        first_name: part(body, "first_name"),
        last_name: part(body, "last_name"),
        company: part(body, "company"),
        address1: part(body, "address1"),
        city: part(body, "city"),
        zip: part(body, "zip"),
        country_code: part(body, "country_code"),
    }
}

/// Taxes of a line or of shipping.
fn tax(body: &Value) -> anyhow::Result<Decimal> {
    let lines = body["tax_lines"].as_array().context("tax_lines")?;
    lines.iter().map(|line| amount(&line["price"])).sum()
}

fn allocated(body: &Value) -> anyhow::Result<Decimal> {
    let lines = body["discount_allocations"].as_array().context("discount_allocations")?;
    lines.iter().map(|line| amount(&line["amount"])).sum()
}

fn share(value: Decimal, units: i64, of: i64) -> Decimal {
    if units == of {
        return value;
    }
    let part = value * Decimal::from(units) / Decimal::from(of);
    part.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

fn refund(body: &Value, one_currency: bool) -> anyhow::Result<Refund> {
    let mut total = Decimal::ZERO;
    for transaction in body["transactions"].as_array().context("transactions of a refund")? {
        if transaction["kind"] == "refund" && transaction["status"] == "success" {
            total += amount(&transaction["amount"])?;
        }
    }
    let content = body["refund_line_items"].as_array().context("refund_line_items")?;
    let content = content.iter().map(|line| {
        Ok((part(&line["line_item"], "sku"), line["quantity"].as_i64().context("quantity of a refunded line")?))
    });
    Ok(Refund {
        id: body["id"].as_u64().context("a refund's id")?.to_string(),
        total: (one_currency || total.is_zero()).then_some(total),
        content: content.collect::<anyhow::Result<Vec<_>>>()?,
    })
}

fn order(body: &Value) -> anyhow::Result<Order> {
    let included = body["taxes_included"].as_bool().context("taxes_included")?;
    let refunds = body["refunds"].as_array().context("refunds")?;
    let mut lines = Vec::new();
    let (mut sold_total, mut shipping_net) = (Decimal::ZERO, Decimal::ZERO);
    for line in body["line_items"].as_array().context("line_items")? {
        let id = line["id"].as_u64().context("a line's id")?;
        let quantity = line["quantity"].as_i64().context("quantity")?;
        let refunded: i64 = refunds
            .iter()
            .flat_map(|refund| refund["refund_line_items"].as_array().into_iter().flatten())
            .filter(|one| one["line_item_id"].as_u64() == Some(id))
            .filter_map(|one| one["quantity"].as_i64())
            .sum();
        let sold = line["current_quantity"].as_i64().context("current_quantity")? + refunded;
        let paid = amount(&line["price"])? * Decimal::from(quantity) - allocated(line)?;
        let (paid, tax) = (share(paid, sold, quantity), share(tax(line)?, sold, quantity));
        let net = if included { paid - tax } else { paid };
        sold_total += net + tax;
        let mut taxes: Vec<String> =
            line["tax_lines"].as_array().into_iter().flatten().map(|tax| part(tax, "title")).collect();
        taxes.sort();
        lines.push(Line {
            id,
            sku: part(line, "sku"),
            sold,
            requires_shipping: line["requires_shipping"].as_bool().context("requires_shipping")?,
            net,
            taxes,
        });
    }
    for line in body["shipping_lines"].as_array().context("shipping_lines")? {
        let (paid, tax) = (amount(&line["price"])? - allocated(line)?, tax(line)?);
        let net = if included { paid - tax } else { paid };
        shipping_net += net;
        sold_total += net + tax;
    }
    let one_currency = body["currency"] == body["presentment_currency"];
    let refunds = refunds.iter().map(|one| refund(one, one_currency)).collect::<anyhow::Result<Vec<_>>>()?;
    // Goods that were only put back on the shelf are no money.
    let refunds = refunds.into_iter().filter(|refund| refund.total != Some(Decimal::ZERO)).collect();
    let mut parcels = Vec::new();
    for one in body["fulfillments"].as_array().context("fulfillments")? {
        if one["status"] == "cancelled" {
            continue;
        }
        let numbers = one["tracking_numbers"].as_array().into_iter().flatten();
        let content = one["line_items"].as_array().context("line_items of a parcel")?;
        parcels.push(Parcel {
            tracking: numbers.filter_map(Value::as_str).map(str::to_owned).collect(),
            content: content
                .iter()
                .map(|line| (part(line, "sku"), line["quantity"].as_i64().unwrap_or_default()))
                .collect(),
        });
    }
    Ok(Order {
        id: body["id"].as_u64().context("id")?.to_string(),
        name: part(body, "name"),
        placed_at: part(body, "processed_at").parse()?,
        customer: body["customer"]["id"].as_u64().map(|id| id.to_string()),
        email: part(body, "email").to_lowercase(),
        phone: part(body, "phone"),
        financial_status: part(body, "financial_status"),
        cancelled: !body["cancelled_at"].is_null(),
        currency: part(body, "currency"),
        current_total: amount(&body["current_total_price"])?,
        sold_total,
        billing: address(&body["billing_address"]),
        shipping: body["shipping_address"].is_object().then(|| address(&body["shipping_address"])),
        lines,
        shipping_net,
        parcels,
        refunds,
    })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::of_lines;
    use crate::shopify::{NewLine, NewOrder, Payment, Settings, Store};

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn what_was_sold_is_read_without_what_an_edit_took_off_and_with_what_was_refunded() {
        let store = Store::new(Settings::default());
        let line = NewLine {
            sku: Some("TEE-WHITE-M".into()),
            title: "Tee".into(),
            quantity: 4,
            price: decimal("28.80"),
            taxes: vec![("AT VAT".into(), decimal("0.2"))],
            duty: Decimal::ZERO,
        };
        let order =
            NewOrder { lines: vec![line], taxes_included: true, payment: Payment::Authorized, ..NewOrder::default() };
        let id = store.place(order);
        let line = store.order(id).unwrap().lines[0].id;
        store.edit(id, &[(line, 1)], Vec::new());
        store.capture(id);
        store.refund_units(id, line, 1, "Too small");
        let records = of_lines(&store.records()).unwrap();
        let order = &records.orders[0];
        assert_eq!((order.lines[0].sold, order.lines[0].net), (3, decimal("72.00")));
        assert_eq!((order.sold_total, order.current_total), (decimal("86.40"), decimal("57.60")));
        assert!(order.captured() && order.requires_shipping());
    }
}
