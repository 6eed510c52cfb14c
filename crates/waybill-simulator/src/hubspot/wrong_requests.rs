//! What HubSpot refuses, and with which status and body.

mod batches;
mod definitions;
mod records;

use serde_json::{Value, json};

use super::{Settings, desk::Desk};

/// A wrong request, the answer's status and category, and what its message contains.
struct Case(&'static str, &'static str, &'static str, Value, u16, &'static str, &'static str);

const INVALID: &str = "VALIDATION_ERROR";
const CONTACTS: &str = "/crm/objects/2026-03/contacts";
const UPSERT: &str = "/crm/objects/2026-03/contacts/batch/upsert";
const ORDERS: &str = "/crm/objects/2026-03/orders";

fn contact(properties: Value) -> Value {
    json!({"properties": properties, "associations": []})
}

fn by_email(inputs: &[(&str, Value)]) -> Value {
    let inputs: Vec<Value> = inputs
        .iter()
        .map(|(email, properties)| json!({"id": email, "idProperty": "email", "properties": properties}))
        .collect();
    json!({ "inputs": inputs })
}

fn cases() -> Vec<Case> {
    [records::cases(), batches::cases(), definitions::cases()].into_iter().flatten().collect()
}

async fn desk() -> Desk {
    let desk = Desk::new().with_key_property("contacts", "contactinformation").await;
    for (name, kind, field) in [("birthday", "date", "date"), ("vip", "bool", "booleancheckbox")] {
        let body =
            json!({"name": name, "label": name, "groupName": "contactinformation", "type": kind, "fieldType": field});
        assert_eq!(desk.post("/crm/properties/2026-03/contacts", &body).await.status, 201);
    }
    desk.contact("jo@example.com").await;
    let body = contact(json!({"firstname": "Kim", "our_key": "k1"}));
    assert_eq!(desk.post(CONTACTS, &body).await.status, 201);
    desk
}

#[tokio::test]
async fn each_wrong_request_has_hubspots_answer_and_changes_nothing() {
    let desk = desk().await;
    let before = desk.hubspot.journal.entries().len();
    for Case(what, method, path, body, status, category, message) in cases() {
        let sent = if body.is_null() { String::new() } else { body.to_string() };
        let answer = desk.send(method, path, &sent).await;
        let said = answer.body["message"].as_str().unwrap_or_default();
        assert_eq!((answer.status, answer.body["category"].as_str()), (status, Some(category)), "{what}: {said}");
        assert!(said.contains(message), "{what}: {said}");
        assert_eq!(answer.body["status"], "error", "{what}");
        assert!(answer.body["correlationId"].is_string(), "{what}");
        assert_eq!(desk.hubspot.journal.entries().len(), before, "{what} was written down");
    }
}

#[tokio::test]
async fn an_invalid_value_is_also_listed_by_property() {
    let answer = desk().await.post(CONTACTS, &contact(json!({"email": "x", "colour": "red"}))).await;
    let codes: Vec<_> = answer.body["errors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
    assert_eq!(codes, ["PROPERTY_DOESNT_EXIST", "INVALID_EMAIL"]);
    assert_eq!(answer.body["errors"][1]["context"]["propertyName"], json!(["email"]));
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    for token in ["", "pat-other"] {
        let desk = Desk { token: token.to_owned(), ..Desk::new() };
        let answer = desk.get(CONTACTS).await;
        assert_eq!((answer.status, &answer.body["category"]), (401, &json!("INVALID_AUTHENTICATION")), "{token}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let desk = Desk::with(Settings { scopes: vec!["crm.objects.contacts.read".to_owned()], ..Settings::default() });
    assert_eq!(desk.get(CONTACTS).await.status, 200);
    let answer = desk.post(CONTACTS, &contact(json!({}))).await;
    assert_eq!((answer.status, &answer.body["category"]), (403, &json!("MISSING_SCOPES")));
    assert_eq!(answer.body["errors"][0]["context"]["requiredGranularScopes"], json!(["crm.objects.contacts.write"]));
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_by_type_and_by_content() {
    let desk = Desk::new();
    let answer = desk.send("POST", CONTACTS, "{\"properties\": ").await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["message"].as_str().unwrap().starts_with("Invalid input JSON on line 1, column "));
    let desk = Desk { content_type: "text/plain", ..desk };
    assert_eq!(desk.post(CONTACTS, &contact(json!({}))).await.status, 415);
}

#[tokio::test]
async fn the_limits_are_counted_and_stated() {
    let desk = Desk::with(Settings { requests: 2, ..Settings::default() });
    let first = desk.get(CONTACTS).await;
    assert_eq!(first.headers["x-hubspot-ratelimit-max"], "2");
    assert_eq!(first.headers["x-hubspot-ratelimit-remaining"], "1");
    assert_eq!(first.headers["x-hubspot-ratelimit-interval-milliseconds"], "10000");
    desk.get(CONTACTS).await;
    let refused = desk.get(CONTACTS).await;
    assert_eq!((refused.status, &refused.body["policyName"]), (429, &json!("TEN_SECONDLY_ROLLING")));
    assert_eq!(refused.headers["x-hubspot-ratelimit-remaining"], "0");
    assert_eq!(desk.get("/_control/state").await.body["refused_by_limit"], 1);
    let raised = desk.send("PUT", "/_control/limit", r#"{"requests": 3, "window_ms": 10000}"#).await;
    assert_eq!((raised.status, desk.get(CONTACTS).await.status), (204, 200));
}

#[tokio::test]
async fn the_daily_limit_has_a_name_of_its_own() {
    let desk = Desk::with(Settings { daily: 1, ..Settings::default() });
    desk.get(CONTACTS).await;
    assert_eq!(desk.get(CONTACTS).await.body["policyName"], "DAILY");
}

#[tokio::test]
async fn search_has_a_limit_of_its_own_and_says_nothing_of_the_others() {
    let desk = Desk::with(Settings { searches_per_second: 1, ..Settings::default() });
    let search = json!({"after": "", "filterGroups": [], "limit": 1, "properties": [], "sorts": []});
    let path = "/crm/objects/2026-03/contacts/search";
    let first = desk.post(path, &search).await;
    assert_eq!((first.status, first.headers.get("x-hubspot-ratelimit-max")), (200, None));
    assert_eq!(desk.post(path, &search).await.body["policyName"], "SECONDLY");
}

#[tokio::test]
async fn an_eleventh_unique_property_is_refused() {
    let desk = Desk::new();
    for n in 0..11 {
        let body = json!({
            "name": format!("key_{n}"), "label": "Key", "groupName": "contactinformation", "type": "string",
            "fieldType": "text", "hasUniqueValue": true,
        });
        let status = desk.post("/crm/properties/2026-03/contacts", &body).await.status;
        assert_eq!(status, if n < 10 { 201 } else { 400 }, "property {n}");
    }
}
