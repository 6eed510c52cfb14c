//! What the API answers to right requests.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{ask, customer, data, paid_order, shared, store};

#[tokio::test]
async fn an_order_is_read_with_aliases_fragments_and_variables() {
    let store = store();
    let customer = store.add_customer(customer());
    let mut order = paid_order();
    order.customer = Some(customer);
    let id = store.place(order);
    let query = "query Q($id: ID!, $n: Int = 1, $skip: Boolean!) { one: order(id: $id) { ...O __typename
        note @skip(if: $skip) } two: order(id: $id) { customer { displayName ... on Customer { email } } } }
        fragment O on Order { name lineItems(first: $n) { edges { cursor node { sku quantity } }
        pageInfo { hasNextPage hasPreviousPage } } totalPriceSet { shopMoney { amount currencyCode } } }";
    let answer = data(&store, query, json!({"id": format!("gid://shopify/Order/{id}"), "skip": true})).await;
    let lines = &answer["one"]["lineItems"];
    assert_eq!(answer["one"]["name"], "#1001");
    assert_eq!(answer["one"]["__typename"], "Order");
    assert!(answer["one"].get("note").is_none());
    assert_eq!(lines["edges"][0]["node"], json!({"sku": "TEE-WHITE-M", "quantity": 2}));
    assert_eq!(lines["pageInfo"], json!({"hasNextPage": true, "hasPreviousPage": false}));
    // (48.00 + 12.95 + 5.00) × 1.2
    assert_eq!(answer["one"]["totalPriceSet"]["shopMoney"], json!({"amount": "79.14", "currencyCode": "EUR"}));
    assert_eq!(answer["two"]["customer"], json!({"displayName": "Jo O'Neill", "email": "jo@example.com"}));
}

#[tokio::test]
async fn a_list_is_paged_to_its_end() {
    let store = store();
    for _ in 0..5 {
        store.place(paid_order());
    }
    let query = "query Q($after: String) { orders(first: 2, after: $after, sortKey: UPDATED_AT) { nodes { name }
        pageInfo { hasNextPage endCursor } } }";
    let (mut after, mut names) = (Value::Null, Vec::new());
    loop {
        let answer = data(&store, query, json!({"after": after})).await;
        names.extend(answer["orders"]["nodes"].as_array().unwrap().iter().map(|node| node["name"].clone()));
        if answer["orders"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = answer["orders"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(names, ["#1001", "#1002", "#1003", "#1004", "#1005"]);
}

#[tokio::test]
async fn variants_are_found_by_their_sku() {
    let query = r#"{ productVariants(first: 5, query: "sku:'MUG-300'") { nodes { sku inventoryItem { id
        inventoryLevels(first: 5) { nodes { location { name } quantities(names: ["available", "on_hand"]) {
        name quantity } } } } } } }"#;
    let answer = data(&store(), query, Value::Null).await;
    let nodes = answer["productVariants"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0]["sku"], "MUG-300");
    let levels = &nodes[0]["inventoryItem"]["inventoryLevels"]["nodes"];
    assert_eq!(levels[0]["quantities"][0], json!({"name": "available", "quantity": 5000}));
}

#[tokio::test]
async fn a_field_without_an_answer_fails_the_whole_request_and_is_named() {
    let answer = ask(&store(), "{ shop { name shopAddress { city } } }", Value::Null).await;
    assert!(answer.get("data").is_none(), "{answer}");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("Shop.shopAddress"), "{answer}");
}

#[tokio::test]
async fn a_query_is_charged_what_it_cost_and_refused_when_the_bucket_is_empty() {
    let settings = crate::shopify::Settings { bucket: 30, restore_rate: 0, ..Default::default() };
    let store = crate::shopify::Store::new(settings);
    let query = "{ products(first: 20) { nodes { id } } }";
    let first = ask(&store, query, Value::Null).await;
    let cost = &first["extensions"]["cost"];
    assert_eq!(cost["requestedQueryCost"], 7);
    assert_eq!(cost["actualQueryCost"], 7);
    assert_eq!(cost["throttleStatus"], json!({"maximumAvailable": 30, "currentlyAvailable": 23, "restoreRate": 0}));
    for _ in 0..3 {
        ask(&store, query, Value::Null).await;
    }
    let last = ask(&store, query, Value::Null).await;
    assert_eq!(last["errors"][0]["extensions"]["code"], "THROTTLED");
    assert_eq!(last["extensions"]["cost"]["actualQueryCost"], Value::Null);
    assert!(last.get("data").is_none());
}

