//! Shopify's documented sample of each topic, posted as Shopify would.

use rust_decimal::Decimal;
use serde_json::Value;
use waybill_domain::{Body, MoneyPair, order::Order};
use waybill_testkit::shared_data;

use crate::{
    bench::Bench,
    webhook::{Webhook, webhook},
};

/// The samples of orders. All are of the same order at one time, and so each goes to a store of its own.
const ORDERS: [(&str, &str); 7] = [
    ("orders/cancelled", "one"),
    ("orders/create", "two"),
    ("orders/fulfilled", "three"),
    ("orders/link_requested", "four"),
    ("orders/paid", "five"),
    ("orders/partially_fulfilled", "six"),
    ("orders/updated", "seven"),
];

/// Every sample: topic and bytes.
fn samples() -> Option<Vec<(String, Vec<u8>)>> {
    let folder = shared_data()?.join("shopify/webhooks/samples");
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            (name.trim_end_matches(".exemplar").replace("__", "/"), std::fs::read(&path).unwrap())
        })
        .collect();
    samples.sort();
    assert!(samples.len() > 90, "{} samples", samples.len());
    Some(samples)
}

/// What may become of a sample.
fn expected(topic: &str, body: &[u8]) -> &'static [&'static str] {
    match topic {
        // Two samples in the documentation are empty objects: what level they are of cannot be told.
        "inventory_levels/connect" | "inventory_levels/update" if body == b"{}" => &["unreadable"],
        "inventory_levels/update" => &["applied"],
        "orders/edited"
        | "order_transactions/create"
        | "orders/delete"
        | "customers/delete"
        | "customer.tags_added"
        | "customer.tags_removed"
        | "customers_email_marketing_consent/update"
        | "products/delete"
        | "inventory_levels/disconnect" => &["refetch"],
        "customers/data_request" | "customers/redact" | "shop/redact" => &["privacy"],
        "refunds/create" => &["applied"],
        // Of one record all: the first is a change, the others say the same or cannot be told older or newer.
        "fulfillments/create"
        | "fulfillments/update"
        | "products/create"
        | "products/update"
        | "customers/create"
        | "customers/update"
        | "customers/enable"
        | "customers/disable" => &["applied", "echo", "refetch", "stale"],
        topic if ORDERS.iter().any(|(order, _)| *order == topic) => &["applied"],
        _ => &["unknown"],
    }
}

fn delivery(topic: &str, bytes: &[u8]) -> Webhook {
    let store = ORDERS.iter().find(|(order, _)| *order == topic).map_or("main", |(_, store)| store);
    webhook(topic, bytes).to(store)
}

async fn bench() -> Option<Bench> {
    let stores: Vec<&str> = ORDERS.iter().map(|(_, store)| *store).chain(["main"]).collect();
    Bench::with_stores(&stores).await
}

#[tokio::test]
async fn every_sample_is_taken_and_accounted_for() {
    let Some(samples) = samples() else { return };
    let Some(bench) = bench().await else { return };
    for (topic, bytes) in &samples {
        let (outcome, message) = bench.taken(&delivery(topic, bytes)).await;
        assert!(expected(topic, bytes).contains(&outcome.as_str()), "{topic}: {outcome} {message}");
    }
    bench.settled().await;
    let kept = bench.count("select count(*) from inbox").await;
    assert_eq!(usize::try_from(kept).unwrap(), samples.len());
    bench.close().await;
}

/// Reads one side of an amount.
type Side = fn(&MoneyPair) -> Decimal;

/// The sides of each amount: the shop's, then the buyer's.
const SIDES: [(&str, Side); 2] =
    [("shop_money", |pair| pair.shop.amount), ("presentment_money", |pair| pair.presentment.amount)];

fn amount(set: &Value, side: &str) -> Decimal {
    set[side]["amount"].as_str().map_or(Decimal::ZERO, |text| text.parse().unwrap())
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// Sums of lines, their taxes, discounts and duties, shipping, its taxes, and the stated totals, as the source has
/// them.
fn stated(source: &Value, side: &str) -> [Decimal; 10] {
    let lines = || items(source, "line_items");
    let within = |outer: &'static str, inner: &'static str, set: &'static str| -> Decimal {
        items(source, outer).flat_map(|one| items(one, inner)).map(|one| amount(&one[set], side)).sum()
    };
    let quantity = |line: &Value| line["quantity"].to_string().parse::<Decimal>().unwrap();
    let total = |name: &str| amount(&source[name], side);
    [
        lines().map(|line| amount(&line["price_set"], side) * quantity(line)).sum(),
        within("line_items", "tax_lines", "price_set"),
        within("line_items", "discount_allocations", "amount_set"),
        within("line_items", "duties", "price_set"),
        items(source, "shipping_lines").map(|line| amount(&line["price_set"], side)).sum(),
        within("shipping_lines", "tax_lines", "price_set"),
        total("total_tax_set"),
        total("total_discounts_set"),
        total("total_price_set"),
        total("current_total_price_set"),
    ]
}

fn kept(order: &Order, side: Side) -> [Decimal; 10] {
    [
        order.lines.iter().map(|line| side(&line.unit_price) * Decimal::from(line.quantity)).sum(),
        order.lines.iter().flat_map(|line| &line.taxes).map(|tax| side(&tax.amount)).sum(),
        order.lines.iter().map(|line| side(&line.discount)).sum(),
        order.lines.iter().flat_map(|line| &line.duties).map(side).sum(),
        order.shipping_lines.iter().map(|line| side(&line.price)).sum(),
        order.shipping_lines.iter().flat_map(|line| &line.taxes).map(|tax| side(&tax.amount)).sum(),
        side(&order.totals.tax),
        side(&order.totals.discounts),
        side(&order.totals.total),
        side(&order.totals.current_total),
    ]
}

#[tokio::test]
async fn order_samples_become_snapshots_that_keep_every_amount() {
    let Some(samples) = samples() else { return };
    let Some(bench) = bench().await else { return };
    for (topic, store) in ORDERS {
        let (_, bytes) = samples.iter().find(|(sample, _)| sample == topic).expect(topic);
        bench.taken(&delivery(topic, bytes)).await;
        let source: Value = serde_json::from_slice(bytes).unwrap();
        let snapshot = bench.record(store, "order", "820982911946154508").await.expect(topic);
        let Some(Body::Order(order)) = &snapshot.body else { panic!("{topic}") };
        for (name, side) in SIDES {
            assert_eq!(kept(order, side), stated(&source, name), "{topic} {name}");
        }
        assert!(side_total(order) > Decimal::ZERO, "{topic}: a sum of nothing proves nothing");
    }
    bench.close().await;
}

fn side_total(order: &Order) -> Decimal {
    order.totals.total.shop.amount
}
