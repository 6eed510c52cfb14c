//! Every accepted write, in order, so that others can recount.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// One accepted write.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// 1, 2, 3, …
    pub sequence: usize,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The vendor.
    pub vendor: &'static str,
    /// `create`, `update`, `delete`, or the vendor's own word for a transition (`confirm`, `process`).
    pub action: String,
    /// What kind of object: `contact`, `sale.sale`, `fulfillment`.
    pub object: String,
    /// The vendor's id of it.
    pub id: String,
    /// What the caller calls it: our key as the vendor stores it; empty if the request had none.
    pub reference: String,
    /// The accepted values.
    pub body: Value,
}

/// The journal of one simulated vendor. Clones share it.
#[derive(Debug, Clone)]
pub struct Journal {
    vendor: &'static str,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Journal {
    /// An empty journal.
    pub fn new(vendor: &'static str) -> Self {
        Self { vendor, entries: Arc::default() }
    }

    /// Writes one accepted write down.
    pub fn write(&self, action: &str, object: &str, id: impl ToString, reference: &str, body: Value) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let sequence = entries.len() + 1;
        entries.push(Entry {
            sequence,
            at_ms: super::server::now_ms(),
            vendor: self.vendor,
            action: action.to_owned(),
            object: object.to_owned(),
            id: id.to_string(),
            reference: reference.to_owned(),
            body,
        });
    }

    /// All entries so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All entries so far, one JSON object a line.
    pub fn json_lines(&self) -> String {
        let mut text = String::new();
        for entry in self.entries() {
            text.push_str(&serde_json::to_string(&entry).unwrap_or_default());
            text.push('\n');
        }
        text
    }
}
