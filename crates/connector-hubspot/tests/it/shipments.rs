//! An order's shipping status.

use waybill_connector::Known;
use waybill_domain::{Kind, document::ShipmentDocument};

use crate::account::{Account, field, order, parcel, property, record};

const SHOWN: &str = "hs_order_name,hs_total_price,hs_fulfillment_status,hs_shipping_tracking_number";

#[tokio::test]
async fn the_status_is_set_on_the_order_and_leaves_its_other_values() {
    let account = Account::ready().await;
    let mut named = order(1);
    named.fields.insert("hs_order_name".to_owned(), field("Shop #1"));
    let known = account.deliver(&record(Kind::Order, 1), &named, Known::new()).await.unwrap();
    let left = account.deliver(&record(Kind::Shipment, 1), &parcel(1), Known::new()).await.unwrap();
    assert_eq!(left["order"], known["order"]);
    let orders = account.all("orders", SHOWN).await;
    let shown: Vec<_> = SHOWN.split(',').map(|name| property(&orders[0], name)).collect();
    assert_eq!(shown, ["Shop #1", "12.50", "shipped", "T1"]);
}

#[tokio::test]
async fn a_status_that_comes_before_its_order_waits_in_the_same_record() {
    let account = Account::ready().await;
    account.deliver(&record(Kind::Shipment, 1), &parcel(1), Known::new()).await.unwrap();
    account.deliver(&record(Kind::Order, 1), &order(1), Known::new()).await.unwrap();
    let orders = account.all("orders", SHOWN).await;
    assert_eq!(orders.len(), 1);
    let shown: Vec<_> = SHOWN.split(',').map(|name| property(&orders[0], name)).collect();
    assert_eq!(shown, ["#1", "12.50", "shipped", "T1"]);
}

#[tokio::test]
async fn of_two_parcels_of_an_order_in_a_batch_the_later_stays() {
    let account = Account::ready().await;
    account.deliver(&record(Kind::Order, 1), &order(1), Known::new()).await.unwrap();
    let mut second = ShipmentDocument { key: parcel(2).key, ..parcel(1) };
    second.fields.insert("hs_shipping_tracking_number".to_owned(), field("T2"));
    let parcels = [(record(Kind::Shipment, 1), parcel(1)), (record(Kind::Shipment, 2), second)];
    let outcomes = account.batch(&parcels, 0).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let orders = account.all("orders", SHOWN).await;
    assert_eq!(property(&orders[0], "hs_shipping_tracking_number"), "T2");
}
