//! Shopify's documented sample of each topic.

use std::{fs, str::FromStr};

use connector_shopify::{
    body::{self, BodyError, Parsed, Problem},
    webhook::Topic,
};
use rust_decimal::Decimal;
use serde_json::Value;
use waybill_domain::{Body, MoneyPair, order::Order};

use crate::shared::shared;

const ORDER_SAMPLES: &[&str] = &[
    "orders/cancelled",
    "orders/create",
    "orders/fulfilled",
    "orders/link_requested",
    "orders/paid",
    "orders/partially_fulfilled",
    "orders/updated",
];

/// Topic and bytes of each sample.
fn samples() -> Option<Vec<(String, Vec<u8>)>> {
    let folder = shared("shopify/webhooks/samples")?;
    let mut samples: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let topic = name.trim_end_matches(".exemplar").replace("__", "/");
            (topic, fs::read(&path).unwrap())
        })
        .collect();
    samples.sort();
    Some(samples)
}

fn outcome(parsed: &Result<Parsed, BodyError>) -> String {
    match parsed {
        Ok(Parsed::Whole(whole)) => format!("{} {}", whole.body.kind(), whole.id),
        Ok(Parsed::Refetch { kind, id }) => format!("read {kind} {id}"),
        Ok(Parsed::Deleted { kind, id }) => format!("deleted {kind} {id}"),
        Ok(Parsed::Privacy(request)) => format!("privacy {:?}", request.request),
        Ok(Parsed::Several(several)) => {
            several.iter().map(|one| outcome(&Ok(one.clone()))).collect::<Vec<_>>().join(", ")
        }
        Ok(Parsed::Unknown) => "unknown".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// What becomes of each sample; all others are kept as unknown.
fn expected(topic: &str, body: &[u8]) -> &'static str {
    match topic {
        topic if ORDER_SAMPLES.contains(&topic) => "order 820982911946154508",
        // Without a global id of the order, the sample's rounded number is what there is.
        "orders/edited" | "order_transactions/create" => "read order 820982911946154500",
        "orders/delete" => "deleted order 820982911946154500",
        "refunds/create" => "refund 890088186047892319, read order 820982911946154500",
        "fulfillments/create" | "fulfillments/update" => "fulfilment 123456, read order 820982911946154500",
        "customers/create" | "customers/update" | "customers/enable" | "customers/disable" => {
            "customer 706405506930370084"
        }
        "customer.tags_added" | "customer.tags_removed" => "read customer 1",
        // Without a global id, the sample's rounded number is what there is.
        "customers_email_marketing_consent/update" => "read customer 706405506930370000",
        "customers/delete" => "deleted customer 706405506930370084",
        "customers/data_request" => "privacy DataRequest",
        "customers/redact" => "privacy RedactCustomer",
        "shop/redact" => "privacy RedactShop",
        "products/create" | "products/update" => "product 788032119674292922",
        "products/delete" => "deleted product 788032119674292900",
        "inventory_levels/disconnect" => "deleted inventory-level 271878346596884000-24826418",
        // Two samples in the documentation are empty objects.
        "inventory_levels/connect" | "inventory_levels/update" if body == b"{}" => "$.inventory_item_id is missing",
        "inventory_levels/update" => "inventory-level 123-123",
        _ => "unknown",
    }
}

#[test]
fn every_sample_is_accounted_for() {
    let Some(samples) = samples() else { return };
    assert!(samples.len() > 90, "{} samples", samples.len());
    for (topic, bytes) in samples {
        let parsed = body::parse(Topic::parse(&topic), &bytes);
        assert_eq!(outcome(&parsed), expected(&topic, &bytes), "{topic}");
    }
}

/// Reads one side of an amount.
type Side = fn(&MoneyPair) -> Decimal;

/// The sides of each amount of an order: shop, then buyer.
const SIDES: [(&str, Side); 2] =
    [("shop_money", |pair| pair.shop.amount), ("presentment_money", |pair| pair.presentment.amount)];

/// The amount that stands in the source, read by this test alone.
fn stated(set: &Value, side: &str) -> Decimal {
    set[side]["amount"].as_str().map_or(Decimal::ZERO, |text| Decimal::from_str(text).unwrap())
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn source_sums(source: &Value, side: &str) -> [Decimal; 7] {
    let sum = |sets: &mut dyn Iterator<Item = Decimal>| sets.sum::<Decimal>();
    let lines: Vec<&Value> = items(source, "line_items").collect();
    let quantity = |line: &Value| Decimal::from_str(&line["quantity"].to_string()).unwrap();
    [
        sum(&mut lines.iter().map(|line| stated(&line["price_set"], side) * quantity(line))),
        sum(&mut lines
            .iter()
            .flat_map(|line| items(line, "discount_allocations"))
            .map(|allocation| stated(&allocation["amount_set"], side))),
        sum(&mut lines
            .iter()
            .copied()
            .chain(items(source, "shipping_lines"))
            .flat_map(|taxed| items(taxed, "tax_lines"))
            .map(|tax| stated(&tax["price_set"], side))),
        sum(&mut lines.iter().flat_map(|line| items(line, "duties")).map(|duty| stated(&duty["price_set"], side))),
        sum(&mut items(source, "shipping_lines").map(|line| stated(&line["price_set"], side))),
        stated(&source["total_discounts_set"], side),
        stated(&source["total_price_set"], side),
    ]
}

fn parsed_sums(order: &Order, side: Side) -> [Decimal; 7] {
    let taxes = order.lines.iter().flat_map(|line| &line.taxes);
    let shipping_taxes = order.shipping_lines.iter().flat_map(|line| &line.taxes);
    [
        order.lines.iter().map(|line| side(&line.unit_price) * Decimal::from(line.quantity)).sum(),
        order.lines.iter().map(|line| side(&line.discount)).sum(),
        taxes.chain(shipping_taxes).map(|tax| side(&tax.amount)).sum(),
        order.lines.iter().flat_map(|line| &line.duties).map(side).sum(),
        order.shipping_lines.iter().map(|line| side(&line.price)).sum(),
        side(&order.totals.discounts),
        side(&order.totals.total),
    ]
}

#[test]
fn order_samples_keep_every_amount() {
    let Some(samples) = samples() else { return };
    let mut seen = 0;
    for (topic, bytes) in samples.iter().filter(|(topic, _)| ORDER_SAMPLES.contains(&topic.as_str())) {
        let Ok(Parsed::Whole(whole)) = body::parse(Topic::parse(topic), bytes) else { panic!("{topic}") };
        let Body::Order(order) = whole.body else { panic!("{topic}") };
        let source: Value = serde_json::from_slice(bytes).unwrap();
        for (name, side) in SIDES {
            assert_eq!(parsed_sums(&order, side), source_sums(&source, name), "{topic} {name}");
        }
        assert_eq!(order.lines.len(), items(&source, "line_items").count(), "{topic}");
        seen += 1;
    }
    assert_eq!(seen, ORDER_SAMPLES.len());
}

#[test]
fn a_refund_sample_keeps_its_money_and_its_lines() {
    let Some(samples) = samples() else { return };
    let (topic, bytes) = samples.iter().find(|(topic, _)| topic == "refunds/create").unwrap();
    let Ok(Parsed::Several(parts)) = body::parse(Topic::parse(topic), bytes) else { panic!("{topic}") };
    let Parsed::Whole(whole) = &parts[0] else { panic!("{topic}") };
    let Body::Refund(refund) = &whole.body else { panic!("{topic}") };
    assert_eq!(refund.refunded.unwrap().shop.to_string(), "85.00 USD");
    let lines: Decimal = refund.lines.iter().map(|line| line.subtotal.shop.amount).sum();
    assert_eq!(lines, Decimal::from_str("414.95").unwrap());
    assert_eq!(refund.lines[0].line_id.as_str(), "487817672276298554");
    assert_eq!((refund.lines[0].sku.as_str(), refund.lines[0].title.as_str()), ("SKU2006-001", "Aviator sunglasses"));
}

#[test]
fn a_customer_sample_says_that_it_lacks_tags_and_consent() {
    let Some(samples) = samples() else { return };
    let (topic, bytes) = samples.iter().find(|(topic, _)| topic == "customers/update").unwrap();
    let Ok(Parsed::Whole(whole)) = body::parse(Topic::parse(topic), bytes) else { panic!("{topic}") };
    assert_eq!(whole.lacks, ["tags", "email_consent"]);
}

#[test]
fn a_body_without_json_is_an_error_that_says_where() {
    let error = body::parse(Topic::parse("orders/create"), b"{\"id\": 1,\n \"name\": \"#10").unwrap_err();
    assert!(matches!(error, BodyError::NotJson { line: 2, .. }), "{error:?}");
    let error = body::parse(Topic::parse("orders/create"), b"{\"id\": \"\xff\"}").unwrap_err();
    assert!(matches!(error, BodyError::NotJson { .. }), "{error:?}");
}

#[test]
fn a_body_of_another_shape_is_an_error_that_says_what_is_missing() {
    let error = body::parse(Topic::parse("orders/create"), b"[]").unwrap_err();
    assert_eq!(error, BodyError::Field { path: "$.id".to_owned(), problem: Problem::Missing });
}
