//! From an order to a shipment, and from a label to parcels. Pure.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use waybill_connector::{
    Failure,
    source::{Parcel, ParcelNews},
};
use waybill_domain::{
    Personal,
    customer::Address as OrderAddress,
    document::{FieldValue, LineDocument, OrderDocument},
    shipment::ParcelLine,
};

use crate::{
    times::instant,
    wire::{Address, Item, Label, Money, NewItem, NewShipment, Package, Shipment, Weight, number},
};

/// Mapped fields that a create takes, by the vendor's OpenAPI document.
pub(crate) const CREATE_FIELDS: [&str; 7] =
    ["carrier_id", "store_id", "assigned_user", "notes_from_buyer", "notes_for_gift", "is_gift", "validate_address"];

/// Mapped fields that only an update takes: docs.shipstation.com/shipments/update and /orders/shipment-numbers.
pub(crate) const UPDATE_FIELDS: [&str; 6] = [
    "service_code",
    "shipment_number",
    "requested_shipment_service",
    "confirmation",
    "ship_by_date",
    "hold_until_date",
];

/// What an order wants ShipStation to hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// Everything that a create takes.
    pub(crate) shipment: NewShipment,
    /// Mapped fields that only an update takes; `Null` clears.
    pub(crate) later: Map<String, Value>,
    /// Mapped fields to clear.
    pub(crate) cleared: Vec<&'static str>,
    /// What all items weigh together; 0 if the store does not say.
    pub(crate) grams: i64,
}

/// Whether a document has fields that only an update takes.
pub(crate) fn needs_update(document: &OrderDocument) -> bool {
    UPDATE_FIELDS.iter().any(|name| document.fields.get(*name).is_some_and(|value| *value != FieldValue::Null))
}

/// The lines that go into parcels.
pub(crate) fn shippable(document: &OrderDocument) -> impl Iterator<Item = &LineDocument> {
    document.lines.iter().filter(|line| line.requires_shipping && line.quantity > 0)
}

/// The shipment of an order that leaves from `origin`, without the mapped fields that are left out. A buyer without a
/// phone gets `fallback_phone`.
///
/// # Errors
/// [`Failure::Rejected`] if nothing is to be shipped, there is no address, or a mapped field is not ShipStation's.
pub(crate) fn wanted(
    document: &OrderDocument,
    left_out: &BTreeSet<String>,
    origin: &Address,
    fallback_phone: Option<&str>,
) -> Result<Wanted, Failure> {
    let items: Vec<_> = shippable(document).map(|line| item(document, line)).collect();
    if items.is_empty() {
        let message = "no line of the order is a parcel's content; let the plan's flow leave such orders out, and \
                       cancel a shipment that is there by hand";
        return Err(Failure::rejected("nothing_to_ship", "lines", message));
    }
    let (mut now, mut later, mut cleared) = (Map::new(), Map::new(), Vec::new());
    for (name, value) in document.fields.iter().filter(|(name, _)| !left_out.contains(*name)) {
        if let Some(name) = CREATE_FIELDS.iter().find(|field| *field == name) {
            match value {
                FieldValue::Null => cleared.push(*name),
                value => _ = now.insert((*name).to_owned(), field(name, value)),
            }
        } else if UPDATE_FIELDS.contains(&name.as_str()) {
            later.insert(name.clone(), field(name, value));
        } else {
            let message = format!("ShipStation's connector has no field '{name}'; take it out of the plan's map");
            return Err(Failure::rejected("map_error", name, message));
        }
    }
    let grams = shippable(document).map(|line| line.grams.max(0).saturating_mul(line.quantity)).sum();
    let money = |amount: Decimal| Money { currency: document.currency.as_str().to_owned(), amount: number(amount) };
    let shipment = NewShipment {
        external_shipment_id: document.key.as_str().to_owned(),
        create_sales_order: true,
        amount_paid: money(document.total),
        shipping_paid: money(document.charges.iter().map(|charge| charge.net).sum()),
        tax_paid: money(document.total_tax),
        ship_to: ship_to(document, fallback_phone)?,
        ship_from: origin.clone(),
        items,
        packages: if grams > 0 { vec![Package { weight: Weight::grams(grams) }] } else { Vec::new() },
        fields: now,
    };
    Ok(Wanted { shipment, later, cleared, grams })
}

fn item(document: &OrderDocument, line: &LineDocument) -> NewItem {
    NewItem {
        external_order_id: document.key.as_str().to_owned(),
        external_order_item_id: line.source_id.as_str().to_owned(),
        name: line.title.clone(),
        sku: line.item.clone(),
        quantity: line.quantity,
        unit_price: number(line.unit_price),
        tax_amount: number(line.tax),
        weight: (line.grams > 0).then(|| Weight::grams(line.grams)),
    }
}

fn field(name: &str, value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Bool(flag) if name == "is_gift" => (*flag).into(),
        FieldValue::Text(text) if name == "is_gift" => (text.expose() == "true").into(),
        FieldValue::Text(_) | FieldValue::Number(_) | FieldValue::Bool(_) | FieldValue::Time(_) => {
            value.to_text().into()
        }
    }
}

