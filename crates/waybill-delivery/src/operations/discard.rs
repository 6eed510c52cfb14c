//! Deliveries that a person ends.

use sqlx::PgConnection;
use waybill_runtime::database;

use crate::{
    engine::Engine,
    outbox::{self, OutboxRow},
    store::{
        approvals::{Place, Word},
        decisions,
        deliveries::{self, Selection},
        heard,
    },
};

impl Engine {
    /// Ends parked deliveries as ignored, one transaction each, and says so.
    pub(super) async fn discard(&self, selection: &Selection, actor: &str, reason: &str) -> sqlx::Result<i64> {
        let rows = deliveries::list(self.pool(), selection, 1000).await?;
        let mut changed = 0;
        for row in rows {
            let mut transaction = database::begin(self.pool()).await?;
            let discarded = sqlx::query(
                "update delivery set state = 'ignored', code = 'discarded', message = $2, field = '',
                     settlement = settlement + 1, first_unapplied_at = null, changed_at = now()
                 where id = $1 and state = 'parked'",
            )
            .bind(row.id)
            .bind(reason)
            .execute(&mut *transaction)
            .await?;
            if discarded.rows_affected() == 0 {
                continue;
            }
            let place = Place { system: row.system, store: row.store, kind: row.kind, id: row.record_id };
            let word = Word { actor: actor.to_owned(), reason: reason.to_owned() };
            self.ended_by_person(&mut transaction, row.id, &place, "discard", &word).await?;
            transaction.commit().await?;
            changed += 1;
        }
        self.wake_outbox();
        Ok(changed)
    }

    /// Keeps that a person ended a delivery, who and why, and says it.
    pub(super) async fn ended_by_person(
        &self,
        db: &mut PgConnection,
        delivery: i64,
        place: &Place,
        action: &str,
        word: &Word,
    ) -> sqlx::Result<()> {
        decisions::keep_discarded(db, delivery, self.now()).await?;
        sqlx::query("insert into audit (actor, action, system, record, reason) values ($1, $2, $3, $4, $5)")
            .bind(&word.actor)
            .bind(action)
            .bind(&place.system)
            .bind(format!("{}/{}/{}", place.store, place.kind, place.id))
            .bind(&word.reason)
            .execute(&mut *db)
            .await?;
        let column = |text: &String| vec![text.clone()];
        let settled = heard::settled(db, &column(&place.store), &column(&place.kind), &column(&place.id)).await?;
        let rows: Vec<OutboxRow> = settled
            .iter()
            .filter(|settled| settled.system == place.system)
            .filter_map(|settled| self.stored_receipt(settled))
            .collect();
        outbox::write(db, rows.iter()).await
    }
}
