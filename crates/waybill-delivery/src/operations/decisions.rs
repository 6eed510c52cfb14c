//! Kept settlements, page by page.

use sqlx::PgPool;
use tonic::Status;
use waybill_proto::wire::{self, ListDecisionsRequest, ListDecisionsResponse, RecordedDecision, recorded_decision::By};

use super::{state_of, time, unavailable};
use crate::{
    store::{
        decisions::{self, Row},
        history,
    },
    window::{self, Window},
};

/// How many settlements a page has at most.
const PAGE: usize = 1000;

pub(super) async fn list(pool: &PgPool, request: ListDecisionsRequest) -> Result<ListDecisionsResponse, Status> {
    let window = Window::read(request.from, request.to, &request.after, request.limit, PAGE)?;
    let mut rows = decisions::list(pool, &window).await.map_err(unavailable)?;
    // After the rows: what was pruned meanwhile is then not taken for never there.
    let complete_since = history::complete_since(pool).await.map_err(unavailable)?;
    let more = rows.len() > window.limit;
    rows.truncate(window.limit);
    Ok(ListDecisionsResponse {
        cursor: rows.last().map_or(request.after, |row| window::cursor(row.decided_us, row.id)),
        more,
        complete_since: time(complete_since),
        decisions: rows.into_iter().map(decision).collect(),
    })
}

fn decision(row: Row) -> RecordedDecision {
    let by = match row.decided_by.as_str() {
        "plan" => By::Plan,
        "system" => By::System,
        "person" => By::Person,
        _ => By::Unspecified,
    };
    RecordedDecision {
        system: row.system,
        key: Some(wire::RecordKey { store: row.store, kind: row.kind, id: row.record_id }),
        revision: Some(wire::Revision { epoch: row.epoch, number: row.number }),
        settlement: row.settlement,
        decided_at: time(row.decided_us),
        state: state_of(&row.state).into(),
        code: row.code,
        field: row.field,
        message: row.message,
        by: by.into(),
        plan_hash: row.plan_hash,
        document_hash: row.document_hash,
        delivery: row.delivery.unwrap_or_default(),
        facts: row.facts.unwrap_or_default(),
    }
}
