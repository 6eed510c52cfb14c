//! Whether a delivery comes from Shopify: base64 HMAC-SHA256 of the raw body under the app's client secret.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use waybill_connector::SystemSettings;

/// The secrets that sign a store's webhooks, from its settings: `webhook_secret` and, during a rotation,
/// `webhook_secret_previous`.
pub fn secrets(settings: &SystemSettings) -> Vec<SecretString> {
    ["webhook_secret", "webhook_secret_previous"]
        .into_iter()
        .filter_map(|name| settings.secret_opt(name).cloned())
        .collect()
}

/// The delivery's signature header, base64; absent if it is not there or not text.
pub fn signature(headers: &HeaderMap) -> Option<&str> {
    super::headers::text(headers, "hmac-sha256").ok().flatten()
}

/// Whether the raw body was signed with one of the secrets. Every secret is tried, so that the time taken tells
/// neither which one matched nor how much of the signature did. No secret, no trust: an empty list, an empty secret
/// or a signature that is not base64 of 32 bytes is false.
pub fn verify(secrets: &[SecretString], raw_body: &[u8], header_base64: &str) -> bool {
    let mut verifier = Verifier::new(secrets);
    verifier.update(raw_body);
    verifier.finish(header_base64)
}

/// Verifies a body that arrives in chunks, for bodies too large to be held.
#[derive(Clone)]
pub struct Verifier {
    macs: Vec<Hmac<Sha256>>,
}

impl Verifier {
    /// Begins with nothing of the body.
    pub fn new(secrets: &[SecretString]) -> Self {
        let macs = secrets
            .iter()
            .map(|secret| secret.expose_secret().as_bytes())
            // Anybody can sign with an empty key.
            .filter(|secret| !secret.is_empty())
            .map(|secret| Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
            .collect();
        Self { macs }
    }

    /// Takes the next chunk of the body.
    pub fn update(&mut self, chunk: &[u8]) {
        for mac in &mut self.macs {
            mac.update(chunk);
        }
    }

    /// Whether all that was taken was signed with one of the secrets; see [`verify`].
    pub fn finish(self, header_base64: &str) -> bool {
        let given = BASE64_STANDARD.decode(header_base64.trim()).unwrap_or_default();
        let mut matched = Choice::from(0);
        for mac in self.macs {
            matched |= mac.finalize().into_bytes().as_slice().ct_eq(&given);
        }
        matched.into()
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("secrets", &self.macs.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use hmac::{Hmac, KeyInit, Mac};
    use secrecy::SecretString;
    use sha2::Sha256;

    use super::{Verifier, verify};

    const BODY: &[u8] = br#"{"id":1}"#;

    fn signed(secret: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    }

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    #[test]
    fn a_known_answer_is_accepted() {
        // RFC 4231, test case 2.
        let body = b"what do ya want for nothing?";
        assert!(verify(&secrets(&["Jefe"]), body, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="));
    }

    #[test]
    fn during_a_rotation_both_secrets_are_accepted() {
        let both = secrets(&["new", "old"]);
        assert!(verify(&both, BODY, &signed("new", BODY)));
        assert!(verify(&both, BODY, &signed("old", BODY)));
        assert!(!verify(&both, BODY, &signed("older", BODY)));
    }

    #[test]
    fn one_changed_byte_is_refused() {
        assert!(!verify(&secrets(&["s"]), br#"{"id":2}"#, &signed("s", BODY)));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for header in ["", "not base64!", "AAAA", "bm90IHRoaXJ0eS10d28gYnl0ZXM="] {
            assert!(!verify(&secrets(&["s"]), BODY, header), "{header}");
        }
    }

    #[test]
    fn an_empty_secret_or_none_accepts_nothing() {
        assert!(!verify(&secrets(&[""]), BODY, &signed("", BODY)));
        assert!(!verify(&[], BODY, ""));
    }

    #[test]
    fn chunks_are_verified_as_the_whole() {
        let mut verifier = Verifier::new(&secrets(&["s"]));
        for chunk in BODY.chunks(3) {
            verifier.update(chunk);
        }
        assert!(verifier.finish(&signed("s", BODY)));
    }
}
