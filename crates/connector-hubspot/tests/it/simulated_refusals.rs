//! What HubSpot's OpenAPI documents refuse, by prism's 422, the simulated HubSpot refuses.

use serde_json::{Value, json};
use waybill_connector::contract::prism::Prism;
use waybill_simulator::hubspot::Settings;

use crate::account::{Account, UNLIMITED, create};

/// A right request to a call with a body.
struct Right(&'static str, String, Value);

/// The request with one thing wrong in its body: a member left out, or of another type.
fn mutations(body: &Value) -> Vec<(String, Value)> {
    let mut found = vec![("the body a list".to_owned(), json!([])), ("the body a text".to_owned(), json!("x"))];
    for pointer in pointers(body, "") {
        let (parent, member) = pointer.rsplit_once('/').expect("a pointer has a member");
        let mut without = body.clone();
        if let Some(Value::Object(object)) = without.pointer_mut(parent) {
            object.remove(member);
            found.push((format!("without {pointer}"), without));
        }
        for wrong in [Value::Null, json!(7), json!("text"), json!([]), json!({}), json!([7])] {
            let mut other = body.clone();
            if let Some(place) = other.pointer_mut(&pointer)
                && *place != wrong
            {
                *place = wrong.clone();
                found.push((format!("{pointer} is {wrong}"), other));
            }
        }
    }
    found
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    members
        .into_iter()
        .flat_map(|(name, value)| {
            let pointer = format!("{at}/{name}");
            let below = pointers(value, &pointer);
            std::iter::once(pointer).chain(below)
        })
        .collect()
}

async fn status(http: &reqwest::Client, url: &str, request: &Right, body: &Value) -> u16 {
    let method = reqwest::Method::from_bytes(request.0.as_bytes()).expect("a method");
    let path = request.1.as_str();
    let sent = http.request(method, format!("{url}{path}")).bearer_auth("pat-simulated").json(body);
    sent.send().await.expect("an answer").status().as_u16()
}

/// An account with a contact, an order and the ids of both.
async fn account() -> (Account, String, String) {
    let settings = Settings { searches_per_second: UNLIMITED, ..Settings::default() };
    let account = Account::ready_with(settings).await;
    let contact = account.post("/crm/objects/2026-03/contacts", create(json!({"waybill_key": "k1"}))).await;
    let order = create(json!({"hs_order_name": "#1", "waybill_key": "k1"}));
    let order = account.post("/crm/objects/2026-03/orders", order).await;
    let id = |object: Value| object["id"].as_str().expect("an id").to_owned();
    (account, id(contact), id(order))
}

async fn refuses_what_the_document_refuses(document: &str, account: Account, requests: Vec<Right>) {
    let Some(prism) = Prism::start(document) else {
        return;
    };
    let http = reqwest::Client::new();
    let (mut refused, mut problems) = (0, Vec::new());
    for request in &requests {
        let what = format!("{} {}", request.0, request.1);
        // Prism's answer to a right request may break the document itself, which it says with 500.
        assert_ne!(status(&http, &prism.url(), request, &request.2).await, 422, "{what} is not in {document}");
        for (wrong, body) in mutations(&request.2) {
            if status(&http, &prism.url(), request, &body).await != 422 {
                continue;
            }
            refused += 1;
            let answered = status(&http, &account.running.url(), request, &body).await;
            if !(400..500).contains(&answered) {
                problems.push(format!("{what}, {wrong}: {answered}"));
            }
        }
        // After the wrong ones, so that none of them was refused for what this one leaves.
        let right = status(&http, &account.running.url(), request, &request.2).await;
        assert!((200..300).contains(&right), "the account answers {right} to {what}");
    }
    assert!(problems.is_empty(), "of {refused} refused by {document}, these are answered:\n{}", problems.join("\n"));
    assert!(refused > 20, "{document} refused only {refused}");
}

/// Every call on a kind's records; `association` is the type and the record that it leads to.
fn on_records(kind: &str, id: &str, association: (u32, &str), properties: Value) -> Vec<Right> {
    let path = |call: &str| format!("/crm/objects/2026-03/{kind}{call}");
    let (type_id, to) = association;
    let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]);
    let create = json!({"properties": properties, "associations": [{"to": {"id": to}, "types": types}]});
    let mut traced = create.clone();
    traced["objectWriteTraceId"] = json!("0");
    let write = json!({"id": "k1", "idProperty": "waybill_key", "objectWriteTraceId": "0", "properties": properties});
    let filter = json!({
        "propertyName": "hs_object_id", "operator": "BETWEEN", "value": "1", "highValue": "2", "values": ["1"],
    });
    let search = json!({
        "after": "0", "limit": 10, "properties": ["email"], "sorts": ["hs_object_id"], "query": "x",
        "filterGroups": [{"filters": [filter]}],
    });
    let read = json!({
        "inputs": [{"id": "k1"}], "idProperty": "waybill_key", "properties": ["hs_object_id"],
        "propertiesWithHistory": ["hs_object_id"],
    });
    vec![
        Right("POST", path(""), create),
        Right("PATCH", path(&format!("/{id}")), json!({"properties": properties})),
        Right("POST", path("/batch/create"), json!({"inputs": [traced]})),
        Right("POST", path("/batch/update"), json!({"inputs": [write]})),
        Right("POST", path("/batch/upsert"), json!({"inputs": [write]})),
        Right("POST", path("/batch/read"), read),
        Right("POST", path("/search"), search),
        Right("POST", path("/batch/archive"), json!({"inputs": [{"id": id}]})),
    ]
}

