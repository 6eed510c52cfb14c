//! Bodies larger than what is kept, and larger than what is taken.

use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    bench::{Bench, DEADLINE},
    webhook::{Webhook, webhook},
};

const MIB: usize = 1024 * 1024;

/// An order's body of so many bytes, as Shopify begins it.
fn padded(id: u64, bytes: usize) -> Vec<u8> {
    let mut body = format!(r#"{{"id":{id},"admin_graphql_api_id":"gid://shopify/Order/{id}","note":""#).into_bytes();
    body.resize(bytes - 2, b'x');
    body.extend_from_slice(b"\"}");
    body
}

#[tokio::test]
async fn a_body_over_2_mib_is_taken_and_its_record_is_what_the_api_says() {
    let Some(bench) = Bench::open().await else { return };
    let id = bench.place();
    let large = webhook("orders/updated", padded(id, 3 * MIB));
    assert_eq!(bench.taken(&large).await.0, "refetch");
    bench.settled().await;
    let (order, revision) = bench.order(id).await;
    assert_eq!((order.note.as_str(), order.lines[0].quantity, revision), ("as the API tells it", 3, 1));
    bench.close().await;
}

#[tokio::test]
async fn of_a_large_body_its_size_and_its_start_are_kept() {
    let Some(bench) = Bench::open().await else { return };
    let large = webhook("orders/updated", padded(bench.place(), 16 * MIB));
    bench.taken(&large).await;
    let kept = bench
        .count(
            "select count(*) from inbox
             where body_bytes = 16777216 and not kept_whole and length(body) between 1000 and 2097152",
        )
        .await;
    assert_eq!(kept, 1);
    bench.close().await;
}

#[tokio::test]
async fn a_large_body_is_verified_to_its_last_byte() {
    let Some(bench) = Bench::open().await else { return };
    let mut changed = webhook("orders/updated", padded(1, 3 * MIB));
    *changed.body.last_mut().unwrap() = b' ';
    assert_eq!(bench.send(&changed).await, StatusCode::UNAUTHORIZED);
    assert_eq!(bench.count("select count(*) from inbox").await, 0);
    bench.close().await;
}

#[tokio::test]
async fn a_large_body_of_a_record_that_is_not_read_by_api_is_kept_as_unreadable() {
    let Some(bench) = Bench::open().await else { return };
    let (outcome, message) = bench.taken(&webhook("refunds/create", padded(1, 3 * MIB))).await;
    assert_eq!(outcome, "unreadable");
    assert!(message.contains("too large"), "{message}");
    bench.close().await;
}

#[tokio::test]
async fn a_body_over_16_mib_is_refused() {
    let Some(bench) = Bench::open().await else { return };
    let huge = webhook("orders/updated", padded(1, 16 * MIB + 1));
    assert_eq!(bench.send(&huge).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(bench.count("select count(*) from inbox").await, 0);
    bench.close().await;
}

#[tokio::test]
async fn a_body_over_16_mib_that_does_not_say_its_size_is_refused() {
    let Some(bench) = Bench::open().await else { return };
    let huge = webhook("orders/updated", padded(1, 16 * MIB + 1));
    let mut stream = TcpStream::connect(bench.url.trim_start_matches("http://")).await.unwrap();
    let (mut from, mut to) = stream.split();
    let send = async {
        // The other side may close before it has read all.
        let _ = to.write_all(chunked(&huge).as_slice()).await;
    };
    let read = async {
        let mut answer = vec![0; 12];
        from.read_exact(&mut answer).await.map(|_| String::from_utf8(answer).unwrap())
    };
    let (_, answer) =
        tokio::time::timeout(DEADLINE, async { futures::join!(send, read) }).await.expect("an answer in time");
    assert_eq!(answer.unwrap(), "HTTP/1.1 413");
    bench.close().await;
}

fn chunked(webhook: &Webhook) -> Vec<u8> {
    let mut bytes = b"POST /webhooks/main HTTP/1.1\r\nhost: waybill\r\ntransfer-encoding: chunked\r\n".to_vec();
    for (name, value) in &webhook.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    for chunk in webhook.body.chunks(64 * 1024) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}
