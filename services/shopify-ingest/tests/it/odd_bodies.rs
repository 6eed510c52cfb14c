//! Bodies that no store should send: kept, told, and nobody else's trouble.

use serde_json::{Value, json};
use waybill_proto::wire::{InboxCountRequest, InboxListRequest, inbox_client::InboxClient};
use waybill_runtime::{grpc, settings::SecretText};

use crate::{
    bench::{Bench, TOKEN},
    webhook::{ToBytes as _, order, webhook},
};

const AT: &str = "2026-07-01T12:00:00+02:00";

#[tokio::test]
async fn what_is_not_json_is_kept_as_unreadable_with_the_place() {
    let Some(bench) = Bench::open().await else { return };
    let (outcome, message) = bench.taken(&webhook("orders/create", b"id=1&name=order".as_slice())).await;
    assert_eq!((outcome.as_str(), message.contains("line 1")), ("unreadable", true), "{message}");
    bench.close().await;
}

#[tokio::test]
async fn invalid_utf_8_is_kept_byte_by_byte_as_unreadable() {
    let Some(bench) = Bench::open().await else { return };
    let mut bytes = (&order(1, AT)).to_bytes();
    let at = bytes.windows(5).position(|part| part == b"first").unwrap();
    bytes[at] = 0xff;
    let broken = webhook("orders/create", bytes.clone());
    assert_eq!(bench.taken(&broken).await.0, "unreadable");
    let kept: Vec<u8> = sqlx::query_scalar("select body from inbox").fetch_one(&bench.db).await.unwrap();
    assert_eq!(kept, bytes);
    bench.close().await;
}

#[tokio::test]
async fn an_empty_body_is_kept_as_unreadable() {
    let Some(bench) = Bench::open().await else { return };
    assert_eq!(bench.taken(&webhook("orders/create", Vec::new())).await.0, "unreadable");
    bench.close().await;
}

#[tokio::test]
async fn a_body_nested_without_end_is_kept_as_unreadable() {
    let Some(bench) = Bench::open().await else { return };
    assert_eq!(bench.taken(&webhook("orders/create", vec![b'['; 200_000])).await.0, "unreadable");
    bench.close().await;
}

#[tokio::test]
async fn unknown_topics_and_unreadable_bodies_are_counted_and_listed_over_grpc() {
    let Some(bench) = Bench::open().await else { return };
    bench.taken(&webhook("carts/update", &json!({"id": 1}))).await;
    bench.taken(&webhook("orders/create", b"nonsense".as_slice())).await;
    let channel = grpc::peer(&bench.grpc, &SecretText::from(TOKEN.to_owned())).unwrap();
    let mut inbox = InboxClient::new(channel);
    let counts = inbox.count(InboxCountRequest::default()).await.unwrap().into_inner().counts;
    let told: Vec<_> = counts.iter().map(|one| (one.topic.as_str(), one.outcome.as_str(), one.webhooks)).collect();
    assert_eq!(told, [("carts/update", "unknown", 1), ("orders/create", "unreadable", 1)]);
    let request = InboxListRequest { outcome: "unreadable".to_owned(), ..InboxListRequest::default() };
    let listed = inbox.list(request).await.unwrap().into_inner().webhooks;
    assert!(listed.len() == 1 && listed[0].message.contains("not JSON"), "{listed:?}");
    drop(inbox);
    bench.close().await;
}

#[tokio::test]
async fn ids_past_2_to_the_53_keep_their_digits() {
    let Some(bench) = Bench::open().await else { return };
    let id = 9_007_199_254_740_993_u64;
    let mut body = order(id, AT);
    body["admin_graphql_api_id"] = Value::Null;
    body["line_items"][0]["id"] = json!(9_223_372_036_854_775_807_u64);
    body["line_items"][0]["variant_id"] = json!(9_007_199_254_740_995_u64);
    assert_eq!(bench.taken(&webhook("orders/create", &body)).await.0, "applied");
    let snapshot = bench.published(id, 1).await;
    assert_eq!(snapshot.key.id.as_str(), "9007199254740993");
    let line = &bench.order(id).await.0.lines[0];
    assert_eq!(line.id.as_str(), "9223372036854775807");
    assert_eq!(line.variant_id.as_ref().unwrap().as_str(), "9007199254740995");
    bench.close().await;
}

#[tokio::test]
async fn a_quantity_of_63_bits_is_kept_and_a_larger_one_is_named() {
    let Some(bench) = Bench::open().await else { return };
    let mut body = order(1, AT);
    body["line_items"][0]["quantity"] = json!(i64::MAX);
    assert_eq!(bench.taken(&webhook("orders/create", &body)).await.0, "applied");
    assert_eq!(bench.order(1).await.0.lines[0].quantity, i64::MAX);
    body["line_items"][0]["quantity"] = json!(u64::MAX);
    let (outcome, message) = bench.taken(&webhook("orders/updated", &body)).await;
    assert_eq!(outcome, "unreadable");
    assert!(message.contains("line_items[0].quantity"), "{message}");
    bench.close().await;
}

#[tokio::test]
async fn an_unknown_currency_is_kept() {
    let Some(bench) = Bench::open().await else { return };
    let body: Value = serde_json::from_str(&order(1, AT).to_string().replace("EUR", "XQZ")).unwrap();
    assert_eq!(bench.taken(&webhook("orders/create", &body)).await.0, "applied");
    assert_eq!(bench.order(1).await.0.totals.total.shop.to_string(), "20.00 XQZ");
    bench.close().await;
}

#[tokio::test]
async fn an_unknown_financial_status_is_kept() {
    let Some(bench) = Bench::open().await else { return };
    let mut body = order(1, AT);
    body["financial_status"] = json!("disputed");
    assert_eq!(bench.taken(&webhook("orders/create", &body)).await.0, "applied");
    assert_eq!(bench.order(1).await.0.financial_status.as_str(), "disputed");
    bench.close().await;
}

#[tokio::test]
async fn a_body_that_the_database_refuses_blocks_nobody() {
    let Some(bench) = Bench::open().await else { return };
    let mut poisoned = order(1, AT);
    // JSON may hold it, PostgreSQL's texts may not.
    poisoned["name"] = json!("#10\u{0}01");
    let poisoned = webhook("orders/create", &poisoned);
    let usual = webhook("orders/create", &order(2, AT));
    futures::join!(bench.send(&poisoned), bench.send(&usual));
    assert_eq!(bench.outcome(&usual.id).await.0, "applied");
    let (outcome, message) = bench.outcome(&poisoned.id).await;
    assert_eq!(outcome, "unreadable");
    assert!(!message.is_empty());
    bench.close().await;
}

#[tokio::test]
async fn a_time_before_our_era_in_a_body_blocks_nobody() {
    let Some(bench) = Bench::open().await else { return };
    let odd = webhook("orders/create", &order(1, "-009000-01-01T00:00:00Z"));
    let usual = webhook("orders/create", &order(2, AT));
    futures::join!(bench.send(&odd), bench.send(&usual));
    assert_eq!(bench.outcome(&usual.id).await.0, "applied");
    assert_eq!(bench.outcome(&odd.id).await.0, "unreadable");
    bench.close().await;
}
