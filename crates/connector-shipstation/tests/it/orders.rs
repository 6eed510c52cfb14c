//! Orders into ShipStation.

use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use waybill_connector::{Applied, Failure, Known, Sink, StepCall, sink::Check};
use waybill_domain::{CallKey, document::OrderDocument};

use crate::{
    bench::{Account, connector, rejected},
    documents::{cancelled, line, mapped, order, to},
};

/// Runs the first step for several orders at once, as one batch.
async fn batch(account: &Account, orders: &[OrderDocument]) -> Vec<Result<Applied, Failure>> {
    let known = Known::new();
    let steps: Vec<_> = orders.iter().map(|order| account.connector.steps(order, &known).remove(0)).collect();
    let keys: Vec<_> = orders.iter().map(|order| CallKey::new(&order.key, "shipment", b"")).collect();
    let calls: Vec<_> = orders
        .iter()
        .zip(&steps)
        .zip(&keys)
        .map(|((document, step), call_key)| StepCall {
            step,
            document,
            object_key: &document.key,
            call_key,
            known: &known,
            is_again: false,
        })
        .collect();
    account.connector.apply(&calls).await
}

#[tokio::test]
async fn an_order_becomes_a_pending_shipment_with_its_amounts_and_lines() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    let shipment = account.shipment(&order(1)).await;
    assert_eq!(shipment["shipment_status"], "pending");
    assert_eq!(shipment["amount_paid"].to_string(), r#"{"amount":41.25,"currency":"USD"}"#);
    assert_eq!(shipment["tax_paid"]["amount"].to_string(), "3.75");
    let items = &shipment["items"];
    assert_eq!((&items[0]["external_order_item_id"], &items[0]["sku"]), (&json!("101"), &json!("TEE-M")));
    assert_eq!((&items[0]["quantity"], items[0]["unit_price"].to_string().as_str()), (&json!(2), "12.50"));
    assert_eq!(items[0]["external_order_id"], order(1).key.as_str());
    assert!(items[0]["sales_order_id"].is_string(), "it is in ShipStation's Orders tab and can be split there");
    assert_eq!(shipment["packages"][0]["weight"], json!({ "value": 450, "unit": "gram" }));
    assert_eq!(shipment["ship_from"]["postal_code"], "78756", "the default warehouse's");
    assert_eq!(shipment["ship_to"]["name"], "Amanda Miller");
}

#[tokio::test]
async fn what_needs_no_parcel_stays_out_of_it() {
    let account = Account::open().await;
    let mut gift_card = order(1);
    gift_card.lines[1].requires_shipping = false;
    account.deliver(1, &gift_card, Known::new()).await.unwrap();
    assert_eq!(account.shipment(&gift_card).await["items"].as_array().unwrap().len(), 1);
    let mut download = order(2);
    download.lines.iter_mut().for_each(|line| line.requires_shipping = false);
    assert_eq!(rejected(account.deliver(2, &download, Known::new()).await).0, "nothing_to_ship");
}

