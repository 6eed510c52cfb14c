//! What a day is made of.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Day, DaySettings, planted::FLAWS};
use crate::shopify::{Settings, Store};

/// A day without anyone who ships, to its end.
async fn day(orders: usize, seed: u64) -> (Store, Day) {
    let store = Store::new(Settings::default());
    let settings = DaySettings { orders, seed, rate: None, patience: std::time::Duration::ZERO, flaws: 1 };
    let day = Day::new(store.clone(), settings, None, None);
    day.clone().run().await;
    (store, day)
}

fn orders(store: &Store) -> Vec<Value> {
    let records = store.records();
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["kind"] == "order").map(|record| record["body"].clone()).collect()
}

#[tokio::test]
async fn the_same_seed_makes_the_same_day() {
    let tell = |store: &Store| -> Vec<String> {
        let of = |order: &Value, name: &str| order[name].to_string();
        orders(store)
            .iter()
            .map(|order| {
                ["name", "email", "financial_status", "current_total_price"].map(|name| of(order, name)).concat()
            })
            .collect()
    };
    let (first, second, other) = (day(80, 7).await.0, day(80, 7).await.0, day(80, 8).await.0);
    assert_eq!(tell(&first), tell(&second));
    assert_ne!(tell(&first), tell(&other));
}

