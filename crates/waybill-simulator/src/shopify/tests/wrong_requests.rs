//! Wrong requests and Shopify's answers to them: status, and the error as recorded.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{ask, data, paid_order, post_raw, store};
use crate::shopify::{Payment, Settings, Store};

/// Places of a store that wrong requests name.
struct Places {
    store: Store,
    order: u64,
    other_order: u64,
    fulfillment_order: u64,
    fulfillment_order_line: u64,
    second_place: u64,
    item: u64,
    location: u64,
}

fn places() -> Places {
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

fn gid(kind: &str, id: u64) -> String {
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

const FULFILL: &str = "mutation M($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { id }
    userErrors { field message } } }";

async fn refused(places: &Places, groups: Value) -> Value {
    let answer = data(&places.store, FULFILL, json!({"f": {"lineItemsByFulfillmentOrder": groups}})).await;
    assert_eq!(answer["fulfillmentCreate"]["fulfillment"], Value::Null, "{answer}");
    answer["fulfillmentCreate"]["userErrors"][0].clone()
}

#[tokio::test]
async fn a_fulfilment_is_refused_in_the_recorded_words() {
    let places = places();
    let first = gid("FulfillmentOrder", places.fulfillment_order);
    let line = gid("FulfillmentOrderLineItem", places.fulfillment_order_line);
    let of_line = |id: &str, quantity: i64| json!([{"fulfillmentOrderId": first, "fulfillmentOrderLineItems": [{"id": id, "quantity": quantity}]}]);
    let root = |message: &str| json!({"field": ["fulfillment"], "message": message});

    let unknown = refused(&places, json!([{"fulfillmentOrderId": gid("FulfillmentOrder", 1)}])).await;
    assert_eq!(unknown, root("Fulfillment order does not exist."));

    let path = ["fulfillment", "lineItemsByFulfillmentOrder", "0", "fulfillmentOrderLineItems", "0", "quantity"];
    let nothing = refused(&places, of_line(&line, 0)).await;
    assert_eq!(nothing, json!({"field": path, "message": "Quantity must be greater than 0"}));

    let too_many = refused(&places, of_line(&line, 3)).await;
    assert_eq!(too_many, root("Invalid fulfillment order line item quantity requested."));

    let no_line = refused(&places, of_line(&gid("FulfillmentOrderLineItem", 1), 1)).await;
    assert_eq!(no_line, root("Fulfillment order line item does not exist."));

    let (elsewhere, other) = {
        let state = places.store.state();
        let one = &state.orders[&places.other_order].fulfillment_orders[0];
        (one.id, state.locations.keys().copied().collect::<Vec<_>>())
    };
    let orders = refused(
        &places,
        json!([{"fulfillmentOrderId": first}, {"fulfillmentOrderId": gid("FulfillmentOrder", elsewhere)}]),
    )
    .await;
    assert_eq!(
        orders,
        root(&format!(
            "All fulfillment orders must belong to the same order. Multiple orders with ids [{}, {}] were found.",
            places.order, places.other_order
        ))
    );

    let two = refused(
        &places,
        json!([{"fulfillmentOrderId": first}, {"fulfillmentOrderId": gid("FulfillmentOrder", places.second_place)}]),
    )
    .await;
    assert_eq!(
        two,
        root(&format!(
            "All fulfillment orders must be assigned to a single location. Multiple locations with ids [{}, {}] were found.",
            other[0], other[1]
        ))
    );
}

#[tokio::test]
async fn a_second_fulfilment_of_a_done_order_is_refused() {
    let places = places();
    let groups = json!([{"fulfillmentOrderId": gid("FulfillmentOrder", places.fulfillment_order)}]);
    let first = data(&places.store, FULFILL, json!({"f": {"lineItemsByFulfillmentOrder": groups}})).await;
    assert!(first["fulfillmentCreate"]["fulfillment"]["id"].is_string(), "{first}");
    let second = refused(&places, groups).await;
    let message = format!("Fulfillment order {} has an unfulfillable status= closed.", places.fulfillment_order);
    assert_eq!(second["message"], message);
}

const SET: &str = "mutation M($input: InventorySetQuantitiesInput!, $key: String!) {
    inventorySetQuantities(input: $input) @idempotent(key: $key) { inventoryAdjustmentGroup { id changes { name delta } }
    userErrors { field message code } } }";

fn quantity(places: &Places, quantity: i64, from: Value) -> Value {
    json!({"inventoryItemId": gid("InventoryItem", places.item), "locationId": gid("Location", places.location),
        "quantity": quantity, "changeFromQuantity": from})
}

async fn set(places: &Places, key: &str, name: &str, reason: &str, quantities: Value) -> Value {
    let input = json!({"name": name, "reason": reason, "quantities": quantities});
    data(&places.store, SET, json!({"input": input, "key": key})).await["inventorySetQuantities"].clone()
}

