//! A Tryton that has been in use for years: nobody and nothing is made a second time.

use serde_json::{Value as Json, json};
use waybill_connector::{Known, StepCall, contract};
use waybill_domain::{
    CallKey,
    document::{CustomerDocument, MatchBy, OrderDocument},
};

use crate::{
    before_us::{counts, field, lines, matched_by, recognised, rule},
    bench::Bench,
    documents::{customer, customer_record, order, order_record},
    on_both,
};

on_both!(what_was_there_before_us_is_adopted_and_nothing_is_made_twice);

/// How many customers there are, and how many orders. A real one takes a second for an order.
fn numbers(bench: &Bench) -> (usize, usize) {
    if bench.vendor.simulated.is_some() { (200, 50) } else { (20, 6) }
}

/// A colleague's customers, some of whom write their e-mails in capitals, and an order of each of the first ones. Half of
/// the orders bear their name in the store as reference; the others are known by Tryton's own number.
async fn history(bench: &Bench) -> Vec<OrderDocument> {
    let (customers, orders) = numbers(bench);
    let values: Vec<Json> = (0..customers)
        .map(|n| {
            let email = format!("jane{n}@example.com");
            let email = if n % 3 == 0 { email.to_uppercase() } else { email };
            let mechanisms = json!([["create", [{"type": "email", "value": email}]]]);
            let address = json!([["create", [{"street": "Am Markt 3", "city": "Bonn"}]]]);
            json!({"name": format!("Customer {n}"), "contact_mechanisms": mechanisms, "addresses": address})
        })
        .collect();
    let parties = bench.vendor.model("party.party.create", json!([values])).await;
    let lines = lines(bench, &order(0)).await;
    let addresses = bench.vendor.model("party.party.read", json!([parties, ["addresses"]])).await;
    let address = |party: &Json| {
        let rows = addresses.as_array().unwrap();
        rows.iter().find(|row| row["id"] == *party).unwrap()["addresses"][0].clone()
    };
    let values: Vec<Json> = (0..orders)
        .map(|n| {
            let party = &parties[n];
            let reference = if n % 2 == 0 { json!(order(n).name) } else { Json::Null };
            json!({
                "party": party, "reference": reference, "invoice_address": address(party),
                "shipment_address": address(party), "lines": [["create", lines]],
            })
        })
        .collect();
    let sales = bench.vendor.model("sale.sale.create", json!([values])).await;
    // Some are drafts, the others quotations with a number.
    let quoted: Vec<&Json> = sales.as_array().unwrap().iter().skip(1).step_by(2).collect();
    bench.vendor.model("sale.sale.quote", json!([quoted])).await;
    let numbers = bench.vendor.model("sale.sale.read", json!([sales, ["number"]])).await;
    let number = |n: usize| {
        let rows = numbers.as_array().unwrap();
        rows.iter().find(|row| row["id"] == sales[n]).unwrap()["number"].as_str().unwrap_or_default().to_owned()
    };
    (0..orders)
        .map(|n| {
            let mut order = recognised(order(n));
            order.policy = matched_by(vec![rule(field("number"), &number(n)), rule(field("reference"), &order.name)]);
            order
        })
        .collect()
}

fn by_email(n: usize) -> CustomerDocument {
    let customer = customer(n);
    let policy = matched_by(vec![rule(MatchBy::Email, customer.email.expose())]);
    CustomerDocument { policy, ..customer }
}

/// In batches, as the engine sends them.
async fn write_customers(bench: &Bench) {
    let sink = bench.customers();
    let customers: Vec<CustomerDocument> = (0..numbers(bench).0).map(by_email).collect();
    let known = Known::new();
    let step = sink.steps(&customers[0], &known).remove(0);
    for batch in customers.chunks(sink.batch_size(&step.name)) {
        let keys: Vec<CallKey> = batch.iter().map(|customer| CallKey::new(&customer.key, &step.name, b"")).collect();
        let call = |(document, call_key)| {
            let document: &CustomerDocument = document;
            StepCall { step: &step, document, object_key: &document.key, call_key, known: &known, is_again: false }
        };
        let calls: Vec<_> = batch.iter().zip(&keys).map(call).collect();
        let outcomes = sink.apply(&calls).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }
}

async fn write_orders(bench: &Bench, orders: &[OrderDocument]) {
    for (n, order) in orders.iter().enumerate() {
        contract::drive(bench.orders(), &order_record(n), order, Known::new()).await.unwrap();
    }
}

async fn what_was_there_before_us_is_adopted_and_nothing_is_made_twice(bench: &Bench) {
    let orders = history(bench).await;
    let [parties, _, _, sales] = counts(bench).await;
    for time in ["once", "twice"] {
        write_customers(bench).await;
        write_orders(bench, &orders).await;
        let after = counts(bench).await;
        assert_eq!((after[0], after[3]), (parties, sales), "parties and sales after writing {time}");
        assert_eq!(after[2], numbers(bench).0 as i64, "one identifier per customer after writing {time}");
    }
    for (n, order) in orders.iter().enumerate() {
        let sale = bench.sale(order).await;
        assert_eq!((&sale["state"], &sale["party."]["name"]), (&json!("processing"), &json!(format!("Jane Roe{n}"))));
    }
    let domain = json!([["identifiers.code", "=", customer_key(7)]]);
    let found = bench.vendor.model("party.party.search_read", json!([domain, 0, null, null, ["email"]])).await;
    assert_eq!(found[0]["email"], "jane7@example.com");
}

fn customer_key(n: usize) -> String {
    waybill_domain::ObjectKey::new(&customer_record(n), "customer").to_string()
}