/// Ids that lead somewhere in the store, for each variable of the connector's documents.
fn variables(store: &crate::shopify::Store, document: &str, order: u64) -> Value {
    let state = store.state();
    let of = state.orders[&order].clone();
    let (item, location) = *state.levels.keys().next().unwrap();
    let gid = |kind: &str, id: u64| format!("gid://shopify/{kind}/{id}");
    let (product, variant) = state.variant(|variant| variant.inventory_item_id == item).unwrap();
    let id = match document {
        "customer" => gid("Customer", of.customer.unwrap()),
        "product" => gid("Product", *state.products.keys().next().unwrap()),
        "refund_lines" => gid("Refund", of.refunds[0].id),
        "fulfillment_lines" | "fulfillment_tracking" | "fulfillment_cancel" => {
            gid("Fulfillment", of.fulfillments[0].id)
        }
        "fulfillment_order_lines" => gid("FulfillmentOrder", of.fulfillment_orders[0].id),
        "webhook_subscription_update" => gid("WebhookSubscription", 1),
        "bulk_operation" | "bulk_cancel" => gid("BulkOperation", 1),
        _ => gid("Order", order),
    };
    let query = match document {
        "bulk_run" => "{ products { edges { node { id } } } }",
        "items_by_sku" => "sku:'MUG-300'",
        _ => "updated_at:>='2026-01-01T00:00:00Z'",
    };
    json!({
        "id": id,
        "lines": 50,
        "query": query,
        "ids": [gid("Product", *state.products.keys().next().unwrap()), gid("Product", 1)],
        "items": [gid("InventoryItem", item)],
        "item": gid("InventoryItem", item),
        "location": gid("Location", location),
        "key": "k-1",
        "ids": [gid("ProductVariant", variant.id)],
        "product": gid("Product", product.id),
        "variants": [{"id": gid("ProductVariant", variant.id), "price": "25.00"}],
        "notify": false,
        "topic": "ORDERS_UPDATED",
        "subscription": {"uri": "https://example.com/hook", "format": "JSON"},
        "tracking": {"number": "1Z", "company": "UPS", "url": "https://example.com/1Z"},
        "fulfillment": {"lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": gid("FulfillmentOrder", of.fulfillment_orders[0].id)}]},
        "input": {"name": "on_hand", "reason": "correction", "quantities": [{
            "inventoryItemId": gid("InventoryItem", item), "locationId": gid("Location", location),
            "quantity": 7, "changeFromQuantity": null}]},
    })
}

#[tokio::test]
async fn every_document_of_the_connector_is_answered() {
    let store = store();
    let customer = store.add_customer(customer());
    let mut new = paid_order();
    new.customer = Some(customer);
    let order = store.place(new);
    store.refund_money(order, super::decimal("1.00"), "sorry");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connector-shopify/graphql");
    let mut fragments = String::new();
    let mut documents = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let (name, text) =
            (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
        // Shopify runs these within a bulk operation; as a request of its own one would cost too much.
        if ["bulk_orders", "bulk_customers", "bulk_products"].contains(&name.as_str()) {
            continue;
        }
        if name.starts_with("fragment_") { fragments.push_str(&text) } else { documents.push((name, text)) }
    }
    assert!(!documents.is_empty());
    // The one that creates a parcel first: others ask for it.
    documents.sort_by_key(|(name, _)| (name != "fulfillment_create", name == "fulfillment_cancel", name.clone()));
    for (name, text) in documents {
        let mut whole = text;
        let mut known = 0;
        // Only the fragments that are used: an unused one is an error.
        while known != whole.len() {
            known = whole.len();
            for fragment in fragments.split("fragment ").filter(|fragment| !fragment.is_empty()) {
                let used = fragment.split_whitespace().next().unwrap();
                if whole.contains(&format!("...{used}\n")) && !whole.contains(&format!("fragment {used} ")) {
                    whole = format!("{whole}\nfragment {fragment}");
                }
            }
        }
        let all = variables(&store, &name, order);
        let variables: serde_json::Map<String, Value> = all
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, _)| whole.contains(&format!("${key}:")))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let answer = ask(&store, &whole, Value::Object(variables)).await;
        assert!(answer.get("errors").is_none(), "{name}: {answer}");
        assert!(!answer["data"].as_object().unwrap().is_empty(), "{name}: {answer}");
    }
}

