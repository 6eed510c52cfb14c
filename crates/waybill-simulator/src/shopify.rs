//! Simulated: Shopify. A store with its Admin GraphQL API, version 2026-07, and its webhooks.
//!
//! Documents are parsed and validated against `schema/admin-2026-07-trimmed.graphql`, a subset of Shopify's public
//! schema. Rules and texts are those of Shopify's documentation (named where they are used) and of recorded requests
//! to API version 2026-04 with their answers. A field that is in the schema and not answered here fails the request
//! with `INTERNAL_SERVER_ERROR` and names the field; it is never null.

mod address;
mod bodies;
mod bulk;
mod bulk_files;
mod clock;
mod control;
mod deliveries;
mod giving_back;
mod graphql;
mod metafield;
mod money;
mod order;
mod placing;
mod records;
mod selling;
mod shipping;
mod state;
mod stock;
mod store;
mod throttle;

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::{Router, extract::State as Extracted, response::Response, routing::post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::kit::Simulated;

pub use address::Address;
pub use bulk::BulkFailure;
pub use deliveries::{DeliveryCounts, DeliverySettings, RETRIES, Shares, signature};
pub use giving_back::ReturnedGoods;
pub use order::{DiscountKind, DiscountValue};
pub use placing::{NewDiscount, NewLine, NewOrder, NewShipping, Payment, Rate};
pub use records::EmailConsent;
pub use store::{LineView, NewCustomer, OrderView, SentOrder, Store, TOPICS};

/// The version of the Admin API and of webhook bodies.
pub const API_VERSION: &str = "2026-07";

/// What a store is made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The access token that `X-Shopify-Access-Token` must carry.
    pub token: String,
    /// The secret that webhooks are signed with.
    pub webhook_secret: String,
    /// `…​.myshopify.com`.
    pub domain: String,
    /// The scopes that the token has.
    pub scopes: Vec<String>,
    /// Points that may be spent at once.
    pub bucket: u32,
    /// Points that come back each second.
    pub restore_rate: u32,
    /// How far searches are behind the store. Seconds were seen at Shopify
    /// (<https://github.com/lightward/mechanic-tasks/pull/66>).
    pub search_behind: Duration,
    /// How long a bulk operation takes.
    pub bulk_takes: Duration,
    /// How many may run at once. Five since 2026-01; recorded.
    pub bulk_at_once: usize,
    /// How long an operation's file is kept: seven days.
    pub bulk_kept: Duration,
    /// How webhooks are sent.
    pub deliveries: DeliverySettings,
    /// Where all topics go, beside the subscriptions made through the API: what an app's configuration file sets.
    pub webhooks_to: Option<String>,
    /// Seed of what is left to chance: identifiers, duplicates, late and lost deliveries.
    pub seed: u64,
    /// How much larger its ids are than those of a store at 0: Shopify's are global, so two stores share none.
    pub ids_apart: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let scopes = [
            "read_customers",
            "read_inventory",
            "read_locations",
            "read_merchant_managed_fulfillment_orders",
            "read_orders",
            "read_products",
            "write_inventory",
            "write_merchant_managed_fulfillment_orders",
            "write_orders",
            "write_products",
        ];
        Self {
            token: "shpat_simulated".into(),
            webhook_secret: "simulated-webhook-secret".into(),
            domain: "waldgang-main.myshopify.com".into(),
            scopes: scopes.map(str::to_owned).to_vec(),
            bucket: 2000,
            restore_rate: 100,
            search_behind: Duration::ZERO,
            bulk_takes: Duration::ZERO,
            bulk_at_once: 5,
            bulk_kept: Duration::from_secs(7 * 86_400),
            deliveries: DeliverySettings::default(),
            webhooks_to: None,
            seed: 1,
            ids_apart: 0,
        }
    }
}

/// Shopify's answer to too many requests, as its edge gives it.
fn too_many(retry_after_s: u64) -> Response {
    let mut answer = axum::response::IntoResponse::into_response((
        StatusCode::TOO_MANY_REQUESTS,
        axum::Json(
            serde_json::json!({"errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."}),
        ),
    ));
    if let Ok(value) = http::HeaderValue::from_str(&format!("{retry_after_s}.0")) {
        answer.headers_mut().insert(http::header::RETRY_AFTER, value);
    }
    answer
}

impl Store {
    /// The store, ready to be served: its API and its `_control` paths.
    pub fn simulated(&self) -> Simulated {
        let router = Router::new()
            .route(
                &format!("/admin/api/{API_VERSION}/graphql.json"),
                post(|Extracted(store): Extracted<Store>, headers: HeaderMap, body: Bytes| async move {
                    graphql::answer(&store, &headers, &body)
                }),
            )
            .merge(bulk_files::routes())
            .merge(control::routes())
            .fallback(|| async { (StatusCode::NOT_FOUND, axum::Json(serde_json::json!({"errors": "Not Found"}))) })
            .with_state(self.clone());
        Simulated {
            router,
            journal: self.0.journal.clone(),
            faults: self.0.faults.clone(),
            too_many,
            unauthorized: graphql::unauthorized,
        }
    }
}

/// The trimmed schema, as it was parsed.
#[cfg(test)]
pub(crate) fn schema() -> &'static std::sync::LazyLock<apollo_compiler::validation::Valid<apollo_compiler::Schema>> {
    &graphql::SCHEMA
}

/// What a document would cost; none if it is not of the trimmed schema.
#[cfg(test)]
pub(crate) fn cost_of(query: &str, variables: &serde_json::Value) -> Option<u64> {
    graphql::cost_of(query, variables)
}
