//! Whether a webhook is from ShipStation: docs.shipstation.com/apis/docs/guides/webhooks-validation. Pure.
//!
//! A webhook says where to look (`resource_url`) and carries no parcel itself, so the one thing to do with a genuine one
//! is to ask for parcels now instead of at the next poll.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use thiserror::Error;

const KEY_ID: &str = "x-shipengine-rsa-sha256-key-id";
const SIGNATURE: &str = "x-shipengine-rsa-sha256-signature";
const TIMESTAMP: &str = "x-shipengine-timestamp";
/// "If the timestamp header is more than 5 minutes difference from the current time, you may want to respond with 400".
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Why a webhook is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookError {
    /// No signature. To be answered with 404, which hides what is here.
    #[error("the webhook has no signature headers")]
    Unsigned,
    /// Too old, too far ahead, or no time. To be answered with 400.
    #[error("the webhook's timestamp is not within five minutes of now")]
    Stale,
    /// Signed with a key that is not in the set. The set may be out of date: fetch it once more before answering 401.
    #[error("the webhook's key is not among ShipStation's")]
    UnknownKey,
    /// To be answered with 401.
    #[error("the webhook's signature is wrong")]
    WrongSignature,
    /// Genuine, and not readable.
    #[error("the webhook's body is not ShipStation's")]
    Unreadable,
}

/// ShipStation's public keys, as `https://api.shipengine.com/jwks` gives them.
#[derive(Debug, Clone)]
pub struct KeySet(Vec<Key>);

#[derive(Debug, Clone)]
struct Key {
    id: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// Reads a JWKS document. Keys that are not RSA are left out: the set also holds others.
    ///
    /// # Errors
    /// If it is no JWKS document.
    pub fn from_jwks(document: &[u8]) -> Result<Self, serde_json::Error> {
        let Jwks { keys } = serde_json::from_slice(document)?;
        let key = |key: Jwk| {
            let part = |part: Option<String>| BASE64_URL_SAFE_NO_PAD.decode(part?.trim_end_matches('=')).ok();
            (key.kty == "RSA").then_some(())?;
            Some(Key { id: key.kid?, modulus: part(key.n)?, exponent: part(key.e)? })
        };
        Ok(Self(keys.into_iter().filter_map(key).collect()))
    }
}

/// What a webhook says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Notice {
    /// `LABEL_CREATED_V2`, `FULFILLMENT_SHIPPED_V2`, `TRACK_EVENT_V2`, …
    pub resource_type: String,
    /// Where it can be read with the API key; absent for some events.
    #[serde(default)]
    pub resource_url: Option<String>,
}

impl Notice {
    /// Whether parcels may have changed.
    pub fn is_of_parcels(&self) -> bool {
        matches!(self.resource_type.as_str(), "LABEL_CREATED_V2" | "FULFILLMENT_SHIPPED_V2" | "BATCH_PROCESSED_V2")
    }
}

