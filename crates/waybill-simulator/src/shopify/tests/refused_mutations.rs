//! Mutations that Shopify refuses with user errors, in its recorded words.

use serde_json::{Value, json};

use super::{
    data, paid_order, store,
    wrong_requests::{Places, gid, places},
};
use crate::shopify::Payment;

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
    let entries = places.store.journal().entries();
    let actions: Vec<_> = entries.iter().map(|entry| (entry.object.as_str(), entry.action.as_str())).collect();
    assert_eq!(actions, [("inventory_level", "unchanged")]);
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

const PRICES: &str = "mutation M($product: ID!, $variants: [ProductVariantsBulkInput!]!, $partial: Boolean) {
    productVariantsBulkUpdate(productId: $product, variants: $variants, allowPartialUpdates: $partial) {
    product { id } productVariants { id price } userErrors { field message code } } }";

/// Two variants of one product, and one of another.
fn tees(places: &Places) -> (u64, [u64; 2], u64) {
    let state = places.store.state();
    let of = |sku: &str| {
        let (product, variant) = state.variant(|variant| variant.sku.as_deref() == Some(sku)).unwrap();
        (product.id, variant.id)
    };
    let (product, small) = of("TEE-WHITE-S");
    (product, [small, of("TEE-WHITE-M").1], of("MUG-300").1)
}

async fn price(places: &Places, product: u64, variants: Value, partial: bool) -> Value {
    let given = json!({"product": gid("Product", product), "variants": variants, "partial": partial});
    data(&places.store, PRICES, given).await["productVariantsBulkUpdate"].clone()
}

fn priced(places: &Places, sku: &str) -> String {
    places.store.prices().into_iter().find(|(known, _)| known == sku).unwrap().1.to_string()
}

#[tokio::test]
async fn prices_are_refused_in_the_recorded_words_and_those_of_the_schema() {
    let places = places();
    let (product, [small, _], mug) = tees(&places);
    let variant = |id: u64, price: &str| json!({"id": gid("ProductVariant", id), "price": price});
    let cases = [
        (variant(small, "-1.00"), "price", "Price must be greater than or equal to 0", "GREATER_THAN_OR_EQUAL_TO"),
        (variant(small, "1000000000000000000"), "price", "must be less than 1000000000000000000", "INVALID_INPUT"),
        (variant(42, "1.00"), "id", "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST"),
        (variant(mug, "1.00"), "id", "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST"),
        (json!({"price": "1.00"}), "id", "Product variant is missing ID attribute", "PRODUCT_VARIANT_ID_MISSING"),
    ];
    for (input, field, message, code) in cases {
        let answer = price(&places, product, json!([input]), true).await;
        let expected = json!([{"field": ["variants", "0", field], "message": message, "code": code}]);
        assert_eq!(answer["userErrors"], expected);
    }
    let nowhere = price(&places, 42, json!([variant(small, "1.00")]), true).await;
    assert_eq!(nowhere["userErrors"][0]["code"], "PRODUCT_DOES_NOT_EXIST");
    assert_eq!(priced(&places, "TEE-WHITE-S"), "24.00");
    assert!(places.store.journal().entries().is_empty());
}

#[tokio::test]
async fn without_partial_updates_one_wrong_variant_keeps_all_as_they_are() {
    let places = places();
    let (product, [small, medium], _) = tees(&places);
    let variants = json!([
        {"id": gid("ProductVariant", small), "price": "25.00"},
        {"id": gid("ProductVariant", medium), "price": "-1"},
    ]);
    price(&places, product, variants.clone(), false).await;
    assert_eq!(priced(&places, "TEE-WHITE-S"), "24.00");
    let answer = price(&places, product, variants, true).await;
    assert_eq!(answer["userErrors"][0]["field"], json!(["variants", "1", "price"]));
    assert_eq!(answer["productVariants"][0]["price"], "25.00");
    assert_eq!([priced(&places, "TEE-WHITE-S"), priced(&places, "TEE-WHITE-M")], ["25.00", "24.00"]);
}

#[tokio::test]
async fn a_price_that_is_none_or_too_many_of_them_are_refused_before_anything_is_looked_at() {
    let places = places();
    let (product, [small, _], _) = tees(&places);
    let given = |variants: Value| json!({"product": gid("Product", product), "variants": variants, "partial": true});
    let one = |price: &str| json!({"id": gid("ProductVariant", small), "price": price});
    let wrong = super::ask(&places.store, PRICES, given(json!([one("12,50")]))).await;
    assert_eq!(wrong["errors"][0]["extensions"]["code"], "INVALID_VARIABLE", "{wrong}");
    let many: Vec<Value> = (0..251).map(|_| one("25.00")).collect();
    let many = super::ask(&places.store, PRICES, given(json!(many))).await;
    assert_eq!(many["errors"][0]["extensions"]["code"], "MAX_INPUT_SIZE_EXCEEDED", "{many}");
    assert_eq!(priced(&places, "TEE-WHITE-S"), "24.00");
}

#[tokio::test]
async fn a_price_that_is_there_already_is_a_write_for_nothing() {
    let places = places();
    let (product, [small, _], _) = tees(&places);
    for to in ["25.00", "25.0"] {
        price(&places, product, json!([{"id": gid("ProductVariant", small), "price": to}]), true).await;
    }
    let entries = places.store.journal().entries();
    let actions: Vec<_> = entries.iter().map(|entry| (entry.object.as_str(), entry.action.as_str())).collect();
    assert_eq!(actions, [("product_variant", "update"), ("product_variant", "unchanged")]);
}
