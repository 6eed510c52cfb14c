//! Bulk files: what has to be run for one, and an order told by file against the same order read by API.

use std::{io::Cursor, time::Duration};

use apollo_compiler::{ExecutableDocument, Node, Schema, ast, executable::Selection, executable::SelectionSet};
use connector_shopify::{
    API_VERSION, DOCUMENTS,
    bulk::{self, BulkError, Told},
};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use waybill_connector::{Effect, HttpClient};
use waybill_domain::{Body, Kind};
use waybill_simulator::shopify::{NewOrder, Settings};

use crate::{
    documents::schema,
    records::order,
    shop::{Shop, line},
};

impl Shop {
    /// Runs one of the connector's documents and gives the answer's data.
    async fn run(&self, document: &str, variables: Value) -> Value {
        let text = DOCUMENTS.iter().find(|one| one.name == document).unwrap().text;
        let token = HeaderValue::from_str(&Settings::default().token).unwrap();
        let http = HttpClient::new(&self.vendor.url(), Duration::from_secs(20))
            .unwrap()
            .with_header(HeaderName::from_static("x-shopify-access-token"), token);
        let body = json!({"query": text, "operationName": document, "variables": variables});
        let request = http.request(Method::POST, &format!("/admin/api/{API_VERSION}/graphql.json")).json(&body);
        let answer = http.send(Effect::Read, request).await.unwrap();
        let mut answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"].take()
    }

    /// The order as a bulk file has it.
    async fn in_bulk(&self, id: u64) -> String {
        let gid = format!("gid://shopify/Order/{id}");
        let mut order = self.run("Order", json!({"id": gid, "lines": 250})).await["order"].take();
        let (mut parts, mut back) = (Vec::new(), Vec::new());
        for (connection, kind) in [("shippingLines", "ShippingLine"), ("lineItems", "LineItem")] {
            let page = order.as_object_mut().unwrap().remove(connection).unwrap();
            assert_eq!(page["pageInfo"]["hasNextPage"], false);
            parts.extend(page["nodes"].as_array().unwrap().iter().map(|node| part(node, kind, &gid)));
        }
        parts.push(part(&json!({"id": "gid://shopify/SalesAgreement/1"}), "OrderAgreement", &gid));
        for (at, refund) in order["refunds"].as_array().unwrap().iter().enumerate() {
            let agreement = format!("gid://shopify/SalesAgreement/{}", at + 2);
            back.push(part(&json!({"id": agreement, "refund": {"id": refund["id"]}}), "RefundAgreement", &gid));
            let lines = self.run("RefundLines", json!({"id": refund["id"], "after": null})).await;
            let lines = lines["refund"]["refundLineItems"]["nodes"].as_array().unwrap().clone();
            back.extend(lines.iter().map(|node| part(node, "RefundLineItem", &agreement)));
        }
        let lines = [order].into_iter().chain(parts).chain(back);
        lines.map(|line| format!("{line}\n")).collect()
    }
}

fn part(node: &Value, kind: &str, parent: &str) -> Value {
    let mut part: Map<String, Value> = [("__typename".to_owned(), json!(kind))].into_iter().collect();
    part.extend(node.as_object().unwrap().clone());
    part.insert("__parentId".to_owned(), json!(parent));
    Value::Object(part)
}

fn told(file: &str) -> Vec<Result<Told, String>> {
    bulk::orders(Cursor::new(file)).map(|order| order.map_err(|error| error.to_string())).collect()
}

fn error_of(file: &str) -> String {
    told(file).remove(0).unwrap_err()
}

/// A shop with an order that was edited, sent in part and given back in part, and a plain one.
async fn shop() -> (Shop, [u64; 2]) {
    let shop = Shop::open().await;
    let id = shop.store.place(order(None));
    let lines = shop.store.order(id).unwrap().lines;
    shop.store.edit(id, &[(lines[0].id, 1)], vec![line("CAP-GREEN", 1)]);
    shop.store.refund_units(id, lines[1].id, 1, "damaged");
    shop.store.refund_shipping(id, "late");
    let plain = shop.store.place(NewOrder { lines: vec![line("MUG-300", 2)], ..NewOrder::default() });
    (shop, [id, plain])
}

