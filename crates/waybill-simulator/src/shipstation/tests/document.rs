//! Every kind of answer, held against the vendor's own OpenAPI document.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Account, address, shipment};

/// The document; `None` after a plain line if the folder of shared data is not to be had here.
///
/// # Panics
/// If it is missing and `CI` is set.
#[expect(clippy::disallowed_methods, reason = "tests learn from their environment what the machine has")]
fn document() -> Option<Value> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let path = variable("WAYBILL_SHARED").map(|folder| PathBuf::from(folder).join("specs/shipstation-v2.json"));
    let text = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    if text.is_none() {
        let missing = "WAYBILL_SHARED does not name a folder with specs/shipstation-v2.json";
        assert!(variable("CI").is_none(), "{missing}");
        println!("skipped: {missing}");
    }
    serde_json::from_str(&text?).unwrap()
}

/// What in `value` is not as `schema` has it: the keywords that the document's responses use.
fn differs(document: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = document.pointer(name.trim_start_matches('#')).unwrap();
        return differs(document, schema, value, path, found);
    }
    if value.is_null() && schema["x-nullable"] == true {
        return;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        differs(document, part, value, path, found);
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => true,
    };
    if !fits {
        found.push(format!("{path}: {value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        found.push(format!("{path}: {value} is none of {}", schema["enum"]));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{path}: {name} is missing"));
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            differs(document, schema, value, &format!("{path}.{name}"), found);
        }
    }
    if let Some(schema) = schema.get("items") {
        for (at, value) in value.as_array().into_iter().flatten().enumerate() {
            differs(document, schema, value, &format!("{path}[{at}]"), found);
        }
    }
}

fn assert_fits(document: &Value, schema: &str, value: &Value) {
    let schema = document.pointer(schema).unwrap_or_else(|| panic!("the document has no {schema}"));
    let mut found = Vec::new();
    differs(document, schema, value, "", &mut found);
    assert!(found.is_empty(), "{}\nin {value:#}", found.join("\n"));
}

/// The schema of a path's answer.
fn answer_of(path: &str, method: &str) -> String {
    let path = path.replace('/', "~1");
    format!("/paths/{path}/{method}/responses/200/content/application~1json/schema")
}

#[tokio::test]
async fn every_answer_fits_the_vendors_document() {
    let Some(document) = document() else { return };
    let account = Account::open().await;
    let body = json!({ "shipments": [shipment("w1"), shipment("w2")] });
    let (_, created) = account.ask("POST", "/v2/shipments", &body).await;
    assert_fits(&document, &answer_of("/v2/shipments", "post"), &created);
    let shipment_id = created["shipments"][0]["shipment_id"].as_str().unwrap().to_owned();
    let update = json!({ "ship_to": address(), "ship_from": address(), "service_code": "ups_ground" });
    let (status, updated) = account.ask("PUT", &format!("/v2/shipments/{shipment_id}"), &update).await;
    assert_eq!(status, 200);
    // The document has no update; the guide says that it answers with the shipment.
    assert_fits(&document, &answer_of("/v2/shipments/{shipment_id}", "get"), &updated);
    let label_id = account.ship(json!({})).await[0]["label_id"].as_str().unwrap().to_owned();
    for (path, asked) in [
        ("/v2/shipments", "/v2/shipments".to_owned()),
        ("/v2/shipments/{shipment_id}", format!("/v2/shipments/{shipment_id}")),
        (
            "/v2/shipments/external_shipment_id/{external_shipment_id}",
            "/v2/shipments/external_shipment_id/w1".to_owned(),
        ),
        ("/v2/labels", "/v2/labels".to_owned()),
        ("/v2/labels/{label_id}", format!("/v2/labels/{label_id}")),
        ("/v2/labels/{label_id}/track", format!("/v2/labels/{label_id}/track")),
        ("/v2/warehouses", "/v2/warehouses".to_owned()),
        ("/v2/warehouses/{warehouse_id}", "/v2/warehouses/se-1951".to_owned()),
        ("/v2/carriers", "/v2/carriers".to_owned()),
        ("/v2/carriers/{carrier_id}", "/v2/carriers/se-2774150".to_owned()),
    ] {
        assert_fits(&document, &answer_of(path, "get"), &account.get(&asked).await);
    }
    let (_, voided) = account.ask("PUT", &format!("/v2/labels/{label_id}/void"), &Value::Null).await;
    assert_fits(&document, &answer_of("/v2/labels/{label_id}/void", "put"), &voided);
    let (_, bought) = account.ask("POST", &format!("/v2/labels/shipment/{shipment_id}"), &json!({})).await;
    assert_fits(&document, &answer_of("/v2/labels/shipment/{shipment_id}", "post"), &bought);
    assert_fits(&document, &answer_of("/v2/labels/{label_id}", "get"), &account.get("/v2/labels").await["labels"][0]);
}

#[tokio::test]
async fn every_refusal_fits_the_vendors_document() {
    let Some(document) = document() else { return };
    let account = Account::open().await;
    for (method, path) in [("GET", "/v2/shipments/se-404"), ("POST", "/v2/shipments"), ("DELETE", "/v2/labels")] {
        let (_, refusal) = account.ask(method, path, &Value::Null).await;
        assert_fits(&document, "/components/schemas/Resp_error_response_body", &refusal);
    }
}
