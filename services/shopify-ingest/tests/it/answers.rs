//! What is answered, and what is kept.

use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use waybill_simulator::shopify::signature;

use crate::{
    bench::{Bench, DEADLINE},
    webhook::{PREVIOUS_SECRET, SECRET, order, webhook},
};

const AT: &str = "2026-07-01T12:00:00+02:00";

#[tokio::test]
async fn a_wrong_signature_is_refused_and_not_kept() {
    let Some(bench) = Bench::open().await else { return };
    let forged = webhook("orders/create", &order(1, AT)).signed_with("a-guess");
    assert_eq!(bench.send(&forged).await, StatusCode::UNAUTHORIZED);
    assert_eq!(bench.count("select count(*) from inbox").await, 0);
    bench.close().await;
}

#[tokio::test]
async fn a_signature_of_another_body_is_refused() {
    let Some(bench) = Bench::open().await else { return };
    let mut changed = webhook("orders/create", &order(1, AT));
    changed.body = order(2, AT).to_string().into_bytes();
    assert_eq!(bench.send(&changed).await, StatusCode::UNAUTHORIZED);
    bench.close().await;
}

#[tokio::test]
async fn a_missing_signature_is_refused() {
    let Some(bench) = Bench::open().await else { return };
    let bare = webhook("orders/create", &order(1, AT)).without("x-shopify-hmac-sha256");
    assert_eq!(bench.send(&bare).await, StatusCode::UNAUTHORIZED);
    bench.close().await;
}

#[tokio::test]
async fn a_store_that_the_plan_does_not_have_is_not_found() {
    let Some(bench) = Bench::open().await else { return };
    for store in ["wholesale", "MAIN", "%00", "..%2Fmain"] {
        let elsewhere = webhook("orders/create", &order(1, AT)).to(store);
        assert_eq!(bench.send(&elsewhere).await, StatusCode::NOT_FOUND, "{store}");
    }
    bench.close().await;
}

#[tokio::test]
async fn both_secrets_are_taken_during_a_rotation() {
    let Some(bench) = Bench::open().await else { return };
    for (id, secret) in [(1, SECRET), (2, PREVIOUS_SECRET)] {
        let signed = webhook("orders/create", &order(id, AT)).signed_with(secret);
        assert_eq!(bench.taken(&signed).await.0, "applied", "{secret}");
    }
    bench.close().await;
}

#[tokio::test]
async fn a_signed_webhook_without_a_topic_is_kept_as_unknown() {
    let Some(bench) = Bench::open().await else { return };
    let untold = webhook("orders/create", &order(1, AT)).without("x-shopify-topic");
    assert_eq!(bench.taken(&untold).await.0, "unknown");
    bench.close().await;
}

#[tokio::test]
async fn a_signed_webhook_without_an_id_is_kept_once() {
    let Some(bench) = Bench::open().await else { return };
    let nameless = webhook("orders/create", &order(1, AT)).without("x-shopify-webhook-id");
    for _ in 0..2 {
        assert_eq!(bench.send(&nameless).await, StatusCode::OK);
    }
    bench.settled().await;
    assert_eq!(bench.count("select count(*) from inbox where outcome = 'applied' and duplicates = 1").await, 1);
    bench.close().await;
}

#[tokio::test]
async fn a_webhook_that_is_sent_again_is_one_row_and_one_revision() {
    let Some(bench) = Bench::open().await else { return };
    let again = webhook("orders/create", &order(1, AT));
    let together = (0..20).map(|_| bench.send(&again));
    assert!(futures::future::join_all(together).await.iter().all(|status| *status == StatusCode::OK));
    assert_eq!(bench.taken(&again).await.0, "applied");
    assert_eq!(bench.count("select count(*) from inbox where duplicates = 20").await, 1);
    assert_eq!(bench.order(1).await.1, 1);
    bench.close().await;
}

#[tokio::test]
async fn a_body_that_is_cut_is_not_kept() {
    let Some(bench) = Bench::open().await else { return };
    let sent = b"{\"id\":1";
    let head = format!(
        "POST /webhooks/main HTTP/1.1\r\nhost: waybill\r\nx-shopify-topic: orders/create\r\n\
         x-shopify-shop-domain: waldgang-main.myshopify.com\r\nx-shopify-webhook-id: cut\r\n\
         x-shopify-hmac-sha256: {}\r\ncontent-length: 1000\r\n\r\n",
        signature(SECRET, sent)
    );
    let mut stream = TcpStream::connect(bench.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    // The client ends its side, as a lost connection does; the other side says what it makes of it, or nothing.
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(DEADLINE, stream.read_to_string(&mut answer))
        .await
        .expect("an end of the connection")
        .unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    // The service goes on.
    assert_eq!(bench.taken(&webhook("orders/create", &order(2, AT))).await.0, "applied");
    assert_eq!(bench.count("select count(*) from inbox").await, 1);
    bench.close().await;
}

#[tokio::test]
async fn an_id_too_long_for_an_index_is_kept_once_and_troubles_nobody() {
    let Some(bench) = Bench::open().await else { return };
    // Digits that do not compress.
    let long: String = (0u64..2000).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761) & 0xffff_ffff)).collect();
    let odd = webhook("orders/create", &order(1, AT)).with("x-shopify-webhook-id", &long);
    let usual = webhook("orders/create", &order(2, AT));
    let (odd_one, odd_again, usual_one) = futures::join!(bench.send(&odd), bench.send(&odd), bench.send(&usual));
    assert_eq!([odd_one, odd_again, usual_one], [StatusCode::OK; 3]);
    bench.settled().await;
    assert_eq!(bench.count("select count(*) from inbox where outcome = 'applied'").await, 2);
    bench.close().await;
}

#[tokio::test]
async fn a_time_before_our_era_in_a_header_troubles_nobody() {
    let Some(bench) = Bench::open().await else { return };
    let odd = webhook("orders/create", &order(1, AT)).with("x-shopify-triggered-at", "-009000-01-01T00:00:00Z");
    assert_eq!(bench.taken(&odd).await.0, "applied");
    bench.close().await;
}
