//! Signatures of received webhooks.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key within `whsec_<base64>`.
pub(super) fn key(secret: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(secret.strip_prefix("whsec_")?).ok()
}

/// Whether one of the space-delimited `v1,<base64>` signatures is right.
pub(super) fn matches(key: &[u8], id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    let mac = mac.chain_update(id).chain_update(".").chain_update(timestamp).chain_update(".").chain_update(body);
    signatures
        .split(' ')
        .filter_map(|signature| BASE64_STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .any(|signature| mac.clone().verify_slice(&signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{key, matches};

    #[test]
    fn the_example_of_the_reference_implementation_matches() {
        // The test vector of the specification's own libraries.
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, timestamp) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let old = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        assert!(matches(&key, id, timestamp, br#"{"test": 2432232314}"#, signature));
        assert!(matches(&key, id, timestamp, br#"{"test": 2432232314}"#, &format!("{old} {signature}")));
        assert!(!matches(&key, id, timestamp, br#"{"test": 2432232315}"#, signature));
        assert!(!matches(&key, id, "1614265331", br#"{"test": 2432232314}"#, signature));
    }
}