#[tokio::test]
async fn on_contacts() {
    let (account, contact, order) = account().await;
    let requests = on_records("contacts", &contact, (508, &order), json!({"phone": "1"}));
    refuses_what_the_document_refuses("hubspot-contacts-2026-03.json", account, requests).await;
}

#[tokio::test]
async fn on_orders() {
    let (account, contact, order) = account().await;
    let requests = on_records("orders", &order, (507, &contact), json!({"hs_order_name": "#1"}));
    refuses_what_the_document_refuses("hubspot-orders-2026-03.json", account, requests).await;
}

#[tokio::test]
async fn on_associations() {
    let (account, contact, order) = account().await;
    let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}]);
    let (from, to) = (json!({"id": order}), json!({"id": contact}));
    let path = |call: &str| format!("/crm/v4/associations/orders/contacts/batch/{call}");
    let one = format!("/crm/v4/objects/orders/{order}/associations/contacts/{contact}");
    let requests = vec![
        Right("POST", path("associate/default"), json!({"inputs": [{"from": from, "to": to}]})),
        Right("POST", path("create"), json!({"inputs": [{"from": from, "to": to, "types": types}]})),
        Right("POST", path("read"), json!({"inputs": [{"id": order, "after": "x"}]})),
        Right("POST", path("archive"), json!({"inputs": [{"from": from, "to": [to]}]})),
        Right("PUT", one, types),
    ];
    refuses_what_the_document_refuses("hubspot-associations.json", account, requests).await;
}

#[tokio::test]
async fn on_properties() {
    let (account, ..) = account().await;
    let path = |call: &str| format!("/crm/properties/2026-03/contacts{call}");
    let option = json!({"label": "A", "value": "a", "displayOrder": 1, "hidden": false, "description": "x"});
    let property = json!({
        "name": "score", "label": "Score", "groupName": "contactinformation", "type": "enumeration",
        "fieldType": "select", "description": "x", "displayOrder": 1, "hidden": false, "hasUniqueValue": false,
        "formField": true, "externalOptions": false, "showCurrencySymbol": false, "options": [option],
        "dataSensitivity": "non_sensitive", "calculationFormula": "1", "currencyPropertyName": "x",
        "referencedObjectType": "x", "numberDisplayHint": "formatted", "textDisplayHint": "email",
    });
    let mut update = property.clone();
    for name in ["name", "hasUniqueValue", "externalOptions", "dataSensitivity", "referencedObjectType"] {
        update.as_object_mut().unwrap().remove(name);
    }
    let mut another = property.clone();
    another["name"] = json!("grade");
    let read = json!({"archived": false, "dataSensitivity": "sensitive", "inputs": [{"name": "email"}]});
    let group = json!({"name": "mine", "label": "Mine", "displayOrder": 1});
    let requests = vec![
        Right("POST", path(""), property),
        Right("POST", path("/batch/create"), json!({"inputs": [another]})),
        Right("POST", path("/batch/read"), read),
        Right("PATCH", path("/score"), update),
        Right("POST", path("/batch/archive"), json!({"inputs": [{"name": "score"}]})),
        Right("POST", path("/groups"), group),
        Right("PATCH", path("/groups/mine"), json!({"label": "Ours", "displayOrder": 1})),
    ];
    refuses_what_the_document_refuses("hubspot-properties-2026-03.json", account, requests).await;
}
