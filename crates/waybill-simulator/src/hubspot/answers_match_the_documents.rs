//! The simulated answers against HubSpot's OpenAPI documents.

mod requests;
mod schema;

use std::path::Path;

use serde_json::{Value, json};

use self::{requests::requests, schema::Schema};
use super::desk::Desk;

const DOCUMENTS: &[&str] = &[
    "hubspot-contacts-2026-03.json",
    "hubspot-orders-2026-03.json",
    "hubspot-companies-2026-03.json",
    "hubspot-objects-2026-03.json",
    "hubspot-properties-2026-03.json",
    "hubspot-associations.json",
];

/// The documents' operations for a path, those with more literal segments first.
fn operations<'a>(documents: &'a [Value], method: &str, path: &str) -> Vec<Schema<'a>> {
    let path: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let mut found = Vec::new();
    for document in documents {
        for (template, operations) in document["paths"].as_object().expect("a document has paths") {
            let template: Vec<&str> = template.split('/').collect();
            let fits = template.len() == path.len()
                && template.iter().zip(&path).all(|(wanted, given)| wanted.starts_with('{') || wanted == given);
            let operation = &operations[method.to_lowercase()];
            if fits && operation.is_object() {
                let literal = template.iter().filter(|segment| !segment.starts_with('{')).count();
                found.push((literal, Schema { document, schema: operation }));
            }
        }
    }
    found.sort_by_key(|(literal, _)| std::cmp::Reverse(*literal));
    let most = found.first().map(|(literal, _)| *literal);
    found.into_iter().filter(|(literal, _)| Some(*literal) == most).map(|(_, operation)| operation).collect()
}

fn documents() -> Option<Vec<Value>> {
    let folder = waybill_testkit::shared_data()?;
    let read = |name: &&str| {
        let text = std::fs::read_to_string(Path::new(&folder).join("specs").join(name)).expect(name);
        serde_json::from_str(&text).expect(name)
    };
    Some(DOCUMENTS.iter().map(read).collect())
}

async fn desk() -> (Desk, [(&'static str, String); 3]) {
    let desk = Desk::new()
        .with_key_property("contacts", "contactinformation")
        .await
        .with_key_property("orders", "order_information")
        .await;
    let ids = [
        ("{c}", desk.contact("jo@example.com").await),
        ("{d}", desk.contact("kim@example.com").await),
        ("{o}", desk.order("#1000").await),
    ];
    (desk, ids)
}

#[tokio::test]
async fn every_answer_is_as_hubspots_document_says() {
    let Some(documents) = documents() else { return };
    let (desk, ids) = desk().await;
    let mut problems = Vec::new();
    for (method, path, body) in requests() {
        let (mut path, mut body) = (path.to_owned(), if body.is_null() { String::new() } else { body.to_string() });
        for (name, id) in &ids {
            path = path.replace(name, id);
            body = body.replace(name, id);
        }
        let answer = desk.send(method, &path, &body).await;
        let what = format!("{method} {path} {body}");
        assert!((200..300).contains(&answer.status), "{what}: {} {}", answer.status, answer.body);
        let operations = operations(&documents, method, &path);
        assert!(!operations.is_empty(), "{what} is in no document");
        for operation in operations {
            let response = &operation.schema["responses"][answer.status.to_string()];
            // The associations' document forgets the 207 of calls whose answer has `errors`.
            let response = if response.is_null() && answer.status == 207 {
                &operation.schema["responses"]["200"]
            } else {
                response
            };
            if response.is_null() {
                problems.push(format!("{what}: status {} is not in the document", answer.status));
                continue;
            }
            let schema = &response["content"]["application/json"]["schema"];
            if schema.is_null() {
                assert!(answer.body.is_null(), "{what}: the document has no body");
            } else {
                operation.at(schema).problems(&answer.body, &what, &mut problems);
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[tokio::test]
async fn every_refusal_is_as_hubspots_document_says() {
    let Some(documents) = documents() else { return };
    let (desk, _) = desk().await;
    let schema = Schema { document: &documents[0], schema: &documents[0]["components"]["schemas"]["Error"] };
    let refusals = [
        desk.get("/crm/objects/2026-03/contacts/1").await,
        desk.get("/crm/objects/2026-03/widgets").await,
        desk.post("/crm/objects/2026-03/contacts", &json!({"properties": {"colour": "red"}, "associations": []})).await,
        desk.post(
            "/crm/objects/2026-03/contacts",
            &json!({"properties": {"email": "jo@example.com"}, "associations": []}),
        )
        .await,
        Desk { token: String::new(), ..Desk::new() }.get("/crm/objects/2026-03/contacts").await,
    ];
    let mut problems = Vec::new();
    for mut refusal in refusals {
        // In every answer, though the document does not have it.
        assert_eq!(refusal.body.as_object_mut().and_then(|body| body.remove("status")), Some(json!("error")));
        schema.problems(&refusal.body, &refusal.status.to_string(), &mut problems);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The guides say null, the document says text: the guides are right, as people see it.
#[tokio::test]
async fn a_property_without_a_value_is_null() {
    let (desk, ids) = desk().await;
    let path = format!("/crm/objects/2026-03/contacts/{}?properties=phone", ids[0].1);
    assert_eq!(desk.get(&path).await.body["properties"]["phone"], Value::Null);
}
