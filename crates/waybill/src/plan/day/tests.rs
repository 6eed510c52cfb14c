//! What can be read, and what is told of what cannot.

use std::{fs, path::Path};

use serde_json::{Value, json};
use waybill_domain::{Body, Snapshot};
use waybill_plan::{Connectors, Plan, recorded::Line};
use waybill_testkit::ScratchFolder;

use super::{Day, read};
use crate::connectors;

const PLAN: &str = include_str!("../../../../../examples/plans/simple.toml");
const PLAN_OF_TWO_STORES: &str = include_str!("../../../../../examples/plans/two-channels.toml");

fn plan(text: &str) -> Plan {
    Plan::parse(text, Connectors::All(&connectors::all())).unwrap_or_else(|problems| panic!("{}", problems.render("")))
}

fn snapshots(day: &Day) -> Vec<&Snapshot> {
    let snapshots = day.lines.iter().map(|line| match line {
        Line::Snapshot(snapshot) => snapshot.as_ref(),
        other => panic!("{other:?}"),
    });
    snapshots.collect()
}

/// Record and number of each snapshot.
fn told(day: &Day) -> Vec<String> {
    snapshots(day).iter().map(|one| format!("{} {} {}", one.key.kind, one.key.id, one.revision.number)).collect()
}

fn written(folder: &ScratchFolder, name: &str, text: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn error_of(path: &Path) -> String {
    format!("{:#}", read(path, &plan(PLAN), None).unwrap_err())
}

fn set(amount: &str) -> Value {
    let money = json!({"amount": amount, "currency_code": "EUR"});
    json!({"shop_money": money, "presentment_money": money})
}

fn order(id: u64, updated_at: &str, note: &str) -> Value {
    json!({
        "id": id, "admin_graphql_api_id": format!("gid://shopify/Order/{id}"), "name": format!("#{id}"),
        "created_at": "2026-07-01T10:00:00Z", "updated_at": updated_at, "currency": "EUR",
        "presentment_currency": "EUR", "financial_status": "paid", "note": note,
        "line_items": [{"id": 11, "quantity": 1, "price": "10.00", "price_set": set("10.00"), "sku": "TEE-M"}],
        "total_line_items_price_set": set("10.00"), "total_price": "10.00", "total_price_set": set("10.00"),
    })
}

fn customer(updated_at: &str) -> Value {
    json!({"id": 7, "updated_at": updated_at, "email": "jo@example.com"})
}

const FIRST: &str = "2026-07-01T10:00:00Z";
const SECOND: &str = "2026-07-01T10:05:00Z";
const THIRD: &str = "2026-07-01T10:10:00Z";

#[test]
fn a_folder_of_bodies_is_read_in_the_order_of_time() {
    let folder = ScratchFolder::new("day").unwrap();
    // The scratch folder itself holds a file of its own.
    fs::create_dir(folder.path().join("bodies")).unwrap();
    written(&folder, "bodies/customers__create.json", customer(SECOND).to_string());
    written(&folder, "bodies/orders__create.json", order(1, THIRD, "").to_string());
    written(&folder, "bodies/orders__create__2.json", order(2, FIRST, "").to_string());
    written(&folder, "bodies/orders__edited.json", json!({"order_edit": {"order_id": 2}}).to_string());
    written(&folder, "bodies/notes.txt", "not a body");
    let day = read(&folder.path().join("bodies"), &plan(PLAN), None).unwrap();
    assert_eq!(told(&day), ["order 2 1", "customer 7 1", "order 1 1"]);
    assert_eq!(
        day.notes,
        [
            "1 webhook bodies only tell that a record changed, not how: what would be read by API is not here",
            "1 bodies or files are of no record that a plan moves",
        ]
    );
}

#[test]
fn bodies_in_lines_number_the_states_of_each_record() {
    let folder = ScratchFolder::new("day").unwrap();
    let line = |topic: &str, body: Value| format!("{{\"topic\": \"{topic}\", \"body\": {body}}}\n");
    let text = [
        line("orders/create", order(1, FIRST, "first")),
        line("orders/paid", order(1, FIRST, "first")),
        "\n".to_owned(),
        line("orders/updated", order(1, SECOND, "second")),
        line("orders/delete", json!({"id": 2})),
        line("carts/update", json!({"id": 3})),
    ];
    let day = read(&written(&folder, "bodies.jsonl", text.concat()), &plan(PLAN), None).unwrap();
    assert_eq!(told(&day), ["order 1 1", "order 1 2", "order 2 1"]);
    assert!(snapshots(&day)[2].body.is_none());
    assert_eq!(day.notes, ["1 bodies or files are of no record that a plan moves"]);
}

#[test]
fn what_a_customers_body_lacks_is_carried_over() {
    let folder = ScratchFolder::new("day").unwrap();
    let mut before = customer(FIRST);
    before["email_marketing_consent"] = json!({"state": "subscribed"});
    let text = format!(
        "{{\"topic\": \"customers/create\", \"body\": {before}}}\n{{\"topic\": \"customers/update\", \"body\": {}}}\n",
        json!({"id": 7, "updated_at": SECOND, "email": "jo@example.org"})
    );
    let day = read(&written(&folder, "bodies.jsonl", text), &plan(PLAN), None).unwrap();
    assert_eq!(told(&day), ["customer 7 1", "customer 7 2"]);
    let Some(Body::Customer(customer)) = &snapshots(&day)[1].body else { panic!("a customer") };
    assert_eq!((customer.email.expose(), customer.email_consent.as_str()), ("jo@example.org", "subscribed"));
}

#[test]
fn a_wrong_body_is_named_by_line_and_field() {
    let folder = ScratchFolder::new("day").unwrap();
    let mut wrong = order(2, FIRST, "");
    wrong["line_items"][0]["quantity"] = json!("many");
    let good = order(1, FIRST, "");
    let text = format!(
        "{{\"topic\": \"orders/create\", \"body\": {good}}}\n{{\"topic\": \"orders/create\", \"body\": {wrong}}}\n"
    );
    let error = error_of(&written(&folder, "bodies.jsonl", text));
    assert!(error.ends_with("line 2: $.line_items[0].quantity is not a whole number"), "{error}");
    let error =
        error_of(&written(&folder, "more.jsonl", format!("{{\"topic\": \"orders/create\", \"body\": {good}}}\n[]")));
    assert!(error.contains("line 2: not {\"topic\": …, \"body\": {…}}"), "{error}");
}

#[test]
fn a_file_that_is_none_of_these_is_told_what_can_be_read() {
    let folder = ScratchFolder::new("day").unwrap();
    let error = error_of(&written(&folder, "orders.csv", "Name,Email\n#1001,jo@example.com\n"));
    assert!(error.contains("orders.csv is neither a recorded day"), "{error}");
    for named in ["waybill export", "waybill plan bulk-query", "orders__create.json"] {
        assert!(error.contains(named), "{error}");
    }
    assert!(error_of(&written(&folder, "empty.jsonl", "")).contains("is neither a recorded day"));
    assert!(error_of(&folder.path().join("nowhere.jsonl")).contains("nowhere.jsonl cannot be read"));
}

#[test]
fn a_folder_without_bodies_is_an_error_that_names_it() {
    let folder = ScratchFolder::new("day").unwrap();
    written(&folder, "notes.txt", "not a body");
    let error = error_of(folder.path());
    assert!(error.contains("has no webhook bodies in files named by their topic"), "{error}");
}

#[test]
fn among_several_stores_one_must_be_named() {
    let folder = ScratchFolder::new("day").unwrap();
    let path = written(&folder, "orders__create.json", order(1, FIRST, "").to_string());
    let plan = plan(PLAN_OF_TWO_STORES);
    let error = format!("{:#}", read(&path, &plan, None).unwrap_err());
    assert!(error.contains("give --store"), "{error}");
    let name = plan.stores.keys().next_back().unwrap().as_str();
    let day = read(&path, &plan, Some(name)).unwrap();
    assert_eq!(snapshots(&day)[0].key.store.as_str(), name);
    let error = format!("{:#}", read(&path, &plan, Some("elsewhere")).unwrap_err());
    assert!(error.contains("the plan has no store 'elsewhere'"), "{error}");
}

fn bag(amount: &str) -> Value {
    let money = json!({"amount": amount, "currencyCode": "EUR"});
    json!({"shopMoney": money, "presentmentMoney": money})
}

/// An order of two lines, one of which came back, as a bulk query's file has it.
fn in_bulk(id: u64) -> Vec<Value> {
    let gid = format!("gid://shopify/Order/{id}");
    let order = json!({
        "id": gid, "name": format!("#{id}"), "updatedAt": SECOND, "createdAt": FIRST, "processedAt": FIRST,
        "cancelledAt": null, "cancelReason": null, "closedAt": null, "currencyCode": "EUR",
        "presentmentCurrencyCode": "EUR", "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
        "taxesIncluded": false, "test": false, "sourceName": "web", "tags": [], "note": null, "customerLocale": "en",
        "email": "jo@example.com", "phone": null, "customer": null, "billingAddress": null, "shippingAddress": null,
        "totalDiscountsSet": bag("0.0"), "totalTaxSet": bag("0.0"), "originalTotalDutiesSet": null,
        "totalTipReceivedSet": bag("0.0"), "originalTotalAdditionalFeesSet": null,
        "totalCashRoundingAdjustment": {"paymentSet": bag("0.0")}, "totalShippingPriceSet": bag("0.0"),
        "totalPriceSet": bag("20.0"), "currentTotalPriceSet": bag("10.0"),
        "refunds": [{
            "id": format!("gid://shopify/Refund/{id}0"), "createdAt": SECOND, "note": null, "totalRefundedSet": bag("10.0"),
        }],
    });
    let line = |number: u64| {
        json!({
            "__typename": "LineItem", "__parentId": gid, "id": format!("gid://shopify/LineItem/{number}"),
            "sku": "TEE-M", "title": "Tee", "quantity": 1, "currentQuantity": 1, "unfulfilledQuantity": 1,
            "requiresShipping": true, "isGiftCard": false, "weight": null, "variant": null, "product": null,
            "originalUnitPriceSet": bag("10.0"), "totalDiscountSet": bag("0.0"), "discountAllocations": [],
            "taxLines": [], "duties": [],
        })
    };
    let agreement = json!({
        "__typename": "RefundAgreement", "__parentId": gid, "id": "gid://shopify/SalesAgreement/5",
        "refund": {"id": format!("gid://shopify/Refund/{id}0")},
    });
    let back = json!({
        "__typename": "RefundLineItem", "__parentId": "gid://shopify/SalesAgreement/5", "quantity": 1,
        "lineItem": {"id": "gid://shopify/LineItem/2"}, "subtotalSet": bag("10.0"), "totalTaxSet": bag("0.0"),
    });
    vec![order, line(1), line(2), agreement, back]
}

fn file_of(orders: &[Vec<Value>]) -> String {
    orders.iter().flatten().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_bulk_file_gives_orders_and_their_refunds() {
    let folder = ScratchFolder::new("day").unwrap();
    let path = written(&folder, "bulk.jsonl", file_of(&[in_bulk(1), in_bulk(2)]));
    let day = read(&path, &plan(PLAN), None).unwrap();
    assert_eq!(told(&day), ["order 1 1", "refund 10 1", "order 2 1", "refund 20 1"]);
    let Some(Body::Order(order)) = &snapshots(&day)[0].body else { panic!("an order") };
    assert_eq!((order.lines.len(), order.refunds[0].lines[0].sku.as_str()), (2, "TEE-M"));
    assert_eq!(snapshots(&day)[0].observed_at.to_string(), SECOND);
    assert!(day.notes.is_empty(), "{:?}", day.notes);
}

#[test]
fn an_order_whose_refund_the_file_does_not_tell_is_left_out_and_noted() {
    let folder = ScratchFolder::new("day").unwrap();
    let mut untold = in_bulk(1);
    untold.truncate(3);
    let day = read(&written(&folder, "bulk.jsonl", file_of(&[untold, in_bulk(2)])), &plan(PLAN), None).unwrap();
    assert_eq!(told(&day), ["order 2 1", "refund 20 1"]);
    assert_eq!(
        day.notes,
        ["1 orders of the file have a refund of which it does not tell what came back: they are not here"]
    );
}

#[test]
fn a_bulk_file_of_another_query_is_an_error_that_names_line_and_field() {
    let folder = ScratchFolder::new("day").unwrap();
    let mut order = in_bulk(1);
    order[2].as_object_mut().unwrap().remove("currentQuantity");
    let error = error_of(&written(&folder, "bulk.jsonl", file_of(&[order])));
    assert!(error.contains("bulk.jsonl: line 3: missing field `currentQuantity`"), "{error}");
    let products = "{\"id\":\"gid:\\/\\/shopify\\/Product\\/1\",\"title\":\"Tee\"}\n";
    let error = error_of(&written(&folder, "products.jsonl", products));
    assert!(error.contains("line 1: it is neither an order nor a part of one"), "{error}");
}
