//! How records are found that a caller does not know: by other e-mails, by phone, by listed values.

use serde_json::{Value, json};

use super::{Settings, desk::Desk};

const CONTACTS: &str = "/crm/objects/2026-03/contacts";

async fn created(desk: &Desk, properties: Value) -> String {
    let made = desk.post(CONTACTS, &json!({"properties": properties, "associations": []})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

/// The ids that a search with these filter groups finds.
async fn found(desk: &Desk, groups: Value) -> Vec<String> {
    let search = json!({"after": "0", "limit": 200, "properties": [], "sorts": [], "filterGroups": groups});
    let answer = desk.post(&format!("{CONTACTS}/search"), &search).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["results"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn listed(property: &str, values: &[&str]) -> Value {
    json!([{"filters": [{"propertyName": property, "operator": "IN", "values": values}]}])
}

async fn by_email(desk: &Desk, email: &str) -> Value {
    let read = json!({
        "idProperty": "email", "inputs": [{"id": email}], "properties": ["email", "hs_additional_emails"],
        "propertiesWithHistory": [],
    });
    desk.post(&format!("{CONTACTS}/batch/read"), &read).await.body["results"][0].clone()
}

#[tokio::test]
async fn a_contact_is_found_by_each_of_its_emails_and_no_other_contact_can_have_one() {
    let desk = Desk::new();
    let id =
        created(&desk, json!({"email": "a@example.com", "hs_additional_emails": "B@example.com;c@example.com"})).await;
    for email in ["a@example.com", "b@example.com", "C@example.com"] {
        let contact = by_email(&desk, email).await;
        assert_eq!((&contact["id"], &contact["properties"]["email"]), (&json!(id), &json!("a@example.com")), "{email}");
    }
    let upsert = json!({"inputs": [{"id": "b@example.com", "idProperty": "email", "properties": {"firstname": "Jo"}}]});
    assert_eq!(desk.post(&format!("{CONTACTS}/batch/upsert"), &upsert).await.body["results"][0]["id"], json!(id));
    for properties in [json!({"email": "c@example.com"}), json!({"hs_additional_emails": "a@example.com"})] {
        let other = desk.post(CONTACTS, &json!({"properties": properties, "associations": []})).await;
        assert!([400, 409].contains(&other.status), "{properties}: {}", other.status);
    }
}

#[tokio::test]
async fn another_first_email_changes_places_with_the_one_before() {
    let desk = Desk::new();
    let id = created(&desk, json!({"email": "a@example.com", "hs_additional_emails": "b@example.com"})).await;
    let body = json!({"properties": {"email": "b@example.com"}});
    assert_eq!(desk.send("PATCH", &format!("{CONTACTS}/{id}"), &body.to_string()).await.status, 200);
    let contact = by_email(&desk, "a@example.com").await;
    let emails = [&contact["properties"]["email"], &contact["properties"]["hs_additional_emails"]];
    assert_eq!(emails, [&json!("b@example.com"), &json!("a@example.com")]);
}

#[tokio::test]
async fn a_merged_contact_leaves_its_email_to_the_one_that_stays() {
    let desk = Desk::new();
    let (kept, gone) = (desk.contact("a@example.com").await, desk.contact("b@example.com").await);
    let merge = json!({"primaryObjectId": kept, "objectIdToMerge": gone});
    assert_eq!(desk.post(&format!("{CONTACTS}/merge"), &merge).await.status, 200);
    assert_eq!(by_email(&desk, "b@example.com").await["id"], json!(kept));
}

#[tokio::test]
async fn a_phone_is_searched_without_its_country_code() {
    let desk = Desk::with(Settings {
        search_lag: std::time::Duration::ZERO,
        searches_per_second: 100,
        country_code: Some("43".to_owned()),
        ..Settings::default()
    });
    let phone = created(&desk, json!({"firstname": "A", "phone": "+43 1 555-0100"})).await;
    let mobile = created(&desk, json!({"firstname": "B", "mobilephone": "01 5550100"})).await;
    let searched = |name: &str| format!("hs_searchable_calculated_{name}_number");
    assert_eq!(found(&desk, listed(&searched("phone"), &["15550100"])).await, vec![phone.clone()]);
    assert_eq!(found(&desk, listed(&searched("mobile"), &["15550100"])).await, vec![mobile.clone()]);
    assert!(found(&desk, listed(&searched("phone"), &["4315550100", "+4315550100"])).await.is_empty());
    let shown = desk.get(&format!("{CONTACTS}/{mobile}?properties=hs_calculated_mobile_number")).await.body;
    assert_eq!(shown["properties"]["hs_calculated_mobile_number"], "+4315550100");
    let body = json!({"properties": {"phone": ""}});
    assert_eq!(desk.send("PATCH", &format!("{CONTACTS}/{phone}"), &body.to_string()).await.status, 200);
    assert!(found(&desk, listed(&searched("phone"), &["15550100"])).await.is_empty());
}

#[tokio::test]
async fn listed_texts_are_searched_in_lower_case_and_choices_as_they_are() {
    let desk = Desk::new();
    let id = created(&desk, json!({"firstname": "Jo", "lifecyclestage": "customer"})).await;
    assert_eq!(found(&desk, listed("firstname", &["jo", "kim"])).await, vec![id.clone()]);
    assert!(found(&desk, listed("firstname", &["Jo"])).await.is_empty());
    assert_eq!(found(&desk, listed("lifecyclestage", &["customer"])).await, [id]);
    assert!(found(&desk, listed("lifecyclestage", &["Customer"])).await.is_empty());
}
