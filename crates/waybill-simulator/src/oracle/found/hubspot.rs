//! HubSpot's contacts and orders, listed whole (CRM API 2026-03).

use std::collections::HashMap;

use serde_json::Value;

use super::super::{
    compare::Found,
    http::{answer, text},
};

const CONTACT: &[&str] =
    &["email", "firstname", "lastname", "phone", "waybill_orders", "waybill_total_spent", "waybill_last_order"];

const ORDER: &[&str] = &[
    "hs_order_name",
    "hs_currency_code",
    "hs_total_price",
    "hs_external_order_status",
    "hs_fulfillment_status",
    "hs_shipping_tracking_number",
];

/// All contacts and orders.
pub(crate) async fn read(ready: &Value) -> anyhow::Result<Vec<Found>> {
    let (url, token) = (text(ready, &["hubspot", "url"])?, text(ready, &["hubspot", "token"])?);
    let contacts = list(&url, &token, "contacts", CONTACT, "").await?;
    let orders = list(&url, &token, "orders", ORDER, "&associations=contacts").await?;
    let mut emails: HashMap<String, String> = HashMap::new();
    let mut found = Vec::new();
    for contact in &contacts {
        let email = property(contact, "email");
        emails.insert(contact["id"].as_str().unwrap_or_default().to_owned(), email.clone());
        let fields = CONTACT.iter().map(|name| ((*name).to_owned(), property(contact, name))).collect();
        found.push(Found { fields, ..Found::new("crm", "contact", email) });
    }
    for order in &orders {
        let fields = ORDER.iter().map(|name| ((*name).to_owned(), property(order, name))).collect();
        let buyers = order["associations"]["contacts"]["results"].as_array();
        let mut buyers: Vec<&str> = buyers
            .into_iter()
            .flatten()
            .filter_map(|one| emails.get(one["id"].as_str()?).map(String::as_str))
            .collect();
        buyers.sort_unstable();
        buyers.dedup();
        let found_order = Found { fields, ..Found::new("crm", "order", property(order, "hs_order_name")) };
        found.push(found_order.with("buyer", buyers.join(", ")));
    }
    Ok(found)
}

fn property(object: &Value, name: &str) -> String {
    object["properties"][name].as_str().unwrap_or_default().to_owned()
}

async fn list(url: &str, token: &str, kind: &str, properties: &[&str], more: &str) -> anyhow::Result<Vec<Value>> {
    let client = reqwest::Client::new();
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let properties = properties.join(",");
        let page = format!("{url}/crm/objects/2026-03/{kind}?limit=100&properties={properties}{more}{after}");
        let body = answer(|| client.get(&page).bearer_auth(token)).await?;
        all.extend(body["results"].as_array().cloned().unwrap_or_default());
        match body["paging"]["next"]["after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(all),
        }
    }
}
