//! What a simulated plan says that the systems hold: `waybill plan simulate --json`, as objects to compare with what
//! they do hold.

use std::collections::BTreeMap;

use anyhow::Context;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{
    compare::{Wanted, Wish},
    found::join_content,
};
use crate::catalogue::{LOCATIONS, SHIPPING_ITEM};

/// What is needed of the simulation's answer.
#[derive(Debug, Deserialize)]
struct Simulated {
    deliveries: Vec<Delivery>,
}

#[derive(Debug, Deserialize)]
struct Delivery {
    system: String,
    key: Key,
    writes: usize,
    fields: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Key {
    kind: String,
}

/// Every object that the simulation says was written.
///
/// # Errors
/// If the text is no simulation's answer.
pub(super) fn everything(text: &str) -> anyhow::Result<Vec<Wanted>> {
    let simulated: Simulated = serde_json::from_str(text).context("not what `waybill plan simulate --json` says")?;
    let mut wanted: BTreeMap<(&str, &str, String), Wanted> = BTreeMap::new();
    for delivery in simulated.deliveries.iter().filter(|delivery| delivery.writes > 0) {
        for one in objects(delivery) {
            match wanted.get_mut(&(one.system, one.object, one.key.clone())) {
                Some(known) => join(known, one),
                None => {
                    wanted.insert((one.system, one.object, one.key.clone()), one);
                }
            }
        }
    }
    Ok(wanted.into_values().collect())
}

/// Two deliveries to one object: of several parcels, the order shows one.
fn join(known: &mut Wanted, other: Wanted) {
    for (field, wish) in other.fields {
        match (known.fields.remove(&field), wish) {
            (Some(Wish::OneOf(mut all)), Wish::OneOf(more)) => {
                all.extend(more);
                known.fields.insert(field, Wish::OneOf(all));
            }
            (_, wish) => {
                known.fields.insert(field, wish);
            }
        }
    }
}

fn objects(delivery: &Delivery) -> Vec<Wanted> {
    match (delivery.system.as_str(), delivery.key.kind.as_str()) {
        ("crm", "customer") => contact(delivery, "").into_iter().collect(),
        ("crm", "order") => {
            let order = mapped(delivery, "", Wanted::new("crm", "order", delivery.text("name")));
            let order = order.with("buyer", Wish::text(delivery.text("customer.email")));
            contact(delivery, "customer.").into_iter().chain([order]).collect()
        }
        ("crm", "shipment") => {
            let mut order = Wanted::new("crm", "order", delivery.text("order_name"));
            for (name, value) in delivery.below("fields.") {
                order.fields.insert(name, Wish::OneOf(vec![value]));
            }
            vec![order]
        }
        ("erp", "order") => vec![sale(delivery)],
        ("erp", "refund") => vec![refund(delivery)],
        // One that is cancelled there counts as none.
        ("shipping", "order") if delivery.text("cancelled") != "true" => vec![shipment(delivery)],
        ("shop", "shipment") if delivery.text("voided") == "false" => vec![parcel(delivery)],
        ("shop", "stock-level") => level(delivery).into_iter().collect(),
        ("shop", "price") => vec![price(delivery)],
        _ => Vec::new(),
    }
}

impl Delivery {
    fn text(&self, name: &str) -> String {
        self.fields.get(name).cloned().unwrap_or_default()
    }

    fn number(&self, name: &str) -> Decimal {
        self.text(name).parse().unwrap_or_default()
    }

    /// The fields whose name begins so, by what follows.
    fn below<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = (String, String)> + 'a {
        self.fields
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(beginning)?.to_owned(), value.clone())))
    }

    /// How many there are of a list.
    fn count(&self, list: &str, of: &str) -> usize {
        (0..).take_while(|index| self.fields.contains_key(&format!("{list}.{index}.{of}"))).count()
    }
}

/// A value as it compares: numbers whatever their zeros, instants whatever their form.
fn wish(value: &str) -> Wish {
    if let Ok(number) = value.parse::<Decimal>() {
        return Wish::Number(number);
    }
    value.parse::<Timestamp>().map_or_else(|_| Wish::text(value), Wish::Instant)
}

fn mapped(delivery: &Delivery, part: &str, mut object: Wanted) -> Wanted {
    for (name, value) in delivery.below(&format!("{part}fields.")) {
        // What names something is a text, whatever it looks like.
        let is_name = name.contains("name") || name.contains("phone") || name.contains("number");
        object.fields.insert(name, if is_name { Wish::text(value) } else { wish(&value) });
    }
    object
}

fn contact(delivery: &Delivery, part: &str) -> Option<Wanted> {
    let email = delivery.text(&format!("{part}email"));
    if email.is_empty() {
        return None;
    }
    let contact = mapped(delivery, part, Wanted::new("crm", "contact", &email));
    Some(contact.with("email", Wish::text(&email)))
}