#[test]
fn the_trimmed_schema_is_a_subset_of_shopifys() {
    let Some(full) = shared("shopify/admin-2026-07.graphql") else { return };
    let full = fs::read_to_string(full).unwrap();
    let full = apollo_compiler::Schema::parse(full, "full").unwrap_or_else(|broken| broken.partial);
    let trimmed = crate::shopify::schema();
    use apollo_compiler::schema::ExtendedType::{Enum, InputObject, Interface, Object, Union};
    for (name, ours) in trimmed.types.iter().filter(|(_, ours)| !ours.is_built_in()) {
        let theirs = full.types.get(name).unwrap_or_else(|| panic!("{name} is not Shopify's"));
        match (ours, theirs) {
            (Object(ours), Object(theirs)) => {
                for (field, ours) in &ours.fields {
                    let theirs = theirs.fields.get(field).unwrap_or_else(|| panic!("{name}.{field} is not Shopify's"));
                    assert_eq!(ours.ty, theirs.ty, "{name}.{field}");
                    let arguments = |of: &apollo_compiler::schema::FieldDefinition| {
                        of.arguments
                            .iter()
                            .map(|one| {
                                format!(
                                    "{}: {} = {:?}",
                                    one.name,
                                    one.ty,
                                    one.default_value.as_ref().map(ToString::to_string)
                                )
                            })
                            .collect::<Vec<_>>()
                    };
                    assert_eq!(arguments(ours), arguments(theirs), "{name}.{field}");
                }
            }
            (Interface(ours), Interface(theirs)) => {
                assert!(ours.fields.keys().all(|field| theirs.fields.contains_key(field)), "{name}");
            }
            (InputObject(ours), InputObject(theirs)) => {
                let fields = |of: &apollo_compiler::schema::InputObjectType| {
                    of.fields.iter().map(|(field, one)| (field.clone(), one.ty.clone())).collect::<Vec<_>>()
                };
                assert_eq!(fields(ours), fields(theirs), "{name}");
            }
            (Enum(ours), Enum(theirs)) => {
                assert!(ours.values.keys().eq(theirs.values.keys()), "{name}");
            }
            (Union(ours), Union(theirs)) => {
                assert!(ours.members.iter().all(|member| theirs.members.contains(member)), "{name}");
            }
            _ => assert_eq!(std::mem::discriminant(ours), std::mem::discriminant(theirs), "{name}"),
        }
    }
}

/// Requests with the cost that Shopify told for them.
fn recorded_costs(value: &Value, found: &mut Vec<(String, Value, u64)>) {
    match value {
        Value::Object(fields) => {
            if let (Some(query), Some(answer)) = (fields.get("query").and_then(Value::as_str), fields.get("response")) {
                let body = ["payload", "body"].iter().find_map(|name| answer.get(name)).unwrap_or(answer);
                if let Some(cost) = body["extensions"]["cost"]["requestedQueryCost"].as_u64() {
                    let variables = fields.get("variables").cloned().unwrap_or_default();
                    found.push((query.to_owned(), variables, cost));
                }
            }
            fields.values().for_each(|value| recorded_costs(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| recorded_costs(item, found)),
        _ => {}
    }
}

#[test]
fn requested_costs_are_those_of_recorded_requests() {
    let Some(folder) = shared("shopify/recorded") else { return };
    let mut recorded = Vec::new();
    for area in ["orders", "products", "customers", "shipping-fulfillments", "webhooks"] {
        for entry in fs::read_dir(folder.join(area)).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            recorded_costs(&serde_json::from_str(&text).unwrap(), &mut recorded);
        }
    }
    let (mut compared, mut other) = (0, Vec::new());
    for (query, variables, cost) in recorded {
        if let Some(ours) = crate::shopify::cost_of(&query, &variables) {
            compared += 1;
            if ours != cost {
                other.push((cost, ours, query.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
        }
    }
    assert!(compared > 200, "{compared}");
    // A few are recorded beside another request's answer.
    assert!(other.len() * 50 < compared, "{} of {compared} differ: {other:#?}", other.len());
}
