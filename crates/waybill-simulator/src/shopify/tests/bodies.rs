//! Webhook bodies against Shopify's documented samples and schemas.

use std::fs;

use serde_json::Value;

use super::{customer, decimal, five_off_the_first_line, line, paid_order, shared, store};
use crate::shopify::{NewOrder, Payment, Store, bodies, order::Tracking, shipping::Portion, state::About};

/// A store in which everything happened that a body can tell of, and each topic's body.
fn every_topic() -> Vec<(&'static str, Value)> {
    let store = store();
    let customer = store.add_customer(customer());
    let mut order = paid_order();
    order.customer = Some(customer);
    order.phone = Some("+4315550100".into());
    order.presentment = Some(("CAD".into(), decimal("1.4871")));
    order.discounts = vec![five_off_the_first_line()];
    order.lines[1].duty = decimal("2.40");
    order.payment = Payment::Paid;
    let id = store.place(order);
    store.edit(id, &[(store.order(id).unwrap().lines[0].id, 1)], vec![line("CAP-GREEN", 1)]);
    store.pay(id);
    send(&store, id);
    let mug = store.order(id).unwrap().lines[1].id;
    store.refund_units(id, mug, 1, "Things were damaged");
    let mut cancelled = paid_order();
    cancelled.customer = Some(customer);
    let cancelled = store.place(cancelled);
    store.cancel(cancelled, "customer", false);
    let given_back = every_refund(&store, customer);
    let state = store.state();
    let of = |about: About| bodies::of(&state, &about).unwrap();
    let refund = state.orders[&id].refunds[0].id;
    let fulfillment = state.orders[&id].fulfillments[0].id;
    let (item, location) = *state.levels.keys().next().unwrap();
    let product = *state.products.keys().next().unwrap();
    let whole = of(About::Order(id));
    let orders_given_back = given_back.iter().map(|order| ("orders/updated", of(About::Order(*order))));
    let refunds = given_back.iter().chain([&cancelled]).flat_map(|order| {
        let refunds = state.orders[order].refunds.iter();
        refunds.map(|refund| ("refunds/create", of(About::Refund(*order, refund.id))))
    });
    let mut all: Vec<_> = orders_given_back.chain(refunds).collect();
    all.extend([
        ("orders/create", whole.clone()),
        ("orders/updated", whole.clone()),
        ("orders/paid", whole.clone()),
        ("orders/fulfilled", whole),
        ("orders/cancelled", of(About::Order(cancelled))),
        ("refunds/create", of(About::Refund(id, refund))),
        ("fulfillments/create", of(About::Fulfillment(id, fulfillment))),
        ("fulfillments/update", of(About::Fulfillment(id, fulfillment))),
        ("customers/create", of(About::Customer(customer))),
        ("customers/update", of(About::Customer(customer))),
        ("products/update", of(About::Product(product))),
        ("inventory_levels/update", of(About::Level(item, location))),
    ]);
    all
}

/// Orders with every other kind of refund: of money alone, of shipping alone, of all that is left with a shelf for it,
/// and in a currency of the buyer's own.
fn every_refund(store: &Store, customer: u64) -> Vec<u64> {
    let placed = |change: fn(&mut NewOrder)| {
        let mut order = NewOrder { customer: Some(customer), ..paid_order() };
        change(&mut order);
        let id = store.place(order);
        send(store, id);
        id
    };
    let money = placed(|_| {});
    store.refund_money(money, decimal("2.00"), "Arrived late");
    let shipping = placed(|order| order.discounts = vec![five_off_the_first_line()]);
    assert!(store.refund_shipping(shipping, "Arrived late"));
    let all = placed(|order| order.presentment = Some(("CAD".into(), decimal("1.4871"))));
    let first = store.order(all).unwrap().lines[0].id;
    store.refund_units(all, first, 1, "Too small");
    store.refund_all(all, "Not as expected");
    vec![money, shipping, all]
}

fn send(store: &Store, order: u64) {
    let portion = |state: &crate::shopify::state::State| {
        let open = state.orders[&order].fulfillment_orders.iter();
        open.filter(|one| one.lines.iter().any(|line| line.remaining > 0))
            .map(|one| Portion { fulfillment_order: one.id, lines: None })
            .collect::<Vec<_>>()
    };
    let tracking = Tracking {
        company: Some("UPS".into()),
        numbers: vec!["1Z827WK74630".into()],
        urls: vec!["https://www.ups.com/track?num=1Z827WK74630".into()],
    };
    let portions = portion(&store.state());
    for one in portions {
        store.change(|state| state.fulfill(std::slice::from_ref(&one), tracking.clone())).unwrap();
    }
}

