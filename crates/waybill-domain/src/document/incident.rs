//! Incidents, as pagers and chats show them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ObjectKey;

/// How bad an incident is. PagerDuty's four words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Orders do not move.
    Critical,
    /// Some records need a person.
    Error,
    /// Late, not lost.
    Warning,
    /// For information.
    Info,
}

impl Severity {
    const fn rank(self) -> u8 {
        match self {
            Self::Critical => 3,
            Self::Error => 2,
            Self::Warning => 1,
            Self::Info => 0,
        }
    }

    /// Whether it is as bad as another, or worse.
    pub const fn at_least(self, other: Self) -> bool {
        self.rank() >= other.rank()
    }
}

/// An incident as a pager shows it. It carries ids only, no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentDocument {
    /// The same for every message of one incident: the pager's dedup key.
    pub key: ObjectKey,
    /// Whether it is over.
    pub resolved: bool,
    /// How bad it is.
    pub severity: Severity,
    /// One line: system, what, how many. At most 1024 characters, as PagerDuty's `summary`.
    pub summary: String,
    /// What it means for the business.
    pub meaning: String,
    /// What to do, with the command.
    pub action: String,
    /// The system concerned; empty if none.
    pub system: String,
    /// The stable code of the cause.
    pub code: String,
    /// The vendor's own words, without personal data.
    pub detail: String,
    /// How many deliveries it holds.
    pub count: i64,
    /// A few of the records, such as `main/order/1001`.
    pub records: Vec<String>,
    /// When it began.
    pub opened_at: Timestamp,
    /// The console's page of it; empty if no address is set.
    pub link: String,
}
