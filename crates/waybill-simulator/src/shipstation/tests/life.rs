//! The life of a shipment: created, changed, cancelled, split, shipped, voided.

use serde_json::{Value, json};

use super::{Account, address, shipment, with};

fn id(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_created_shipment_is_found_by_either_id() {
    let account = Account::open().await;
    let price: Value = serde_json::from_str("12.50").unwrap();
    let created = account.create(with(shipment("w1"), "/items/0/unit_price", price)).await;
    let found = account.get("/v2/shipments/external_shipment_id/w1").await;
    assert_eq!(found["shipment_id"], created["shipment_id"]);
    assert_eq!(found["items"][0]["unit_price"].to_string(), "12.50", "the digits are kept");
    let again = account.get(&format!("/v2/shipments/{}", id(&created, "shipment_id"))).await;
    assert_eq!(again, found);
    assert_eq!((&found["shipment_status"], &found["shipment_number"]), (&json!("pending"), &json!("w1")));
}

#[tokio::test]
async fn a_shipment_without_an_external_id_gets_its_own() {
    let account = Account::open().await;
    let created = account.create(with(shipment("w1"), "/external_shipment_id", Value::Null)).await;
    assert_eq!(created["external_shipment_id"], created["shipment_id"]);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let account = Account::open().await;
    let created = account.create(shipment("w1")).await;
    let path = format!("/v2/shipments/{}", id(&created, "shipment_id"));
    let update = json!({
        "ship_to": with(json!({ "a": address() }), "/a/city_locality", json!("Austin"))["a"],
        "ship_from": address(),
        "service_code": "ups_ground",
        "shipment_number": "#1001",
        "modified_at": "ignored",
    });
    let (status, updated) = account.ask("PUT", &path, &update).await;
    assert_eq!(status, 200, "{updated}");
    assert_eq!(updated["ship_to"]["city_locality"], "Austin");
    assert_eq!((&updated["service_code"], &updated["shipment_number"]), (&json!("ups_ground"), &json!("#1001")));
    assert_eq!(updated["items"], created["items"]);
    assert!(updated["modified_at"].as_str() > created["modified_at"].as_str());
    let (_, cleared) = account.ask("PUT", &path, &with(update, "/service_code", json!("ups_ground"))).await;
    assert_eq!(cleared["service_code"], "ups_ground");
}

#[tokio::test]
async fn a_pending_shipment_is_cancelled_once() {
    let account = Account::open().await;
    let created = account.create(shipment("w1")).await;
    let path = format!("/v2/shipments/{}", id(&created, "shipment_id"));
    for _ in 0..2 {
        let (status, _) = account.ask("PUT", &format!("{path}/cancel"), &Value::Null).await;
        assert_eq!(status, 204);
    }
    assert_eq!(account.get(&path).await["shipment_status"], "cancelled");
    let cancels = account.vendor.journal.entries().iter().filter(|entry| entry.action == "cancel").count();
    assert_eq!(cancels, 1);
}

#[tokio::test]
async fn the_warehouse_buys_a_label_and_voids_it() {
    let account = Account::open().await;
    account.create(shipment("w1")).await;
    let labels = account.ship(json!({ "external_shipment_ids": ["w1"], "carrier_code": "stamps_com" })).await;
    let label = account.get(&format!("/v2/labels/{}", id(&labels[0], "label_id"))).await;
    assert_eq!((&label["external_shipment_id"], &label["carrier_code"]), (&json!("w1"), &json!("stamps_com")));
    assert_eq!(account.get("/v2/shipments?shipment_status=label_purchased").await["total"], 1);
    let path = format!("/v2/labels/{}/void", id(&label, "label_id"));
    let (_, first) = account.ask("PUT", &path, &Value::Null).await;
    let (_, second) = account.ask("PUT", &path, &Value::Null).await;
    assert_eq!((&first["approved"], &second["approved"]), (&json!(true), &json!(false)));
    assert_eq!(account.get("/v2/labels?label_status=voided").await["total"], 1);
    assert_eq!(account.get("/v2/shipments?shipment_status=pending").await["total"], 1);
}

#[tokio::test]
async fn a_label_needs_a_carrier_and_a_service() {
    let account = Account::open().await;
    let created = account.create(shipment("w1")).await;
    let path = format!("/v2/labels/shipment/{}", id(&created, "shipment_id"));
    let (status, answer) = account.ask("POST", &path, &json!({})).await;
    assert_eq!(status, 400);
    let fields: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|error| id(error, "field_name")).collect();
    assert_eq!(fields, ["carrier_id", "service_code"]);
}

