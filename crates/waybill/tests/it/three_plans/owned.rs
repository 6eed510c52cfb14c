//! `owned.toml`: every kind of data and some fields have an owner; books, parcels and refunds wait for one another.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, Unit, civil::time};
use rust_decimal::Decimal;
use serde_json::json;
use waybill_proto::wire::State;
use waybill_simulator::{
    catalogue::{self, Item},
    kit::{Fault, FaultKind},
    seeding,
    shopify::{EmailConsent, NewCustomer, NewOrder, Payment},
};
use waybill_testkit::wait_for_async;

use super::{
    business::{Business, due, first_change, order_of, wanted},
    changed,
    colleagues::{Books, on_hand, prices, records, writes, written_to},
    written,
};
use crate::deployment::DEADLINE;

async fn open() -> Option<Business> {
    Business::with_plan(&written("owned"), &seeding::erp()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_is_kept_from_the_books_by_the_rule_and_is_booked_once_it_is_captured() {
    let Some(shop) = open().await else { return };
    let store = &shop.suite.vendors.store;
    let order = store.place(NewOrder { payment: Payment::Authorized, ..order_of("TEE-WHITE-S", 1) });
    let at = format!("main/order/{order}");
    let kept = shop.until_state(State::Ignored, "erp", &at, 1).await;
    assert_eq!(kept.code, "when:orders-to-erp");
    let books = Books::open(&shop).await;
    assert_eq!(books.sales().await, []);

    store.capture(order);
    shop.until_applied("erp", &at, wanted(&kept) + 1).await;
    let sales = books.sales().await;
    // One of 24.00 and shipping at 5.00, with 20 % of tax.
    assert_eq!(sales.iter().map(|sale| sale.total).collect::<Vec<_>>(), [Decimal::new(34_80, 2)]);
    assert_eq!(sales[0].description, store.order(order).unwrap().name);
    assert_eq!(sales[0].state, "processing");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_erp_is_down_an_order_that_was_captured_late_is_not_shipped() {
    let Some(shop) = open().await else { return };
    let vendors = &shop.suite.vendors;
    let order = vendors.store.place(NewOrder { payment: Payment::Authorized, ..order_of("TEE-WHITE-S", 1) });
    let at = format!("main/order/{order}");
    shop.until_state(State::Ignored, "erp", &at, 1).await;
    let kept = shop.until_state(State::Ignored, "shipping", &at, 1).await;
    assert_eq!(kept.code, "when:orders-to-shipping");

    let down = Fault { kind: FaultKind::ServerError, times: 100_000, path: String::new(), body: String::new() };
    vendors.erp.faults.add(down);
    vendors.store.capture(order);
    let captured = wanted(&kept) + 1;
    let settled = shop
        .until("decided as captured", "shipping", &at, |delivery| {
            wanted(delivery) >= captured && ![State::Pending, State::Applying].contains(&delivery.state())
        })
        .await;
    assert_eq!((settled.state(), settled.code.as_str()), (State::Waiting, "after"), "{}", settled.message);
    assert_eq!(settled.message, "erp has to accept it first");
    shop.until_applied("crm", &at, captured).await;
    assert_eq!(writes(&vendors.parcels, "shipment").len(), 0);

    vendors.erp.faults.clear();
    shop.until_applied("shipping", &at, captured).await;
    assert_eq!(writes(&vendors.parcels, "shipment"), ["create"]);
    assert_eq!(Books::open(&shop).await.sales().await.len(), 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_colleagues_own_in_the_crm_stays_and_a_name_that_both_changed_is_for_a_person() {
    const EMAIL: &str = "ada@waldgang.at";
    const SHOWN: &str = "lastname,phone,waybill_consent";
    let Some(shop) = open().await else { return };
    let store = &shop.suite.vendors.store;
    let customer = store.add_customer(NewCustomer {
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lind".to_owned()),
        email: Some(EMAIL.to_owned()),
        phone: Some("+4315550101".to_owned()),
        ..NewCustomer::default()
    });
    let at = format!("main/customer/{customer}");
    let created = shop.until_applied("crm", &at, 1).await;
    assert_eq!(shop.contact(EMAIL, SHOWN).await["phone"], "+4315550101");

    shop.correct_contact(EMAIL, json!({"phone": "+436645550102", "waybill_consent": "unsubscribed"})).await;
    store.set_email_consent(customer, EmailConsent::Subscribed);
    let subscribed = shop.until_applied("crm", &at, wanted(&created) + 1).await;
    store.update_customer(customer, Some("Lindner"), Some("+4315550103"));
    let renamed = shop.until_applied("crm", &at, wanted(&subscribed) + 1).await;
    let contact = shop.contact(EMAIL, SHOWN).await;
    let shown = ["lastname", "phone", "waybill_consent"].map(|name| contact[name].as_str().unwrap());
    assert_eq!(shown, ["Lindner", "+436645550102", "unsubscribed"]);

    shop.correct_contact(EMAIL, json!({"lastname": "Lind-Huber"})).await;
    store.update_customer(customer, Some("Lindgren"), None);
    let parked = shop.until_state(State::Parked, "crm", &at, wanted(&renamed) + 1).await;
    assert_eq!((parked.code.as_str(), parked.field.as_str()), ("conflict", "lastname"));
    assert_eq!(shop.contact(EMAIL, SHOWN).await["lastname"], "Lind-Huber");
    shop.close().await;
}

/// The next instant at which clocks in Vienna show two in the morning.
fn next_two_in_vienna(after: Timestamp) -> Timestamp {
    let local = after.in_tz("Europe/Vienna").unwrap();
    let at_two = |day: jiff::civil::Date| {
        day.to_datetime(time(2, 0, 0, 0)).to_zoned(local.time_zone().clone()).unwrap().timestamp()
    };
    let today = at_two(local.date());
    if today > after { today } else { at_two(local.date() + 1.day()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_waits_for_two_in_the_morning_in_vienna_and_is_a_return_of_its_amount_in_the_books() {
    let Some(shop) = open().await else { return };
    let store = &shop.suite.vendors.store;
    let order = store.place(order_of("TEE-WHITE-S", 2));
    shop.until_applied("erp", &format!("main/order/{order}"), 1).await;
    store.refund_units(order, store.order(order).unwrap().lines[0].id, 1, "Too small");
    let at = format!("main/refund/{}", records(store, "refund")[0]["id"]);
    let waiting = shop.until_state(State::Waiting, "erp", &at, 1).await;
    let two = next_two_in_vienna(first_change(&waiting));
    let said = (waiting.code.as_str(), waiting.message.as_str());
    assert_eq!(said, ("time", format!("flow 'refunds-to-erp' writes at {two}").as_str()));
    assert_eq!(due(&waiting).round(Unit::Second).unwrap(), two);
    let books = Books::open(&shop).await;
    assert_eq!(books.sales().await.len(), 1);

    let at_once = changed(&written("owned"), "timing = { at = \"02:00\", zone = \"Europe/Vienna\" }\n", "");
    std::fs::write(shop.suite.plan_file(), at_once).unwrap();
    shop.until_applied("erp", &at, 1).await;
    let sales = books.sales().await;
    let [sold, returned] = sales.as_slice() else { panic!("{sales:?}") };
    // One of 24.00 with 20 % of tax.
    assert_eq!(returned.total, Decimal::new(-28_80, 2));
    assert_eq!((&returned.origin, returned.party_id), (&format!("sale.sale,{}", sold.id), sold.party_id));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_has_one_less_than_the_erp_of_everything() {
    let Some(shop) = open().await else { return };
    let of_item = |item: &Item| {
        let (sku, stock) = (item.code, item.stock);
        let places = catalogue::LOCATIONS.iter().map(|place| place.name);
        places.zip(stock).map(move |(place, units)| ((sku.to_owned(), place.to_owned()), units))
    };
    // Of what a place has none of, the store has no level.
    let erp = catalogue::ITEMS.iter().flat_map(of_item).filter(|(_, units)| *units > 0);
    let one_less: BTreeMap<_, _> = erp.map(|(at, units)| (at, units - 1)).collect();
    wait_for_async("the ERP's stock in the store", DEADLINE, async || {
        let mut shown = on_hand(&shop.suite.vendors.store);
        // Sold by the store, unknown to the ERP.
        shown.retain(|(sku, _), _| sku != catalogue::UNKNOWN_ITEM.code);
        (shown == one_less).then_some(())
    })
    .await;
    shop.has_parked_nothing("inventory-router").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_asks_the_erps_prices_and_one_that_was_changed_in_the_store_by_hand_is_set_back() {
    const MUG: &str = "main/price/MUG-300";
    let read_often = ("from = \"erp\"\nevery_seconds = 60\n", "from = \"erp\"\nevery_seconds = 1\n");
    let plan = changed(&written("owned"), read_often.0, read_often.1);
    let Some(shop) = Business::with_plan(&plan, &seeding::erp()).await else { return };
    let store = &shop.suite.vendors.store;
    let (euro, before) = (|cents| Decimal::new(cents, 2), prices(store));
    let until = async |sku: &str, price: Decimal| {
        let what = format!("{sku} at {price} in the store");
        wait_for_async(&what, DEADLINE, async || (prices(store)[sku] == price).then_some(())).await;
    };
    // They begin with the same prices, so there is nothing to write.
    shop.until_applied("shop", MUG, 1).await;
    let books = Books::open(&shop).await;
    assert_eq!(written_to(store.journal(), "product_variant"), [""; 0]);

    books.set_list_price("MUG-300", euro(13_95)).await;
    until("MUG-300", euro(13_95)).await;
    shop.until_applied("shop", MUG, 2).await;
    store.set_price("MUG-300", euro(9_99));
    until("MUG-300", euro(13_95)).await;
    books.set_list_price("CAP-GREEN", euro(20_00)).await;
    until("CAP-GREEN", euro(20_00)).await;

    let ours = BTreeMap::from([("MUG-300".to_owned(), euro(13_95)), ("CAP-GREEN".to_owned(), euro(20_00))]);
    assert_eq!(prices(store), before.into_iter().chain(ours).collect());
    // Our own prices are heard back from the store, and are no work.
    assert_eq!(written_to(store.journal(), "product_variant"), ["update"; 3]);
    shop.has_parked_nothing("erp-sync").await;
    shop.close().await;
}
