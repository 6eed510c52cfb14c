//! An incident as PagerDuty takes it.

use waybill_domain::document::IncidentDocument;

use crate::wire::{Details, Event, Link, Payload};

/// "The maximum permitted length of this property is 1024 characters." (trigger-events)
const SUMMARY_CHARS: usize = 1024;
/// With these two, an event stays under 512 KB whatever its texts hold.
const TEXT_CHARS: usize = 8_000;
const RECORDS: usize = 50;

pub(crate) fn trigger(incident: &IncidentDocument) -> Event {
    let source = if incident.system.is_empty() { "waybill" } else { &incident.system };
    let links = if incident.link.is_empty() {
        Vec::new()
    } else {
        vec![Link { href: incident.link.clone(), text: "Incident in the console" }]
    };
    Event {
        event_action: "trigger",
        dedup_key: incident.key.as_str().to_owned(),
        client: Some("Waybill"),
        links,
        payload: Some(Payload {
            summary: shortened(&incident.summary, SUMMARY_CHARS),
            source: shortened(source, SUMMARY_CHARS),
            severity: incident.severity,
            timestamp: incident.opened_at,
            class: shortened(&incident.code, SUMMARY_CHARS),
            custom_details: Details {
                meaning: shortened(&incident.meaning, TEXT_CHARS),
                action: shortened(&incident.action, TEXT_CHARS),
                count: incident.count,
                records: incident.records.iter().take(RECORDS).map(|record| shortened(record, 255)).collect(),
                detail: shortened(&incident.detail, TEXT_CHARS),
            },
        }),
    }
}

pub(crate) fn resolve(incident: &IncidentDocument) -> Event {
    Event::resolve(incident.key.as_str().to_owned())
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use waybill_domain::{
        Kind, ObjectKey, RecordKey,
        document::{IncidentDocument, Severity},
    };

    use super::{resolve, trigger};

    fn incident() -> IncidentDocument {
        let record = RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: "1".parse().unwrap() };
        IncidentDocument {
            key: ObjectKey::new(&record, "incident"),
            resolved: false,
            severity: Severity::Error,
            summary: "erp: 3 orders are parked (unknown_item)".to_owned(),
            meaning: "They are not booked.".to_owned(),
            action: "Create the item; then `waybill parked retry`.".to_owned(),
            system: "erp".to_owned(),
            code: "unknown_item".to_owned(),
            detail: "no product with code TEE-M".to_owned(),
            count: 3,
            records: vec!["main/order/1001".to_owned()],
            opened_at: "2026-11-21T10:00:00Z".parse().unwrap(),
            link: "https://waybill.example.com/incidents/1".to_owned(),
        }
    }

    #[test]
    fn an_open_incident_is_a_trigger_that_says_what_it_means_and_what_to_do() {
        let incident = incident();
        assert_eq!(
            serde_json::to_value(trigger(&incident)).unwrap(),
            json!({
                "event_action": "trigger",
                "dedup_key": incident.key.as_str(),
                "client": "Waybill",
                "links": [{ "href": "https://waybill.example.com/incidents/1", "text": "Incident in the console" }],
                "payload": {
                    "summary": "erp: 3 orders are parked (unknown_item)",
                    "source": "erp",
                    "severity": "error",
                    "timestamp": "2026-11-21T10:00:00Z",
                    "class": "unknown_item",
                    "custom_details": {
                        "meaning": "They are not booked.",
                        "action": "Create the item; then `waybill parked retry`.",
                        "count": 3,
                        "records": ["main/order/1001"],
                        "detail": "no product with code TEE-M",
                    },
                },
            })
        );
    }

    #[test]
    fn a_finished_incident_is_a_resolve_of_the_same_key() {
        let incident = incident();
        assert_eq!(
            serde_json::to_value(resolve(&incident)).unwrap(),
            json!({ "event_action": "resolve", "dedup_key": incident.key.as_str() })
        );
    }

    #[test]
    fn an_incident_without_system_or_link_has_a_source_and_no_link() {
        let event = trigger(&IncidentDocument { system: String::new(), link: String::new(), ..incident() });
        assert_eq!(event.payload.unwrap().source, "waybill");
        assert!(event.links.is_empty());
    }

    #[test]
    fn the_longest_incident_fits_into_512_kb() {
        // A control character takes six bytes in JSON.
        let long = "\u{1}".repeat(1_000_000);
        let event = trigger(&IncidentDocument {
            summary: long.clone(),
            meaning: long.clone(),
            action: long.clone(),
            detail: long.clone(),
            system: long.clone(),
            code: long.clone(),
            records: vec![long; 1000],
            ..incident()
        });
        assert_eq!(event.payload.as_ref().unwrap().summary.chars().count(), 1024);
        assert!(serde_json::to_vec(&event).unwrap().len() < 512 * 1024);
    }
}