fn sale(delivery: &Delivery) -> Wanted {
    let sale = Wanted::new("erp", "sale", delivery.text("name"));
    if delivery.text("cancelled") == "true" {
        return sale.with("state", Wish::text("cancelled"));
    }
    let party = format!("{} {}", delivery.text("customer.first_name"), delivery.text("customer.last_name"));
    let mut sale = mapped(delivery, "", sale)
        .with("state", Wish::OneOf(vec!["processing".into(), "done".into()]))
        .with("currency", Wish::text(delivery.text("currency")))
        .with("total", Wish::Number(delivery.number("total")))
        .with("e-mail", Wish::text(delivery.text("customer.email")));
    if !party.trim().is_empty() {
        sale = sale.with("party", Wish::text(party.trim()));
    }
    let mut items: BTreeMap<String, (Decimal, Decimal, Vec<String>)> = BTreeMap::new();
    for index in 0..delivery.count("lines", "item") {
        let part = |name: &str| format!("lines.{index}.{name}");
        let item = items.entry(delivery.text(&part("item"))).or_default();
        item.0 += delivery.number(&part("quantity"));
        item.1 += delivery.number(&part("net"));
        item.2 = delivery.below(&part("tax_codes.")).map(|(_, code)| code).collect();
    }
    for (item, (units, net, taxes)) in &mut items {
        taxes.sort();
        sale = sale
            .with(format!("{item} quantity"), Wish::Number(*units))
            .with(format!("{item} amount"), Wish::Number(*net))
            .with(format!("{item} taxes"), Wish::text(taxes.join(" + ")));
    }
    let shipping: Decimal = (0..delivery.count("charges", "item"))
        .filter(|index| delivery.text(&format!("charges.{index}.item")) == SHIPPING_ITEM)
        .map(|index| delivery.number(&format!("charges.{index}.net")))
        .sum();
    if !shipping.is_zero() {
        sale = sale.with(format!("{SHIPPING_ITEM} amount"), Wish::Number(shipping));
    }
    let codes: Vec<&str> = items.keys().map(String::as_str).collect();
    sale.with("items", Wish::text(codes.join(", ")))
}

fn refund(delivery: &Delivery) -> Wanted {
    let mut sale = Wanted::new("erp", "sale", delivery.text("fields.description"))
        .with("state", Wish::OneOf(vec!["processing".into(), "done".into()]))
        .with("currency", Wish::text(delivery.text("currency")))
        .with("total", Wish::Number(-delivery.number("total")));
    let mut items: BTreeMap<String, Decimal> = BTreeMap::new();
    for index in 0..delivery.count("lines", "item") {
        let item = delivery.text(&format!("lines.{index}.item"));
        *items.entry(item).or_default() += delivery.number(&format!("lines.{index}.quantity"));
    }
    for (item, units) in items {
        sale = sale.with(format!("{item} quantity"), Wish::Number(-units));
    }
    sale
}

fn shipment(delivery: &Delivery) -> Wanted {
    let part = |name: &str| delivery.text(&format!("shipping_address.{name}"));
    let name = format!("{} {}", part("first_name"), part("last_name"));
    let content: Vec<(String, i64)> = (0..delivery.count("lines", "item"))
        .filter(|index| delivery.text(&format!("lines.{index}.requires_shipping")) == "true")
        .map(|index| {
            let quantity = delivery.text(&format!("lines.{index}.quantity")).parse().unwrap_or_default();
            (delivery.text(&format!("lines.{index}.item")), quantity)
        })
        .collect();
    Wanted::new("shipping", "shipment", delivery.text("name"))
        .with("name", Wish::text(name.trim()))
        .with("company_name", Wish::text(part("company")))
        .with("address_line1", Wish::text(part("address1")))
        .with("city_locality", Wish::text(part("city")))
        .with("postal_code", Wish::text(part("zip")))
        .with("country_code", Wish::text(part("country_code")))
        .with("items", Wish::text(join_content(&content)))
}

fn parcel(delivery: &Delivery) -> Wanted {
    let content: Vec<(String, i64)> = (0..delivery.count("lines", "sku"))
        .map(|index| {
            let quantity = delivery.text(&format!("lines.{index}.quantity")).parse().unwrap_or_default();
            (delivery.text(&format!("lines.{index}.sku")), quantity)
        })
        .collect();
    let key = format!("{} {}", delivery.text("order_name"), delivery.text("tracking_number"));
    Wanted::new("shop", "parcel", key).with("content", Wish::text(join_content(&content)))
}

fn level(delivery: &Delivery) -> Option<Wanted> {
    // The simulated shop numbers its places from here on, in their order.
    const FIRST: usize = 71_300_820_111;
    let place = LOCATIONS.get(delivery.text("location_id").parse::<usize>().ok()?.checked_sub(FIRST)?)?;
    let key = format!("{} at {}", delivery.text("sku"), place.name);
    let quantity = delivery.number("quantity");
    // What a place has none of need not be stocked there.
    let optional = quantity.is_zero();
    Some(Wanted { optional, ..Wanted::new("shop", "level", key).with("on_hand", Wish::Number(quantity)) })
}

fn price(delivery: &Delivery) -> Wanted {
    Wanted::new("shop", "price", delivery.text("sku")).with("price", Wish::Number(delivery.number("price")))
}
