//! A recorded day: the snapshots that a suite took and the decisions that it made, as JSON lines.
//!
//! One object a line. The first is the [`Day`]; the others are in the order of time, and a decision stands after the
//! snapshot that it is about. `waybill export` writes such files, `waybill plan simulate` reads them.

mod read;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use waybill_domain::{RecordKey, Revision, Snapshot, SystemName};

use crate::decide::{DeliveryFacts, Facts};

pub use read::{Lines, ReadError, read};

/// The format that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// One line of a recorded day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// What the file holds; the first line, and no other.
    Day(Day),
    /// A state that a record had.
    Snapshot(Box<Snapshot>),
    /// What became of it for one system.
    Decision(Box<RecordedDecision>),
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The file's format: [`FORMAT`].
    pub format: u32,
    /// Everything from this instant on …
    pub from: Timestamp,
    /// … to before this one. Snapshots from before are those that the day's decisions are about.
    pub to: Timestamp,
    /// The version of Waybill that wrote the file.
    pub waybill: String,
    /// Whether what identifies people was replaced. The decisions' document hashes are left out then: they were made
    /// of the true values.
    #[serde(default)]
    pub pseudonyms: bool,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settled {
    /// The system holds the document.
    Applied,
    /// A rule, or a person, keeps the record away.
    Ignored,
    /// A person is needed.
    Parked,
}

/// Who said how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The plan: `decide` said so, and where it said to write, the system took the document.
    Plan,
    /// The system did not take what the plan said to write, or the snapshot could not be read.
    System,
    /// A person discarded what was parked.
    Person,
}

/// One settlement of a delivery, with all that decided it beside the snapshot and the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedDecision {
    /// The system that the delivery is for.
    pub system: SystemName,
    /// Which record.
    pub key: RecordKey,
    /// The revision that was settled; those before it without a settlement of their own are superseded.
    pub revision: Revision,
    /// 1, 2, 3, … per delivery.
    pub settlement: i64,
    /// When it was settled.
    pub decided_at: Timestamp,
    /// How it ended.
    pub state: Settled,
    /// The rule of what was ignored or the cause of what was parked; else empty.
    pub code: String,
    /// The field concerned; may be empty.
    pub field: String,
    /// What is wrong, or a person's reason; may be empty.
    pub message: String,
    /// Who said so.
    pub by: By,
    /// Hash of the plan that decided.
    pub plan_hash: String,
    /// SHA-256 of the document that was to be written, in hexadecimal; empty if there was none.
    pub document_hash: String,
    /// What was known of the delivery.
    #[serde(default)]
    pub delivery: DeliveryFacts,
    /// What was known beside the snapshot; absent where a person decided or the snapshot could not be read.
    #[serde(default)]
    pub facts: Option<Facts>,
}

/// Writes one line.
///
/// # Errors
/// If it cannot be written.
pub fn write(out: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
