//! Addresses: what ShipStation requires and the store may not have.

use serde_json::json;
use waybill_connector::Known;
use waybill_domain::customer::Address;

use crate::{
    bench::{Account, rejected},
    documents::{order, to},
};

/// A part of an address made wrong.
type Change = fn(&mut Address);

#[tokio::test]
async fn a_wrong_address_is_told_by_its_field_without_its_value() {
    let account = Account::open().await;
    let cases: [(Change, &str); 8] = [
        (|a| a.country_code = "ZZ".to_owned(), "ship_to.country_code"),
        (|a| a.country_code = "USA".to_owned(), "ship_to.country_code"),
        (|a| a.province_code = "California".to_owned(), "ship_to.state_province"),
        (|a| (a.province, a.province_code) = Default::default(), "ship_to.state_province"),
        (|a| a.zip = "9512".into(), "ship_to.postal_code"),
        (|a| a.zip = "".into(), "ship_to.postal_code"),
        (|a| a.address1 = " ".into(), "ship_to.address_line1"),
        (|a| a.phone = "".into(), "ship_to.phone"),
    ];
    for (n, (change, expected)) in cases.into_iter().enumerate() {
        let (code, field, message) = rejected(account.deliver(n, &to(order(n), change), Known::new()).await);
        assert_eq!((code.as_str(), field.as_str()), ("invalid_address", expected));
        assert!(!message.contains("Winchester") && !message.contains("9512"), "{message}");
    }
    let mut nowhere = order(99);
    nowhere.shipping_address = None;
    let (code, field, _) = rejected(account.deliver(99, &nowhere, Known::new()).await);
    assert_eq!((code.as_str(), field.as_str()), ("invalid_address", "ship_to"));
}

#[tokio::test]
async fn a_buyer_without_a_phone_gets_the_shops() {
    let account = Account::with(&[("fallback_phone", "+1 512-555-0111")]).await;
    let silent = to(order(1), |address| address.phone = "".into());
    account.deliver(1, &silent, Known::new()).await.unwrap();
    assert_eq!(account.shipment(&silent).await["ship_to"]["phone"], "+1 512-555-0111");
}

#[tokio::test]
async fn where_an_address_has_no_state_the_city_stands_in() {
    let account = Account::open().await;
    let berlin = to(order(1), |a| {
        (a.city, a.zip, a.country_code) = ("Berlin".into(), "10115".into(), "DE".to_owned());
        (a.province, a.province_code) = Default::default();
    });
    account.deliver(1, &berlin, Known::new()).await.unwrap();
    assert_eq!(account.shipment(&berlin).await["ship_to"]["state_province"], "Berlin");
}

#[tokio::test]
async fn a_company_stands_in_for_a_name() {
    let account = Account::open().await;
    let nameless = to(order(1), |a| (a.first_name, a.last_name, a.company) = ("".into(), "".into(), "Acme".into()));
    account.deliver(1, &nameless, Known::new()).await.unwrap();
    let shipment = account.shipment(&nameless).await;
    assert_eq!((&shipment["ship_to"]["name"], &shipment["ship_to"]["company_name"]), (&json!("Acme"), &json!("Acme")));
}