#[tokio::test]
async fn an_order_is_the_same_by_file_and_by_api() {
    let (shop, ids) = shop().await;
    let mut file = String::new();
    for id in ids {
        file += &shop.in_bulk(id).await;
        // Files end with or without an empty line.
        file.push('\n');
    }
    let told = told(&file);
    assert_eq!(told.len(), 2);
    for (id, told) in ids.into_iter().zip(told) {
        let (told_id, body, updated_at) = told.unwrap();
        let fetched = shop.connector.fetch(Kind::Order, &told_id).await.unwrap().unwrap();
        assert_eq!(
            (told_id.to_string(), &body, updated_at),
            (id.to_string(), &fetched.body, fetched.source_updated_at)
        );
    }
}

#[tokio::test]
async fn what_came_back_by_a_refund_is_read_from_its_agreement() {
    let (shop, [id, _]) = shop().await;
    let (_, body, _) = told(&shop.in_bulk(id).await).remove(0).unwrap();
    let Body::Order(order) = body else { panic!("an order") };
    let back: Vec<_> = order.refunds.iter().map(|refund| refund.lines.len()).collect();
    assert_eq!(back, [1, 0]);
    assert_eq!(order.refunds[0].lines[0].sku, "BOOK-ALPS");
}

#[tokio::test]
async fn an_order_with_a_refund_that_no_agreement_names_is_told_apart_and_the_next_is_read() {
    let (shop, [id, plain]) = shop().await;
    let whole = shop.in_bulk(id).await;
    let without: String =
        whole.lines().filter(|line| !line.contains("Refund")).map(|line| format!("{line}\n")).collect();
    // The order's own line names its refunds too.
    let order = whole.lines().next().unwrap();
    let file = format!("{order}\n{without}{}", shop.in_bulk(plain).await);
    let read: Vec<_> = bulk::orders(Cursor::new(file)).collect();
    assert!(
        matches!(&read[0], Err(BulkError::RefundUntold { line: 1, id: untold }) if untold.to_string() == id.to_string()),
        "{read:?}"
    );
    assert_eq!(read[1].as_ref().unwrap().0.to_string(), plain.to_string());
    assert_eq!(read.len(), 2);
}

