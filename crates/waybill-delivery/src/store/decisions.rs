//! Settlements as they are kept, with all that decided them. `settle` writes them.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use waybill_plan::{DeliveryFacts, Facts};

use crate::window::Window;

/// What a claim's decision was made of; a claim that was not decided yet has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Basis {
    /// What was known; absent if the snapshot could not be read.
    pub(crate) known: Option<(DeliveryFacts, Facts)>,
    /// Hash of the document that is to be written; empty if there is none.
    pub(crate) document_hash: Vec<u8>,
    /// Whether the system has to be read before there is a document.
    pub(crate) unread: bool,
    /// Hash of the plan that decided: by the end of a call there may be another.
    pub(crate) plan_hash: String,
}

impl Basis {
    /// Who says that the claim ended so.
    pub(crate) fn decided_by(&self, state: &str) -> &'static str {
        // `decide` itself parks before there is a document, and once all is read.
        let is_decided = self.known.is_some() && self.document_hash.is_empty() && !self.unread;
        if state == "parked" && !is_decided { "system" } else { "plan" }
    }
}

/// Keeps what a person made of a parked delivery, after its row was changed, in that transaction.
pub(crate) async fn keep_discarded(db: &mut PgConnection, delivery: i64, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(
        "insert into decision (system, store, kind, record_id, epoch, number, settlement, decided_at, state, code,
             field, message, decided_by, plan_hash, document_hash)
         select system, store, kind, record_id, settled_epoch, settled_number, settlement, $2::timestamptz, state, code,
             field, message, 'person', plan_hash, ''
         from delivery where id = $1",
    )
    .bind(delivery)
    .bind(now.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// A kept settlement. Times are microseconds since the Unix epoch; what is JSON stays text.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) system: String,
    pub(crate) store: String,
    pub(crate) kind: String,
    pub(crate) record_id: String,
    pub(crate) epoch: i64,
    pub(crate) number: i64,
    pub(crate) settlement: i64,
    pub(crate) decided_us: i64,
    pub(crate) state: String,
    pub(crate) code: String,
    pub(crate) field: String,
    pub(crate) message: String,
    pub(crate) decided_by: String,
    pub(crate) plan_hash: String,
    pub(crate) document_hash: String,
    pub(crate) delivery: Option<String>,
    pub(crate) facts: Option<String>,
}

/// Settlements of a window and one more, if there is one, in the order of time.
pub(crate) async fn list(pool: &PgPool, window: &Window) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "select id, system, store, kind, record_id, epoch, number, settlement,
             (extract(epoch from decided_at) * 1000000)::bigint as decided_us, state, code, field, message, decided_by,
             plan_hash, document_hash, delivery::text as delivery, facts::text as facts
         from decision
         where decided_at >= $1::timestamptz and decided_at < $2::timestamptz
             and (decided_at, id) > ($3::timestamptz, $4)
         order by decided_at, id
         limit $5",
    )
    .bind(window.from.to_string())
    .bind(window.to.to_string())
    .bind(window.after.0.to_string())
    .bind(window.after.1)
    .bind(window.one_more())
    .fetch_all(pool)
    .await
}
