//! Bulk operations: what is refused, in recorded words (API 2026-04), and how many run at once.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{data, paid_order, store};
use crate::shopify::{Settings, Store};

const RUN: &str = "mutation R($q: String!) { bulkOperationRunQuery(query: $q, groupObjects: true) {
    bulkOperation { id status url } userErrors { field message code } } }";

async fn run(store: &Store, query: &str) -> Value {
    data(store, RUN, json!({"q": query})).await["bulkOperationRunQuery"].take()
}

async fn refused(query: &str) -> Vec<String> {
    let answer = run(&store(), query).await;
    assert_eq!(answer["bulkOperation"], Value::Null, "{answer}");
    let errors = answer["userErrors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["field"] == json!(["query"]) && error["code"] == "INVALID"), "{answer}");
    errors.iter().map(|error| error["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_in_the_recorded_words() {
    let cases = [
        ("{ shop { id } }", "Bulk queries must contain at least one connection."),
        (
            "{ orders { nodes { id } } }",
            "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: 'orders { \
             edges { node {'. Selecting via 'nodes' is not supported. Invalid connection fields: 'orders'.",
        ),
        (
            "{ products { edges { node { title variants { edges { node { id } } } } } } }",
            "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of \
             'ID' return type. Connection fields without 'id': products.",
        ),
        (
            "{ orders { edges { node { id fulfillments { fulfillmentLineItems { edges { node { id } } } } } } } }",
            "Queries that contain a connection field within a list field are not currently supported.",
        ),
        (
            "{ customers { edges { node { id orders { edges { node { id lineItems { edges { node { id variant { id product { \
             id variants { edges { node { id } } } } } } } } } } } } } } }",
            "Bulk queries cannot contain connections with a nesting depth greater than 2.",
        ),
        (
            "{ orders { edges { node { id lineItems { edges { node { id } } } shippingLines { edges { node { id } } } \
             agreements { edges { node { id } } } metafields { edges { node { id } } } \
             fulfillmentOrders { edges { node { id } } } } } } }",
            "Bulk queries cannot contain more than 5 connections.",
        ),
        (
            "mutation { tagsAdd(id: \"gid://shopify/Product/1\", tags: [\"a\"]) { node { id } } }",
            "Invalid operation type. Only `query` operations are supported.",
        ),
    ];
    for (query, words) in cases {
        assert_eq!(refused(query).await, [words], "{query}");
    }
    let both = refused("{ node(id: \"gid://shopify/Product/0\") { id } }").await;
    let top = "Bulk queries cannot contain a top level `node` field.";
    assert_eq!(both, [top, "Bulk queries must contain at least one connection."]);
    assert!(refused("").await[0].starts_with("Invalid bulk query: syntax error"));
}

#[tokio::test]
async fn a_sixth_operation_is_refused_and_names_the_others() {
    let store =
        Store::new(Settings { bucket: 1_000_000, bulk_takes: Duration::from_secs(3600), ..Settings::default() });
    for _ in 0..5 {
        let begun = run(&store, "{ products { edges { node { id } } } }").await;
        assert_eq!((&begun["bulkOperation"]["status"], &begun["userErrors"]), (&json!("CREATED"), &json!([])));
    }
    let sixth = run(&store, "{ products { edges { node { id } } } }").await;
    let error = &sixth["userErrors"][0];
    assert_eq!((&error["code"], &error["field"]), (&json!("OPERATION_IN_PROGRESS"), &Value::Null));
    let words = error["message"].as_str().unwrap();
    assert!(
        words.starts_with("A bulk query operation for this app and shop is already in progress: gid://"),
        "{words}"
    );
    assert_eq!(words.matches("gid://shopify/BulkOperation/").count(), 5, "{words}");
}

#[tokio::test]
async fn the_newest_operation_is_the_current_one() {
    let store = store();
    store.place(paid_order());
    run(&store, "{ products { edges { node { id } } } }").await;
    let newest = run(&store, "{ orders { edges { node { id } } } }").await;
    let current = data(&store, "{ currentBulkOperation { id rootObjectCount } }", json!({})).await;
    assert_eq!(current["currentBulkOperation"]["id"], newest["bulkOperation"]["id"]);
    assert_eq!(current["currentBulkOperation"]["rootObjectCount"], "1");
    let node = data(&store, "query N($id: ID!) { node(id: $id) { id } }", json!({"id": newest["bulkOperation"]["id"]}));
    assert_eq!(node.await["node"]["id"], newest["bulkOperation"]["id"]);
}

#[tokio::test]
async fn a_file_is_not_given_to_whoever_shows_a_token() {
    let store = store();
    run(&store, "{ products { edges { node { id } } } }").await;
    let file = store.state().bulk.values().next().unwrap().file_name();
    let ask = async |token: Option<&str>| {
        let mut request = Request::get(format!("/bulk-operation-outputs/{file}?Signature=simulated"));
        if let Some(token) = token {
            request = request.header("x-shopify-access-token", token);
        }
        let answer = store.simulated().router.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes())
    };
    let (status, text) = ask(None).await;
    assert_eq!(status, 200);
    assert!(text.starts_with(br#"{"id":"gid://shopify/Product/"#), "{text:?}");
    assert_eq!(ask(Some("shpat_simulated")).await.0, 400);
}
