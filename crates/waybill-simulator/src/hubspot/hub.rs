//! What the calls share: the account, the journal, the limits, and how a record is shown.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{
    Settings,
    account::{Account, Written},
    limits::Limits,
    record::{Kind, Record},
};
use crate::kit::{Journal, now_ms};

/// The simulated HubSpot.
pub(super) struct Hub {
    pub(super) settings: Settings,
    pub(super) journal: Journal,
    account: Mutex<Account>,
    limits: Mutex<Limits>,
}

impl Hub {
    pub(super) fn new(settings: Settings, journal: Journal) -> Self {
        let limits = Mutex::new(Limits::new(&settings));
        let account = Account::new(settings.country_code.clone());
        Self { settings, journal, account: Mutex::new(account), limits }
    }

    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record as a read shows it. Properties that the account does not know are left out, as the guides say.
    pub(super) fn show(
        &self,
        account: &Account,
        kind: Kind,
        record: &Record,
        properties: &[String],
        with_history: &[String],
    ) -> Value {
        let known = |names: &[String]| -> Vec<String> {
            names.iter().filter(|name| account.table(kind).property(name).is_some()).cloned().collect()
        };
        if properties.is_empty() {
            let set = kind.returned_by_default().iter().filter(|name| record.stored(name).is_some());
            let set: Vec<String> = set.map(|&name| name.to_owned()).collect();
            return record.render(kind, &set, &known(with_history));
        }
        record.render(kind, &known(properties), &known(with_history))
    }

    /// A record as the answer to its write shows it: what was set.
    pub(super) fn show_written(&self, account: &Account, kind: Kind, written: &Written) -> Value {
        let set: Vec<String> =
            written.accepted.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.clone()).collect();
        account.table(kind).records.get(&written.id).map_or(Value::Null, |record| record.render(kind, &set, &[]))
    }

    /// Writes a write into the journal.
    pub(super) fn note(&self, account: &Account, kind: Kind, written: &Written) {
        let action = if written.is_new() { "create" } else { "update" };
        let body = json!({"properties": written.accepted, "changed": written.changed});
        self.journal.write(action, kind.singular(), written.id, &account.reference(kind, written.id), body);
    }

    /// Moves a record to the recycling bin, if it is there.
    pub(super) fn archive(&self, kind: Kind, id: &str) {
        let mut account = self.account();
        let Ok(id) = id.parse() else { return };
        let reference = account.reference(kind, id);
        if account.archive(kind, id, now_ms()) {
            self.journal.write("delete", kind.singular(), id, &reference, Value::Null);
        }
    }

    /// Counts, for `/_control/state`.
    pub(super) fn state(&self) -> Value {
        let account = self.account();
        let count = |kind| account.table(kind).records.values().filter(|record| record.archived_ms.is_none()).count();
        let unchanged = self.journal.entries().iter().filter(|entry| entry.body["changed"] == false).count();
        let limits = self.limits();
        json!({
            "contacts": count(Kind::Contacts),
            "orders": count(Kind::Orders),
            "companies": count(Kind::Companies),
            "associations": account.associations.count(),
            "requests": limits.passed,
            "refused_by_limit": limits.refused,
            "writes_without_change": unchanged,
        })
    }
}
