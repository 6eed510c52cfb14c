//! Nothing that identifies people stays, in fields that are there now and in fields to come.

use serde_json::{Value, json};
use waybill_domain::Snapshot;
use waybill_plan::recorded::{By, RecordedDecision, Settled};
use waybill_testkit::records;

use super::{Pseudonyms, Replaced};

fn pseudonyms() -> Pseudonyms {
    Pseudonyms::keyed([5; 32])
}

/// An order with one of everything, as JSON.
fn order() -> Value {
    let order = records::order(1)
        .paid()
        .with_line("TEE", 2, "24.00")
        .taxed("VAT", "0.20", "9.60")
        .shipped_for("5.00")
        .with_units_refunded(1);
    let mut value = serde_json::to_value(order.at_revision(1)).unwrap();
    let body = &mut value["body"]["order"];
    body["cancel_reason"] = json!("customer");
    body["tags"] = json!(["vip"]);
    value
}

fn of_kind(kind: &str, body: Value) -> Value {
    let mut value = order();
    value["key"]["kind"] = json!(kind);
    value["body"] = json!({ kind: body });
    value
}

fn customer() -> Value {
    let order = order();
    let mut customer = order["body"]["order"]["customer"].clone();
    for (field, value) in [
        ("created_at", json!(null)),
        ("verified_email", json!(true)),
        ("state", json!("enabled")),
        ("note", json!("")),
        ("tax_exempt", json!(false)),
        ("tags", json!(["vip"])),
        ("default_address", order["body"]["order"]["billing_address"].clone()),
    ] {
        customer[field] = value;
    }
    of_kind("customer", customer)
}

fn shipment() -> Value {
    let line = json!({ "line_id": "1", "sku": "TEE", "quantity": 1 });
    of_kind(
        "shipment",
        json!({
            "id": "1", "order_id": "1", "order_name": "#1", "carrier": "post", "tracking_number": "", "tracking_url": "",
            "shipped_at": null, "voided": false, "lines": [line],
        }),
    )
}

fn fulfilment() -> Value {
    let line = json!({ "line_id": "1", "sku": "TEE", "quantity": 1 });
    of_kind(
        "fulfilment",
        json!({
            "id": "1", "order_id": "1", "status": "success", "location_id": "1", "tracking_company": "post",
            "tracking_numbers": [""], "lines": [line],
        }),
    )
}

fn refund() -> Value {
    let refund = order()["body"]["order"]["refunds"][0].clone();
    of_kind("refund", refund)
}

