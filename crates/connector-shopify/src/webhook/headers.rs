//! The headers of a delivery. They are not signed: they say what to expect, the body says what is.

use http::HeaderMap;
use jiff::Timestamp;
use thiserror::Error;

/// Why a delivery's headers are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// A header that every delivery has is absent.
    #[error("the header X-Shopify-{0} is missing")]
    Missing(&'static str),
    /// A header is not visible ASCII.
    #[error("the header X-Shopify-{0} is not text")]
    NotText(&'static str),
}

/// What a delivery says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Such as `orders/create`.
    pub topic: String,
    /// Such as `example.myshopify.com`.
    pub shop_domain: String,
    /// The version of the body's shape, such as `2026-07`; empty if not said.
    pub api_version: String,
    /// The same for each delivery of one message: what duplicates are told by.
    pub webhook_id: String,
    /// The same for all topics that one action caused; empty if not said.
    pub event_id: String,
    /// When Shopify made the message; absent if not said or not readable.
    pub triggered_at: Option<Timestamp>,
}

impl Headers {
    /// Reads a delivery's headers, under their names with or without `X-`.
    ///
    /// # Errors
    /// Topic, shop domain or webhook id missing, or a header that is not text.
    pub fn read(headers: &HeaderMap) -> Result<Self, HeaderError> {
        let required = |name| text(headers, name)?.ok_or(HeaderError::Missing(name)).map(str::to_owned);
        let optional = |name| Ok(text(headers, name)?.unwrap_or_default().to_owned());
        Ok(Self {
            topic: required("topic")?,
            shop_domain: required("shop-domain")?.to_ascii_lowercase(),
            api_version: optional("api-version")?,
            webhook_id: required("webhook-id")?,
            event_id: optional("event-id")?,
            triggered_at: text(headers, "triggered-at")?.and_then(|time| time.parse().ok()),
        })
    }
}

/// The value of `x-shopify-<name>` or `shopify-<name>`; an empty one is as none.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, HeaderError> {
    let value = headers.get(format!("x-shopify-{name}")).or_else(|| headers.get(format!("shopify-{name}")));
    let Some(value) = value else { return Ok(None) };
    let text = value.to_str().map_err(|_| HeaderError::NotText(name))?.trim();
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{HeaderError, Headers};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    const CLASSIC: &[(&str, &str)] = &[
        ("x-shopify-topic", "orders/create"),
        ("x-shopify-shop-domain", "Example.myshopify.com"),
        ("x-shopify-api-version", "2026-07"),
        ("x-shopify-webhook-id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"),
        ("x-shopify-event-id", "98880550-7158-44d4-b7cd-2c97c8a091b5"),
        ("x-shopify-triggered-at", "2026-07-01T09:00:00.123456789Z"),
    ];

    #[test]
    fn the_classic_names_are_read() {
        let read = Headers::read(&headers(CLASSIC)).unwrap();
        assert_eq!(read.topic, "orders/create");
        assert_eq!(read.shop_domain, "example.myshopify.com");
        assert_eq!(read.triggered_at, Some("2026-07-01T09:00:00.123456789Z".parse().unwrap()));
    }

    #[test]
    fn the_newer_names_give_the_same() {
        let newer: Vec<_> = CLASSIC.iter().map(|(name, value)| (name.strip_prefix("x-").unwrap(), *value)).collect();
        assert_eq!(Headers::read(&headers(&newer)), Headers::read(&headers(CLASSIC)));
    }

    #[test]
    fn a_delivery_without_an_id_cannot_be_told_from_its_duplicate() {
        let without: Vec<_> = CLASSIC.iter().copied().filter(|(name, _)| !name.contains("webhook-id")).collect();
        assert_eq!(Headers::read(&headers(&without)), Err(HeaderError::Missing("webhook-id")));
    }

    #[test]
    fn an_unreadable_time_loses_no_delivery() {
        let mut pairs = CLASSIC.to_vec();
        pairs[5].1 = "yesterday";
        assert_eq!(Headers::read(&headers(&pairs)).unwrap().triggered_at, None);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let mut map = headers(CLASSIC);
        map.insert("x-shopify-topic", HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(Headers::read(&map), Err(HeaderError::NotText("topic")));
    }
}
