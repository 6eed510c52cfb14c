//! The people who pack: they take what the shipping system shows as pending, and buy labels there.

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::kit::{Entry, Journal};

/// The warehouse of a simulated ShipStation.
#[derive(Debug, Clone)]
pub struct Warehouse {
    /// What the shipping system accepted: where packers see what is pending.
    pub journal: Journal,
    /// The shipping system's address.
    pub url: String,
    /// How long a shipment lies before it is packed.
    pub after: Duration,
    /// Of a hundred shipments that can be split, so many are sent in two parcels.
    pub split_percent: u32,
}

/// Packs until it is dropped.
pub(super) async fn work(warehouse: Warehouse, progress: std::sync::Arc<super::Progress>) {
    let client = reqwest::Client::new();
    let mut rng = fastrand::Rng::with_seed(97);
    let mut seen = 0;
    let mut pending: HashMap<String, (i64, Value)> = HashMap::new();
    let after_ms = i64::try_from(warehouse.after.as_millis()).unwrap_or(i64::MAX);
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let entries = warehouse.journal.entries();
        for entry in entries.iter().skip(seen) {
            notice(entry, &mut pending);
        }
        seen = entries.len();
        let now = crate::kit::now_ms();
        let due: Vec<String> =
            pending.iter().filter(|(_, (at, _))| now - at >= after_ms).map(|(id, _)| id.clone()).collect();
        for id in due {
            let Some((_, items)) = pending.remove(&id) else { continue };
            if is_held_back(&items, &progress) {
                continue;
            }
            let mut order = json!({"external_shipment_ids": [id]});
            if rng.u32(..100) < warehouse.split_percent
                && let Some(parcels) = two_parcels(&items)
            {
                order["parcels"] = parcels;
            }
            order["carrier_code"] = json!(if rng.bool() { "ups" } else { "stamps_com" });
            let sent = client.post(format!("{}/_control/ship", warehouse.url)).json(&order).send().await;
            match sent {
                Ok(answer) if answer.status().is_success() => {
                    let labels = answer.json::<Value>().await.unwrap_or_default();
                    progress.parcels(labels["labels"].as_array().map_or(0, Vec::len));
                }
                Ok(answer) => tracing::info!(shipment = id, status = answer.status().as_u16(), "not packed"),
                Err(error) => tracing::warn!(shipment = id, %error, "the shipping system does not answer the packers"),
            }
        }
    }
}

/// A shipment that was created or changed lies there with its items; a cancelled one does not.
fn notice(entry: &Entry, pending: &mut HashMap<String, (i64, Value)>) {
    if entry.object != "shipment" || entry.reference.is_empty() {
        return;
    }
    match entry.action.as_str() {
        "create" => {
            pending.insert(entry.reference.clone(), (entry.at_ms, entry.body["items"].clone()));
        }
        "update" if entry.body["items"].is_array() => {
            if let Some(waiting) = pending.get_mut(&entry.reference) {
                *waiting = (entry.at_ms, entry.body["items"].clone());
            }
        }
        "cancel" => {
            pending.remove(&entry.reference);
        }
        _ => {}
    }
}

/// Whether its goods are not to be packed; they are noted as seen.
fn is_held_back(items: &Value, progress: &super::Progress) -> bool {
    let mut held_back = progress.held_back();
    let mut found = false;
    for item in items.as_array().into_iter().flatten() {
        let line = item["external_order_item_id"].as_str().and_then(|line| line.parse::<u64>().ok());
        if let Some(seen) = line.and_then(|line| held_back.get_mut(&line)) {
            (*seen, found) = (true, true);
        }
    }
    found
}

/// One unit of the first item in a parcel, all the rest in another; none if there is one unit only.
fn two_parcels(items: &Value) -> Option<Value> {
    let content: Vec<(String, i64)> = items
        .as_array()?
        .iter()
        .filter_map(|item| {
            let line = item["external_order_item_id"].as_str().or_else(|| item["sku"].as_str())?;
            let quantity = item["quantity"].as_i64().or_else(|| item["quantity"].as_f64().map(|units| units as i64))?;
            Some((line.to_owned(), quantity))
        })
        .collect();
    let (first, units) = content.first()?.clone();
    if content.len() == 1 && units < 2 {
        return None;
    }
    let mut rest: Vec<Value> = Vec::new();
    if units > 1 {
        rest.push(json!({"line": first, "quantity": units - 1}));
    }
    rest.extend(content[1..].iter().map(|(line, units)| json!({"line": line, "quantity": units})));
    Some(json!([[{"line": first, "quantity": 1}], rest]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::two_parcels;

    #[test]
    fn one_unit_goes_ahead_and_all_the_rest_follows() {
        let items = json!([{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]);
        let expected =
            json!([[{"line": "A", "quantity": 1}], [{"line": "A", "quantity": 1}, {"line": "B", "quantity": 1}]]);
        assert_eq!(two_parcels(&items), Some(expected));
        assert_eq!(two_parcels(&json!([{"sku": "A", "quantity": 1}])), None);
    }
}
