//! Counts in the vendors' journals what was made twice and what was written for nothing.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::world::World;
use crate::loopback_http;

/// One accepted write, as a vendor's journal has it.
#[derive(Debug, Clone, Deserialize)]
struct Entry {
    vendor: String,
    action: String,
    object: String,
    id: String,
    reference: String,
    body: Value,
}

/// What the journals show.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recount {
    /// Records, parcels and pages that were made more than once, with how often.
    pub(crate) doubled: Vec<String>,
    /// Writes that changed nothing.
    pub(crate) redundant: Vec<String>,
}

/// Objects that are made for a record of ours, by vendor.
const MADE: [(&str, &str); 7] = [
    ("hubspot", "contact"),
    ("hubspot", "order"),
    ("tryton", "sale.sale"),
    ("tryton", "party.party"),
    ("shipstation", "shipment"),
    ("shopify", "fulfillment"),
    ("pagerduty", "alert"),
];

/// Asks every vendor for its journal.
///
/// # Errors
/// If one does not answer with it.
pub(crate) fn ask(world: &World) -> anyhow::Result<Recount> {
    let mut entries = Vec::new();
    for (name, url) in world.vendors() {
        let journal =
            loopback_http::get(&url, "/_control/journal").with_context(|| format!("the journal of {name}"))?;
        entries.extend(read(&journal.body)?);
    }
    Ok(of(&entries))
}

/// Reads a journal's lines.
fn read(lines: &str) -> anyhow::Result<Vec<Entry>> {
    lines.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// Goes through all entries of all vendors, each vendor's in order.
fn of(entries: &[Entry]) -> Recount {
    let mut recount = Recount::default();
    let mut made: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut there: BTreeMap<(&str, &str, &str), Map<String, Value>> = BTreeMap::new();
    for entry in entries {
        let at = (entry.vendor.as_str(), entry.object.as_str(), entry.id.as_str());
        let is_made = MADE.contains(&(at.0, at.1));
        match entry.action.as_str() {
            "create" => {
                if let (true, Some(of)) = (is_made, of_what(entry)) {
                    made.entry((format!("{} {}", at.0, at.1), of)).or_default().push(entry.id.clone());
                }
                there.insert(at, flat(&entry.body));
            }
            // A draft that was made twice and taken back before it counted was never two. A page that was resolved was.
            "delete" | "cancel" => {
                for ids in made.values_mut() {
                    ids.retain(|id| (at.0, at.1, id.as_str()) != at || !is_made);
                }
                there.remove(&at);
            }
            "update" | "write" => {
                let body = flat(&entry.body);
                let known = there.entry(at).or_default();
                if is_made && changes_nothing(entry, known, &body) {
                    recount.redundant.push(format!("{} {} {} {}", at.0, at.1, entry.reference, entry.id));
                }
                known.extend(body);
            }
            // The store's journal says so of a price or a level that was set to what it is.
            "unchanged" => {
                recount.redundant.push(format!("{} {} {} {}", at.0, at.1, entry.reference, entry.id));
            }
            _ => {}
        }
    }
    let twice = made.into_iter().filter(|(_, ids)| ids.len() > 1);
    recount.doubled = twice.map(|((what, of), ids)| format!("{what} of {of}: {}", ids.join(", "))).collect();
    recount
}

/// What of ours an object was made for.
fn of_what(entry: &Entry) -> Option<String> {
    let of = match (entry.vendor.as_str(), entry.object.as_str()) {
        // A parcel with goods of two locations is a fulfilment at each: Shopify takes one location's at a time.
        ("shopify", "fulfillment") => {
            let tracking = &entry.body["trackingInfo"];
            let number = tracking["number"].as_str().or(tracking["numbers"][0].as_str())?;
            format!("{number} from {}", entry.body["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderId"])
        }
        _ => entry.reference.clone(),
    };
    (!of.is_empty()).then_some(of)
}

fn changes_nothing(entry: &Entry, known: &Map<String, Value>, body: &Map<String, Value>) -> bool {
    // HubSpot's journal says itself what a write changed.
    if let Some(changed) = entry.body.get("changed") {
        return matches!(changed, Value::Bool(false)) || changed.as_array().is_some_and(Vec::is_empty);
    }
    !body.is_empty() && body.iter().all(|(name, value)| known.get(name) == Some(value))
}

/// A body's values by their paths; lists are whole.
fn flat(body: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    flatten(body, String::new(), &mut all);
    all
}

fn flatten(value: &Value, path: String, all: &mut Map<String, Value>) {
    match value {
        Value::Object(members) if path.is_empty() || !members.is_empty() => {
            for (name, value) in members {
                flatten(value, format!("{path}/{name}"), all);
            }
        }
        other => {
            all.insert(path, other.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(lines: &[&str]) -> Vec<Entry> {
        read(&lines.join("\n")).expect("entries")
    }

    const SHIPMENT: &str = r#"{"vendor":"shipstation","action":"create","object":"shipment","id":"se-1","reference":"k1","body":{"ship_to":{"name":"Ada"}}}"#;

    #[test]
    fn two_objects_of_one_record_are_doubled_unless_one_was_taken_back() {
        let second = SHIPMENT.replace("se-1", "se-2");
        assert_eq!(of(&entries(&[SHIPMENT, &second])).doubled, ["shipstation shipment of k1: se-1, se-2"]);
        let cancelled = second.replace("create", "cancel");
        assert_eq!(of(&entries(&[SHIPMENT, &second, &cancelled])), Recount::default());
    }

    #[test]
    fn a_parcel_is_known_by_its_tracking_number_and_where_its_goods_are_from() {
        let parcel = |id: u32, number: u32, from: u32| {
            format!(
                r##"{{"vendor":"shopify","action":"create","object":"fulfillment","id":"{id}","reference":"#1","body":{{"lineItemsByFulfillmentOrder":[{{"fulfillmentOrderId":"{from}"}}],"trackingInfo":{{"number":"T{number}"}}}}}}"##
            )
        };
        assert_eq!(of(&entries(&[&parcel(1, 1, 1), &parcel(2, 2, 1), &parcel(3, 1, 2)])).doubled, [""; 0]);
        assert_eq!(of(&entries(&[&parcel(1, 1, 1), &parcel(2, 1, 1)])).doubled.len(), 1);
    }

    #[test]
    fn a_page_that_comes_again_after_it_was_resolved_is_doubled() {
        let page = |action: &str, id: u32| {
            format!(
                r#"{{"vendor":"pagerduty","action":"{action}","object":"alert","id":"{id}","reference":"incident-1","body":{{}}}}"#
            )
        };
        let (once, resolved, again) = (page("create", 1), page("resolve", 1), page("create", 2));
        assert_eq!(of(&entries(&[&once, &resolved])).doubled, [""; 0]);
        assert_eq!(of(&entries(&[&once, &resolved, &again])).doubled, ["pagerduty alert of incident-1: 1, 2"]);
    }

    #[test]
    fn a_write_of_what_is_there_is_redundant() {
        let price = r#"{"vendor":"shopify","action":"unchanged","object":"product_variant","id":"7","reference":"TEE","body":{}}"#;
        assert_eq!(of(&entries(&[price])).redundant, ["shopify product_variant TEE 7"]);
        let update = |name: &str| SHIPMENT.replace("create", "update").replace("Ada", name);
        assert_eq!(of(&entries(&[SHIPMENT, &update("Ada")])).redundant.len(), 1);
        assert_eq!(of(&entries(&[SHIPMENT, &update("Bo"), &update("Ada")])).redundant, [""; 0]);
    }
}
