//! Batches, searches and associations.

use serde_json::{Value, json};

use super::{Case, INVALID, UPSERT, by_email};

fn filters(count: usize) -> Vec<Value> {
    vec![json!({"propertyName": "phone", "operator": "EQ", "value": "1"}); count]
}

fn search(what: &'static str, groups: Value, says: &'static str) -> Case {
    let body = json!({"after": "0", "filterGroups": groups, "limit": 1, "properties": [], "sorts": []});
    Case(what, "POST", "/crm/objects/2026-03/contacts/search", body, 400, INVALID, says)
}

pub(super) fn cases() -> Vec<Case> {
    let many: Vec<Value> =
        (0..101).map(|n| json!({"id": format!("p{n}@example.com"), "idProperty": "email", "properties": {}})).collect();
    vec![
        Case("no inputs", "POST", UPSERT, json!({}), 400, INVALID, "Some required fields were not set: [inputs]"),
        Case(
            "an input without an id",
            "POST",
            UPSERT,
            json!({"inputs": [{"properties": {}}]}),
            400,
            INVALID,
            "Some required fields were not set: [id]",
        ),
        Case(
            "101 inputs",
            "POST",
            UPSERT,
            json!({"inputs": many}),
            400,
            INVALID,
            "The maximum number of inputs supported in a batch is 100",
        ),
        Case(
            "the same id twice",
            "POST",
            UPSERT,
            by_email(&[("a@example.com", json!({})), ("A@example.com", json!({}))]),
            400,
            INVALID,
            "Duplicate IDs found in batch input: [A@example.com]. IDs must be unique",
        ),
        Case(
            "an upsert by a property that is not unique",
            "POST",
            UPSERT,
            json!({"inputs": [{"id": "1", "idProperty": "phone", "properties": {}}]}),
            400,
            INVALID,
            "Unable to perform update/upsert by non-unique 0-1 property phone",
        ),
        Case(
            "one bad e-mail in an upsert by e-mail",
            "POST",
            UPSERT,
            by_email(&[("a@example.com", json!({})), ("b@example.con", json!({}))]),
            400,
            INVALID,
            "Email address b@example.con is invalid",
        ),
        Case(
            "an e-mail that another contact has",
            "POST",
            "/crm/objects/2026-03/contacts/batch/upsert",
            json!({"inputs": [{"id": "k2", "idProperty": "our_key", "properties": {"email": "jo@example.com"}}]}),
            400,
            INVALID,
            "propertyName=email, value=jo@example.com}",
        ),
        Case(
            "too many histories",
            "POST",
            "/crm/objects/2026-03/contacts/batch/read",
            json!({"inputs": (0..51).map(|n| json!({"id": n.to_string()})).collect::<Vec<_>>(), "properties": [], "propertiesWithHistory": ["email"]}),
            400,
            INVALID,
            "property histories is 50",
        ),
        Case(
            "a search of more than 200",
            "POST",
            "/crm/objects/2026-03/contacts/search",
            json!({"after": "", "filterGroups": [], "limit": 201, "properties": [], "sorts": []}),
            400,
            INVALID,
            "limit",
        ),
        search("a search of more than five groups", json!(vec![json!({"filters": []}); 6]), "filter groups"),
        search("a search of seven filters in a group", json!([{"filters": filters(7)}]), "filters"),
        search("a search of more than 18 filters", json!(vec![json!({"filters": filters(5)}); 4]), "18"),
        search(
            "a search with a long body",
            json!([{"filters": [{"propertyName": "phone", "operator": "EQ", "value": "1".repeat(3_000)}]}]),
            "more than 3000",
        ),
        Case(
            "a search with an unknown operator",
            "POST",
            "/crm/objects/2026-03/contacts/search",
            json!({"after": "", "filterGroups": [{"filters": [{"operator": "LIKE", "propertyName": "email"}]}], "limit": 1, "properties": [], "sorts": []}),
            400,
            INVALID,
            "is not one of [BETWEEN",
        ),
        Case(
            "no default association",
            "POST",
            "/crm/v4/associations/orders/orders/batch/associate/default",
            json!({"inputs": []}),
            400,
            INVALID,
            "No default association type",
        ),
    ]
}
