//! What the account does with right requests, where it matters to a caller.

use serde_json::{Value, json};

use super::{Settings, desk::Desk};

const UPSERT: &str = "/crm/objects/2026-03/contacts/batch/upsert";

async fn desk() -> Desk {
    Desk::new()
        .with_key_property("contacts", "contactinformation")
        .await
        .with_key_property("orders", "order_information")
        .await
}

fn by_key(key: &str, properties: Value) -> Value {
    json!({"id": key, "idProperty": "our_key", "objectWriteTraceId": key, "properties": properties})
}

#[tokio::test]
async fn a_contact_is_one_per_email_whatever_its_letters() {
    let desk = desk().await;
    for (email, new) in [("Jo@Example.com", true), ("jo@example.COM", false)] {
        let inputs = json!({"inputs": [{"id": email, "idProperty": "email", "properties": {"firstname": "Jo"}}]});
        let answer = desk.post(UPSERT, &inputs).await;
        assert_eq!((answer.status, &answer.body["results"][0]["new"]), (200, &json!(new)), "{email}");
        assert_eq!(answer.body["results"][0]["properties"]["email"], "jo@example.com");
    }
    assert_eq!(desk.get("/_control/state").await.body["contacts"], 1);
}

#[tokio::test]
async fn orders_are_unique_by_nothing_unless_a_property_says_so() {
    let desk = desk().await;
    assert_ne!(desk.order("#1001").await, desk.order("#1001").await);
    let upsert = json!({"inputs": [by_key("o1", json!({"hs_order_name": "#1002"}))]});
    let path = "/crm/objects/2026-03/orders/batch/upsert";
    let (first, second) = (desk.post(path, &upsert).await, desk.post(path, &upsert).await);
    assert_eq!(first.body["results"][0]["id"], second.body["results"][0]["id"]);
    assert_eq!(desk.get("/_control/state").await.body["orders"], 3);
}

#[tokio::test]
async fn traced_inputs_have_an_outcome_each_and_results_in_another_order() {
    let desk = desk().await;
    let inputs = json!({"inputs": [
        by_key("k1", json!({"firstname": "A"})),
        by_key("k2", json!({"colour": "red"})),
        by_key("k3", json!({"firstname": "C"})),
    ]});
    let answer = desk.post(UPSERT, &inputs).await;
    assert_eq!((answer.status, &answer.body["numErrors"]), (207, &json!(1)));
    let keys: Vec<_> =
        answer.body["results"].as_array().unwrap().iter().map(|result| &result["properties"]["our_key"]).collect();
    assert_eq!(keys, ["k3", "k1"]);
    assert_eq!(answer.body["errors"][0]["context"]["objectWriteTraceId"], json!(["k2"]));
}

#[tokio::test]
async fn an_untraced_batch_is_all_or_nothing() {
    let desk = desk().await;
    desk.contact("taken@example.com").await;
    let create = |emails: [&str; 2]| {
        let inputs: Vec<_> =
            emails.iter().map(|email| json!({"properties": {"email": email}, "associations": []})).collect();
        json!({ "inputs": inputs })
    };
    let path = "/crm/objects/2026-03/contacts/batch/create";
    let answer = desk.post(path, &create(["new@example.com", "taken@example.com"])).await;
    assert_eq!((answer.status, &answer.body["category"]), (409, &json!("CONFLICT")));
    assert_eq!(desk.get("/_control/state").await.body["contacts"], 1);
    assert_eq!(desk.post(path, &create(["new@example.com", "other@example.com"])).await.status, 201);
}

#[tokio::test]
async fn an_upsert_by_email_is_partial_only_where_the_account_is_so() {
    let inputs = json!({"inputs": [
        {"id": "a@example.com", "idProperty": "email", "objectWriteTraceId": "1", "properties": {}},
        {"id": "b@example.con", "idProperty": "email", "objectWriteTraceId": "2", "properties": {}},
    ]});
    assert_eq!(Desk::new().post(UPSERT, &inputs).await.status, 400);
    let desk = Desk::with(Settings { partial_by_email: true, ..Settings::default() });
    assert_eq!(desk.post(UPSERT, &inputs).await.status, 207);
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_marked() {
    let desk = desk().await;
    let upsert = json!({"inputs": [by_key("k1", json!({"firstname": "Jo"}))]});
    desk.post(UPSERT, &upsert).await;
    let first = desk.get("/crm/objects/2026-03/contacts?properties=firstname").await.body["results"][0].clone();
    desk.post(UPSERT, &upsert).await;
    let entries = desk.hubspot.journal.entries();
    let written: Vec<_> = entries
        .iter()
        .filter(|entry| entry.object == "contact")
        .map(|entry| (entry.action.as_str(), entry.reference.as_str(), &entry.body["changed"]))
        .collect();
    assert_eq!(written, [("create", "k1", &json!(true)), ("update", "k1", &json!(false))]);
    let second = desk.get("/crm/objects/2026-03/contacts?properties=firstname").await.body["results"][0].clone();
    assert_eq!(first["updatedAt"], second["updatedAt"]);
    assert_eq!(desk.get("/_control/state").await.body["writes_without_change"], 1);
}

#[tokio::test]
async fn an_empty_value_clears() {
    let desk = desk().await;
    let id = desk.contact("jo@example.com").await;
    let path = format!("/crm/objects/2026-03/contacts/{id}");
    for value in ["1", ""] {
        let body = json!({"properties": {"phone": value}});
        assert_eq!(desk.send("PATCH", &path, &body.to_string()).await.status, 200);
    }
    let shown = desk.get(&format!("{path}?properties=phone&propertiesWithHistory=phone")).await.body;
    assert_eq!(shown["properties"]["phone"], Value::Null);
    assert_eq!(shown["propertiesWithHistory"]["phone"][1]["value"], "1");
}

#[tokio::test]
async fn a_list_is_read_page_by_page_with_properties_and_associations() {
    let desk = desk().await;
    let contact = desk.contact("jo@example.com").await;
    let mut orders = Vec::new();
    for n in 0..5 {
        orders.push(desk.order(&format!("#{n}")).await);
    }
    let pair = json!({"inputs": [{"from": {"id": orders[4]}, "to": {"id": contact}}]});
    let made = desk.post("/crm/v4/associations/orders/contacts/batch/associate/default", &pair).await;
    assert_eq!(made.body["results"][0]["associationSpec"]["associationTypeId"], 507);
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let path = format!(
            "/crm/objects/2026-03/orders?limit=2&after={after}&properties=hs_order_name&properties=nothing&associations=contacts"
        );
        let page = desk.get(&path).await.body;
        seen.extend(page["results"].as_array().unwrap().clone());
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    let ids: Vec<_> = seen.iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, orders);
    assert_eq!(seen[4]["properties"]["hs_order_name"], "#4");
    assert!(!seen[4]["properties"].as_object().unwrap().contains_key("nothing"));
    assert_eq!(seen[4]["associations"]["contacts"]["results"], json!([{"id": contact, "type": "order_to_contact"}]));
    assert!(seen[0].get("associations").is_none());
}

