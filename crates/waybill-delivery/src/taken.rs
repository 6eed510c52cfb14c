//! What this replica has taken since the last comparison with the sources, which needs not be taken from there again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use waybill_domain::{RecordKey, Revision, Snapshot};

/// More is not remembered, and taken once more: that is no work.
const MOST: usize = 100_000;

/// Revisions by record, under one plan: under another one a record may be wanted elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Taken(Mutex<(String, HashMap<RecordKey, Revision>)>);

impl Taken {
    /// They are committed.
    pub(crate) fn note(&self, plan_hash: &str, snapshots: &[Snapshot]) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.0 != plan_hash {
            *taken = (plan_hash.to_owned(), HashMap::new());
        }
        for snapshot in snapshots {
            if taken.1.len() < MOST || taken.1.contains_key(&snapshot.key) {
                taken.1.insert(snapshot.key.clone(), snapshot.revision);
            }
        }
    }

    /// Whether a record was taken at its source's newest revision.
    pub(crate) fn has(&self, plan_hash: &str, key: &RecordKey, newest: Revision) -> bool {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.0 == plan_hash && taken.1.get(key).is_some_and(|revision| *revision >= newest)
    }

    /// All sources were compared with, or could not be.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clear();
    }
}

#[cfg(test)]
mod tests {
    use waybill_testkit::records::order;

    use super::{Snapshot, Taken};

    fn has(taken: &Taken, plan_hash: &str, snapshot: &Snapshot) -> bool {
        taken.has(plan_hash, &snapshot.key, snapshot.revision)
    }

    #[test]
    fn what_was_taken_at_its_newest_is_known_until_it_is_forgotten() {
        let taken = Taken::default();
        taken.note("one", &[order(1).at_revision(2), order(2).at_revision(1)]);
        assert!(has(&taken, "one", &order(1).at_revision(2)));
        assert!(!has(&taken, "one", &order(2).at_revision(2)), "a newer one was not heard");
        assert!(!has(&taken, "one", &order(3).at_revision(1)));
        taken.forget();
        assert!(!has(&taken, "one", &order(1).at_revision(2)));
    }

    #[test]
    fn under_another_plan_all_is_taken_again() {
        let taken = Taken::default();
        taken.note("one", &[order(1).at_revision(1)]);
        assert!(!has(&taken, "two", &order(1).at_revision(1)));
    }
}
