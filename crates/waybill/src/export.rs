//! A recorded day out of what the services have kept: gathered page by page, in the order of time, and written.

mod gather;
mod pseudonyms;
mod replacing;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use jiff::Timestamp;
use waybill_domain::{RecordKey, Revision};
use waybill_plan::recorded::{self, Day, FORMAT, Line, RecordedDecision};

pub(crate) use gather::gather;
pub(crate) use pseudonyms::Pseudonyms;

/// One state of a record.
type Which = (RecordKey, Revision);

/// A snapshot as it is written. Kept as text: there may be a hundred thousand.
#[derive(Debug)]
struct Held {
    at: Timestamp,
    text: Box<[u8]>,
}

/// All that happened in a time.
#[derive(Debug)]
pub(crate) struct Recording {
    /// From when, to when. Later than what was asked for where not everything is kept that long.
    pub(crate) day: Day,
    snapshots: BTreeMap<Which, Held>,
    decisions: Vec<RecordedDecision>,
}

impl Recording {
    fn new(from: Timestamp, to: Timestamp, pseudonyms: bool) -> Self {
        let waybill = env!("CARGO_PKG_VERSION").to_owned();
        let day = Day { format: FORMAT, from, to, waybill, pseudonyms };
        Self { day, snapshots: BTreeMap::new(), decisions: Vec::new() }
    }

    /// Leaves out what is from before a time, but for the snapshots that later decisions are about.
    fn begin_at(&mut self, from: Timestamp) {
        self.day.from = from;
        self.decisions.retain(|decision| decision.decided_at >= from);
        let mut kept = BTreeMap::new();
        for decision in &self.decisions {
            if let Some((which, held)) = self.snapshots.remove_entry(&which(decision)) {
                kept.insert(which, held);
            }
        }
        self.snapshots.retain(|_, held| held.at >= from);
        self.snapshots.extend(kept);
    }

    /// How many snapshots there are.
    pub(crate) fn snapshots(&self) -> usize {
        self.snapshots.len()
    }

    /// How many decisions there are.
    pub(crate) fn decisions(&self) -> usize {
        self.decisions.len()
    }

    /// How many decisions are about a snapshot that nobody keeps any more.
    pub(crate) fn without_snapshot(&self) -> usize {
        let is_missing = |decision: &&RecordedDecision| {
            gather::source_of(decision.key.kind).is_some() && !self.snapshots.contains_key(&which(decision))
        };
        self.decisions.iter().filter(is_missing).count()
    }

    /// Writes all of it, in the order of time. A decision stands after its snapshot, also where the clocks of two
    /// services differ.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(self, mut out: impl Write) -> io::Result<()> {
        enum Entry<'a> {
            Snapshot(&'a [u8]),
            Decision(Box<RecordedDecision>),
        }
        recorded::write(&mut out, &Line::Day(self.day))?;
        let mut entries = Vec::with_capacity(self.snapshots.len() + self.decisions.len());
        for decision in self.decisions {
            let after = self.snapshots.get(&which(&decision)).map_or(decision.decided_at, |held| held.at);
            entries.push((decision.decided_at.max(after), true, decision.settlement, Entry::Decision(decision.into())));
        }
        for ((_, revision), held) in &self.snapshots {
            entries.push((held.at, false, revision.number, Entry::Snapshot(&held.text)));
        }
        entries.sort_by_key(|(at, is_decision, number, _)| (*at, *is_decision, *number));
        for (.., entry) in entries {
            match entry {
                Entry::Snapshot(text) => out.write_all(text)?,
                Entry::Decision(decision) => recorded::write(&mut out, &Line::Decision(decision))?,
            }
        }
        out.flush()
    }
}

fn which(decision: &RecordedDecision) -> Which {
    (decision.key.clone(), decision.revision)
}