#[tokio::test]
async fn each_field_that_a_file_lacks_is_named_with_its_line() {
    let (shop, [id, _]) = shop().await;
    let whole = shop.in_bulk(id).await;
    let lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut tried = 0;
    for (at, line) in lines.iter().enumerate() {
        // An agreement that is no refund's says nothing that is read.
        let fields = line.as_object().unwrap().keys().filter(|_| line["__typename"] != "OrderAgreement");
        for field in fields.filter(|field| !["id", "__parentId"].contains(&field.as_str())) {
            let mut lacking = lines.clone();
            lacking[at].as_object_mut().unwrap().remove(field);
            let file: String = lacking.iter().map(|line| format!("{line}\n")).collect();
            let error = error_of(&file);
            assert!(error.starts_with(&format!("line {}: missing field `{field}`", at + 1)), "{field}: {error}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}

#[tokio::test]
async fn a_part_that_does_not_stand_below_its_order_is_named_and_nothing_is_read_after_it() {
    let (shop, [first, second]) = shop().await;
    let (first, second) = (shop.in_bulk(first).await, shop.in_bulk(second).await);
    let stray = first.lines().find(|line| line.contains("\"LineItem\"")).unwrap();
    let told = told(&format!("{second}{stray}\n{second}"));
    let line = second.lines().count() + 1;
    let expected = format!("line {line}: its parent is not the order above it: run the query with groupObjects: true");
    assert_eq!(told, [Err(expected)]);
    assert_eq!(error_of(stray), "line 1: it is a part of an order, and no order stands above it");
}

#[test]
fn what_is_no_bulk_file_of_orders_is_refused_without_what_it_says() {
    assert_eq!(
        error_of("{\"id\": \"gid://shopify/Pro"),
        "line 1: it is not a line of JSON: reading stopped at column 25"
    );
    assert_eq!(
        error_of("{\"id\": \"gid://shopify/Product/1\", \"title\": \"jo-doe\"}"),
        "line 1: it is neither an order nor a part of one"
    );
    let error = error_of("{\"id\": [\"jo-doe\"]}");
    assert!(error.starts_with("line 1: a value is not a string"), "{error}");
    assert!(told("").is_empty());
}

#[test]
fn what_has_to_be_run_is_valid_in_the_schema() {
    let Some(schema) = schema() else { return };
    let request = bulk::request();
    let parsed = ExecutableDocument::parse_and_validate(&schema, &request, "request.graphql");
    let parsed = parsed.unwrap_or_else(|errors| panic!("{}", errors.errors));
    let operation = parsed.operations.get(None).unwrap();
    let Selection::Field(run) = &operation.selection_set.selections[0] else { panic!("a field") };
    assert_eq!(run.name, "bulkOperationRunQuery");
    let argument = |name: &str| run.arguments.iter().find(|one| one.name == name).unwrap().value.clone();
    assert_eq!(argument("groupObjects"), Node::from(ast::Value::Boolean(true)));
    let query = argument("query").as_str().unwrap().to_owned();
    assert!(query.len() < 65_535 && !query.contains("fragment"), "{query}");
    let alike = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(alike(&query), alike(&bulk::query()));
    let parsed = ExecutableDocument::parse_and_validate(&schema, query, "query.graphql");
    parsed.unwrap_or_else(|errors| panic!("{}", errors.errors));
}

/// What Shopify refuses in a bulk query, in its own words.
///
/// Source: recorded answers to `bulkOperationRunQuery`, 2026-04.
fn refusals(schema: &Valid, query: &str) -> Vec<&'static str> {
    let parsed = ExecutableDocument::parse_and_validate(schema, query, "query.graphql").unwrap();
    let mut seen = Seen::default();
    seen.within(&parsed.operations.get(None).unwrap().selection_set, 0, false, true);
    if seen.connections > 5 {
        seen.refusals.push("Bulk queries cannot contain more than 5 connections.");
    }
    if seen.connections == 0 {
        seen.refusals.push("Bulk queries must contain at least one connection.");
    }
    seen.refusals
}

type Valid = apollo_compiler::validation::Valid<Schema>;

#[derive(Default)]
struct Seen {
    connections: usize,
    refusals: Vec<&'static str>,
}

impl Seen {
    /// `depth` connections are around this; `in_list`: a list is, within the nearest; `named`: the nearest node says its
    /// id.
    fn within(&mut self, set: &SelectionSet, depth: usize, in_list: bool, named: bool) {
        for selection in &set.selections {
            let field = match selection {
                Selection::InlineFragment(fragment) => {
                    self.within(&fragment.selection_set, depth, in_list, named);
                    continue;
                }
                Selection::FragmentSpread(_) => panic!("fragments are written out"),
                Selection::Field(field) => field,
            };
            let connection = field.selection_set.ty.ends_with("Connection");
            if !connection {
                self.within(&field.selection_set, depth, in_list || field.ty().is_list(), named);
                continue;
            }
            self.connections += 1;
            let mut hold = |refused: bool, words| {
                if refused {
                    self.refusals.push(words);
                }
            };
            hold(depth > 2, "Bulk queries cannot contain connections with a nesting depth greater than 2.");
            hold(in_list, "Queries that contain a connection field within a list field are not currently supported.");
            hold(
                !named,
                "The parent 'node' field for a nested connection must select the 'id' field without an alias.",
            );
            hold(field.arguments.iter().any(|one| ["first", "last"].contains(&one.name.as_str())), "a page");
            let inner = |set: &SelectionSet, name: &str| match &set.selections[..] {
                [Selection::Field(only)] if only.name == name => Some(only.selection_set.clone()),
                _ => None,
            };
            match inner(&field.selection_set, "edges").and_then(|edges| inner(&edges, "node")) {
                Some(node) => {
                    let own = node.selections.iter().any(|one| matches!(one, Selection::Field(id) if id.name == "id"));
                    self.within(&node, depth + 1, false, own);
                }
                None => self.refusals.push("All connection fields in a bulk query must select 'edges' > 'node'"),
            }
        }
    }
}

#[test]
fn shopify_takes_the_query_as_a_bulk_query() {
    let Some(schema) = schema() else { return };
    assert_eq!(refusals(&schema, &bulk::query()), Vec::<&str>::new());
}

#[test]
fn the_rules_of_bulk_queries_are_known_to_this_test() {
    let Some(schema) = schema() else { return };
    for (query, words) in [
        ("{ orders { nodes { id } } }", "must select 'edges' > 'node'"),
        ("{ orders(first: 5) { edges { node { id } } } }", "a page"),
        ("{ orders { edges { node { name lineItems { edges { node { id } } } } } } }", "must select the 'id' field"),
        (
            "{ orders { edges { node { id refunds { refundLineItems { edges { node { quantity } } } } } } } }",
            "within a list field",
        ),
        (
            "{ collections { edges { node { id products { edges { node { id variants { edges { node { id metafields {
            edges { node { id } } } } } } } } } } } } }",
            "nesting depth greater than 2",
        ),
        ("{ shop { name } }", "at least one connection"),
    ] {
        let refused = refusals(&schema, query);
        assert!(matches!(&refused[..], [only] if only.contains(words)), "{query}: {refused:?}");
    }
}
