//! Webhooks and bodies as tests send them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use waybill_simulator::shopify::signature;

/// What signs the store's webhooks now.
pub(crate) const SECRET: &str = "the-store's-secret";
/// What signed them before the rotation, and may still.
pub(crate) const PREVIOUS_SECRET: &str = "the-store's-secret-before";

/// A delivery to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) store: String,
    pub(crate) id: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A signed delivery with an id of its own.
pub(crate) fn webhook(topic: &str, body: impl ToBytes) -> Webhook {
    static SENT: AtomicU64 = AtomicU64::new(1);
    let body = body.to_bytes();
    let id = format!("delivery-{}", SENT.fetch_add(1, Ordering::Relaxed));
    let headers = [
        ("x-shopify-topic", topic),
        ("x-shopify-shop-domain", "waldgang-main.myshopify.com"),
        ("x-shopify-api-version", "2026-07"),
        ("x-shopify-webhook-id", &id),
        ("x-shopify-hmac-sha256", &signature(SECRET, &body)),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Webhook { store: "main".to_owned(), id, headers, body }
}

impl Webhook {
    pub(crate) fn to(mut self, store: &str) -> Self {
        self.store = store.to_owned();
        self
    }

    pub(crate) fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| name != header);
        self
    }

    pub(crate) fn with(self, header: &str, value: &str) -> Self {
        let mut changed = self.without(header);
        changed.headers.push((header.to_owned(), value.to_owned()));
        changed
    }

    pub(crate) fn signed_with(self, secret: &str) -> Self {
        let made = signature(secret, &self.body);
        self.with("x-shopify-hmac-sha256", &made)
    }
}

/// What a body can be given as.
pub(crate) trait ToBytes {
    fn to_bytes(self) -> Vec<u8>;
}

impl ToBytes for Vec<u8> {
    fn to_bytes(self) -> Vec<u8> {
        self
    }
}

impl ToBytes for &[u8] {
    fn to_bytes(self) -> Vec<u8> {
        self.to_vec()
    }
}

impl ToBytes for &Value {
    fn to_bytes(self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

/// An order of one line that last changed at `updated_at`.
pub(crate) fn order(id: u64, updated_at: &str) -> Value {
    let set = |amount: &str| {
        json!({
            "shop_money": {"amount": amount, "currency_code": "EUR"},
            "presentment_money": {"amount": amount, "currency_code": "EUR"},
        })
    };
    json!({
        "id": id,
        "admin_graphql_api_id": format!("gid://shopify/Order/{id}"),
        "name": format!("#{id}"),
        "created_at": "2026-07-01T10:00:00+02:00",
        "updated_at": updated_at,
        "currency": "EUR",
        "presentment_currency": "EUR",
        "financial_status": "paid",
        "note": "first",
        "line_items": [{
            "id": 11, "quantity": 2, "price": "10.00", "price_set": set("10.00"), "sku": "TEE-M", "title": "Tee",
        }],
        "total_line_items_price_set": set("20.00"),
        "total_price": "20.00",
        "total_price_set": set("20.00"),
    })
}
