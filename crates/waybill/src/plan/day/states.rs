//! States of records as they come, numbered per record.

use std::collections::BTreeMap;

use jiff::Timestamp;
use waybill_domain::{Body, Kind, RecordId, RecordKey, Revision, Snapshot, StoreName};
use waybill_plan::recorded::Line;

/// The states of one store's records.
#[derive(Debug)]
pub(super) struct States {
    store: StoreName,
    newest: BTreeMap<RecordKey, (i64, Body)>,
    lines: Vec<Line>,
    last: Timestamp,
}

impl States {
    pub(super) fn of(store: StoreName) -> Self {
        Self { store, newest: BTreeMap::new(), lines: Vec::new(), last: Timestamp::UNIX_EPOCH }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The newest state of a record.
    pub(super) fn newest(&self, kind: Kind, id: &RecordId) -> Option<&Body> {
        self.newest.get(&self.key(kind, id)).map(|(_, body)| body)
    }

    fn key(&self, kind: Kind, id: &RecordId) -> RecordKey {
        RecordKey { store: self.store.clone(), kind, id: id.clone() }
    }

    /// A record's state, and the refunds that an order's tells: they are records of their own, whichever way they come.
    pub(super) fn add(&mut self, id: &RecordId, body: Body, updated_at: Option<Timestamp>) {
        let refunds = match &body {
            Body::Order(order) => order.refunds.clone(),
            _ => Vec::new(),
        };
        self.push(self.key(body.kind(), id), Some(body), updated_at);
        for refund in refunds {
            let key = self.key(Kind::Refund, &refund.id);
            self.push(key, Some(Body::Refund(refund)), updated_at);
        }
    }

    /// A record is gone.
    pub(super) fn deleted(&mut self, kind: Kind, id: &RecordId) {
        self.push(self.key(kind, id), None, None);
    }

    fn push(&mut self, key: RecordKey, body: Option<Body>, updated_at: Option<Timestamp>) {
        // A body without a time comes after those before it.
        let observed_at = updated_at.unwrap_or(self.last);
        self.last = self.last.max(observed_at);
        let known = self.newest.get(&key);
        if known.is_some_and(|(_, before)| Some(before) == body.as_ref()) {
            return;
        }
        let number = known.map_or(1, |(number, _)| number + 1);
        if let Some(body) = &body {
            self.newest.insert(key.clone(), (number, body.clone()));
        }
        let snapshot = Snapshot { key, revision: Revision { epoch: 1, number }, observed_at, body };
        self.lines.push(Line::Snapshot(Box::new(snapshot)));
    }

    /// All of them, in the order of time.
    pub(super) fn finish(self) -> Vec<Line> {
        let mut lines = self.lines;
        lines.sort_by_key(|line| match line {
            Line::Snapshot(snapshot) => snapshot.observed_at,
            Line::Day(_) | Line::Decision(_) => Timestamp::MIN,
        });
        lines
    }
}
