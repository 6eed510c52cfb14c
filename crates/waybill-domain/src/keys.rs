//! The two idempotency keys, made here and nowhere else.
//!
//! Both are 21 characters of `a-z2-7`, so that they fit the shortest field of the vendors that we know
//! (QuickBooks' `DocNumber`, 21) and survive systems that fold case. 20 characters after the leading `w`
//! carry 100 bits of SHA-256.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::names::RecordKey;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const LENGTH: usize = 21;

fn key(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length goes before each part, so that no two lists of parts give the same input.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut text = String::with_capacity(LENGTH);
    text.push('w');
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in digest {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 5 && text.len() < LENGTH {
            held -= 5;
            text.push(char::from(ALPHABET[(bits >> held) as usize & 31]));
        }
    }
    text
}

/// Names one object that we keep in a vendor: made of store, record and role, it never changes. It is stored in
/// the vendor's record and is what `find` looks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// The key of the object that plays `role` (`order`, `party`, `line-3`, …) for a record.
    pub fn new(record: &RecordKey, role: &str) -> Self {
        Self(key(&[
            b"object",
            record.store.as_str().as_bytes(),
            record.kind.as_str().as_bytes(),
            record.id.as_str().as_bytes(),
            role.as_bytes(),
        ]))
    }

    /// A key that was made before and stored.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a text that a vendor gave back has the form of a key of ours. Another one is somebody else's.
    pub fn has_form(text: &str) -> bool {
        text.len() == LENGTH && text.strip_prefix('w').is_some_and(|rest| rest.bytes().all(|b| ALPHABET.contains(&b)))
    }

    /// The text, 21 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one call: the same object, step and payload give the same key. Sent as the idempotency header.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallKey(String);

impl CallKey {
    /// The key of one step with one payload (any stable encoding of it) on an object.
    pub fn new(object: &ObjectKey, step: &str, payload: &[u8]) -> Self {
        Self(key(&[b"call", object.0.as_bytes(), step.as_bytes(), payload]))
    }

    /// The text, 21 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CallKey, ObjectKey};
    use crate::names::{Kind, RecordKey};

    fn record(id: &str) -> RecordKey {
        RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: id.parse().unwrap() }
    }

    #[test]
    fn keys_never_change() {
        // Vendors hold these: a different result here orphans every object written before.
        let object = ObjectKey::new(&record("820982911946154508"), "order");
        assert_eq!(object.as_str(), "w3em2ra3272icyt7jpy4m");
        assert_eq!(CallKey::new(&object, "create", b"{}").as_str(), "wdnrr4y7673vetbcreud6");
    }

    #[test]
    fn a_text_of_another_form_is_no_key_of_ours() {
        assert!(ObjectKey::has_form(ObjectKey::new(&record("1"), "order").as_str()));
        let others =
            ["", "#1001", "manual-1", "w3em2ra3272icyt7jpy4", "W3EM2RA3272ICYT7JPY4M", "w3em2ra3272icyt7jpy4m2"];
        for other in others.into_iter().chain(["x3em2ra3272icyt7jpy4m", "w3em2ra3272icyt7jpy41"]) {
            assert!(!ObjectKey::has_form(other), "{other}");
        }
    }

    #[test]
    fn keys_differ_by_record_role_step_and_payload() {
        let a = ObjectKey::new(&record("1"), "order");
        assert_ne!(a, ObjectKey::new(&record("2"), "order"));
        assert_ne!(a, ObjectKey::new(&record("1"), "party"));
        let call = CallKey::new(&a, "create", b"1");
        assert_ne!(call, CallKey::new(&a, "create", b"2"));
        assert_ne!(call, CallKey::new(&a, "update", b"1"));
        assert_eq!((a.as_str().len(), call.as_str().len()), (21, 21));
    }
}