/// The places of all texts.
fn places(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::String(_) => vec![at.to_owned()],
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, item)| places(item, &format!("{at}/{n}"))).collect()
        }
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, field)| places(field, &format!("{at}/{name}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Writes a text of its own into each place that takes any, replaces, and gives the places where it still stands.
/// Ids stay by design and are left out.
fn kept(mut value: Value) -> Vec<String> {
    let mut marked = Vec::new();
    for (number, place) in places(&value["body"], "/body").into_iter().enumerate() {
        let marker = format!("Quakkelaar{number}x");
        let before = value.pointer_mut(&place).unwrap().take();
        *value.pointer_mut(&place).unwrap() = json!(marker);
        if serde_json::from_value::<Snapshot>(value.clone()).is_ok() && !place.ends_with("id") {
            marked.push((place, marker));
        } else {
            *value.pointer_mut(&place).unwrap() = before;
        }
    }
    let mut snapshot: Snapshot = serde_json::from_value(value).unwrap();
    pseudonyms().replace(&mut snapshot);
    let after = serde_json::to_value(snapshot).unwrap();
    let stays = |(place, marker): &(String, String)| after.pointer(place).unwrap().as_str().unwrap().contains(marker);
    let shown = |place: String| place.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
    marked.into_iter().filter(stays).map(|(place, _)| shown(place)).collect()
}

/// What stays of an address.
fn of_address(address: &str) -> Vec<String> {
    ["country", "country_code", "province", "province_code", "zip"].map(|field| format!("{address}/{field}")).into()
}

#[test]
fn of_an_order_only_what_plans_tell_by_stays() {
    let mut expected: Vec<String> = [
        "cancel_reason",
        "financial_status",
        "fulfillment_status",
        "lines/0/sku",
        "lines/0/taxes/0/title",
        "lines/0/title",
        "locale",
        "name",
        "refunds/0/lines/0/sku",
        "refunds/0/lines/0/taxes/0/title",
        "refunds/0/lines/0/title",
        "shipping_lines/0/code",
        "shipping_lines/0/title",
        "source_name",
        "tags/0",
    ]
    .map(str::to_owned)
    .into();
    expected.extend(["billing_address", "shipping_address"].into_iter().flat_map(of_address));
    let mut kept = kept(order());
    kept.sort();
    expected.sort();
    assert_eq!(kept, expected);
}

#[test]
fn of_a_customer_only_what_plans_tell_by_stays() {
    let mut expected = vec!["state".to_owned(), "tags/0".to_owned()];
    expected.extend(of_address("default_address"));
    let mut kept = kept(customer());
    kept.sort();
    expected.sort();
    assert_eq!(kept, expected);
}

#[test]
fn of_parcels_and_refunds_the_numbers_and_notes_go() {
    assert_eq!(kept(shipment()), ["carrier", "lines/0/sku", "order_name"]);
    assert_eq!(kept(fulfilment()), ["lines/0/sku", "status", "tracking_company"]);
    assert_eq!(kept(refund()), ["lines/0/sku", "lines/0/taxes/0/title", "lines/0/title"]);
}

#[test]
fn what_is_empty_stays_empty_and_an_order_stays_the_same_persons() {
    let snapshot = || serde_json::from_value::<Snapshot>(order()).unwrap();
    let (mut one, mut two) = (snapshot(), snapshot());
    let replaced = (pseudonyms().replace(&mut one), pseudonyms().replace(&mut two));
    assert_eq!(one, two, "the same for the same");
    let value = serde_json::to_value(&one).unwrap();
    let order = &value["body"]["order"];
    assert_eq!((&order["phone"], &order["note"]), (&json!(""), &json!("")));
    assert_eq!(order["email"], order["customer"]["email"]);
    assert_eq!(order["billing_address"]["last_name"], order["customer"]["last_name"]);
    drop(replaced);
}

#[test]
fn a_tag_that_names_the_buyer_does_so_no_more() {
    let mut value = order();
    value["body"]["order"]["tags"] = json!(["vip", "friend of Ada LIND", "mail ada@example.com."]);
    let mut snapshot: Snapshot = serde_json::from_value(value).unwrap();
    pseudonyms().replace(&mut snapshot);
    let value = serde_json::to_value(snapshot).unwrap();
    let (tags, person) = (&value["body"]["order"]["tags"], &value["body"]["order"]["customer"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(tags[0], "vip");
    assert_eq!(text(&tags[1]), format!("friend of {} {}", text(&person["first_name"]), text(&person["last_name"])));
    assert_eq!(text(&tags[2]), format!("mail {}.", text(&person["email"])));
}

fn saying(message: &str) -> RecordedDecision {
    let snapshot = records::order(1).at_revision(1);
    RecordedDecision {
        system: "crm".parse().unwrap(),
        key: snapshot.key,
        revision: snapshot.revision,
        settlement: 1,
        decided_at: snapshot.observed_at,
        state: Settled::Parked,
        code: "rejected".to_owned(),
        field: String::new(),
        message: message.to_owned(),
        by: By::System,
        plan_hash: String::new(),
        document_hash: "hash".to_owned(),
        delivery: waybill_plan::DeliveryFacts { applied_hash: Some("hash".to_owned()), ..Default::default() },
        facts: None,
    }
}

/// What a system's words become for a buyer named Ada Lind of Ring 1 in Wien, +43 1 5550101.
fn said(message: &str) -> String {
    let mut value = order();
    value["body"]["order"]["phone"] = json!("+43 1 5550101");
    let mut snapshot: Snapshot = serde_json::from_value(value).unwrap();
    let replaced = pseudonyms().replace(&mut snapshot);
    let mut decision = saying(message);
    pseudonyms().replace_in_decision(&mut decision, Some(&replaced));
    assert_eq!((decision.document_hash.as_str(), decision.delivery.applied_hash), ("", None));
    decision.message
}

#[test]
fn a_systems_words_name_nobody() {
    let with = pseudonyms();
    let (ada, lind, phone) = (with.name("Ada"), with.name("Lind"), with.phone("+4315550101"));
    assert_eq!(said("no contact ADA Lind in line 1"), format!("no contact {ada} {lind} in line 1"));
    assert_eq!(said("Adam has no armada"), "Adam has no armada", "words of their own only");
    assert_eq!(said("ring (01) 555 01 01, please"), format!("ring {phone}, please"));
    assert_eq!(said("+4315550101 is taken"), format!("{phone} is taken"));
    assert_eq!(said("at Ring 1"), format!("at {}", with.street("Ring 1")));
    assert_eq!(said("<other@quakkelaar.at>: unknown"), format!("<{}>: unknown", with.email("other@quakkelaar.at")));
    assert_eq!(said("order 1234567 of 2026-11-21"), "order 1234567 of 2026-11-21");
}

#[test]
fn words_about_a_snapshot_that_is_not_there_are_left_out() {
    let mut decision = saying("no contact Ada");
    pseudonyms().replace_in_decision(&mut decision, None);
    assert_eq!(decision.message, "");
    let mut decision = saying("no contact Ada");
    pseudonyms().replace_in_decision(&mut decision, Some(&Replaced::default()));
    assert_eq!(decision.message, "no contact Ada", "a stock level names nobody");
}