#[tokio::test]
async fn a_split_shipment_has_a_label_for_each_part() {
    let account = Account::open().await;
    account.create(shipment("w1")).await;
    let parcels = json!([
        [{ "line": "11", "quantity": 1 }],
        [{ "line": "TEE-M", "quantity": 1 }, { "line": "12", "quantity": 1 }],
    ]);
    let labels = account.ship(json!({ "external_shipment_ids": ["w1"], "parcels": parcels })).await;
    assert_eq!(labels.len(), 2);
    let child = account.get(&format!("/v2/shipments/{}", id(&labels[0], "shipment_id"))).await;
    let original = account.get("/v2/shipments/external_shipment_id/w1").await;
    assert_eq!(child["external_shipment_id"], child["shipment_id"], "a split part has no key of ours");
    assert_eq!(labels[1]["external_shipment_id"], "w1");
    let packed = |shipment: &Value| -> Vec<(String, i64)> {
        let items = shipment["items"].as_array().unwrap().iter();
        items.map(|item| (id(item, "external_order_item_id"), item["quantity"].as_i64().unwrap())).collect()
    };
    assert_eq!(packed(&child), [("11".to_owned(), 1)]);
    assert_eq!(packed(&original), [("11".to_owned(), 1), ("12".to_owned(), 1)]);
    assert_eq!(child["items"][0]["sales_order_id"], original["items"][0]["sales_order_id"]);
}

#[tokio::test]
async fn what_is_in_no_parcel_stays_pending() {
    let account = Account::open().await;
    account.create(shipment("w1")).await;
    let parcels = json!([[{ "line": "12", "quantity": 1 }]]);
    account.ship(json!({ "external_shipment_ids": ["w1"], "parcels": parcels })).await;
    let pending = account.get("/v2/shipments?shipment_status=pending").await;
    assert_eq!((&pending["total"], &pending["shipments"][0]["external_shipment_id"]), (&json!(1), &json!("w1")));
    let parcels = json!([[{ "line": "12", "quantity": 1 }]]);
    let (status, _) =
        account.ask("POST", "/_control/ship", &json!({ "external_shipment_ids": ["w1"], "parcels": parcels })).await;
    assert_eq!(status, 409, "nothing of the line is left");
}

#[tokio::test]
async fn lists_are_sorted_and_paged() {
    let account = Account::open().await;
    for n in 0..5 {
        account.create(shipment(&format!("w{n}"))).await;
    }
    let first = account.get("/v2/shipments?page_size=2&sort_dir=asc&sort_by=created_at").await;
    let keys = |page: &Value| -> Vec<String> {
        page["shipments"].as_array().unwrap().iter().map(|row| id(row, "external_shipment_id")).collect()
    };
    assert_eq!(keys(&first), ["w0", "w1"]);
    assert_eq!((&first["total"], &first["pages"], &first["page"]), (&json!(5), &json!(3), &json!(1)));
    assert_eq!(keys(&account.get("/v2/shipments?page_size=2&page=3&sort_dir=asc").await), ["w4"]);
    assert!(keys(&account.get("/v2/shipments?page_size=2&page=4").await).is_empty(), "past the last page");
    assert_eq!(keys(&account.get("/v2/shipments?page_size=1").await), ["w4"], "newest first");
    let from = id(&account.get("/v2/shipments/external_shipment_id/w3").await, "created_at");
    assert_eq!(keys(&account.get(&format!("/v2/shipments?created_at_start={from}&sort_dir=asc")).await), ["w3", "w4"]);
    assert_eq!(keys(&account.get("/v2/shipments?external_shipment_id=w2").await), ["w2"]);
    assert_eq!(account.get("/v2/shipments?item_keyword=mug").await["total"], 5);
}

#[tokio::test]
async fn the_journal_names_the_external_id() {
    let account = Account::open().await;
    account.create(shipment("w1")).await;
    account.ship(json!({})).await;
    let written: Vec<_> = account
        .vendor
        .journal
        .entries()
        .into_iter()
        .map(|entry| (entry.action, entry.object, entry.reference))
        .collect();
    let row = |action: &str, object: &str| (action.to_owned(), object.to_owned(), "w1".to_owned());
    assert_eq!(written, [row("create", "shipment"), row("create", "label")]);
}
