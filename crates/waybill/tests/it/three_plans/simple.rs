//! `simple.toml`: one store, HubSpot and ShipStation.

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use rust_decimal::Decimal;
use waybill_plan::{Decision, DeliveryFacts, Facts, Remote, WaitFor, decide};
use waybill_proto::wire::{Delivery, State};
use waybill_simulator::{
    seeding,
    shopify::{NewCustomer, NewOrder},
};
use waybill_testkit::{records, wait_for_async};

use super::{
    business::{Business, due, first_change, order_of, wanted},
    colleagues::{tracking_numbers, writes},
    read, written,
};

/// Longer than ShipStation is left unasked for parcels.
const PARCELS_ARE_SEEN_WITHIN: Duration = Duration::from_secs(40);

async fn open() -> Option<Business> {
    Business::with_plan(&written("simple"), &seeding::erp()).await
}

/// Whether a delivery waits for the end of ten minutes, to the second.
fn is_held_for_ten_minutes(delivery: &Delivery) -> bool {
    delivery.state() == State::Waiting
        && delivery.code == "time"
        && due(delivery).duration_since(first_change(delivery)).as_secs_f64().round() == 600.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_and_a_paid_order_are_in_the_crm_at_once() {
    let Some(shop) = open().await else { return };
    let store = &shop.suite.vendors.store;
    let customer = store.add_customer(NewCustomer {
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lind".to_owned()),
        email: Some("ada@waldgang.at".to_owned()),
        phone: Some("+4315550101".to_owned()),
        ..NewCustomer::default()
    });
    shop.until_applied("crm", &format!("main/customer/{customer}"), 1).await;
    let contact = shop.contact("ada@waldgang.at", "firstname,lastname,phone").await;
    assert_eq!((&contact["firstname"], &contact["lastname"]), (&"Ada".into(), &"Lind".into()));
    assert_eq!(contact["phone"], "+4315550101");

    let order = store.place(NewOrder { customer: Some(customer), ..order_of("TEE-WHITE-S", 2) });
    let there = shop.until_applied("crm", &format!("main/order/{order}"), 1).await;
    let shown =
        shop.crm_order(&there.external_id, "hs_order_name,hs_currency_code,hs_total_price,hs_external_order_status");
    let shown = shown.await;
    let property = |name: &str| shown["properties"][name].as_str().unwrap().to_owned();
    assert_eq!(property("hs_order_name"), store.order(order).unwrap().name);
    assert_eq!(property("hs_currency_code"), "EUR");
    // Two of 24.00 and shipping at 5.00, with 20 % of tax.
    assert_eq!(property("hs_total_price").parse::<Decimal>().unwrap(), Decimal::new(63_60, 2));
    assert_eq!(property("hs_external_order_status"), "paid");
    assert_eq!(shown["associations"]["contacts"]["results"][0]["id"], contact["hs_object_id"]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipping_tool_gets_an_order_after_ten_minutes_with_what_was_edited_meanwhile_in_one_write() {
    let Some(shop) = open().await else { return };
    let store = &shop.suite.vendors.store;
    let order = store.place(order_of("TEE-WHITE-S", 3));
    let record = format!("main/order/{order}");
    let first = shop.until("held", "shipping", &record, is_held_for_ten_minutes).await;
    store.edit(order, &[(store.order(order).unwrap().lines[0].id, 1)], Vec::new());
    let edited = shop
        .until("held with its edit", "shipping", &record, |delivery| {
            wanted(delivery) > wanted(&first) && is_held_for_ten_minutes(delivery)
        })
        .await;
    assert_eq!(edited.first_unapplied_at, first.first_unapplied_at, "an edit does not begin the hold anew");

    shop.pass(9, order).await;
    shop.until("held for ten minutes still", "shipping", &record, is_held_for_ten_minutes).await;
    assert_eq!(shop.shipments().await.len(), 0);

    shop.pass(1, order).await;
    shop.until_applied("shipping", &record, wanted(&edited)).await;
    assert_eq!(writes(&shop.suite.vendors.parcels, "shipment"), ["create"]);
    let shipments = shop.shipments().await;
    let items = shipments[0]["items"].as_array().unwrap().iter();
    let items: Vec<_> = items.map(|item| (item["sku"].as_str().unwrap(), item["quantity"].to_string())).collect();
    assert_eq!(items, [("TEE-WHITE-S", "2".to_owned())]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_labels_number_is_shown_in_the_store_and_in_the_crm_and_nothing_goes_to_an_erp() {
    let Some(shop) = open().await else { return };
    let vendors = &shop.suite.vendors;
    let order = vendors.store.place(order_of("TEE-WHITE-S", 2));
    let record = format!("main/order/{order}");
    let at_crm = shop.until_applied("crm", &record, 1).await;
    shop.until("held", "shipping", &record, is_held_for_ten_minutes).await;
    shop.pass(10, order).await;
    shop.until_applied("shipping", &record, 1).await;

    let numbers = shop.ship().await;
    assert_eq!(numbers.len(), 1);
    wait_for_async("the number in the store", PARCELS_ARE_SEEN_WITHIN, async || {
        (tracking_numbers(&vendors.store, order) == numbers).then_some(())
    })
    .await;
    wait_for_async("the number in the CRM", PARCELS_ARE_SEEN_WITHIN, async || {
        let told = vendors
            .crm
            .journal
            .entries()
            .into_iter()
            .any(|entry| entry.object == "order" && entry.body.to_string().contains(numbers[0].as_str()));
        told.then_some(())
    })
    .await;
    let shown = shop.crm_order(&at_crm.external_id, "hs_fulfillment_status,hs_shipping_tracking_number").await;
    assert_eq!(shown["properties"]["hs_shipping_tracking_number"], numbers[0].as_str());
    assert_eq!(shown["properties"]["hs_fulfillment_status"], "Shipped");
    assert_eq!(vendors.erp.journal.entries().len(), 0);
    shop.close().await;
}

#[test]
fn the_hold_is_ten_minutes_from_the_first_change() {
    let plan = read(&written("simple")).unwrap();
    let order = records::order(1001).paid().with_line("TEE-WHITE-S", 2, "24.00").at_revision(2);
    let flow = plan.flow(&order.key.store, order.key.kind, &"shipping".parse().unwrap()).unwrap();
    let first: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let due = first + 10.minutes();
    let at = |now| {
        let delivery = DeliveryFacts { first_unapplied_at: Some(first), ..DeliveryFacts::default() };
        decide(&plan, flow, &order, &delivery, &Facts { now, ..Facts::default() }, &Remote::NotRead)
    };
    for early in [first, due - 1.second()] {
        let decision = at(early);
        let waits = matches!(&decision, Decision::Wait { on: WaitFor::Time, until, .. } if *until == Some(due));
        assert!(waits, "{early}: {decision:?}");
    }
    let decision = at(due);
    assert!(matches!(decision, Decision::Write(_)), "{decision:?}");
}
