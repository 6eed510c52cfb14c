//! What people change in ShipStation, and what becomes of it when the store changes too.

use serde_json::json;
use waybill_connector::{Failure, Known, Sink as _, StepCall};
use waybill_domain::CallKey;

use crate::{
    bench::{Account, rejected},
    documents::{cancelled, line, order, to},
};

#[tokio::test]
async fn a_corrected_address_survives_another_change_of_the_order() {
    let account = Account::open().await;
    let known = account.deliver(1, &order(1), Known::new()).await.unwrap();
    account
        .edit(&order(1), |shipment| shipment["ship_to"]["address_line1"] = json!("525 S Winchester Blvd Unit 2"))
        .await;
    let mut more = order(1);
    more.lines.push(line(1, 3, "CAP", 1));
    account.deliver(1, &more, known).await.unwrap();
    let shipment = account.shipment(&more).await;
    assert_eq!(shipment["ship_to"]["address_line1"], "525 S Winchester Blvd Unit 2");
    assert_eq!(shipment["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_address_that_the_store_changes_is_the_stores() {
    let account = Account::open().await;
    let known = account.deliver(1, &order(1), Known::new()).await.unwrap();
    account.edit(&order(1), |shipment| shipment["ship_to"]["address_line1"] = json!("1 Elm St")).await;
    let moved = to(order(1), |address| address.address1 = "2 Oak St".into());
    account.deliver(1, &moved, known).await.unwrap();
    assert_eq!(account.shipment(&moved).await["ship_to"]["address_line1"], "2 Oak St");
}

#[tokio::test]
async fn what_is_not_mapped_survives() {
    let account = Account::open().await;
    let known = account.deliver(1, &order(1), Known::new()).await.unwrap();
    account
        .edit(&order(1), |shipment| {
            shipment["packages"] = json!([{ "package_code": "package", "weight": { "value": 30, "unit": "ounce" } }]);
            shipment["confirmation"] = json!("signature");
        })
        .await;
    let mut more = order(1);
    more.lines.push(line(1, 3, "CAP", 1));
    account.deliver(1, &more, known).await.unwrap();
    let shipment = account.shipment(&more).await;
    assert_eq!(shipment["packages"][0]["weight"], json!({ "value": 30, "unit": "ounce" }));
    assert_eq!(shipment["confirmation"], "signature");
}

#[tokio::test]
async fn a_split_shipment_takes_an_address_and_no_other_items() {
    let account = Account::open().await;
    let known = account.deliver(1, &order(1), Known::new()).await.unwrap();
    account.pack(&order(1), json!([[{ "line": "102", "quantity": 1 }]])).await;
    let moved = to(order(1), |address| address.city = "Cupertino".into());
    let known = account.deliver(1, &moved, known).await.unwrap();
    let shipment = account.shipment(&moved).await;
    assert_eq!(shipment["ship_to"]["city_locality"], "Cupertino");
    assert_eq!(shipment["items"].as_array().unwrap().len(), 1, "the mug left in another parcel");
    let mut more = moved;
    more.lines.push(line(1, 3, "CAP", 1));
    let outcome = account.deliver(1, &more, known).await;
    let Err(Failure::Conflict { field, base, ours, theirs }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(field, "items");
    assert_eq!((base.as_str(), ours.as_str(), theirs.as_str()), ("101×2 102×1", "101×2 102×1 103×1", "101×2"));
}

#[tokio::test]
async fn what_was_packed_before_a_lost_answer_was_looked_up_is_no_change_of_the_order() {
    let account = Account::open().await;
    account.deliver(1, &order(1), Known::new()).await.unwrap();
    let parcels = json!([[{ "line": "102", "quantity": 1 }], [{ "line": "101", "quantity": 2 }]]);
    account.pack(&order(1), parcels).await;
    let step = account.connector.steps(&order(1), &Known::new()).remove(0);
    let call_key = CallKey::new(&order(1).key, &step.name, b"");
    let call = StepCall {
        step: &step,
        document: &order(1),
        object_key: &order(1).key,
        call_key: &call_key,
        known: &Known::new(),
        is_again: true,
    };
    let known = account.connector.find(&call).await.unwrap().unwrap().known;
    account.deliver(1, &order(1), known).await.unwrap();
    // Of what another document may have made, nobody can tell who left out the mug.
    let known = account.connector.find(&StepCall { is_again: false, ..call }).await.unwrap().unwrap().known;
    assert_eq!(rejected(account.deliver(1, &order(1), known).await).0, "not_amendable");
}

#[tokio::test]
async fn cancelling_a_split_shipment_tells_to_cancel_the_other_parts() {
    let account = Account::open().await;
    let known = account.deliver(1, &order(1), Known::new()).await.unwrap();
    account.pack(&order(1), json!([[{ "line": "102", "quantity": 1 }]])).await;
    let outcome = account.deliver(1, &cancelled(order(1)), known.clone()).await;
    assert!(matches!(&outcome, Err(Failure::Rejected { message, .. }) if message.contains("split")), "{outcome:?}");
    assert_eq!(account.shipment(&order(1)).await["shipment_status"], "cancelled");
    account.deliver(1, &cancelled(order(1)), known).await.unwrap();
}
