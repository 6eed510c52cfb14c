//! What Tryton calls a record in its messages: `rec_name` of each model.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    schema::{self, Model},
    store::Store,
    value::{Id, Value},
};

/// A record's name. Tryton falls back on the id where a name cannot be computed.
pub(super) fn rec_name(store: &Store, model: &Model, id: Id) -> String {
    if store.get(model, id).is_none() {
        return id.to_string();
    }
    let text = |field: &str| store.value(model, id, field).as_text().unwrap_or_default().to_owned();
    let name = match model.name {
        "sale.sale" => sale(&text("number"), &text("reference"), id),
        "sale.line" => return line(store, model, id),
        "party.party" => party(&text("name"), &text("code")),
        "party.address" => address(store, model, id),
        "party.contact_mechanism" => return mechanism(store, model, id),
        "party.identifier" => text("code"),
        "product.product" | "stock.location" => coded(&text("code"), &text("name")),
        "currency.currency" => text("code"),
        "company.company" => {
            return store
                .value(model, id, "party")
                .as_id()
                .map_or_else(String::new, |party| name_of_party(store, party));
        }
        "stock.shipment.out" | "stock.shipment.out.return" | "account.invoice" => text("number"),
        "stock.inventory" => inventory(store, model, id),
        _ => text("name"),
    };
    if name.is_empty() { id.to_string() } else { name }
}

fn sale(number: &str, reference: &str, id: Id) -> String {
    let reference = if reference.is_empty() { String::new() } else { format!("[{reference}]") };
    let name = [number, &reference].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    if name.is_empty() { format!("({id})") } else { name }
}

fn party(name: &str, code: &str) -> String {
    if name.is_empty() { format!("[{code}]") } else { name.to_owned() }
}

fn name_of_party(store: &Store, id: Id) -> String {
    rec_name(store, schema::known("party.party"), id)
}

fn coded(code: &str, name: &str) -> String {
    if code.is_empty() { name.to_owned() } else { format!("[{code}] {name}") }
}

fn address(store: &Store, model: &Model, id: Id) -> String {
    let text = |field: &str| store.value(model, id, field).as_text().unwrap_or_default().to_owned();
    let parties = schema::known("party.party");
    let own = text("party_name");
    let party = match store.value(model, id, "party") {
        Value::Integer(party) if own.is_empty() => {
            store.value(parties, party, "name").as_text().unwrap_or_default().to_owned()
        }
        _ => own,
    };
    let country = store
        .value(model, id, "country")
        .as_id()
        .map(|country| store.value(schema::known("country.country"), country, "code"))
        .and_then(|code| code.as_text().map(str::to_owned))
        .unwrap_or_default();
    let street = text("street_unstructured").lines().collect::<Vec<_>>().join(" ");
    let parts = [party, street, text("postal_code"), text("city"), country];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn mechanism(store: &Store, model: &Model, id: Id) -> String {
    let value = match store.value(model, id, "value") {
        Value::Text(value) => value,
        _ => "None".to_owned(),
    };
    match (store.value(model, id, "name"), store.value(model, id, "party")) {
        (Value::Text(name), _) if !name.is_empty() => format!("{name} <{value}>"),
        (_, Value::Integer(party)) => format!("{} <{value}>", name_of_party(store, party)),
        _ => id.to_string(),
    }
}

fn line(store: &Store, model: &Model, id: Id) -> String {
    let product = store.value(model, id, "product").as_id();
    let products = schema::known("product.product");
    let name = match product {
        Some(product) if store.get(products, product).is_none() => return id.to_string(),
        Some(product) => rec_name(store, products, product),
        None => {
            let description = store.value(model, id, "description");
            description.as_text().and_then(|text| text.lines().next()).unwrap_or_default().to_owned()
        }
    };
    let sale = match store.value(model, id, "sale") {
        Value::Integer(sale) => rec_name(store, schema::known("sale.sale"), sale),
        _ => return id.to_string(),
    };
    if store.value(model, id, "type") != Value::text("line") {
        let name = if name.is_empty() { format!("({id})") } else { name };
        return format!("{name} @ {sale}");
    }
    let quantity = quantity(store, model, id);
    let name = if name.is_empty() { quantity } else { format!("{quantity} {name}") };
    format!("{name} @ {sale}")
}

/// `2 u`, with the blank that does not break; `2.0` without a unit.
fn quantity(store: &Store, model: &Model, id: Id) -> String {
    let quantity = store.value(model, id, "quantity").as_decimal().unwrap_or_default();
    let units = schema::known("product.uom");
    match store.value(model, id, "unit") {
        Value::Integer(unit) => {
            let digits = store.value(units, unit, "digits").as_decimal().unwrap_or_default();
            let symbol = store.value(units, unit, "symbol").as_text().unwrap_or_default().to_owned();
            let digits = u32::try_from(digits.mantissa()).unwrap_or_default();
            format!("{}\u{a0}{symbol}", grouped(quantity, digits))
        }
        _ => grouped(quantity, quantity.normalize().scale().max(1)),
    }
}

/// A number as English writes it: `12,345.0`.
fn grouped(number: Decimal, digits: u32) -> String {
    let rounded = number.abs().round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
    let text = format!("{rounded:.*}", digits as usize);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    if number.is_sign_negative() { format!("-{out}") } else { out }
}

fn inventory(store: &Store, model: &Model, id: Id) -> String {
    let number = store.value(model, id, "number").as_text().unwrap_or_default().to_owned();
    let location = store
        .value(model, id, "location")
        .as_id()
        .map(|location| rec_name(store, schema::known("stock.location"), location))
        .unwrap_or_default();
    let date = match store.value(model, id, "date") {
        Value::Date(date) => date.strftime("%m/%d/%Y").to_string(),
        _ => String::new(),
    };
    format!("[{number}] {location} @ {date}")
}
