//! Right requests.

use serde_json::{Value, json};

/// Right requests to every simulated call, in an order in which they succeed. `{c}`, `{d}` and `{o}` are records' ids.
pub(super) fn requests() -> Vec<(&'static str, &'static str, Value)> {
    let input = |key: &str, properties: Value| json!({"id": key, "idProperty": "our_key", "objectWriteTraceId": key, "properties": properties});
    let create = |properties: Value| json!({"properties": properties, "associations": []});
    let labelled = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}]);
    let pair = json!({"from": {"id": "{o}"}, "to": {"id": "{c}"}});
    let search = json!({"after": "", "filterGroups": [], "limit": 1, "properties": ["email"], "sorts": []});
    let number =
        json!({"name": "score", "label": "Score", "groupName": "mine", "type": "number", "fieldType": "number"});
    let c = "/crm/objects/2026-03/contacts";
    vec![
        ("GET", c, Value::Null),
        (
            "GET",
            "/crm/objects/2026-03/contacts?limit=1&properties=email&propertiesWithHistory=email&associations=orders",
            Value::Null,
        ),
        (
            "GET",
            "/crm/objects/2026-03/orders?properties=hs_order_name,hs_pipeline_stage&associations=contacts",
            Value::Null,
        ),
        ("GET", "/crm/objects/2026-03/companies", Value::Null),
        ("GET", "/crm/objects/2026-03/contacts/{c}?properties=email", Value::Null),
        ("GET", "/crm/objects/2026-03/contacts/jo@example.com?idProperty=email", Value::Null),
        ("PATCH", "/crm/objects/2026-03/contacts/{c}", json!({"properties": {"phone": "1"}})),
        ("POST", "/crm/objects/2026-03/companies", create(json!({"name": "Tees Ltd"}))),
        ("POST", "/crm/objects/2026-03/0-123", create(json!({"hs_order_name": "#7"}))),
        ("POST", "/crm/objects/2026-03/contacts/batch/create", json!({"inputs": [create(json!({"firstname": "Al"}))]})),
        (
            "POST",
            "/crm/objects/2026-03/contacts/batch/create",
            json!({"inputs": [
                {"properties": {"email": "new@example.com"}, "associations": [], "objectWriteTraceId": "1"},
                {"properties": {"email": "jo@example.com"}, "associations": [], "objectWriteTraceId": "2"},
            ]}),
        ),
        (
            "POST",
            "/crm/objects/2026-03/contacts/batch/upsert",
            json!({"inputs": [input("k1", json!({"firstname": "Al"}))]}),
        ),
        (
            "POST",
            "/crm/objects/2026-03/contacts/batch/upsert",
            json!({"inputs": [input("k1", json!({})), input("k2", json!({"colour": "red"}))]}),
        ),
        (
            "POST",
            "/crm/objects/2026-03/orders/batch/upsert",
            json!({"inputs": [input("o1", json!({"hs_order_name": "#1"}))]}),
        ),
        (
            "POST",
            "/crm/objects/2026-03/orders/batch/update",
            json!({"inputs": [input("o1", json!({"hs_tags": "vip"})), input("o2", json!({}))]}),
        ),
        ("POST", "/crm/objects/2026-03/orders/batch/update", json!({"inputs": [input("o1", json!({"hs_tags": ""}))]})),
        (
            "POST",
            "/crm/objects/2026-03/contacts/batch/read",
            json!({"inputs": [{"id": "{c}"}], "properties": ["email"], "propertiesWithHistory": ["email"]}),
        ),
        (
            "POST",
            "/crm/objects/2026-03/contacts/batch/read",
            json!({"inputs": [{"id": "{c}"}, {"id": "1"}], "properties": [], "propertiesWithHistory": []}),
        ),
        ("POST", "/crm/objects/2026-03/contacts/search", search.clone()),
        ("POST", "/crm/objects/2026-03/orders/search", search),
        ("POST", "/crm/v4/associations/orders/contacts/batch/associate/default", json!({"inputs": [pair]})),
        (
            "POST",
            "/crm/v4/associations/orders/contacts/batch/create",
            json!({"inputs": [{"from": {"id": "{o}"}, "to": {"id": "{c}"}, "types": labelled}]}),
        ),
        (
            "POST",
            "/crm/v4/associations/orders/contacts/batch/create",
            json!({"inputs": [{"from": {"id": "{o}"}, "to": {"id": "1"}, "types": labelled}]}),
        ),
        ("POST", "/crm/v4/associations/orders/contacts/batch/read", json!({"inputs": [{"id": "{o}"}]})),
        ("POST", "/crm/v4/associations/orders/contacts/batch/read", json!({"inputs": [{"id": "{o}"}, {"id": "1"}]})),
        ("GET", "/crm/v4/objects/orders/{o}/associations/contacts", Value::Null),
        ("GET", "/crm/objects/2026-03/orders?limit=1&associations=contacts", Value::Null),
        ("PUT", "/crm/v4/objects/orders/{o}/associations/contacts/{c}", labelled.clone()),
        ("PUT", "/crm/v4/objects/orders/{o}/associations/default/contacts/{c}", Value::Null),
        ("PUT", "/crm/objects/2026-03/orders/{o}/associations/default/contacts/{c}", Value::Null),
        ("DELETE", "/crm/v4/objects/orders/{o}/associations/contacts/{c}", Value::Null),
        (
            "POST",
            "/crm/v4/associations/orders/contacts/batch/archive",
            json!({"inputs": [{"from": {"id": "{o}"}, "to": [{"id": "{c}"}]}]}),
        ),
        ("POST", "/crm/properties/2026-03/contacts/groups", json!({"name": "mine", "label": "Mine"})),
        ("GET", "/crm/properties/2026-03/contacts/groups", Value::Null),
        ("GET", "/crm/properties/2026-03/contacts/groups/mine", Value::Null),
        ("PATCH", "/crm/properties/2026-03/contacts/groups/mine", json!({"label": "Ours"})),
        ("POST", "/crm/properties/2026-03/contacts", number.clone()),
        ("POST", "/crm/properties/2026-03/contacts/batch/create", json!({"inputs": [number]})),
        ("GET", "/crm/properties/2026-03/contacts", Value::Null),
        ("GET", "/crm/properties/2026-03/orders/hs_pipeline_stage", Value::Null),
        ("PATCH", "/crm/properties/2026-03/contacts/score", json!({"label": "Points"})),
        (
            "POST",
            "/crm/properties/2026-03/contacts/batch/read",
            json!({"archived": false, "dataSensitivity": "non_sensitive", "inputs": [{"name": "score"}, {"name": "none"}]}),
        ),
        ("POST", "/crm/properties/2026-03/contacts/batch/archive", json!({"inputs": [{"name": "none"}]})),
        ("DELETE", "/crm/properties/2026-03/contacts/score", Value::Null),
        ("GET", "/crm/properties/2026-03/contacts?archived=true", Value::Null),
        ("DELETE", "/crm/properties/2026-03/contacts/groups/mine", Value::Null),
        ("POST", "/crm/objects/2026-03/contacts/merge", json!({"primaryObjectId": "{c}", "objectIdToMerge": "{d}"})),
        ("GET", "/crm/objects/2026-03/contacts?archived=true", Value::Null),
        ("POST", "/crm/objects/2026-03/contacts/gdpr-delete", json!({"objectId": "{c}"})),
        ("POST", "/crm/objects/2026-03/orders/batch/archive", json!({"inputs": [{"id": "{o}"}]})),
        ("DELETE", "/crm/objects/2026-03/orders/{o}", Value::Null),
    ]
}
