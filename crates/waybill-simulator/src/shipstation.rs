//! A simulated ShipStation, API v2.
//!
//! Written from the vendor's OpenAPI document (shipstation/mcp-shipstation-api at ce1637f), which decides what a
//! request may hold: what it refuses is answered with 400 here. Where that document is silent or contradicts the
//! guides, the guides decide, and the place says so:
//!
//! - `PUT /v2/shipments/{shipment_id}`: docs.shipstation.com/shipments/update
//! - `external_shipment_id` is unique per account and never changes; a shipment created without one gets its own id:
//!   docs.shipstation.com/orders/external-identifiers
//! - `shipment_number` is unique per account: docs.shipstation.com/orders/shipment-numbers
//! - `GET /v2/shipments`: the document says that `pickup_id` is required, the guide that every parameter is optional:
//!   docs.shipstation.com/list-shipments
//! - 200 requests a minute, 429 with `Retry-After` in seconds: docs.shipstation.com/rate-limits
//! - a wrong and a missing key read the same, `Access denied.`
//! - split shipments: docs.shipstation.com/split-merge-shipments
//!
//! Beside the vendor's paths, the people in the warehouse have theirs:
//!
//! | path | what |
//! | --- | --- |
//! | `POST /_control/ship` | buys labels for pending shipments, whole or split; see [`WarehouseOrder`] |
//! | `DELETE /_control/shipments/{external_shipment_id}` | the account loses a shipment with its labels, and says nothing; 404 if it has none |
//! | `PUT /_control/limit` | `{"requests_per_minute": 20}` |
//!
//! Labels are voided by the vendor's own `PUT /v2/labels/{label_id}/void`.

mod account;
mod address;
mod answers;
mod labels;
mod listing;
mod shape;
mod shapes;
mod shipments;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod warehouse;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{delete, get, post, put},
};

use crate::kit::{Faults, Journal, Simulated};

pub use warehouse::{ParcelContent, WarehouseOrder};

/// How a simulated account is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The account's API key.
    pub api_key: String,
    /// Requests that the account may send in any 60 seconds.
    pub requests_per_minute: usize,
}

impl Default for Config {
    /// The key `shipstation-key` and the vendor's 200 requests a minute.
    fn default() -> Self {
        Self { api_key: "shipstation-key".to_owned(), requests_per_minute: 200 }
    }
}

/// An empty account with one warehouse and two carriers, ready to be served.
pub fn simulated(config: Config) -> Simulated {
    let journal = Journal::new("shipstation");
    let vendor = Vendor {
        api_key: config.api_key.into(),
        state: Arc::new(Mutex::new(state::Account::new(config.requests_per_minute))),
        journal: journal.clone(),
    };
    let router = Router::new()
        .route("/v2/shipments", get(shipments::list).post(shipments::create))
        .route("/v2/shipments/external_shipment_id/{external_shipment_id}", get(shipments::by_external_id))
        .route("/v2/shipments/{shipment_id}", get(shipments::by_id).put(update::update))
        .route("/v2/shipments/{shipment_id}/cancel", put(shipments::cancel))
        .route("/v2/labels", get(labels::list))
        .route("/v2/labels/shipment/{shipment_id}", post(labels::buy))
        .route("/v2/labels/{label_id}", get(labels::by_id))
        .route("/v2/labels/{label_id}/track", get(labels::track))
        .route("/v2/labels/{label_id}/void", put(labels::void))
        .route("/v2/warehouses", get(account::warehouses))
        .route("/v2/warehouses/{warehouse_id}", get(account::warehouse))
        .route("/v2/carriers", get(account::carriers))
        .route("/v2/carriers/{carrier_id}", get(account::carrier))
        .fallback(answers::no_such_path)
        .method_not_allowed_fallback(answers::no_such_method)
        .layer(middleware::from_fn_with_state(vendor.clone(), guarded))
        .route("/_control/ship", post(warehouse::ship))
        .route("/_control/shipments/{external_shipment_id}", delete(warehouse::lose))
        .route("/_control/limit", put(warehouse::limit))
        .with_state(vendor);
    Simulated {
        router,
        journal,
        faults: Faults::default(),
        too_many: answers::too_many,
        unauthorized: answers::unauthorized,
    }
}

#[derive(Clone)]
struct Vendor {
    api_key: Arc<str>,
    state: Arc<Mutex<state::Account>>,
    journal: Journal,
}

impl Vendor {
    fn account(&self) -> MutexGuard<'_, state::Account> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key first, then the limit: a request without a key is nobody's and counts for no one.
async fn guarded(State(vendor): State<Vendor>, request: Request, next: Next) -> Response {
    let key = request.headers().get("api-key").map(http::HeaderValue::as_bytes);
    if key != Some(vendor.api_key.as_bytes()) {
        return answers::unauthorized();
    }
    let over = vendor.account().over_the_limit();
    match over {
        Some(retry_after_s) => answers::too_many(retry_after_s),
        None => next.run(request).await,
    }
}