fn amount(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_sums_of_every_order_hold_but_of_the_planted_one() {
    let (store, day) = day(300, 3).await;
    let planted = day.planted();
    let wrong: BTreeSet<&str> =
        planted.iter().filter(|one| one.code == "totals").map(|one| one.name.as_str()).collect();
    assert_eq!(wrong.len(), 1);
    for order in orders(&store) {
        for money in ["shop_money", "presentment_money"] {
            let of = |name: &str| {
                let set = &order[name];
                if set.is_null() { Decimal::ZERO } else { amount(&set[money]["amount"]) }
            };
            let tax = if order["taxes_included"] == true { Decimal::ZERO } else { of("total_tax_set") };
            let parts = of("total_line_items_price_set") - of("total_discounts_set")
                + of("total_shipping_price_set")
                + tax
                + of("original_total_duties_set");
            let name = order["name"].as_str().unwrap();
            if amount(&order["total_tip_received"]).is_zero() {
                assert_eq!(parts == of("total_price_set"), !wrong.contains(name), "{name} in {money}");
            }
        }
    }
}

#[tokio::test]
async fn each_flaw_is_planted_and_told() {
    let (store, day) = day(20, 1).await;
    let planted = day.planted();
    let codes: BTreeSet<&str> = planted.iter().map(|one| one.code).collect();
    let expected = ["invalid_address", "invalid_email", "missing_sku", "totals", "unknown_item", "unmapped"];
    assert_eq!(codes, BTreeSet::from(expected));
    // One is a customer, and one lies before packers, whom this day does not have.
    assert_eq!(orders(&store).len(), 20 + FLAWS.len() - 2);
    assert_eq!(day.report().orders_placed, 25);
}

#[tokio::test]
async fn a_long_day_has_every_kind_of_order() {
    let (store, _) = day(400, 5).await;
    let orders = orders(&store);
    let count = |holds: &dyn Fn(&Value) -> bool| orders.iter().filter(|order| holds(order)).count();
    let status = |word: &'static str| move |order: &Value| order["financial_status"] == word;
    let empty = |list: &Value| list.as_array().unwrap().is_empty();
    assert!(count(&status("paid")) > 300);
    for word in ["authorized", "pending", "voided", "refunded"] {
        assert!(count(&status(word)) > 0, "{word}");
    }
    assert!(count(&|order| order["customer"].is_null()) > 10, "guests");
    assert!(count(&|order| order["currency"] != order["presentment_currency"]) > 30, "other currencies");
    assert!(count(&|order| !empty(&order["discount_applications"])) > 40, "discounts");
    assert!(count(&|order| order["tax_lines"].as_array().unwrap().len() > 1) > 20, "several taxes");
    assert!(count(&|order| order["fulfillment_orders"].as_array().unwrap().len() > 1) > 2, "two places");
    assert!(count(&|order| empty(&order["shipping_lines"])) > 0, "nothing to ship");
    let removed = |line: &Value| line["current_quantity"] != line["quantity"];
    let edited =
        |order: &Value| order["cancelled_at"].is_null() && order["line_items"].as_array().unwrap().iter().any(removed);
    assert!(count(&edited) > 2, "edits");
}

#[tokio::test]
async fn an_order_that_is_paid_owes_nothing() {
    let (store, _) = day(200, 9).await;
    for order in orders(&store).iter().filter(|order| order["financial_status"] == "paid") {
        assert_eq!(amount(&order["total_outstanding"]), Decimal::ZERO, "{}", order["name"]);
    }
}

/// A day whose parcels the store itself sends as soon as they can be, to its end.
async fn shipped_day(orders: usize, seed: u64) -> Store {
    let store = Store::new(Settings::default());
    let settings = DaySettings { orders, seed, rate: None, patience: std::time::Duration::from_secs(60), flaws: 1 };
    let day = Day::new(store.clone(), settings, None, None);
    let sent = async {
        loop {
            store.send_all();
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = day.clone().run() => {}
        () = sent => {}
    }
    assert_eq!((day.report().follow_ups_open, day.report().follow_ups_dropped), (0, 0));
    store
}

#[tokio::test]
async fn a_long_day_has_every_kind_of_refund() {
    let store = shipped_day(150, 5).await;
    let orders = orders(&store);
    let refunds: Vec<(&Value, &Value)> = orders
        .iter()
        .filter(|order| order["cancelled_at"].is_null())
        .flat_map(|order| order["refunds"].as_array().unwrap().iter().map(move |refund| (order, refund)))
        .collect();
    let count =
        |holds: &dyn Fn(&Value, &Value) -> bool| refunds.iter().filter(|(order, refund)| holds(order, refund)).count();
    let some = |list: &Value| !list.as_array().unwrap().is_empty();
    let restocked = |refund: &Value, word: &str| {
        refund["refund_line_items"].as_array().unwrap().iter().any(|line| line["restock_type"] == word)
    };
    let (lines, shipping, adjusted) = ("refund_line_items", "refund_shipping_lines", "order_adjustments");
    let full = |order: &Value, _: &Value| order["financial_status"] == "refunded";
    assert!(count(&full) > 0, "all of it");
    assert!(count(&|order, refund| !full(order, refund) && some(&refund[lines])) > 0, "some of the units");
    assert!(count(&|_, refund| !some(&refund[lines]) && some(&refund[shipping])) > 0, "shipping alone");
    let money_alone = |_: &Value, refund: &Value| !some(&refund[lines]) && !some(&refund[shipping]);
    assert!(count(&|order, refund| money_alone(order, refund) && some(&refund[adjusted])) > 0, "money alone");
    assert!(count(&|_, refund| restocked(refund, "return")) > 0, "back on the shelf");
    assert!(count(&|_, refund| restocked(refund, "no_restock")) > 0, "not fit for the shelf");
    let cancelled = orders.iter().filter(|order| !order["cancelled_at"].is_null());
    let mut cancelled = cancelled.flat_map(|order| order["refunds"].as_array().unwrap());
    assert!(cancelled.any(|refund| restocked(refund, "cancel")), "never sent");
}

#[tokio::test]
async fn each_refund_is_worth_what_went_back() {
    for seed in [2, 5] {
        let store = shipped_day(300, seed).await;
        for order in orders(&store) {
            let included = order["taxes_included"] == true;
            for refund in order["refunds"].as_array().unwrap() {
                // Transactions are in the buyer's currency.
                let of = |part: &Value, name: &str| amount(&part[name]["presentment_money"]["amount"]);
                let sum = |list: &str, value: &str, tax: &str| -> Decimal {
                    let parts = refund[list].as_array().unwrap().iter();
                    let on_top = |part: &Value| if included { Decimal::ZERO } else { of(part, tax) };
                    parts.map(|part| of(part, value) + on_top(part)).sum()
                };
                let worth = sum("refund_line_items", "subtotal_set", "total_tax_set")
                    + sum("refund_shipping_lines", "subtotal_amount_set", "tax_amount_set")
                    - sum("order_adjustments", "amount_set", "tax_amount_set");
                let moved = refund["transactions"].as_array().unwrap();
                let back: Decimal = moved.iter().map(|one| amount(&one["amount"])).sum();
                // What was only reserved is released, not paid back.
                if !moved.is_empty() {
                    assert_eq!(worth, back, "{}: {refund}", order["name"]);
                }
            }
        }
    }
}
