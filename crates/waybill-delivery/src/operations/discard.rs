//! Deliveries that a person ends.

use sqlx::PgConnection;
use waybill_runtime::database;

use super::receipts;
use crate::{
    engine::Engine,
    store::{
        approvals::{Place, Word},
        decisions,
        deliveries::{self, Row, Selection},
        receipts::said,
    },
};

/// So many are ended before the queue of receipts is looked at.
const PAGE: i64 = 200;

impl Engine {
    /// Ends parked deliveries as ignored, one transaction each, and says so.
    pub(super) async fn discard(&self, selection: &Selection, actor: &str, reason: &str) -> sqlx::Result<i64> {
        let most = selection.limit.unwrap_or(i64::MAX);
        let mut changed = 0;
        while changed < most {
            let rows = deliveries::oldest(self.pool(), selection, PAGE.min(most - changed)).await?;
            let before = changed;
            for row in rows {
                changed += i64::from(self.discard_one(row, actor, reason).await?);
            }
            // What is left was settled by others meanwhile.
            if changed == before {
                break;
            }
            self.wake_outbox();
        }
        Ok(changed)
    }

    async fn discard_one(&self, row: Row, actor: &str, reason: &str) -> sqlx::Result<bool> {
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
            return Ok(false);
        }
        let place = Place { system: row.system, store: row.store, kind: row.kind, id: row.record_id };
        let word = Word { actor: actor.to_owned(), reason: reason.to_owned() };
        self.ended_by_person(&mut transaction, row.id, &place, "discard", &word).await?;
        transaction.commit().await?;
        Ok(true)
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
        let all = said(db, &column(&place.store), &column(&place.kind), &column(&place.id)).await?;
        receipts::write(self, db, all.iter().filter(|said| said.system == place.system)).await?;
        Ok(())
    }
}
