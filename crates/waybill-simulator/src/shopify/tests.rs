//! Tests of the simulated store through its HTTP API.

mod answers;
mod bodies;
mod bulk;
mod refused_mutations;
mod sold;
mod webhooks;
mod wrong_requests;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::BodyExt;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{
    Address, NewCustomer, NewDiscount, NewLine, NewOrder, NewShipping, Payment, Settings, Store, order::Tracking,
    shipping::Portion,
};

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A store with settings that suit a test: no limit that a test could run into.
pub(crate) fn store() -> Store {
    Store::new(Settings { bucket: 1_000_000, ..Settings::default() })
}

/// Posts a raw body to the API with a token.
pub(crate) async fn post_raw(store: &Store, token: Option<&str>, body: Bytes) -> (u16, Value) {
    let mut request = Request::post("/admin/api/2026-07/graphql.json").header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("x-shopify-access-token", token);
    }
    let request = request.body(axum::body::Body::from(body)).unwrap();
    let answer = store.simulated().router.oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// Asks the API with the right token.
pub(crate) async fn ask(store: &Store, query: &str, variables: Value) -> Value {
    let body = Bytes::from(json!({"query": query, "variables": variables}).to_string());
    let (status, answer) = post_raw(store, Some("shpat_simulated"), body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// As [`ask`], and nothing may be wrong. Returns `data`.
pub(crate) async fn data(store: &Store, query: &str, variables: Value) -> Value {
    let answer = ask(store, query, variables).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"].clone()
}

/// An address in Vienna.
pub(crate) fn vienna() -> Address {
    Address {
        first_name: Some("Søren".into()),
        last_name: Some("Ærø".into()),
        address1: "Gumpendorfer Straße 1".into(),
        city: "Wien".into(),
        zip: "1060".into(),
        country: "Austria".into(),
        country_code: "AT".into(),
        phone: Some("+43 1 5550100".into()),
        ..Address::default()
    }
}

/// A line of the catalogue at its net price with Austrian tax.
pub(crate) fn line(sku: &str, quantity: i64) -> NewLine {
    let item = crate::catalogue::find(sku).unwrap();
    NewLine {
        sku: Some(sku.into()),
        title: item.product.into(),
        quantity,
        price: item.price(),
        taxes: vec![("AT VAT".into(), decimal("0.2"))],
        duty: Decimal::ZERO,
    }
}

/// A paid order of two tees and a mug with shipping.
pub(crate) fn paid_order() -> NewOrder {
    NewOrder {
        email: Some("jo@example.com".into()),
        billing: Some(vienna()),
        shipping_address: Some(vienna()),
        lines: vec![line("TEE-WHITE-M", 2), line("MUG-300", 1)],
        shipping: vec![NewShipping {
            title: "Standard".into(),
            code: "standard".into(),
            price: decimal("5.00"),
            taxes: vec![("AT VAT".into(), decimal("0.2"))],
        }],
        payment: Payment::Paid,
        ..NewOrder::default()
    }
}

impl Store {
    /// Sends whatever paid orders still have to send.
    pub(crate) fn send_all(&self) {
        let mut orders = self.state().orders.values().cloned().collect::<Vec<_>>();
        orders.retain(|order| ["paid", "partially_refunded"].contains(&order.financial_status()));
        let open = orders.iter().flat_map(|order| &order.fulfillment_orders);
        for one in open.filter(|one| one.lines.iter().any(|line| line.remaining > 0)) {
            let all = [Portion { fulfillment_order: one.id, lines: None }];
            self.change(|state| state.fulfill(&all, Tracking::default())).unwrap();
        }
    }
}

/// A customer to be entered.
pub(crate) fn customer() -> NewCustomer {
    NewCustomer {
        first_name: Some("Jo".into()),
        last_name: Some("O'Neill".into()),
        email: Some("jo@example.com".into()),
        phone: Some("+4315550100".into()),
        address: Some(vienna()),
        tags: vec!["vip".into()],
        ..NewCustomer::default()
    }
}

/// A discount by code on the first line.
pub(crate) fn five_off_the_first_line() -> NewDiscount {
    NewDiscount {
        kind: super::DiscountKind::Code,
        name: "WELCOME5".into(),
        value: super::DiscountValue::Fixed(decimal("5.00")),
        lines: vec![(0, decimal("5.00"))],
        shipping: Decimal::ZERO,
    }
}

/// Shared data outside the project, where there is some.
pub(crate) fn shared(path: &str) -> Option<std::path::PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own setting: where the vendors' files are")]
    let folder = std::env::var("WAYBILL_SHARED").ok().map(std::path::PathBuf::from);
    let found = folder.map(|folder| folder.join(path)).filter(|found| found.exists());
    if found.is_none() {
        println!("skipped: WAYBILL_SHARED does not lead to {path}");
        #[expect(clippy::disallowed_methods, reason = "in CI a missing folder is a failure")]
        let ci = std::env::var("CI").is_ok();
        assert!(!ci, "CI is set, and WAYBILL_SHARED does not lead to {path}");
    }
    found
}

/// The header map of a captured request, in a form that is easy to ask.
pub(crate) fn header<'a>(headers: &'a HeaderMap<HeaderValue>, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