/// Verifies a webhook's RSA-SHA256 signature over `timestamp.body` and reads it. `body` is what arrived, byte for byte.
///
/// # Errors
/// Why it is not to be believed.
pub fn verify(headers: &HeaderMap, body: &[u8], keys: &KeySet, now: Timestamp) -> Result<Notice, WebhookError> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(WebhookError::Unsigned);
    let (key_id, signature, timestamp) = (header(KEY_ID)?, header(SIGNATURE)?, header(TIMESTAMP)?);
    let signed_at = crate::times::instant(timestamp).ok_or(WebhookError::Stale)?;
    if now.duration_since(signed_at).abs() > TOLERANCE {
        return Err(WebhookError::Stale);
    }
    let key = keys.0.iter().find(|key| key.id == key_id).ok_or(WebhookError::UnknownKey)?;
    let signature = BASE64_STANDARD.decode(signature).map_err(|_| WebhookError::WrongSignature)?;
    let signed = [timestamp.as_bytes(), b".", body].concat();
    RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent }
        .verify(&RSA_PKCS1_2048_8192_SHA256, &signed, &signature)
        .map_err(|_| WebhookError::WrongSignature)?;
    serde_json::from_slice(body).map_err(|_| WebhookError::Unreadable)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::KeySize,
        signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
    };
    use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
    use http::HeaderMap;
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::{KEY_ID, KeySet, SIGNATURE, TIMESTAMP, WebhookError, verify};

    const BODY: &[u8] =
        br#"{"resource_url": "https://api.shipstation.com/v2/labels?batch_id=se-1", "resource_type": "LABEL_CREATED_V2"}"#;

    struct Vendor(RsaKeyPair);

    impl Vendor {
        fn new() -> Self {
            Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
        }

        fn keys(&self) -> KeySet {
            let public = self.0.public_key();
            let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
            let document = json!({ "keys": [
                { "kty": "EC", "kid": "other", "crv": "P-256", "x": "", "y": "" },
                {
                    "kty": "RSA",
                    "kid": "key-1",
                    "n": part(public.modulus().big_endian_without_leading_zero()),
                    "e": part(public.exponent().big_endian_without_leading_zero()),
                },
            ] });
            KeySet::from_jwks(document.to_string().as_bytes()).unwrap()
        }

        fn sign(&self, timestamp: &str, body: &[u8]) -> HeaderMap {
            let message = [timestamp.as_bytes(), b".", body].concat();
            let mut signature = vec![0; self.0.public_modulus_len()];
            self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(KEY_ID, "key-1".parse().unwrap());
            headers.insert(SIGNATURE, BASE64_STANDARD.encode(signature).parse().unwrap());
            headers.insert(TIMESTAMP, timestamp.parse().unwrap());
            headers
        }
    }

    fn noon() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_genuine_webhook_is_read() {
        let vendor = Vendor::new();
        let headers = vendor.sign("2026-11-21T11:58:00.000Z", BODY);
        let notice = verify(&headers, BODY, &vendor.keys(), noon()).unwrap();
        assert!(notice.is_of_parcels());
        assert!(notice.resource_url.unwrap().ends_with("batch_id=se-1"));
    }

    #[test]
    fn a_changed_body_is_refused() {
        let vendor = Vendor::new();
        let headers = vendor.sign("2026-11-21T12:00:00Z", BODY);
        let changed = [BODY, b" "].concat();
        assert_eq!(verify(&headers, &changed, &vendor.keys(), noon()), Err(WebhookError::WrongSignature));
    }

    #[test]
    fn another_vendors_signature_is_refused() {
        let headers = Vendor::new().sign("2026-11-21T12:00:00Z", BODY);
        assert_eq!(verify(&headers, BODY, &Vendor::new().keys(), noon()), Err(WebhookError::WrongSignature));
    }

    #[test]
    fn an_old_and_a_future_webhook_are_refused() {
        let vendor = Vendor::new();
        let headers = vendor.sign("2026-11-21T12:00:00Z", BODY);
        for shift in [SignedDuration::from_mins(6), SignedDuration::from_mins(-6)] {
            let now = noon().checked_add(shift).unwrap();
            assert_eq!(verify(&headers, BODY, &vendor.keys(), now), Err(WebhookError::Stale));
        }
    }

    #[test]
    fn an_unsigned_webhook_is_told_apart_from_one_with_a_new_key() {
        let vendor = Vendor::new();
        assert_eq!(verify(&HeaderMap::new(), BODY, &vendor.keys(), noon()), Err(WebhookError::Unsigned));
        let mut headers = vendor.sign("2026-11-21T12:00:00Z", BODY);
        headers.insert(KEY_ID, "key-2".parse().unwrap());
        assert_eq!(verify(&headers, BODY, &vendor.keys(), noon()), Err(WebhookError::UnknownKey));
    }
}
