//! What a message must look like.

use http::{HeaderMap, header};
use serde_json::{Map, Value};

const MAX_BLOCKS: usize = 50;
const MAX_ATTACHMENTS: usize = 100;

/// Why a message is refused: Slack's word.
type Refusal = &'static str;

/// Reads a message from a JSON body, or from a form's `payload` (the older way, which Slack still takes).
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let message: Value = if content_type.starts_with("application/json") {
        serde_json::from_slice(body).map_err(|_| "invalid_payload")?
    } else if content_type.starts_with("application/x-www-form-urlencoded") {
        let payload = form_payload(body).ok_or("invalid_payload")?;
        serde_json::from_str(&payload).map_err(|_| "invalid_payload")?
    } else {
        return Err("invalid_payload");
    };
    check(message.as_object().ok_or("invalid_payload")?)?;
    Ok(message)
}

fn form_payload(body: &[u8]) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://form/?{}", std::str::from_utf8(body).ok()?)).ok()?;
    url.query_pairs().find(|(name, _)| name == "payload").map(|(_, payload)| payload.into_owned())
}

fn check(message: &Map<String, Value>) -> Result<(), Refusal> {
    let text = match message.get("text") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err("invalid_payload"),
    };
    let blocks = list(message, "blocks", "invalid_blocks_format")?;
    let attachments = list(message, "attachments", "invalid_payload")?;
    if text.is_empty() && blocks.is_empty() && attachments.is_empty() {
        return Err("no_text");
    }
    if attachments.len() > MAX_ATTACHMENTS {
        return Err("too_many_attachments");
    }
    if blocks.len() > MAX_BLOCKS {
        return Err("invalid_blocks");
    }
    let mut ids = Vec::new();
    for block in blocks {
        let block = block.as_object().ok_or("invalid_blocks_format")?;
        if !is_valid(block) {
            return Err("invalid_blocks");
        }
        if let Some(id) = block.get("block_id") {
            if ids.contains(&id) {
                return Err("invalid_blocks");
            }
            ids.push(id);
        }
    }
    Ok(())
}

fn list<'a>(message: &'a Map<String, Value>, name: &str, refusal: Refusal) -> Result<&'a [Value], Refusal> {
    match message.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(refusal),
    }
}

/// The limits are those of docs.slack.dev/reference/block-kit/blocks. A type that is not modelled here is refused, so
/// that nothing unproven passes.
fn is_valid(block: &Map<String, Value>) -> bool {
    let id = block.get("block_id").is_none_or(|id| chars(id).is_some_and(|chars| (1..=255).contains(&chars)));
    let body = match block.get("type").and_then(Value::as_str) {
        Some("divider") => true,
        Some("header") => is_text(block.get("text"), &["plain_text"], 150),
        Some("section") => is_section(block),
        Some("context") => is_some_list(block.get("elements"), 10, |element| {
            is_text(Some(element), &["plain_text", "mrkdwn"], 3000) || element.as_object().is_some_and(is_image)
        }),
        Some("actions") => is_some_list(block.get("elements"), 25, is_button),
        Some("image") => is_image(block),
        _ => false,
    };
    id && body
}

fn is_section(block: &Map<String, Value>) -> bool {
    const KINDS: &[&str] = &["plain_text", "mrkdwn"];
    let text = block.get("text").is_none_or(|text| is_text(Some(text), KINDS, 3000));
    let fields = block
        .get("fields")
        .is_none_or(|fields| is_some_list(Some(fields), 10, |field| is_text(Some(field), KINDS, 2000)));
    (block.contains_key("text") || block.contains_key("fields")) && text && fields
}

fn is_button(element: &Value) -> bool {
    element["type"] == "button"
        && is_text(element.get("text"), &["plain_text"], 75)
        && element.get("url").is_none_or(|url| chars(url).is_some_and(|chars| chars <= 3000))
}

fn is_image(image: &Map<String, Value>) -> bool {
    let has =
        |name: &str, most: usize| image.get(name).and_then(chars).is_some_and(|chars| (1..=most).contains(&chars));
    image.get("type").is_some_and(|kind| kind == "image") && has("image_url", 3000) && has("alt_text", 2000)
}

fn is_text(text: Option<&Value>, kinds: &[&str], most: usize) -> bool {
    let Some(text) = text.and_then(Value::as_object) else { return false };
    text.get("type").and_then(Value::as_str).is_some_and(|kind| kinds.contains(&kind))
        && text.get("text").and_then(chars).is_some_and(|chars| (1..=most).contains(&chars))
}

fn is_some_list(list: Option<&Value>, most: usize, is_valid: impl Fn(&Value) -> bool) -> bool {
    list.and_then(Value::as_array).is_some_and(|items| (1..=most).contains(&items.len()) && items.iter().all(is_valid))
}

fn chars(text: &Value) -> Option<usize> {
    text.as_str().map(|text| text.chars().count())
}
