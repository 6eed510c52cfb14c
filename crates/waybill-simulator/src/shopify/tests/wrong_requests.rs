//! Wrong requests and Shopify's answers to them: status, and the error as recorded.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{ask, paid_order, post_raw, store};
use crate::shopify::{Settings, Store};

/// Places of a store that wrong requests name.
pub(super) struct Places {
    pub(super) store: Store,
    pub(super) order: u64,
    pub(super) other_order: u64,
    pub(super) fulfillment_order: u64,
    pub(super) fulfillment_order_line: u64,
    pub(super) second_place: u64,
    pub(super) item: u64,
    pub(super) location: u64,
}

pub(super) fn places() -> Places {
    let store = store();
    let mut order = paid_order();
    order.lines.push(super::line("PRINT-A2", 1));
    let order = store.place(order);
    let other_order = store.place(paid_order());
    let (fulfillment_order, fulfillment_order_line, second_place, item, location) = {
        let state = store.state();
        let open = &state.orders[&order].fulfillment_orders;
        let (item, location) = *state.levels.keys().next().unwrap();
        (open[0].id, open[0].lines[0].id, open[1].id, item, location)
    };
    Places { store, order, other_order, fulfillment_order, fulfillment_order_line, second_place, item, location }
}

pub(super) fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

#[tokio::test]
async fn requests_that_are_none_are_refused_with_a_status() {
    let store = store();
    let cases: &[(Option<&str>, &[u8], u16, Value)] = &[
        (
            None,
            b"{\"query\":\"{shop{name}}\"}",
            401,
            json!("[API] Invalid API key or access token (unrecognized login or wrong password)"),
        ),
        (
            Some("shpat_wrong"),
            b"{\"query\":\"{shop{name}}\"}",
            401,
            json!("[API] Invalid API key or access token (unrecognized login or wrong password)"),
        ),
        (Some("shpat_simulated"), b"", 400, json!({"query": "Required parameter missing or invalid"})),
        (Some("shpat_simulated"), b"{\"query\":", 400, json!({"query": "Required parameter missing or invalid"})),
        (Some("shpat_simulated"), b"[1]", 400, json!({"query": "Required parameter missing or invalid"})),
        (Some("shpat_simulated"), b"{\"query\":\"\"}", 400, json!({"query": "Required parameter missing or invalid"})),
        (
            Some("shpat_simulated"),
            b"{\"query\":\"{shop{name}}\",\"variables\":7}",
            400,
            json!({"query": "Required parameter missing or invalid"}),
        ),
        (
            Some("shpat_simulated"),
            b"{\"query\":\"\xff\"}",
            400,
            json!({"query": "Required parameter missing or invalid"}),
        ),
    ];
    for (token, body, status, errors) in cases {
        let answer = post_raw(&store, *token, Bytes::from_static(body)).await;
        assert_eq!(answer, (*status, json!({"errors": errors})), "{}", String::from_utf8_lossy(body));
    }
}

