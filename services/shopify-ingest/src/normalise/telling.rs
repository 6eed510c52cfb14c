//! What a webhook tells, taken apart: states of records, and records to be read. Pure.

use connector_shopify::body::{Parsed, Whole};
use waybill_domain::{Body, Kind, RecordId};

use crate::refunds;

/// What becomes of a webhook. Of several parts the greatest is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// Nothing about a record that is kept.
    Unknown,
    /// A privacy request.
    Privacy,
    /// What is there already.
    Echo,
    /// Older than what is there.
    Stale,
    /// A record is read by API.
    Refetch,
    /// A new revision.
    Applied,
    /// It cannot be read or stored.
    Unreadable,
}

impl Outcome {
    /// As it stands in the inbox.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Privacy => "privacy",
            Self::Echo => "echo",
            Self::Stale => "stale",
            Self::Refetch => "refetch",
            Self::Applied => "applied",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A record to be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ToRead {
    pub(super) kind: Kind,
    pub(super) id: RecordId,
    pub(super) reason: &'static str,
}

/// The parts of a webhook.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Telling {
    /// What becomes of it whatever its states are.
    pub(super) outcome: Outcome,
    /// States of records. An order's refunds are among them, each for itself.
    pub(super) states: Vec<Whole>,
    pub(super) to_read: Vec<ToRead>,
}

impl Telling {
    /// Takes a webhook apart.
    pub(super) fn of(parsed: Parsed) -> Self {
        let mut telling = Self { outcome: Outcome::Unknown, states: Vec::new(), to_read: Vec::new() };
        telling.add(parsed);
        telling
    }

    fn add(&mut self, parsed: Parsed) {
        let outcome = match parsed {
            Parsed::Unknown => Outcome::Unknown,
            Parsed::Privacy(_) => Outcome::Privacy,
            Parsed::Refetch { kind, id } => self.read(kind, id, "the webhook carries a part only"),
            Parsed::Deleted { kind, id } => self.read(kind, id, "said to be deleted"),
            Parsed::Several(parts) => {
                parts.into_iter().for_each(|part| self.add(part));
                return;
            }
            Parsed::Whole(whole) => {
                let refunds = refunds::told_by(Some(&whole.body)).into_iter().map(|refund| Whole {
                    id: refund.id.clone(),
                    body: Body::Refund(refund),
                    // Of the time of the order that tells it.
                    source_updated_at: whole.source_updated_at,
                    lacks: &[],
                });
                let refunds: Vec<Whole> = refunds.collect();
                self.states.push(*whole);
                self.states.extend(refunds);
                Outcome::Echo
            }
        };
        self.outcome = self.outcome.max(outcome);
    }

    fn read(&mut self, kind: Kind, id: RecordId, reason: &'static str) -> Outcome {
        self.to_read.push(ToRead { kind, id, reason });
        Outcome::Refetch
    }
}

/// What is read where a body lacks what no earlier state of its record tells: a first revision without it would be taken
/// for a customer who has no tags and gave no consent, and a field that is written once only would stay without.
pub(super) fn read_whole(state: &Whole) -> ToRead {
    ToRead { kind: state.body.kind(), id: state.id.clone(), reason: "the webhook of a new record lacks fields" }
}

/// What is read where it cannot be told which of two states is newer: a refund is read with its order.
pub(super) fn read_instead(state: &Whole) -> ToRead {
    let (kind, id) = match &state.body {
        Body::Refund(refund) => (Kind::Order, refund.order_id.clone()),
        other => (other.kind(), state.id.clone()),
    };
    ToRead { kind, id, reason: "equal time, other content" }
}
