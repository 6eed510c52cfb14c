//! How ends are recorded: with what decided them, what was sent, and what is said of it.

use waybill_domain::{Kind, document::Fields};
use waybill_plan::ORDER_IGNORED;
use waybill_runtime::database;

use crate::{
    deciding::ended,
    engine::Engine,
    outbox,
    receipts::receipt_rows,
    store::{
        claim::Claim,
        refunds, sent,
        settle::{self, Ended},
        steps::StepWrite,
        systems,
    },
};

/// How a claim ended, and what was sent of the mapped fields.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) claim: Claim,
    pub(crate) ended: Ended,
    pub(crate) sent: Vec<(String, String, Fields)>,
}

impl End {
    /// The order whose being ignored has this ignored: its store and id.
    fn hangs_on(&self) -> Option<(&str, &str)> {
        let hangs = self.ended.state == "ignored" && self.ended.code == ORDER_IGNORED;
        hangs.then_some((self.claim.store.as_str(), self.ended.field.as_str()))
    }
}

pub(crate) const LOST: &str = "the claim was lost to another replica; its result counts";

impl Engine {
    /// Ends claims of a system and says so, in one transaction. If one of them holds what cannot be stored, each goes by
    /// itself, so that it keeps no other from its end, and that one is parked.
    pub(crate) async fn settle(&self, system: &str, ends: Vec<End>) -> sqlx::Result<()> {
        let together = database::again_after_deadlock(|| self.settle_together(system, &ends)).await;
        let Err(error) = &together else { return together };
        if database::refused_content(error).is_none() {
            return together;
        }
        tracing::warn!(system, %error, "an end cannot be recorded; looking for it");
        let mut outcome = Ok(());
        for end in ends {
            outcome = outcome.and(self.settle_alone(system, end).await);
        }
        outcome
    }

    async fn settle_alone(&self, system: &str, mut end: End) -> sqlx::Result<()> {
        let alone = database::again_after_deadlock(|| self.settle_together(system, std::slice::from_ref(&end))).await;
        let Some(code) = alone.as_ref().err().and_then(database::refused_content) else { return alone };
        tracing::error!(delivery = end.claim.id, system, code, "what became of it cannot be recorded; parked");
        let message = format!("what became of it holds what the database cannot store (SQLSTATE {code})");
        let plan_hash = std::mem::take(&mut end.claim.basis).plan_hash;
        // What it taught may be what cannot be stored; that it was done can.
        let last = end.ended.last.take().map(|step| StepWrite { known: None, ..step });
        end.ended = Ended { last, ..ended(&plan_hash, &end.claim, "parked", "malformed", "", &message) };
        end.sent.clear();
        self.settle_together(system, &[end]).await
    }

    async fn settle_together(&self, system: &str, ends: &[End]) -> sqlx::Result<()> {
        if ends.is_empty() {
            return Ok(());
        }
        let mut transaction = database::begin(self.pool()).await?;
        let told: Vec<_> = ends.iter().map(|end| (&end.ended, &end.claim.basis)).collect();
        let hang_on = ends.iter().filter_map(End::hangs_on).collect::<Vec<_>>();
        refunds::hold_orders(&mut transaction, system, &hang_on).await?;
        let settlements = settle::settle(&mut transaction, &told, self.now()).await?;
        let mut settled = Vec::with_capacity(ends.len());
        for end in ends {
            match settlements.get(&end.claim.id) {
                Some(settlement) => settled.push((end, *settlement)),
                None => tracing::info!(delivery = end.claim.id, "{LOST}"),
            }
        }
        if settled.is_empty() {
            return Ok(());
        }
        let sent: Vec<_> = settled.iter().flat_map(|(end, _)| &end.sent).collect();
        sent::keep(&mut transaction, system, &sent).await?;
        let is_first = |(end, _): &&(&End, i64)| end.claim.is_first_write() && end.ended.state == "applied";
        let first_writes = settled.iter().filter(is_first).count();
        if first_writes > 0 {
            let records = i64::try_from(first_writes).unwrap_or(i64::MAX);
            systems::note_first_writes(&mut transaction, system, records).await?;
        }
        let is_new_order = |end: &&End| {
            end.claim.kind == Kind::Order.as_str() && end.claim.applied_number.is_none() && end.ended.state == "applied"
        };
        let new_orders = settled.iter().map(|(end, _)| *end).filter(is_new_order);
        let orders: Vec<_> =
            new_orders.map(|end| (end.claim.store.as_str(), end.claim.record_id.as_str())).chain(hang_on).collect();
        let woken = refunds::wake(&mut transaction, system, &orders).await?;
        if self.hooks().says_receipts() {
            let rows: Vec<_> = settled
                .iter()
                .filter(|(end, _)| !waybill_faults::breaks("lose-receipt", &end.claim.record_id))
                .flat_map(|(end, settlement)| {
                    receipt_rows(self.service(), &end.claim, &end.ended, *settlement, self.now())
                })
                .collect();
            outbox::write(&mut transaction, rows.iter()).await?;
        }
        transaction.commit().await?;
        waybill_faults::crash_point("receipt-committed");
        for (End { claim, ended, .. }, _) in &settled {
            let labels = [("system", claim.system.as_str()), ("kind", claim.kind.as_str()), ("state", ended.state)];
            self.metrics().add("waybill_deliveries_settled_total", &labels, 1);
        }
        self.wake_outbox();
        if woken > 0 {
            self.wake_workers();
        }
        Ok(())
    }
}
