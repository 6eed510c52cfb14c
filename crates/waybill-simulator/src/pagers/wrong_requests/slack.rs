use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::send;
use crate::pagers::slack::{WEBHOOK_PATH, simulated};

fn post(path: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("content-type", content_type).body(body.into()).unwrap()
}

fn with_blocks(blocks: Value) -> Value {
    json!({ "text": "Parked", "blocks": blocks })
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

/// Messages that are refused with 400 and this word.
#[rustfmt::skip]
fn wrong_messages() -> Vec<(Value, &'static str)> {
    let section = |text: Value| with_blocks(json!([{ "type": "section", "text": text }]));
    let fields = |fields: Value| with_blocks(json!([{ "type": "section", "fields": fields }]));
    let divider = json!({ "type": "divider" });
    vec![
        (json!([]), "invalid_payload"),
        (json!({ "text": 7 }), "invalid_payload"),
        (json!({}), "no_text"),
        (json!({ "text": "" }), "no_text"),
        (json!({ "text": "", "blocks": [] }), "no_text"),
        (json!({ "text": "Parked", "attachments": vec![json!({ "text": "x" }); 101] }), "too_many_attachments"),
        (with_blocks(json!({ "type": "divider" })), "invalid_blocks_format"),
        (with_blocks(json!("[{\"type\": \"divider\"}]")), "invalid_blocks_format"),
        (with_blocks(json!(["divider"])), "invalid_blocks_format"),
        (with_blocks(json!(vec![divider; 51])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "table_of_contents" }])), "invalid_blocks"),
        (with_blocks(json!([{ "text": plain("no type") }])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "header" }])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "header", "text": plain(&"h".repeat(151)) }])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "header", "text": { "type": "mrkdwn", "text": "bold" } }])), "invalid_blocks"),
        (section(plain("")), "invalid_blocks"),
        (section(plain(&"s".repeat(3001))), "invalid_blocks"),
        (section(json!("a raw text")), "invalid_blocks"),
        (section(json!({ "type": "markdown", "text": "x" })), "invalid_blocks"),
        (with_blocks(json!([{ "type": "section" }])), "invalid_blocks"),
        (fields(json!([])), "invalid_blocks"),
        (fields(json!(vec![plain("f"); 11])), "invalid_blocks"),
        (fields(json!([plain(&"f".repeat(2001))])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "context", "elements": [] }])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "context", "elements": vec![plain("c"); 11] }])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "image", "image_url": "https://x.example.com/a.png" }])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "divider", "block_id": "b".repeat(256) }])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "divider", "block_id": "b" }, { "type": "divider", "block_id": "b" }])), "invalid_blocks"),
        (with_blocks(json!([{ "type": "actions", "elements": [{ "type": "button", "text": plain(&"b".repeat(76)) }] }])), "invalid_blocks"),
    ]
}

#[tokio::test]
async fn a_valid_message_is_answered_ok_in_plain_text() {
    let slack = simulated();
    let blocks = json!([
        { "type": "header", "text": plain("Parked") },
        { "type": "section", "text": { "type": "mrkdwn", "text": "*3* orders" }, "fields": [plain("erp")] },
        { "type": "divider" },
        { "type": "context", "elements": [{ "type": "mrkdwn", "text": "since 10:00" }] },
    ]);
    let answer = send(&slack, post(WEBHOOK_PATH, "application/json", with_blocks(blocks).to_string())).await;
    assert_eq!(answer, (200, "ok".to_owned()));
    assert_eq!(slack.journal.entries().len(), 1);
}

#[tokio::test]
async fn each_wrong_message_is_refused_with_its_word_and_not_posted() {
    for (at, (message, word)) in wrong_messages().into_iter().enumerate() {
        // One workspace each: there are more of them than may be sent at once.
        let slack = simulated();
        let answer = send(&slack, post(WEBHOOK_PATH, "application/json", message.to_string())).await;
        assert_eq!(answer, (400, word.to_owned()), "case {at}: {message}");
        assert!(slack.journal.entries().is_empty(), "case {at}");
    }
}

#[tokio::test]
async fn a_url_or_channel_that_takes_nothing_is_refused_with_its_word() {
    let slack = simulated();
    for (path, status, word) in [
        ("/services/T99999999/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", 404, "no_team"),
        ("/services/T00000000/B99999999/XXXXXXXXXXXXXXXXXXXXXXXX", 404, "no_service"),
        ("/services/T00000000/B00000000/YYYYYYYYYYYYYYYYYYYYYYYY", 403, "invalid_token"),
        ("/services/T00000000/B0ARCHIVED/XXXXXXXXXXXXXXXXXXXXXXXX", 410, "channel_is_archived"),
        ("/services/T00000000/B0DELETED/XXXXXXXXXXXXXXXXXXXXXXXX", 404, "channel_not_found"),
        ("/services/T00000000/B0FORBIDDEN/XXXXXXXXXXXXXXXXXXXXXXXX", 403, "action_prohibited"),
        ("/services/T00000000/B0GENERAL/XXXXXXXXXXXXXXXXXXXXXXXX", 403, "posting_to_general_channel_denied"),
    ] {
        let answer = send(&slack, post(path, "application/json", json!({ "text": "Parked" }).to_string())).await;
        assert_eq!(answer, (status, word.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_its_type_says_is_an_invalid_payload() {
    let slack = simulated();
    for (content_type, body) in [
        ("application/json", "{\"text\":"),
        ("application/json", ""),
        ("text/plain", "{\"text\":\"Parked\"}"),
        ("application/x-www-form-urlencoded", "text=Parked"),
        ("application/x-www-form-urlencoded", "payload=Parked"),
    ] {
        let answer = send(&slack, post(WEBHOOK_PATH, content_type, body)).await;
        assert_eq!(answer, (400, "invalid_payload".to_owned()), "{content_type}: {body}");
    }
}

#[tokio::test]
async fn a_forms_payload_is_a_message_too() {
    let body = "payload=%7B%22text%22%3A%22Parked%22%7D";
    let answer = send(&simulated(), post(WEBHOOK_PATH, "application/x-www-form-urlencoded", body)).await;
    assert_eq!(answer, (200, "ok".to_owned()));
}

#[tokio::test]
async fn too_many_messages_at_once_are_limited() {
    let slack = simulated();
    let mut last = (200, String::new());
    for _ in 0..40 {
        last = send(&slack, post(WEBHOOK_PATH, "application/json", json!({ "text": "Parked" }).to_string())).await;
    }
    assert_eq!(last, (429, "rate_limited".to_owned()));
}