/// Every field of the sample must be there; what is within arrays, by the first item of each.
fn missing(sample: &Value, ours: &Value, path: &str, found: &mut Vec<String>) {
    match (sample, ours) {
        (Value::Object(sample), Value::Object(ours)) => {
            for (name, value) in sample {
                match ours.get(name) {
                    None => found.push(format!("{path}.{name}")),
                    Some(ours) => missing(value, ours, &format!("{path}.{name}"), found),
                }
            }
        }
        (Value::Array(sample), Value::Array(ours)) => {
            if let (Some(sample), Some(ours)) = (sample.first(), ours.first()) {
                missing(sample, ours, &format!("{path}[]"), found);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn bodies_have_every_field_of_the_documented_samples() {
    let Some(samples) = shared("shopify/webhooks/samples") else { return };
    for (topic, body) in every_topic() {
        let exemplar = samples.join(format!("{}.exemplar.json", topic.replace('/', "__")));
        let sample = samples.join(format!("{}.json", topic.replace('/', "__")));
        let path = if exemplar.exists() { exemplar } else { sample };
        let sample: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let mut found = Vec::new();
        missing(&sample, &body, topic, &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[tokio::test]
async fn an_edit_has_every_field_of_the_documented_sample() {
    let Some(samples) = shared("shopify/webhooks/samples") else { return };
    let store = store();
    let id = store.place(paid_order());
    let first = store.order(id).unwrap().lines[0].id;
    let told = {
        let mut state = store.state();
        state.edit(id, &[(first, 1)], vec![line("CAP-GREEN", 1)]);
        std::mem::take(&mut state.events)
    };
    let edit = told.iter().find(|event| event.topic == "orders/edited").unwrap();
    let body = bodies::of(&store.state(), &edit.about).unwrap();
    let sample: Value =
        serde_json::from_str(&fs::read_to_string(samples.join("orders__edited.json")).unwrap()).unwrap();
    let mut found = Vec::new();
    missing(&sample, &body, "orders/edited", &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(body["order_edit"]["line_items"]["removals"][0]["id"], serde_json::json!(first));
}

/// Where the schemas, which were made from the samples, are narrower than Shopify: lists that are empty in a sample
/// and were given no item at all, and texts that no sample leaves null.
const NARROWER: &[(&str, &str)] = &[
    (".refunds[]", "no item in the sample"),
    (".line_items[].duties[]", "no item in the samples of orders"),
    (".line_item.duties[]", "no item in the sample"),
    (".refund_shipping_lines[]", "no item in the sample"),
    ("refunds/create.note", "null where staff wrote none"),
    (".fulfillments[].line_items[].tax_lines[].rate", "0 in the sample"),
    (".origin_address", "null in every sample"),
    (".image", "null in the sample"),
    ("customers/create.note", "null for most customers"),
    ("customers/update.note", "null for most customers"),
    (".addresses[].address2", "null for most addresses"),
    (".addresses[].company", "null for most addresses"),
    (".addresses[].province", "null for countries without provinces"),
    (".addresses[].province_code", "null for countries without provinces"),
    (".default_address.province", "null for countries without provinces"),
    (".default_address.province_code", "null for countries without provinces"),
    (".shipping_address.province", "null for countries without provinces"),
    (".shipping_address.province_code", "null for countries without provinces"),
    (".billing_address.province", "null for countries without provinces"),
    (".billing_address.province_code", "null for countries without provinces"),
    (".destination.province", "null for countries without provinces"),
    (".destination.province_code", "null for countries without provinces"),
];

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("unknown type {other}"),
    }
}

fn check_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "email" => text.contains('@'),
        "uri" => text.contains("://"),
        // Made from samples: formats that a text happened to have.
        "hostname" | "time" | "ipv4" => true,
        other => panic!("unknown format {other}"),
    }
}

/// Validates against the part of JSON Schema that the schemas use: type, format, required, properties, items, anyOf.
fn validate(schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    if NARROWER.iter().any(|(known, _)| path.ends_with(known)) {
        return;
    }
    if schema == &Value::Bool(false) {
        wrong.push(format!("{path}: nothing is allowed here"));
        return;
    }
    let Some(schema) = schema.as_object() else { return };
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_a(kind, value)) {
        wrong.push(format!("{path}: {value} is not {kinds:?}"));
        return;
    }
    if let (Some(format), Some(text)) = (schema.get("format").and_then(Value::as_str), value.as_str())
        && !check_format(format, text)
    {
        wrong.push(format!("{path}: {text} is not a {format}"));
    }
    if let Some(object) = value.as_object() {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                wrong.push(format!("{path}.{name} is missing"));
            }
        }
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if let Some(value) = object.get(name) {
                validate(schema, value, &format!("{path}.{name}"), wrong);
            }
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        items.iter().for_each(|item| validate(schema, item, &format!("{path}[]"), wrong));
    }
    if let Some(ways) = schema.get("anyOf").and_then(Value::as_array) {
        let fits = ways.iter().any(|way| {
            let mut wrong = Vec::new();
            validate(way, value, path, &mut wrong);
            wrong.is_empty()
        });
        if !fits {
            wrong.push(format!("{path}: {value} fits none of anyOf"));
        }
    }
}

#[tokio::test]
async fn bodies_are_valid_against_the_schemas() {
    let Some(schemas) = shared("shopify/webhooks/jsonschema") else { return };
    let mut wrong = Vec::new();
    for (topic, body) in every_topic() {
        let schema: Value =
            serde_json::from_str(&fs::read_to_string(schemas.join(format!("{topic}.json"))).unwrap()).unwrap();
        validate(&schema, &body, topic, &mut wrong);
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn an_orders_own_id_comes_before_all_that_is_nested_in_it() {
    let store = store();
    let id = store.place(paid_order());
    let text = bodies::text(&bodies::of(&store.state(), &About::Order(id)).unwrap());
    let start = format!("{{\"id\":{id},\"admin_graphql_api_id\":\"gid://shopify/Order/{id}\"");
    assert!(text.starts_with(&start), "{}", &text[..200]);
    assert!(text.find("\"updated_at\"") < text.find("\"billing_address\""), "what is nested comes last");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["id"], id);
}
