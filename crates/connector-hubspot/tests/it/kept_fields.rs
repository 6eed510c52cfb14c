//! Fields that HubSpot's users own once the record is there.

use serde_json::json;
use waybill_connector::Known;
use waybill_domain::{
    Kind,
    document::{CustomerDocument, OrderDocument, ShipmentDocument},
};

use crate::account::{Account, field, order, parcel, person, property, record};

fn kept(name: &str) -> std::collections::BTreeSet<String> {
    [name.to_owned()].into()
}

/// A person without match rules, whose job is kept.
fn customer(job: &str, first_name: &str) -> CustomerDocument {
    let mut customer = person(1);
    customer.fields.insert("jobtitle".to_owned(), field(job));
    customer.fields.insert("firstname".to_owned(), field(first_name));
    customer.policy.keep = kept("jobtitle");
    customer
}

async fn shown(account: &Account, kind: &str, names: &str) -> Vec<String> {
    let all = account.all(kind, names).await;
    assert_eq!(all.len(), 1, "{kind}");
    names.split(',').map(|name| property(&all[0], name)).collect()
}

#[tokio::test]
async fn a_kept_field_is_written_when_the_contact_is_created_and_never_again() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    let known = account.deliver(&at, &customer("Buyer", "Jo"), Known::new()).await.unwrap();
    assert_eq!(shown(&account, "contacts", "jobtitle,firstname").await, ["Buyer", "Jo"]);
    for known in [known, Known::new()] {
        account.deliver(&at, &customer("Seller", "Joanna"), known).await.unwrap();
        assert_eq!(shown(&account, "contacts", "jobtitle,firstname").await, ["Buyer", "Joanna"]);
    }
}

#[tokio::test]
async fn a_kept_field_that_a_colleague_cleared_stays_empty() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    let known = account.deliver(&at, &customer("Buyer", "Jo"), Known::new()).await.unwrap();
    let path = format!("/crm/objects/2026-03/contacts/{}", known["customer"]);
    account.call(reqwest::Method::PATCH, &path, Some(json!({"properties": {"jobtitle": ""}}))).await;
    for known in [known, Known::new()] {
        account.deliver(&at, &customer("Buyer", "Joanna"), known).await.unwrap();
        assert_eq!(shown(&account, "contacts", "jobtitle").await, [""]);
    }
}

#[tokio::test]
async fn a_contact_of_the_same_email_keeps_what_it_has_and_gets_what_it_lacks() {
    for (there, left) in [("Owner", "Owner"), ("", "Buyer")] {
        let account = Account::ready().await;
        account.made("contacts", json!({"email": "person1@example.com", "jobtitle": there})).await;
        account.deliver(&record(Kind::Customer, 1), &customer("Buyer", "Jo"), Known::new()).await.unwrap();
        assert_eq!(shown(&account, "contacts", "jobtitle,firstname").await, [left, "Jo"]);
    }
}

#[tokio::test]
async fn a_contact_that_is_gone_is_made_again_with_its_kept_fields() {
    let account = Account::ready().await;
    let at = record(Kind::Customer, 1);
    let known = account.deliver(&at, &customer("Buyer", "Jo"), Known::new()).await.unwrap();
    account.call(reqwest::Method::DELETE, &format!("/crm/objects/2026-03/contacts/{}", known["customer"]), None).await;
    account.deliver(&at, &customer("Buyer", "Jo"), known).await.unwrap();
    assert_eq!(shown(&account, "contacts", "jobtitle").await, ["Buyer"]);
}

#[tokio::test]
async fn two_orders_of_a_new_buyer_in_a_batch_create_the_contact_once_and_leave_its_kept_field() {
    let account = Account::ready().await;
    let orders = [("Buyer", 1), ("Seller", 2)]
        .map(|(job, n)| (record(Kind::Order, n), OrderDocument { customer: Some(customer(job, "Jo")), ..order(n) }));
    let outcomes = account.batch(&orders, 0).await;
    assert!(outcomes[0].is_ok() && outcomes[0] == outcomes[1], "{outcomes:?}");
    assert_eq!(shown(&account, "contacts", "jobtitle").await, ["Buyer"]);
}

#[tokio::test]
async fn a_kept_field_of_an_order_is_written_when_it_is_created_and_never_again() {
    let account = Account::ready().await;
    let at = record(Kind::Order, 1);
    let with = |note: &str, status: &str| {
        let mut document = OrderDocument { customer: None, ..order(1) };
        document.fields.insert("hs_order_note".to_owned(), field(note));
        document.fields.insert("hs_external_order_status".to_owned(), field(status));
        document.policy.keep = kept("hs_order_note");
        document
    };
    let known = account.deliver(&at, &with("ours", "paid"), Known::new()).await.unwrap();
    let names = "hs_order_note,hs_external_order_status";
    assert_eq!(shown(&account, "orders", names).await, ["ours", "paid"]);
    for (known, status) in [(known, "shipped"), (Known::new(), "refunded")] {
        account.deliver(&at, &with("ours again", status), known).await.unwrap();
        assert_eq!(shown(&account, "orders", names).await, ["ours", status]);
    }
}

fn kept_parcel(status: &str, number: &str) -> ShipmentDocument {
    let mut parcel = parcel(1);
    parcel.fields.insert("hs_fulfillment_status".to_owned(), field(status));
    parcel.fields.insert("hs_shipping_tracking_number".to_owned(), field(number));
    parcel.policy.keep = kept("hs_fulfillment_status");
    parcel
}

const STATUS: &str = "hs_fulfillment_status,hs_shipping_tracking_number";

#[tokio::test]
async fn a_kept_field_of_a_parcel_fills_what_the_order_lacks_the_first_time_alone() {
    for (there, left) in [("", "shipped"), ("by hand", "by hand")] {
        let account = Account::ready().await;
        let mut placed = OrderDocument { customer: None, ..order(1) };
        placed.fields.insert("hs_fulfillment_status".to_owned(), field(there));
        account.deliver(&record(Kind::Order, 1), &placed, Known::new()).await.unwrap();
        let at = record(Kind::Shipment, 1);
        let known = account.deliver(&at, &kept_parcel("shipped", "T1"), Known::new()).await.unwrap();
        assert_eq!(shown(&account, "orders", STATUS).await, [left, "T1"]);
        account.deliver(&at, &kept_parcel("returned", "T2"), known).await.unwrap();
        assert_eq!(shown(&account, "orders", STATUS).await, [left, "T2"]);
    }
}

#[tokio::test]
async fn a_parcel_that_comes_before_its_order_is_written_with_its_kept_fields() {
    let account = Account::ready().await;
    account.deliver(&record(Kind::Shipment, 1), &kept_parcel("shipped", "T1"), Known::new()).await.unwrap();
    let names = "hs_order_name,hs_fulfillment_status,hs_shipping_tracking_number";
    assert_eq!(shown(&account, "orders", names).await, ["#1", "shipped", "T1"]);
}