#[tokio::test]
async fn quantities_are_refused_in_the_recorded_words() {
    let places = places();
    let one = quantity(&places, 1, Value::Null);
    let mut no_item = one.clone();
    no_item["inventoryItemId"] = json!(gid("InventoryItem", 42));
    let mut no_place = one.clone();
    no_place["locationId"] = json!(gid("Location", 42));
    let cases = [
        (
            "available",
            "correction",
            json!([no_item]),
            "INVALID_INVENTORY_ITEM",
            "The specified inventory item could not be found.",
        ),
        (
            "available",
            "correction",
            json!([no_place]),
            "INVALID_LOCATION",
            "The specified location could not be found.",
        ),
        (
            "damaged",
            "correction",
            json!([one]),
            "INVALID_NAME",
            "The quantity name must be either 'available' or 'on_hand'.",
        ),
        (
            "available",
            "correction",
            json!([quantity(&places, 1_000_000_001, Value::Null)]),
            "INVALID_QUANTITY_TOO_HIGH",
            "The quantity can't be higher than 1,000,000,000.",
        ),
        (
            "available",
            "correction",
            json!([quantity(&places, -2_000_000_000, Value::Null)]),
            "INVALID_QUANTITY_TOO_LOW",
            "The quantity can't be lower than -1,000,000,000.",
        ),
        (
            "on_hand",
            "correction",
            json!([quantity(&places, -5, Value::Null)]),
            "INVALID_QUANTITY_NEGATIVE",
            "The quantity can't be negative.",
        ),
        (
            "available",
            "correction",
            json!([one, one]),
            "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
            "The combination of inventoryItemId and locationId must be unique.",
        ),
        (
            "available",
            "correction",
            json!([quantity(&places, 1, json!(7))]),
            "CHANGE_FROM_QUANTITY_STALE",
            "The changeFromQuantity argument no longer matches the persisted quantity.",
        ),
    ];
    for (at, (name, reason, quantities, code, message)) in cases.into_iter().enumerate() {
        let answer = set(&places, &format!("key-{at}"), name, reason, quantities).await;
        assert_eq!(answer["userErrors"][0]["code"], code, "{answer}");
        assert_eq!(answer["userErrors"][0]["message"], message);
        assert_eq!(answer["inventoryAdjustmentGroup"], Value::Null);
    }
    let made_up = set(&places, "key-r", "available", "completely_made_up", json!([one])).await;
    assert_eq!(made_up["userErrors"][0]["code"], "INVALID_REASON");
}

#[tokio::test]
async fn a_replay_answers_the_same_and_other_parameters_are_a_mismatch() {
    let places = places();
    let there = 4000;
    let first = set(&places, "key", "on_hand", "correction", json!([quantity(&places, 10, json!(there))])).await;
    let delta = 10 - there;
    let changes = json!([{"name": "available", "delta": delta}, {"name": "on_hand", "delta": delta}]);
    assert_eq!(first["inventoryAdjustmentGroup"]["changes"], changes, "{first}");
    let again = set(&places, "key", "on_hand", "correction", json!([quantity(&places, 10, json!(there))])).await;
    assert_eq!(again, first);
    assert_eq!(places.store.journal().entries().len(), 1);
    let other = set(&places, "key", "on_hand", "correction", json!([quantity(&places, 11, json!(there))])).await;
    assert_eq!(other["userErrors"][0]["code"], "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
}

#[tokio::test]
async fn setting_what_is_there_answers_no_group_and_no_error() {
    let places = places();
    let answer = set(&places, "key", "available", "correction", json!([quantity(&places, 4000, json!(4000))])).await;
    assert_eq!(answer, json!({"inventoryAdjustmentGroup": null, "userErrors": []}));
}

#[tokio::test]
async fn addresses_of_webhooks_are_refused_in_the_recorded_words() {
    let store = store();
    let query = "mutation M($hook: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: ORDERS_PAID,
        webhookSubscription: $hook) { webhookSubscription { id } userErrors { field message } } }";
    let cases = [
        (json!({}), "Address can't be blank"),
        (json!({"uri": "http://example.com"}), "Address protocol http:// is not supported"),
        (json!({"uri": "ftp://example.com"}), "Address protocol ftp:// is not supported"),
        (json!({"uri": "https://example.com/a", "name": ""}), "Name is too short (minimum is 1 character)"),
        (
            json!({"uri": "https://example.com/a", "filter": "totally bogus syntax"}),
            "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on.",
        ),
    ];
    for (hook, message) in cases {
        let answer = data(&store, query, json!({"hook": hook})).await;
        let answer = &answer["webhookSubscriptionCreate"];
        assert_eq!(answer["webhookSubscription"], Value::Null);
        assert_eq!(answer["userErrors"][0]["message"], message);
    }
    let hook = json!({"hook": {"uri": "https://example.com/a"}});
    data(&store, query, hook.clone()).await;
    let again = data(&store, query, hook).await;
    let message = "Address for this topic has already been taken";
    assert_eq!(again["webhookSubscriptionCreate"]["userErrors"][0]["message"], message);
}

#[tokio::test]
async fn an_order_without_a_change_is_not_updated() {
    let store = store();
    let order = store.place(crate::shopify::NewOrder { payment: Payment::None, ..paid_order() });
    let query =
        "mutation M($input: OrderInput!) { orderUpdate(input: $input) { order { note } userErrors { message } } }";
    let nothing = data(&store, query, json!({"input": {"id": gid("Order", order)}})).await;
    let message = "No valid update parameters have been provided";
    assert_eq!(nothing["orderUpdate"]["userErrors"][0]["message"], message);
    let note = data(&store, query, json!({"input": {"id": gid("Order", order), "note": "ring twice"}})).await;
    assert_eq!(note["orderUpdate"]["order"]["note"], "ring twice");
}

#[tokio::test]
async fn a_metafield_is_created_only_if_it_is_not_there() {
    let store = store();
    let order = gid("Order", store.place(paid_order()));
    let query = "mutation M($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) { metafields { key value
        compareDigest } userErrors { code message } } }";
    let field = json!({"ownerId": order, "namespace": "waybill", "key": "erp", "type": "single_line_text_field",
        "value": "SO-1", "compareDigest": null});
    let first = data(&store, query, json!({"m": [field]})).await;
    assert_eq!(first["metafieldsSet"]["metafields"][0]["value"], "SO-1");
    let second = data(&store, query, json!({"m": [field]})).await;
    assert_eq!(second["metafieldsSet"]["userErrors"][0]["code"], "STALE_OBJECT");
}
