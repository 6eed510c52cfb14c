//! What the simulator tells of itself, beside Shopify's API.

use axum::{Json, Router, extract::State, routing::get};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Shares, bodies, state::About, store::Store};

/// The store's own control paths.
pub(super) fn routes() -> Router<Store> {
    Router::new().route("/_control/records", get(|State(store): State<Store>| async move { store.records() })).route(
        "/_control/deliveries",
        get(|State(store): State<Store>| async move { Json(store.deliveries()) }).put(set_shares),
    )
}

async fn set_shares(State(store): State<Store>, Json(shares): Json<Shares>) -> StatusCode {
    store.set_shares(shares);
    StatusCode::NO_CONTENT
}

impl Store {
    /// An order, customer or product as its webhook tells it now; null if there is none.
    pub fn body(&self, kind: &str, id: u64) -> Value {
        let about = match kind {
            "order" => About::Order(id),
            "customer" => About::Customer(id),
            _ => About::Product(id),
        };
        bodies::of(&self.state(), &about).unwrap_or_default()
    }

    /// All records as they are now, one JSON object a line: `{"kind", "id", "body"}`, bodies as in webhooks. Orders
    /// also carry their fulfilment orders, levels their three quantities and the SKU.
    pub fn records(&self) -> String {
        let state = self.state();
        let mut text = String::new();
        let mut write = |kind: &str, id: String, body: Value| {
            text.push_str(&json!({"kind": kind, "id": id, "body": body}).to_string());
            text.push('\n');
        };
        for id in state.customers.keys() {
            write("customer", id.to_string(), bodies::of(&state, &About::Customer(*id)).unwrap_or_default());
        }
        for id in state.products.keys() {
            write("product", id.to_string(), bodies::of(&state, &About::Product(*id)).unwrap_or_default());
        }
        for ((item, location), level) in &state.levels {
            let sku = state.variant(|variant| variant.inventory_item_id == *item).and_then(|(_, one)| one.sku.clone());
            let place = state.locations.get(location).map(|location| location.name.clone());
            let body = json!({
                "inventory_item_id": item,
                "location_id": location,
                "location": place,
                "sku": sku,
                "available": level.available,
                "committed": level.committed,
                "on_hand": level.on_hand(),
            });
            write("inventory-level", format!("{item}-{location}"), body);
        }
        for (id, order) in &state.orders {
            let mut body = bodies::of(&state, &About::Order(*id)).unwrap_or_default();
            body["fulfillment_orders"] = order
                .fulfillment_orders
                .iter()
                .map(|one| {
                    json!({
                        "id": one.id,
                        "location_id": one.location,
                        "lines": one.lines.iter().map(|line| json!({
                            "line_item_id": line.line, "total": line.total, "remaining": line.remaining,
                        })).collect::<Vec<_>>(),
                    })
                })
                .collect();
            write("order", id.to_string(), body);
            for refund in &order.refunds {
                let body = bodies::of(&state, &About::Refund(*id, refund.id)).unwrap_or_default();
                write("refund", refund.id.to_string(), body);
            }
        }
        text
    }
}
