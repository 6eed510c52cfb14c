//! A caller of the simulated account, for tests.

use axum::body::Body;
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Settings, simulated};
use crate::kit::Simulated;

/// An answer.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Null if the answer has none.
    pub(super) body: Value,
}

/// A caller with the account's token.
pub(super) struct Desk {
    pub(super) hubspot: Simulated,
    pub(super) token: String,
    pub(super) content_type: &'static str,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self::with(Settings {
            search_lag: std::time::Duration::ZERO,
            searches_per_second: 1_000,
            requests: 1_000,
            ..Settings::default()
        })
    }

    pub(super) fn with(settings: Settings) -> Self {
        let token = settings.token.clone();
        Self { hubspot: simulated(settings), token, content_type: "application/json" }
    }

    /// Sends a body as it is.
    pub(super) async fn send(&self, method: &str, path: &str, body: &str) -> Answered {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        if !self.content_type.is_empty() && !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, self.content_type);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.hubspot.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answered {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() },
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answered {
        self.send("GET", path, "").await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answered {
        self.send("POST", path, &body.to_string()).await
    }

    /// Makes the unique text property `our_key` of a kind.
    pub(super) async fn with_key_property(self, kind: &str, group: &str) -> Self {
        let property = json!({
            "name": "our_key", "label": "Our key", "groupName": group, "type": "string", "fieldType": "text",
            "hasUniqueValue": true,
        });
        let made = self.post(&format!("/crm/properties/2026-03/{kind}"), &property).await;
        assert_eq!(made.status, 201, "{}", made.body);
        self
    }

    /// Creates a contact; answers its id.
    pub(super) async fn contact(&self, email: &str) -> String {
        let body = json!({"properties": {"email": email}, "associations": []});
        let made = self.post("/crm/objects/2026-03/contacts", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// Creates an order; answers its id.
    pub(super) async fn order(&self, name: &str) -> String {
        let body = json!({"properties": {"hs_order_name": name}, "associations": []});
        let made = self.post("/crm/objects/2026-03/orders", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["id"].as_str().unwrap().to_owned()
    }
}
