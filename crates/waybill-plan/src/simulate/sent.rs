//! What each system was sent last of its mapped fields.

use std::collections::BTreeMap;

use waybill_domain::{Kind, Snapshot, SystemName, document::Fields};

use super::{Which, outcome};
use crate::decide::{Write, target_key};

/// System and object → role → what was sent last. A person is one object, whichever record wrote it.
#[derive(Debug, Default)]
pub(super) struct Sent(BTreeMap<(SystemName, String), BTreeMap<String, Fields>>);

fn object(desired: &Snapshot, role: &str) -> String {
    if role == "customer" { target_key(desired) } else { desired.key.to_string() }
}

impl Sent {
    /// What a record's objects were sent, by role.
    pub(super) fn of(&self, which: &Which, desired: &Snapshot) -> BTreeMap<String, Fields> {
        let mut sent = BTreeMap::new();
        for place in [target_key(desired), desired.key.to_string()] {
            for (role, fields) in self.0.get(&(which.0.clone(), place.clone())).into_iter().flatten() {
                if object(desired, role) == place {
                    sent.insert(role.clone(), fields.clone());
                }
            }
        }
        sent
    }

    pub(super) fn keep(&mut self, which: &Which, desired: &Snapshot, sent: BTreeMap<String, Fields>) {
        for (role, fields) in sent {
            let object = object(desired, &role);
            self.0.entry((which.0.clone(), object)).or_default().entry(role).or_default().extend(fields);
        }
    }

    /// What the system holds of a record that was written so: a person's fields are what any of their records wrote
    /// last.
    pub(super) fn held(&self, which: &Which, desired: &Snapshot, write: Option<Write>) -> BTreeMap<String, String> {
        let mut fields = write.map(|write| outcome::flat(&write.document)).unwrap_or_default();
        for (role, values) in self.of(which, desired) {
            let part = if role == "customer" && which.1.kind == Kind::Order { "customer." } else { "" };
            for (name, value) in values {
                if let Some(field) = fields.get_mut(&format!("{part}fields.{name}")) {
                    *field = value.to_text();
                }
            }
        }
        fields
    }
}
