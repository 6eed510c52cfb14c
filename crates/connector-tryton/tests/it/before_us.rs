//! What colleagues had in Tryton before us.

use serde_json::{Value as Json, json};
use waybill_domain::document::{MatchBy, MatchRule, OnMatch, OrderDocument, WritePolicy};

use crate::bench::Bench;

/// One rule, as the plan has it.
pub(crate) fn rule(by: MatchBy, value: &str) -> MatchRule {
    MatchRule { by, value: value.into(), ask: false }
}

pub(crate) fn field(name: &str) -> MatchBy {
    MatchBy::Field(name.to_owned())
}

pub(crate) fn matched_by(rules: Vec<MatchRule>) -> WritePolicy {
    WritePolicy { matching: rules, ..WritePolicy::default() }
}

/// The order, recognised by its name as the sale's description; its buyer by e-mail.
pub(crate) fn recognised(mut order: OrderDocument) -> OrderDocument {
    order.policy = matched_by(vec![rule(field("description"), &order.name)]);
    if let Some(buyer) = &mut order.customer {
        buyer.policy = matched_by(vec![rule(MatchBy::Email, buyer.email.expose())]);
    }
    order
}

pub(crate) fn only_fields(mut order: OrderDocument, names: &[&str]) -> OrderDocument {
    order.policy.on_match = OnMatch::Fields(names.iter().map(|name| (*name).to_owned()).collect());
    order
}

/// How many parties, addresses, identifiers and sales there are.
pub(crate) async fn counts(bench: &Bench) -> [i64; 4] {
    let mut counts = [0; 4];
    let models = ["party.party", "party.address", "party.identifier", "sale.sale"];
    for (count, model) in counts.iter_mut().zip(models) {
        let found = bench.vendor.model(&format!("{model}.search_count"), json!([[]])).await;
        *count = found.as_i64().unwrap();
    }
    counts
}

pub(crate) async fn made(bench: &Bench, model: &str, values: Json) -> Json {
    bench.vendor.model(&format!("{model}.create"), json!([[values]])).await[0].clone()
}

pub(crate) async fn party(bench: &Bench, name: &str, mechanisms: &[(&str, &str)]) -> Json {
    let mechanisms: Vec<Json> = mechanisms.iter().map(|(kind, value)| json!({"type": kind, "value": value})).collect();
    made(bench, "party.party", json!({"name": name, "contact_mechanisms": [["create", mechanisms]]})).await
}

/// One record of a model with some fields.
pub(crate) async fn read(bench: &Bench, model: &str, id: &Json, fields: Json) -> Json {
    bench.vendor.model(&format!("{model}.read"), json!([[id], fields])).await[0].clone()
}

/// The party that buys an order, as a colleague made it.
pub(crate) async fn buyer(bench: &Bench, order: &OrderDocument) -> Json {
    party(bench, "Jane by hand", &[("email", order.customer.as_ref().unwrap().email.expose())]).await
}

/// A sale that holds what an order does, with a party and addresses of its own and something about it changed.
pub(crate) async fn sale(bench: &Bench, order: &OrderDocument, changed: Json) -> Json {
    let party = buyer(bench, order).await;
    sale_of(bench, order, &party, changed).await
}

pub(crate) async fn sale_of(bench: &Bench, order: &OrderDocument, party: &Json, changed: Json) -> Json {
    let country = bench.vendor.model("country.country.search", json!([[["code", "=", "DE"]]])).await[0].clone();
    let mut addresses = Vec::new();
    for street in ["Hauptstraße 1", "Nebenstraße 2"] {
        let values = json!({
            "party": party, "party_name": "Jane Roe", "street": street,
            "postal_code": "10115", "city": "Berlin", "country": country,
        });
        addresses.push(made(bench, "party.address", values).await);
    }
    let mut values = json!({
        "party": party, "invoice_address": addresses[0], "shipment_address": addresses[1],
        "description": order.name, "comment": "by a colleague", "lines": [["create", lines(bench, order).await]],
    });
    values.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    made(bench, "sale.sale", values).await
}

/// The lines of an order, whose net amounts divide.
pub(crate) async fn lines(bench: &Bench, order: &OrderDocument) -> Vec<Json> {
    let products =
        bench.vendor.model("product.product.search_read", json!([[], 0, null, null, ["code", "sale_uom"]])).await;
    let taxes = bench.vendor.model("account.tax.search_read", json!([[], 0, null, null, ["name"]])).await;
    let by = |rows: &Json, name: &str, value: &str| {
        rows.as_array().unwrap().iter().find(|row| row[name] == value).unwrap().clone()
    };
    let line = |item: &str, quantity: i64, net: rust_decimal::Decimal, codes: &[String]| {
        let product = by(&products, "code", item);
        let taxes: Vec<Json> = codes.iter().map(|code| by(&taxes, "name", code)["id"].clone()).collect();
        let price = (net / rust_decimal::Decimal::from(quantity)).to_string();
        json!({
            "product": product["id"], "unit": product["sale_uom"], "quantity": quantity, "taxes": [["add", taxes]],
            "unit_price": {"__class__": "Decimal", "decimal": price},
        })
    };
    let lines = order.lines.iter().map(|of| line(&of.item, of.quantity, of.net, &of.tax_codes));
    let charges = order.charges.iter().map(|of| line(&of.item, 1, of.net, &of.tax_codes));
    lines.chain(charges).collect()
}

pub(crate) async fn pressed(bench: &Bench, sale: &Json, buttons: &[&str]) {
    for button in buttons {
        bench.vendor.model(&format!("sale.sale.{button}"), json!([[sale]])).await;
    }
}