fn ship_to(document: &OrderDocument, fallback_phone: Option<&str>) -> Result<Address, Failure> {
    let Some(address) = &document.shipping_address else {
        let message = "the order has no shipping address; give it one in the store";
        return Err(Failure::rejected("invalid_address", "ship_to", message));
    };
    let buyer = document.customer.as_ref();
    let name = joined(&address.first_name, &address.last_name)
        .or_else(|| buyer.and_then(|buyer| joined(&buyer.first_name, &buyer.last_name)))
        .or_else(|| filled(&address.company));
    let phone = filled(&address.phone)
        .or_else(|| buyer.and_then(|buyer| filled(&buyer.phone)))
        .or_else(|| fallback_phone.map(Personal::from));
    Ok(Address {
        name,
        phone,
        company_name: filled(&address.company),
        address_line1: filled(&address.address1),
        address_line2: filled(&address.address2),
        address_line3: None,
        city_locality: filled(&address.city),
        state_province: state_province(address),
        postal_code: filled(&address.zip),
        country_code: filled(&Personal::from(address.country_code.as_str())),
        address_residential_indicator: Some("unknown".to_owned()),
    })
}

/// The vendor requires a state or province for every country, most of which have none in an address: then the city
/// stands in for it. Not where the state matters: there its absence is the vendor's to refuse.
fn state_province(address: &OrderAddress) -> Option<Personal> {
    let known = [&address.province_code, &address.province].into_iter().find(|text| !text.trim().is_empty());
    match known {
        Some(text) => Some(Personal::from(text.trim())),
        None if matches!(address.country_code.as_str(), "US" | "CA" | "AU") => None,
        None => filled(&address.city),
    }
}

fn joined(first: &Personal, last: &Personal) -> Option<Personal> {
    filled(&Personal::new(format!("{} {}", first.expose().trim(), last.expose().trim())))
}

fn filled(text: &Personal) -> Option<Personal> {
    let text = text.expose().trim();
    (!text.is_empty()).then(|| Personal::from(text))
}

/// The parcels that a label is: one per order in its shipment. Several orders share a shipment if someone merged them
/// in ShipStation; a part of a split shipment has its order on the items alone.
///
/// # Errors
/// What cannot be read.
pub(crate) fn parcels(label: &Label, shipment: &Shipment) -> Result<Vec<ParcelNews>, String> {
    let mut orders: Vec<(&str, Vec<ParcelLine>)> = Vec::new();
    for item in &shipment.items {
        let order = if item.order.is_empty() { shipment.external_id.as_str() } else { item.order.as_str() };
        let line = ParcelLine { line_id: item.line.clone(), sku: item.sku.clone(), quantity: item.quantity };
        match orders.iter_mut().find(|(known, _)| *known == order) {
            Some((_, lines)) => lines.push(line),
            None => orders.push((order, vec![line])),
        }
    }
    if orders.is_empty() {
        orders.push((shipment.external_id.as_str(), Vec::new()));
    }
    let shipped_at = match label.ship_date.as_deref() {
        Some(date) => Some(instant(date).ok_or("a label's ship_date is no date")?),
        None => None,
    };
    let several = orders.len() > 1;
    let news = orders.into_iter().map(|(order, lines)| ParcelNews {
        order_key: order.to_owned(),
        parcel: Parcel {
            id: if several { record_id(&format!("{}-{order}", label.label_id)) } else { label.label_id.clone() },
            carrier: carrier(label.carrier_code.as_deref().unwrap_or_default()),
            tracking_number: label.tracking_number.clone().unwrap_or_default(),
            tracking_url: label.tracking_url.clone().unwrap_or_default(),
            shipped_at,
            voided: label.is_voided(),
            lines,
        },
    });
    Ok(news.collect())
}

/// A text within `[A-Za-z0-9_-]`.
fn record_id(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

/// The carrier's name as shops and buyers know it; ShipStation's code where it is not one of the large ones.
fn carrier(code: &str) -> String {
    let name = match code {
        "stamps_com" | "usps" | "endicia" | "express_1" => "USPS",
        "ups" | "ups_walleted" => "UPS",
        "fedex" | "fedex_walleted" => "FedEx",
        "dhl_express" | "dhl_express_worldwide" | "dhl_express_uk" | "dhl_express_au" | "dhl_express_canada" => {
            "DHL Express"
        }
        "dhl_ecommerce" | "dhl_global_mail" => "DHL eCommerce",
        "canada_post" | "canada_post_walleted" => "Canada Post",
        "australia_post" | "australia_post_my_post_business" => "Australia Post",
        "royal_mail" | "royal_mail_walleted" => "Royal Mail",
        "purolator_ca" | "purolator_ca_walleted" => "Purolator",
        "ontrac" => "OnTrac",
        other => other,
    };
    name.to_owned()
}

impl Label {
    pub(crate) fn is_voided(&self) -> bool {
        self.status == "voided" || self.voided == Some(true)
    }
}

/// What is in a shipment as one text, to compare and to show: `line×quantity`, sorted.
pub(crate) fn contents<'a>(items: impl Iterator<Item = (&'a str, &'a str, i64)>) -> String {
    let mut rows: Vec<_> = items
        .map(
            |(line, sku, quantity)| {
                if line.is_empty() { format!("{sku}×{quantity}") } else { format!("{line}×{quantity}") }
            },
        )
        .collect();
    rows.sort();
    rows.join(" ")
}

impl Wanted {
    pub(crate) fn contents(&self) -> String {
        let items = &self.shipment.items;
        contents(items.iter().map(|item| (item.external_order_item_id.as_str(), item.sku.as_str(), item.quantity)))
    }
}

impl Shipment {
    pub(crate) fn contents(&self) -> String {
        let row = |item: &'_ Item| (item.line.clone(), item.sku.clone(), item.quantity);
        let rows: Vec<_> = self.items.iter().map(row).collect();
        contents(rows.iter().map(|(line, sku, quantity)| (line.as_str(), sku.as_str(), *quantity)))
    }
}