#[tokio::test]
async fn fields_that_a_create_does_not_take_follow_in_an_update() {
    let account = Account::open().await;
    let named = mapped(mapped(order(1), "shipment_number", "#1"), "service_code", "ups_ground");
    let named = mapped(named, "notes_for_gift", "For you");
    account.deliver(1, &named, Known::new()).await.unwrap();
    let shipment = account.shipment(&named).await;
    assert_eq!((&shipment["shipment_number"], &shipment["service_code"]), (&json!("#1"), &json!("ups_ground")));
    assert_eq!(shipment["notes_for_gift"], "For you");
    let (code, field, _) = rejected(account.deliver(2, &mapped(order(2), "shipment_number", "#1"), Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("identifier_conflict", "shipment_number"));
}

/// An order whose carrier service and note belong to the warehouse.
fn kept(n: usize, service: &str, note: &str) -> OrderDocument {
    let mut kept = mapped(mapped(order(n), "service_code", service), "notes_for_gift", note);
    kept.policy.keep = ["service_code", "notes_for_gift"].map(str::to_owned).into();
    kept
}

#[tokio::test]
async fn a_kept_field_is_written_when_the_shipment_is_created_and_never_again() {
    let account = Account::open().await;
    let known = account.deliver(1, &kept(1, "ups_ground", "For you"), Known::new()).await.unwrap();
    let fields = async || {
        let shipment = account.shipment(&order(1)).await;
        [
            shipment["service_code"].clone(),
            shipment["notes_for_gift"].clone(),
            shipment["ship_to"]["city_locality"].clone(),
        ]
    };
    assert_eq!(fields().await, [json!("ups_ground"), json!("For you"), json!("San Jose")]);
    account.edit(&order(1), |shipment| shipment["service_code"] = json!("usps_priority_mail")).await;
    let moved = to(kept(1, "ups_ground", "For us"), |address| address.city = "Cupertino".into());
    account.deliver(1, &moved, known).await.unwrap();
    assert_eq!(fields().await, [json!("usps_priority_mail"), json!("For you"), json!("Cupertino")]);
    // Nothing is known of the shipment any more, so it is found by the refusal of a second one.
    let moved = to(kept(1, "ups_ground", "For us"), |address| address.city = "Milpitas".into());
    account.deliver(1, &moved, Known::new()).await.unwrap();
    assert_eq!(fields().await, [json!("usps_priority_mail"), json!("For you"), json!("Milpitas")]);
}

#[tokio::test]
async fn a_mapped_field_that_is_cleared_in_the_store_is_cleared_there() {
    let account = Account::open().await;
    let noted = mapped(order(1), "notes_for_gift", "For you");
    let known = account.deliver(1, &noted, Known::new()).await.unwrap();
    let mut cleared = noted.clone();
    cleared.fields.insert("notes_for_gift".to_owned(), waybill_domain::document::FieldValue::Null);
    account.deliver(1, &cleared, known).await.unwrap();
    assert_eq!(account.shipment(&noted).await["notes_for_gift"], Value::Null);
}

#[tokio::test]
async fn a_field_that_shipstation_does_not_have_is_refused() {
    let account = Account::open().await;
    let odd = mapped(order(1), "colour", "red");
    let (code, field, _) = rejected(account.deliver(1, &odd, Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("map_error", "colour"));
}

#[tokio::test]
async fn what_the_vendor_says_of_one_shipment_parks_that_one() {
    let account = Account::open().await;
    let strange = mapped(order(1), "carrier_id", "se-404");
    let outcomes = batch(&account, &[order(0), strange.clone(), order(2)]).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    let Err(Failure::Rejected { field, .. }) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!(field, "carrier_id");
    assert!(account.shipments(&strange).await.is_empty());
}

#[tokio::test]
async fn a_batch_is_one_request() {
    let account = Account::limited(2, &[]).await;
    account.connector.check().await.unwrap();
    let orders: Vec<_> = (0..account.connector.batch_size("shipment")).map(order).collect();
    let outcomes = batch(&account, &orders).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

#[tokio::test]
async fn a_refused_address_costs_its_batch_one_more_request() {
    let account = Account::limited(3, &[]).await;
    account.connector.check().await.unwrap();
    let bad = to(order(3), |address| address.zip = "9512".into());
    let outcomes = batch(&account, &[order(1), bad, order(2)]).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert!(matches!(&outcomes[1], Err(Failure::Rejected { code, .. }) if code == "invalid_address"));
}

#[tokio::test]
async fn a_second_create_is_found_and_brought_up_to_date() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    let newer = to(order(1), |address| address.city = "Cupertino".into());
    let known = account.deliver(1, &newer, Known::new()).await.unwrap();
    let shipment = account.shipment(&newer).await;
    assert_eq!(known.get("order").map(String::as_str), shipment["shipment_id"].as_str());
    assert_eq!(shipment["ship_to"]["city_locality"], "Cupertino");
}

#[tokio::test]
async fn the_same_order_again_is_not_written() {
    let account = Account::open().await;
    let known = account.deliver(1, &order(1), Known::new()).await.unwrap();
    account.deliver(1, &order(1), known).await.unwrap();
    let actions: Vec<_> = account.vendor.journal.entries().into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["create"]);
}

#[tokio::test]
async fn an_order_is_changed_while_it_waits_and_not_after() {
    let account = Account::open().await;
    let known = account.deliver(1, &order(1), Known::new()).await.unwrap();
    let mut more = order(1);
    more.lines.push(line(1, 3, "CAP", 1));
    more.total += Decimal::new(1375, 2);
    let known = account.deliver(1, &more, known).await.unwrap();
    let shipment = account.shipment(&more).await;
    assert_eq!(shipment["items"].as_array().unwrap().len(), 3);
    assert_eq!(shipment["packages"][0]["weight"]["value"], 600);
    assert_eq!(shipment["amount_paid"]["amount"].to_string(), "55.00");
    account.ship(json!({})).await;
    let moved = to(more, |address| address.city = "Cupertino".into());
    let (code, _, message) = rejected(account.deliver(1, &moved, known).await);
    assert_eq!(code, "not_amendable");
    assert!(message.contains("label"), "{message}");
}

#[tokio::test]
async fn money_that_goes_back_after_the_parcel_left_is_nothing_to_do() {
    let account = Account::open().await;
    let known = account.deliver(1, &order(1), Known::new()).await.unwrap();
    account.ship(json!({})).await;
    let mut refunded = order(1);
    refunded.total = Decimal::new(3000, 2);
    account.deliver(1, &refunded, known).await.unwrap();
}

#[tokio::test]
async fn a_pending_shipment_is_cancelled_and_a_labelled_one_is_not() {
    let account = Account::open().await;
    let first = account.deliver(1, &order(1), Known::new()).await.unwrap();
    account.deliver(1, &cancelled(order(1)), first.clone()).await.unwrap();
    assert_eq!(account.shipment(&order(1)).await["shipment_status"], "cancelled");
    account.deliver(1, &cancelled(order(1)), first).await.unwrap();
    let second = account.deliver(2, &order(2), Known::new()).await.unwrap();
    let labels = account.ship(json!({})).await;
    let (code, _, message) = rejected(account.deliver(2, &cancelled(order(2)), second.clone()).await);
    assert_eq!(code, "not_amendable");
    assert!(message.contains("void its label"), "{message}");
    let void = format!("/v2/labels/{}/void", labels[0]["label_id"].as_str().unwrap());
    account.ask(Method::PUT, &void, Value::Null).await;
    account.deliver(2, &cancelled(order(2)), second).await.unwrap();
}

#[tokio::test]
async fn what_was_never_sent_needs_no_cancelling() {
    let account = Account::open().await;
    let known = account.deliver(1, &cancelled(order(1)), Known::new()).await.unwrap();
    assert!(known.is_empty());
    assert!(account.vendor.journal.entries().is_empty());
}

#[tokio::test]
async fn the_check_finds_a_wrong_key_and_a_wrong_warehouse() {
    let account = Account::open().await;
    let stranger = connector(&account.vendor.url(), &[("warehouse_id", "se-404")]);
    assert!(matches!(stranger.check().await, Err(Failure::Rejected { code, .. }) if code == "settings"));
    let named = connector(&account.vendor.url(), &[("warehouse_id", "se-1951")]);
    assert_eq!(named.check().await, Ok(()));
    account.vendor.faults.add(waybill_simulator::kit::Fault {
        kind: waybill_simulator::kit::FaultKind::Unauthorized,
        times: 1,
        path: String::new(),
        body: String::new(),
    });
    assert!(matches!(named.check().await, Err(Failure::Unauthorized { .. })));
}
