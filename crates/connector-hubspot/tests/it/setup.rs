//! Setting an account up.

use connector_hubspot::{NewProperty, PropertyKind, PropertyOwner};
use serde_json::json;
use waybill_connector::Failure;
use waybill_simulator::hubspot::Settings;

use crate::account::Account;

fn wanted() -> Vec<NewProperty> {
    [("total_spent", PropertyKind::Number), ("vip", PropertyKind::Bool), ("last_order", PropertyKind::DateTime)]
        .into_iter()
        .map(|(name, kind)| NewProperty {
            owner: PropertyOwner::Contact,
            name: name.to_owned(),
            label: name.to_owned(),
            kind,
        })
        .collect()
}

#[tokio::test]
async fn setup_says_what_it_did_and_can_be_run_again() {
    let account = Account::bare(Settings::default()).await;
    for done in ["created", "already there"] {
        assert_eq!(
            account.hubspot.setup(&wanted()).await.unwrap(),
            [
                "contacts: the token may read and write".to_owned(),
                "orders: the token may read and write".to_owned(),
                format!("property contacts.waybill_key: {done}"),
                format!("property orders.waybill_key: {done}"),
                format!("property contacts.waybill_adopted: {done}"),
                format!("property orders.waybill_adopted: {done}"),
                format!("property contacts.total_spent: {done}"),
                format!("property contacts.vip: {done}"),
                format!("property contacts.last_order: {done}"),
            ]
        );
    }
    let made = account.get("/crm/properties/2026-03/orders/waybill_key").await;
    assert_eq!((&made["hasUniqueValue"], &made["groupName"]), (&json!(true), &json!("waybill")));
    assert_eq!(account.running.journal.entries().iter().filter(|entry| entry.object == "property").count(), 7);
}

#[tokio::test]
async fn a_property_that_does_not_fit_is_named() {
    let account = Account::bare(Settings::default()).await;
    let property = |name: &str| {
        json!({
            "name": name, "label": "Key", "groupName": "order_information", "type": "string", "fieldType": "text",
        })
    };
    account.post("/crm/properties/2026-03/orders", property("waybill_key")).await;
    let failure = account.hubspot.setup(&[]).await;
    let Err(Failure::Rejected { code, field, message }) = failure else { panic!("{failure:?}") };
    assert_eq!((code.as_str(), field.as_str()), ("settings", "waybill_key"));
    assert!(message.contains("orders.waybill_key is there, but its values need not be unique"), "{message}");
}
