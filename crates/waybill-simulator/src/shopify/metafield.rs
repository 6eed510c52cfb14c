//! Values that apps keep on records.

use sha2::{Digest, Sha256};

use super::clock::Moment;

/// A value that an app keeps on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metafield {
    pub(crate) id: u64,
    pub(crate) namespace: String,
    pub(crate) key: String,
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
}

impl Metafield {
    /// What `metafieldsSet` compares before it writes.
    pub(crate) fn digest(&self) -> String {
        let mut text = String::new();
        for byte in Sha256::digest(self.value.as_bytes()) {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }
}
