//! What the services have kept, page by page.

use console::words::instant;
use jiff::Timestamp;
use tonic::Status;
use waybill_proto::{
    convert::to_timestamp,
    wire::{self, RecordedDecision, Snapshot},
};

/// Revisions and decisions, and how they are told.
#[derive(Debug, Default, Clone)]
pub(super) struct Recorded {
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) decisions: Vec<RecordedDecision>,
    /// Since when they are complete.
    pub(super) complete_since: Timestamp,
}

/// So small that every test sees several.
const PAGE: usize = 2;

impl Recorded {
    pub(super) fn revisions(&self, asked: &wire::ListRevisionsRequest) -> Result<wire::ListRevisionsResponse, Status> {
        let span = instant(asked.from)..instant(asked.to);
        let within = |snapshot: &&Snapshot| span.contains(&instant(snapshot.observed_at));
        let (snapshots, cursor, more) = page(self.snapshots.iter().filter(within), &asked.after)?;
        let complete_since = Some(to_timestamp(self.complete_since));
        Ok(wire::ListRevisionsResponse { snapshots, cursor, more, complete_since })
    }

    pub(super) fn single(&self, asked: wire::GetRevisionsRequest) -> wire::GetRevisionsResponse {
        let is_wanted = |snapshot: &&Snapshot| {
            asked.wanted.iter().any(|wanted| wanted.key == snapshot.key && wanted.revision == snapshot.revision)
        };
        wire::GetRevisionsResponse { snapshots: self.snapshots.iter().filter(is_wanted).cloned().collect() }
    }

    pub(super) fn decisions(&self, asked: &wire::ListDecisionsRequest) -> Result<wire::ListDecisionsResponse, Status> {
        let span = instant(asked.from)..instant(asked.to);
        let within = |decision: &&RecordedDecision| span.contains(&instant(decision.decided_at));
        let (decisions, cursor, more) = page(self.decisions.iter().filter(within), &asked.after)?;
        let complete_since = Some(to_timestamp(self.complete_since));
        Ok(wire::ListDecisionsResponse { decisions, cursor, more, complete_since })
    }
}

fn page<'a, T: Clone + 'a>(all: impl Iterator<Item = &'a T>, after: &str) -> Result<(Vec<T>, String, bool), Status> {
    let passed: usize = match after {
        "" => 0,
        after => after.parse().map_err(|_| Status::invalid_argument("no cursor"))?,
    };
    let mut rest: Vec<T> = all.skip(passed).take(PAGE + 1).cloned().collect();
    let more = rest.len() > PAGE;
    rest.truncate(PAGE);
    Ok((rest.clone(), (passed + rest.len()).to_string(), more))
}