/// Query, variables, text, code, and whether the answer has data beside the error.
type TopLevel = (&'static str, Value, &'static str, &'static str, bool);

fn top_level(places: &Places) -> Vec<TopLevel> {
    let set = "mutation M($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input)
        @idempotent(key: \"k\") { userErrors { message } } }";
    let quantity = json!({"inventoryItemId": gid("InventoryItem", places.item),
        "locationId": gid("Location", places.location), "quantity": 1});
    let input = json!({"name": "available", "reason": "correction", "quantities": [quantity]});
    let many: Vec<&Value> = vec![&quantity; 251];
    let too_many = json!({"name": "available", "reason": "correction", "quantities": many});
    vec![
        ("{ shop { nope } }", Value::Null, "Field 'nope' doesn't exist on type 'Shop'", "undefinedField", false),
        (
            "{ shop }",
            Value::Null,
            "Field must have selections (field 'shop' returns Shop but has no selections. Did you mean 'shop { ... }'?)",
            "selectionMismatch",
            false,
        ),
        (
            "{ shop { name { x } } }",
            Value::Null,
            "Selections can't be made on scalars (field 'name' returns String but has selections)",
            "selectionMismatch",
            false,
        ),
        (
            "{ order { id } }",
            Value::Null,
            "Field 'order' is missing required arguments: id",
            "missingRequiredArguments",
            false,
        ),
        (
            "{ shop(x: 1) { name } }",
            Value::Null,
            "Field 'shop' doesn't accept argument 'x'",
            "argumentNotAccepted",
            false,
        ),
        ("{ order(id: \"7\") { id } }", Value::Null, "Invalid global id '7'", "argumentLiteralsIncompatible", false),
        (
            "{ orders(first: 1, sortKey: COLOUR) { nodes { id } } }",
            Value::Null,
            "Argument 'sortKey' on Field 'orders' has an invalid value (COLOUR). Expected type 'OrderSortKeys'.",
            "argumentLiteralsIncompatible",
            false,
        ),
        (
            "{ orders(first: \"1\") { nodes { id } } }",
            Value::Null,
            "Argument 'first' on Field 'orders' has an invalid value (\"1\"). Expected type 'Int'.",
            "argumentLiteralsIncompatible",
            false,
        ),
        (
            "query Q($x: Int) { shop { name } }",
            json!({}),
            "Variable $x is declared by Q but not used",
            "variableNotUsed",
            false,
        ),
        ("query Q { order(id: $id) { id } }", json!({}), "variable `$id` is not defined", "variableNotDefined", false),
        (
            "{ shop { ... on Ship { name } } }",
            Value::Null,
            "No such type Ship, so it can't be a fragment condition",
            "undefinedType",
            false,
        ),
        (
            "query Q($id: ID!) { order(id: $id) { id } }",
            json!({}),
            "Variable $id of type ID! was provided invalid value",
            "INVALID_VARIABLE",
            false,
        ),
        (
            "query Q($id: ID!) { order(id: $id) { id } }",
            json!({"id": "not-a-gid"}),
            "Variable $id of type ID! was provided invalid value",
            "INVALID_VARIABLE",
            false,
        ),
        (
            "query Q($n: Int!) { orders(first: $n) { nodes { id } } }",
            json!({"n": "two"}),
            "Variable $n of type Int! was provided invalid value",
            "INVALID_VARIABLE",
            false,
        ),
        (
            "mutation M($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { userErrors { message } } }",
            json!({"f": {}}),
            "Variable $f of type FulfillmentInput! was provided invalid value for lineItemsByFulfillmentOrder (Expected value to not be null)",
            "INVALID_VARIABLE",
            false,
        ),
        (
            set,
            json!({"input": {"name": "available", "reason": "correction", "ignoreCompareQuantity": true, "quantities": []}}),
            "Variable $input of type InventorySetQuantitiesInput! was provided invalid value for ignoreCompareQuantity (Field is not defined on InventorySetQuantitiesInput)",
            "INVALID_VARIABLE",
            false,
        ),
        (
            "mutation M($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { userErrors { code } } }",
            json!({"f": {}}),
            "Field 'code' doesn't exist on type 'UserError'",
            "undefinedField",
            false,
        ),
        (
            set,
            json!({"input": too_many}),
            "The input array size of 251 is greater than the maximum allowed of 250.",
            "MAX_INPUT_SIZE_EXCEEDED",
            false,
        ),
        (
            "mutation { fulfillmentCreate(fulfillment: {notifyCustomer: true}) { userErrors { message } } }",
            Value::Null,
            "Argument 'lineItemsByFulfillmentOrder' on InputObject 'FulfillmentInput' is required. Expected type [FulfillmentOrderLineItemsInput!]!",
            "missingRequiredInputObjectAttribute",
            false,
        ),
        (
            "mutation { fulfillmentCreate(fulfillment: {colour: 1, lineItemsByFulfillmentOrder: []}) { userErrors { message } } }",
            Value::Null,
            "InputObject 'FulfillmentInput' doesn't accept argument 'colour'",
            "argumentNotAccepted",
            false,
        ),
        (
            "mutation { webhookSubscriptionCreate(topic: NOT_A_REAL_TOPIC, webhookSubscription: {}) { userErrors { message } } }",
            Value::Null,
            "Argument 'topic' on Field 'webhookSubscriptionCreate' has an invalid value (NOT_A_REAL_TOPIC). Expected type 'WebhookSubscriptionTopic!'.",
            "argumentLiteralsIncompatible",
            false,
        ),
        ("{ orders { nodes { id } } }", Value::Null, "you must provide one of first or last", "BAD_REQUEST", true),
        (
            "{ orders(first: 1, last: 1) { nodes { id } } }",
            Value::Null,
            "providing both first and last is not supported",
            "BAD_REQUEST",
            true,
        ),
        (
            "{ orders(first: 1, query: \"updated_at:>=yesterday\") { nodes { id } } }",
            Value::Null,
            "Invalid timestamp for query filter `updated_at`.",
            "BAD_REQUEST",
            true,
        ),
        (
            "{ orders(first: 1, after: \"%%\") { nodes { id } } }",
            Value::Null,
            "Invalid cursor for current pagination sort: %%",
            "BAD_REQUEST",
            true,
        ),
        (
            "{ order(id: \"gid://shopify/Product/1\") { id } }",
            Value::Null,
            "Invalid id: gid://shopify/Product/1",
            "RESOURCE_NOT_FOUND",
            true,
        ),
        (
            "mutation M($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) { userErrors { message } } }",
            json!({"input": input}),
            "The @idempotent directive is required for this mutation but was not provided.",
            "BAD_REQUEST",
            true,
        ),
        (
            set,
            json!({"input": input}),
            "InventoryQuantityInput must include the following argument: changeFromQuantity.",
            "INVALID_FIELD_ARGUMENTS",
            true,
        ),
    ]
}

#[tokio::test]
async fn wrong_documents_and_variables_are_answered_as_shopify_does() {
    let places = places();
    let cases = top_level(&places);
    assert!(cases.len() >= 25);
    for (query, variables, message, code, with_data) in cases {
        let answer = ask(&places.store, query, variables).await;
        assert_eq!(answer["errors"][0]["message"], message, "{query}: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query}: {answer}");
        assert!(answer["errors"][0]["locations"][0]["line"].is_u64(), "{query}: {answer}");
        assert_eq!(answer.get("data").is_some(), with_data, "{query}: {answer}");
        // What a document costs is told only once it can run.
        assert_eq!(answer.get("extensions").is_some(), with_data, "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_document_that_cannot_be_parsed_is_told_where() {
    let answer = ask(&store(), "{ shop { name }", Value::Null).await;
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("syntax error, "), "{message}");
    assert!(answer["errors"][0]["locations"][0]["line"].is_u64());
}

#[tokio::test]
async fn problems_of_a_variable_are_listed_with_their_paths() {
    let query = "mutation M($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { userErrors { message } } }";
    let given = json!({"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": "nope"}]});
    let answer = ask(&store(), query, json!({"f": given})).await;
    let expected = json!([{"path": ["lineItemsByFulfillmentOrder", 0, "fulfillmentOrderId"],
        "explanation": "Invalid global id 'nope'", "message": "Invalid global id 'nope'"}]);
    assert_eq!(answer["errors"][0]["extensions"]["problems"], expected);
    assert_eq!(answer["errors"][0]["extensions"]["value"], given);
}

#[tokio::test]
async fn a_query_above_a_thousand_points_is_refused() {
    let line = "lineItems(first: 250) { nodes { variant { product { variants(first: 250) { nodes { id } } } } } }";
    let query = format!("{{ orders(first: 250) {{ nodes {{ id {line} }} }} }}");
    let answer = ask(&store(), &query, Value::Null).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "MAX_COST_EXCEEDED");
}

#[tokio::test]
async fn a_missing_scope_is_told_by_its_name() {
    let store = Store::new(Settings { scopes: vec!["read_products".into()], ..Settings::default() });
    let query = format!("{{ order(id: \"{}\") {{ id }} products(first: 1) {{ nodes {{ id }} }} }}", gid("Order", 1));
    let answer = ask(&store, &query, Value::Null).await;
    let message = "Access denied for order field. Required access: `read_orders` access scope.";
    assert_eq!(answer["errors"][0]["message"], message);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
    assert_eq!(answer["data"]["order"], Value::Null);
    assert_eq!(answer["data"]["products"]["nodes"].as_array().unwrap().len(), 1);
}
