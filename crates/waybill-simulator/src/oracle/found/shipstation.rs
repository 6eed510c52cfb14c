//! ShipStation's shipments and labels, listed whole (API v2).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{
    super::{
        compare::Found,
        http::{answer, text},
        records::{Order, Records},
    },
    join_content,
};

/// A label that was bought and not voided.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) tracking: String,
    /// SKU and units.
    pub(crate) content: Vec<(String, i64)>,
    /// The store's lines in it.
    lines: BTreeSet<u64>,
}

/// What ShipStation holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shipping {
    shipments: Vec<Value>,
    labels: Vec<Label>,
}

impl Shipping {
    /// The labels of an order's parcels.
    pub(crate) fn labels_of<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = &'a Label> {
        self.labels.iter().filter(|label| order.lines.iter().any(|line| label.lines.contains(&line.id)))
    }

    /// One object for each shipment that was made, its split parts with it, by the order whose lines it holds.
    pub(crate) fn shipments(&self, store: &Records) -> Vec<Found> {
        let owners: HashMap<u64, &Order> =
            store.orders.iter().flat_map(|order| order.lines.iter().map(move |line| (line.id, order))).collect();
        let mut by_order: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        let mut found = Vec::new();
        for shipment in self.shipments.iter().filter(|one| one["shipment_status"] != "cancelled") {
            match lines(shipment).iter().find_map(|line| owners.get(line)) {
                Some(order) => by_order.entry(&order.name).or_default().push(shipment),
                None => {
                    let id = shipment["shipment_id"].as_str().unwrap_or_default();
                    found.push(Found::new("shipping", "shipment", format!("{id}, of no order")));
                }
            }
        }
        for (name, parts) in by_order {
            // A split part is called by its own id; what somebody made has a name from outside.
            let made: Vec<&&Value> =
                parts.iter().filter(|one| one["external_shipment_id"] != one["shipment_id"]).collect();
            let content: Vec<(String, i64)> = parts.iter().flat_map(|one| content(one)).collect();
            for shipment in &made {
                let to = &shipment["ship_to"];
                let mut object = Found::new("shipping", "shipment", name).with("items", join_content(&content));
                for field in ["name", "company_name", "address_line1", "city_locality", "postal_code", "country_code"] {
                    object = object.with(field, to[field].as_str().unwrap_or_default());
                }
                found.push(object);
            }
        }
        found
    }
}

fn items(shipment: &Value) -> impl Iterator<Item = &Value> {
    shipment["items"].as_array().into_iter().flatten()
}

fn lines(shipment: &Value) -> BTreeSet<u64> {
    items(shipment).filter_map(|item| item["external_order_item_id"].as_str()?.parse().ok()).collect()
}

fn content(shipment: &Value) -> Vec<(String, i64)> {
    items(shipment)
        .map(|item| {
            let units = item["quantity"].as_i64().or_else(|| item["quantity"].as_f64().map(|units| units as i64));
            (item["sku"].as_str().unwrap_or_default().to_owned(), units.unwrap_or_default())
        })
        .collect()
}

/// All shipments and labels.
pub(crate) async fn read(ready: &Value) -> anyhow::Result<Shipping> {
    let (url, key) = (text(ready, &["shipstation", "url"])?, text(ready, &["shipstation", "api_key"])?);
    let shipments = list(&url, &key, "shipments").await?;
    let by_id: HashMap<&str, &Value> =
        shipments.iter().filter_map(|shipment| Some((shipment["shipment_id"].as_str()?, shipment))).collect();
    let mut labels = Vec::new();
    for label in list(&url, &key, "labels").await? {
        if label["voided"] == true {
            continue;
        }
        let Some(shipment) = label["shipment_id"].as_str().and_then(|id| by_id.get(id)) else { continue };
        labels.push(Label {
            tracking: label["tracking_number"].as_str().unwrap_or_default().to_owned(),
            content: content(shipment),
            lines: lines(shipment),
        });
    }
    Ok(Shipping { shipments, labels })
}

async fn list(url: &str, key: &str, kind: &str) -> anyhow::Result<Vec<Value>> {
    let client = reqwest::Client::new();
    let mut all = Vec::new();
    for page in 1.. {
        let address = format!("{url}/v2/{kind}?page={page}&page_size=100");
        let body = answer(|| client.get(&address).header("api-key", key)).await?;
        all.extend(body[kind].as_array().cloned().unwrap_or_default());
        if body["pages"].as_u64().is_none_or(|pages| page >= pages) {
            break;
        }
    }
    Ok(all)
}
