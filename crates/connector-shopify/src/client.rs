//! Shopify's Admin GraphQL API: one method per document.

mod answer;
pub(crate) mod document;
pub(crate) mod prices;
mod records;
pub(crate) mod shipping;
pub(crate) mod stock;
pub(crate) mod webhooks;

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use waybill_connector::{Effect, Failure, HttpClient, SystemSettings, settings::SettingsError};

pub use document::{DOCUMENTS, Document};

use crate::wire;

/// The version that the documents are written for.
pub const API_VERSION: &str = "2026-07";
/// A call's bound; under half of the engine's lease.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Calls one shop's API.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: HttpClient,
    path: String,
}

impl Client {
    /// A client for the shop of a system's settings.
    pub(crate) fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        let shop = settings.required("shop")?;
        if !is_shop_domain(shop) {
            return Err(settings.invalid("shop", "it must be the shop's own domain, such as example.myshopify.com"));
        }
        let version = settings.get("api_version").unwrap_or(API_VERSION);
        if !is_version(version) {
            return Err(settings.invalid("api_version", "it must be a version such as 2026-07, or unstable"));
        }
        let url = settings.get("url").map_or_else(|| format!("https://{shop}"), str::to_owned);
        let token = token_header(settings.secret("token")?)
            .ok_or_else(|| settings.invalid("token", "it holds characters that no token has"))?;
        let http = HttpClient::new(&url, TIMEOUT)
            .map_err(|failure| settings.invalid("url", failure.to_string()))?
            .with_header(HeaderName::from_static("x-shopify-access-token"), token)
            .with_gate(settings.gate());
        Ok(Self { http, path: format!("/admin/api/{version}/graphql.json") })
    }

    /// Sends a document and reads its data.
    pub(crate) async fn run<T: DeserializeOwned>(
        &self,
        effect: Effect,
        document: Document,
        variables: impl Serialize,
    ) -> Result<T, Failure> {
        let body = json!({ "query": document.text, "operationName": document.name, "variables": variables });
        let request = self.http.request(Method::POST, &self.path).json(&body);
        let answer = self.http.send(effect, request).await?;
        answer::data(effect, &answer)
    }

    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        document: Document,
        variables: impl Serialize,
    ) -> Result<T, Failure> {
        self.run(Effect::Read, document, variables).await
    }

    /// Which shop the token opens.
    pub(crate) async fn shop(&self) -> Result<wire::Shop, Failure> {
        let data: wire::ShopData = self.read(document::SHOP, json!({})).await?;
        Ok(data.shop)
    }

    /// What the token allows, such as `read_orders`.
    pub(crate) async fn scopes(&self) -> Result<Vec<String>, Failure> {
        let data: wire::InstallationData = self.read(document::INSTALLATION, json!({})).await?;
        Ok(data.current_app_installation.access_scopes.into_iter().map(|scope| scope.handle).collect())
    }
}

fn token_header(token: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(token.expose_secret().trim()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn is_shop_domain(shop: &str) -> bool {
    shop.strip_suffix(".myshopify.com").is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

fn is_version(version: &str) -> bool {
    version == "unstable"
        || version.split_once('-').is_some_and(|(year, month)| {
            let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
            digits(year, 4) && digits(month, 2)
        })
}

/// Shopify's errors about a mutation's input.
pub(crate) use answer::redacted;

#[cfg(test)]
mod tests {
    use super::{is_shop_domain, is_version};

    #[test]
    fn a_shop_is_named_by_its_own_domain() {
        assert!(is_shop_domain("example-1.myshopify.com"));
        for wrong in ["example.com", ".myshopify.com", "https://example.myshopify.com", "Example.myshopify.com"] {
            assert!(!is_shop_domain(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_version_is_a_quarter_or_unstable() {
        assert!(is_version("2026-07") && is_version("unstable"));
        assert!(!is_version("2026-7") && !is_version("latest") && !is_version("2026-07/.."));
    }
}