#[tokio::test]
async fn a_batch_read_names_what_is_not_there() {
    let desk = desk().await;
    let id = desk.contact("jo@example.com").await;
    let read = json!({
        "idProperty": "email", "inputs": [{"id": "JO@example.com"}, {"id": "kim@example.com"}],
        "properties": ["email"], "propertiesWithHistory": [],
    });
    let answer = desk.post("/crm/objects/2026-03/contacts/batch/read", &read).await;
    assert_eq!((answer.status, &answer.body["results"][0]["id"]), (207, &json!(id)));
    assert_eq!(answer.body["errors"][0]["context"]["ids"], json!(["kim@example.com"]));
}

#[tokio::test]
async fn an_association_with_a_record_that_is_gone_is_an_error_of_its_own() {
    let desk = desk().await;
    let (order, contact) = (desk.order("#1").await, desk.contact("jo@example.com").await);
    let pairs = json!({"inputs": [
        {"from": {"id": order}, "to": {"id": "1"}},
        {"from": {"id": order}, "to": {"id": contact}},
    ]});
    let answer = desk.post("/crm/v4/associations/0-123/0-1/batch/associate/default", &pairs).await;
    assert_eq!((answer.status, answer.body["results"].as_array().unwrap().len()), (207, 2));
    desk.send("DELETE", &format!("/crm/objects/2026-03/contacts/{contact}"), "").await;
    let state = desk.get("/_control/state").await.body;
    assert_eq!((&state["contacts"], &state["associations"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_record_that_was_merged_away_is_left_out_of_an_update() {
    let desk = desk().await;
    let (kept, gone) = (desk.contact("a@example.com").await, desk.contact("b@example.com").await);
    let merge = json!({"primaryObjectId": kept, "objectIdToMerge": gone});
    assert_eq!(desk.post("/crm/objects/2026-03/contacts/merge", &merge).await.status, 200);
    let update = json!({"inputs": [{"id": gone, "properties": {"firstname": "B"}}]});
    let answer = desk.post("/crm/objects/2026-03/contacts/batch/update", &update).await;
    assert_eq!((answer.status, &answer.body["results"]), (200, &json!([])));
}

#[tokio::test]
async fn search_finds_a_write_only_after_its_lag() {
    let search = json!({
        "after": "", "limit": 10, "properties": ["email"], "sorts": [],
        "filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": "jo@example.com"}]}],
    });
    for (lag_s, found) in [(0, 1), (3_600, 0)] {
        let search_lag = std::time::Duration::from_secs(lag_s);
        let desk = Desk::with(Settings { search_lag, ..Settings::default() });
        desk.contact("jo@example.com").await;
        let answer = desk.post("/crm/objects/2026-03/contacts/search", &search).await;
        assert_eq!((answer.status, &answer.body["total"]), (200, &json!(found)), "lag {lag_s} s");
    }
}

#[tokio::test]
async fn search_compares_numbers_and_times_as_such() {
    let desk = desk().await;
    for (name, price, date) in [("#1", "9.5", "2026-11-01T00:00:00Z"), ("#2", "12", "1762041600000")] {
        let order = json!({"associations": [], "properties": {
            "hs_order_name": name, "hs_total_price": price, "hs_external_created_date": date,
        }});
        assert_eq!(desk.post("/crm/objects/2026-03/orders", &order).await.status, 201);
    }
    for (property, operator, value, expected) in [
        ("hs_total_price", "GT", "9.50", vec!["#2"]),
        ("hs_total_price", "EQ", "9.50", vec!["#1"]),
        ("hs_external_created_date", "LT", "2026-01-01T00:00:00Z", vec!["#2"]),
        ("hs_order_name", "NEQ", "#1", vec!["#2"]),
    ] {
        let search = json!({
            "after": "", "limit": 10, "properties": ["hs_order_name"], "sorts": ["-hs_order_name"],
            "filterGroups": [{"filters": [{"propertyName": property, "operator": operator, "value": value}]}],
        });
        let answer = desk.post("/crm/objects/2026-03/orders/search", &search).await.body;
        let names: Vec<_> =
            answer["results"].as_array().unwrap().iter().map(|order| &order["properties"]["hs_order_name"]).collect();
        assert_eq!(names, expected, "{property} {operator} {value}");
    }
}
