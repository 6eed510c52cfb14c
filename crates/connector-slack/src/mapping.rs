//! An incident as a Slack message.

use waybill_domain::document::{IncidentDocument, Severity};

use crate::wire::{Block, Message, Text};

/// docs.slack.dev/reference/block-kit/blocks
const HEADER_CHARS: usize = 150;
const SECTION_CHARS: usize = 3000;
const FIELD_CHARS: usize = 2000;
/// Slack advises at most 4,000 characters of `text`.
const TEXT_CHARS: usize = 3000;
const RECORDS: usize = 10;

pub(crate) fn message(incident: &IncidentDocument) -> Message {
    let heading = if incident.resolved {
        format!("Resolved: {}", incident.summary)
    } else {
        format!("{}: {}", severity(incident.severity), incident.summary)
    };
    let mut blocks = vec![Block::Header { text: Text::PlainText(shortened(&heading, HEADER_CHARS)) }];
    if heading.chars().count() > HEADER_CHARS {
        blocks.push(section(escaped(&incident.summary, SECTION_CHARS)));
    }
    if !incident.resolved {
        blocks.extend(labelled("What it means", &incident.meaning));
        blocks.extend(labelled("What to do", &incident.action));
        blocks.extend(labelled("In the system's words", &incident.detail));
    }
    blocks.push(Block::Section { text: None, fields: fields(incident) });
    if !incident.records.is_empty() {
        let mut records = incident.records.iter().take(RECORDS).map(String::as_str).collect::<Vec<_>>().join(", ");
        if incident.records.len() > RECORDS {
            records.push_str(", …");
        }
        blocks.push(context(escaped(&records, SECTION_CHARS)));
    }
    // A link that does not fit is left out: half a link leads nowhere.
    let link = format!("<{}|Open in the console>", incident.link.replace('|', "%7C").replace('>', "%3E"));
    if !incident.link.is_empty() && link.chars().count() <= SECTION_CHARS {
        blocks.push(section(link));
    }
    blocks.push(context(format!("incident {}", incident.key)));
    Message { text: escaped(&heading, TEXT_CHARS), blocks }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::Error => "Error",
        Severity::Warning => "Warning",
        Severity::Info => "Info",
    }
}

fn fields(incident: &IncidentDocument) -> Vec<Text> {
    let opened_at = incident.opened_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    [
        ("System", incident.system.as_str()),
        ("Cause", incident.code.as_str()),
        ("Deliveries", &incident.count.to_string()),
        ("Since", &opened_at),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(label, value)| Text::Mrkdwn(format!("*{label}*\n{}", escaped(value, FIELD_CHARS - label.len() - 3))))
    .collect()
}

/// A section with a bold label; none for an empty text, which Slack refuses.
fn labelled(label: &str, text: &str) -> Option<Block> {
    let most = SECTION_CHARS - label.len() - 3;
    (!text.is_empty()).then(|| section(format!("*{label}*\n{}", escaped(text, most))))
}

fn section(text: String) -> Block {
    Block::Section { text: Some(Text::Mrkdwn(text)), fields: Vec::new() }
}

fn context(text: String) -> Block {
    Block::Context { elements: vec![Text::Mrkdwn(text)] }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Escapes what Slack reads as control characters, in at most so many characters, without cutting an escape in two.
fn escaped(text: &str, most: usize) -> String {
    let mut result = String::with_capacity(text.len());
    let (mut used, mut fitting) = (0, 0);
    for char in text.chars() {
        let mut buffer = [0; 4];
        let escape = match char {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => char.encode_utf8(&mut buffer),
        };
        used += escape.chars().count();
        if used > most {
            result.truncate(fitting);
            result.push('…');
            return result;
        }
        result.push_str(escape);
        if used < most {
            fitting = result.len();
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use waybill_domain::{
        Kind, ObjectKey, RecordKey,
        document::{IncidentDocument, Severity},
    };

    use super::{escaped, message};

    fn incident() -> IncidentDocument {
        let record = RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: "1".parse().unwrap() };
        IncidentDocument {
            key: ObjectKey::new(&record, "incident"),
            resolved: false,
            severity: Severity::Error,
            summary: "erp: 3 orders are parked".to_owned(),
            meaning: "They are not booked.".to_owned(),
            action: "Create the item & retry.".to_owned(),
            system: "erp".to_owned(),
            code: "unknown_item".to_owned(),
            detail: String::new(),
            count: 3,
            records: vec!["main/order/1001".to_owned(), "main/order/1002".to_owned()],
            opened_at: "2026-11-21T10:00:00Z".parse().unwrap(),
            link: "https://waybill.example.com/incidents/1".to_owned(),
        }
    }

    #[test]
    fn an_open_incident_says_what_it_means_and_what_to_do() {
        let incident = incident();
        let mrkdwn = |text: &str| json!({ "type": "mrkdwn", "text": text });
        assert_eq!(
            serde_json::to_value(message(&incident)).unwrap(),
            json!({
                "text": "Error: erp: 3 orders are parked",
                "blocks": [
                    { "type": "header", "text": { "type": "plain_text", "text": "Error: erp: 3 orders are parked" } },
                    { "type": "section", "text": mrkdwn("*What it means*\nThey are not booked.") },
                    { "type": "section", "text": mrkdwn("*What to do*\nCreate the item &amp; retry.") },
                    { "type": "section", "fields": [
                        mrkdwn("*System*\nerp"),
                        mrkdwn("*Cause*\nunknown_item"),
                        mrkdwn("*Deliveries*\n3"),
                        mrkdwn("*Since*\n2026-11-21 10:00 UTC"),
                    ] },
                    { "type": "context", "elements": [mrkdwn("main/order/1001, main/order/1002")] },
                    { "type": "section", "text": mrkdwn("<https://waybill.example.com/incidents/1|Open in the console>") },
                    { "type": "context", "elements": [mrkdwn(&format!("incident {}", incident.key))] },
                ],
            })
        );
    }

    #[test]
    fn a_finished_incident_says_so_and_asks_for_nothing() {
        let text = serde_json::to_string(&message(&IncidentDocument { resolved: true, ..incident() })).unwrap();
        assert!(text.contains("Resolved: erp") && !text.contains("What to do"), "{text}");
    }

    #[test]
    fn an_escape_is_never_cut_in_two() {
        assert_eq!(escaped("a<b", 6), "a&lt;b");
        assert_eq!(escaped("ab<c", 6), "ab…");
        assert_eq!(escaped("abc", 3), "abc");
        assert_eq!(escaped("abcd", 3), "ab…");
    }

    #[test]
    fn every_text_keeps_to_its_limit() {
        let long = "<".repeat(10_000);
        let message = serde_json::to_value(message(&IncidentDocument {
            summary: long.clone(),
            meaning: long.clone(),
            action: long.clone(),
            detail: long.clone(),
            system: long.clone(),
            code: long.clone(),
            link: long.clone(),
            records: vec![long; 100],
            ..incident()
        }))
        .unwrap();
        let chars = |text: &Value| text["text"].as_str().unwrap().chars().count();
        for block in message["blocks"].as_array().unwrap() {
            match block["type"].as_str().unwrap() {
                "header" => assert!(chars(&block["text"]) <= 150),
                "context" => assert!(chars(&block["elements"][0]) <= 3000),
                _ if block["text"].is_object() => assert!(chars(&block["text"]) <= 3000),
                _ => assert!(block["fields"].as_array().unwrap().iter().all(|field| chars(field) <= 2000)),
            }
        }
    }
}
