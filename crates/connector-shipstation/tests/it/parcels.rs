//! Parcels from ShipStation.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use waybill_connector::{
    Known,
    source::{ParcelNews, ShipmentSource},
};
use waybill_simulator::kit::{Fault, FaultKind};

use crate::{
    bench::Account,
    documents::{order, record},
};

fn long_ago() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// Reads until there is no more; answers with the news and where to go on.
async fn sweep(account: &Account, cursor: &str) -> (Vec<ParcelNews>, String) {
    let (mut news, mut cursor) = (Vec::new(), cursor.to_owned());
    loop {
        let page = account.connector.parcels(&cursor, long_ago()).await.unwrap();
        news.extend(page.parcels);
        cursor = page.cursor;
        if !page.more {
            return (news, cursor);
        }
    }
}

fn lines(news: &ParcelNews) -> Vec<(&str, &str, i64)> {
    news.parcel.lines.iter().map(|line| (line.line_id.as_str(), line.sku.as_str(), line.quantity)).collect()
}

#[tokio::test]
async fn a_label_is_a_parcel_of_its_order() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    let labels = account.ship(json!({ "carrier_code": "stamps_com" })).await;
    let (news, _) = sweep(&account, "").await;
    assert_eq!(news.len(), 1);
    assert!(news[0].is_for(&order(1).key));
    let parcel = &news[0].parcel;
    assert_eq!(parcel.id, labels[0]["label_id"].as_str().unwrap());
    assert_eq!(parcel.carrier, "USPS");
    assert_eq!(parcel.tracking_number, labels[0]["tracking_number"].as_str().unwrap());
    assert!(parcel.tracking_url.starts_with("https://tools.usps.com/") && !parcel.voided);
    assert!(parcel.shipped_at.is_some());
    assert_eq!(lines(&news[0]), [("101", "TEE-M", 2), ("102", "MUG", 1)]);
    let shipment = news[0].clone().into_shipment(record(1).id, "#1".to_owned());
    assert!(shipment.is_ok(), "the parcel's id is a record id");
}

#[tokio::test]
async fn the_parts_of_a_split_shipment_are_parcels_of_one_order() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    let parcels = json!([
        [{ "line": "101", "quantity": 1 }],
        [{ "line": "101", "quantity": 1 }, { "line": "102", "quantity": 1 }],
    ]);
    account.pack(&order(1), parcels).await;
    let (news, _) = sweep(&account, "").await;
    assert_eq!(news.len(), 2);
    assert!(news.iter().all(|news| news.is_for(&order(1).key)));
    assert_ne!(news[0].parcel.id, news[1].parcel.id);
    assert_eq!(lines(&news[0]), [("101", "TEE-M", 1)]);
    assert_eq!(lines(&news[1]), [("101", "TEE-M", 1), ("102", "MUG", 1)]);
}

#[tokio::test]
async fn a_label_that_is_voided_later_is_told_again() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    let labels = account.ship(json!({})).await;
    let (_, cursor) = sweep(&account, "").await;
    let id = labels[0]["label_id"].as_str().unwrap();
    account.ask(Method::PUT, &format!("/v2/labels/{id}/void"), Value::Null).await;
    let (news, cursor) = sweep(&account, &cursor).await;
    assert!(news.iter().any(|news| news.parcel.id == id && news.parcel.voided), "{news:?}");
    account.ship(json!({})).await;
    let (news, _) = sweep(&account, &cursor).await;
    let live: Vec<_> = news.iter().filter(|news| !news.parcel.voided).collect();
    assert_eq!(live.len(), 1, "the label that took its place");
    assert_ne!(live[0].parcel.id, id);
}

#[tokio::test]
async fn pages_tell_every_parcel_once_and_oldest_first() {
    let account = Account::open().await;
    for n in 0..120 {
        account.deliver(n, &order(n), Known::new()).await.unwrap();
    }
    let labels = account.ship(json!({})).await;
    let (news, _) = sweep(&account, "").await;
    let told: Vec<_> = news.iter().map(|news| news.parcel.id.as_str()).collect();
    let bought: Vec<_> = labels.iter().map(|label| label["label_id"].as_str().unwrap()).collect();
    assert_eq!(told, bought);
}

#[tokio::test]
async fn the_overlap_is_told_again_without_reading_shipments_again() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    account.ship(json!({})).await;
    let (first, cursor) = sweep(&account, "").await;
    account.vendor.faults.add(Fault {
        kind: FaultKind::ServerError,
        times: 1000,
        path: "/v2/shipments".to_owned(),
        body: String::new(),
    });
    let (again, same) = sweep(&account, &cursor).await;
    assert_eq!((again, same), (first, cursor));
}

#[tokio::test]
async fn a_parcel_of_an_order_that_is_not_ours_has_another_key() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    let mut foreign = account.shipment(&order(1)).await;
    let address = foreign["ship_from"].take();
    let address: Value = address
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, part)| !part.is_null())
        .map(|(n, p)| (n.clone(), p.clone()))
        .collect();
    let by_hand = json!({ "external_shipment_id": "manual-1", "ship_to": address, "ship_from": address });
    account.ask(Method::POST, "/v2/shipments", json!({ "shipments": [by_hand] })).await;
    account.ship(json!({ "external_shipment_ids": ["manual-1"] })).await;
    let (news, _) = sweep(&account, "").await;
    assert_eq!(news.len(), 1);
    assert!(!news[0].is_for(&order(1).key) && news[0].order_key == "manual-1");
}

#[tokio::test]
async fn orders_merged_into_one_shipment_are_a_parcel_each() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    account.deliver(2, &order(2), Known::new()).await.unwrap();
    let other = account.shipment(&order(2)).await["items"].clone();
    account
        .edit(&order(1), |shipment| shipment["items"].as_array_mut().unwrap().extend(other.as_array().unwrap().clone()))
        .await;
    account.ship(json!({ "external_shipment_ids": [order(1).key.as_str()] })).await;
    let (news, _) = sweep(&account, "").await;
    assert_eq!(news.len(), 2);
    assert!(news[0].is_for(&order(1).key) && news[1].is_for(&order(2).key));
    assert_eq!(news[0].parcel.tracking_number, news[1].parcel.tracking_number);
    assert_ne!(news[0].parcel.id, news[1].parcel.id);
    assert_eq!(lines(&news[1]), [("201", "TEE-M", 2), ("202", "MUG", 1)]);
}

#[tokio::test]
async fn an_unreadable_cursor_is_told() {
    let account = Account::open().await;
    assert!(account.connector.parcels("yesterday", long_ago()).await.is_err());
}
