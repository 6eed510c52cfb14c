//! Lines from snapshots, receipts and dead letters.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use waybill_delivery::Hooks;
use waybill_domain::{Body, Snapshot};
use waybill_plan::Plan;
use waybill_proto::wire;

/// An order that is older when it is accepted is no new one.
const NEWS: SignedDuration = SignedDuration::from_hours(24);

/// Keeps every line of every waybill.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines;

#[async_trait]
impl Hooks for Lines {
    async fn heard(&self, plan: &Plan, db: &mut PgConnection, snapshots: &[Snapshot]) -> sqlx::Result<()> {
        let column = |pick: fn(&Snapshot) -> String| snapshots.iter().map(pick).collect::<Vec<_>>();
        sqlx::query(
            "insert into waybill as w (store, kind, record_id, name, arrived_at)
             select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]::timestamptz[])
             order by 1, 2, 3
             on conflict (store, kind, record_id) do update set name = excluded.name, changed_at = now(),
                 -- An earlier revision may be heard after a later one.
                 arrived_at = least(w.arrived_at, excluded.arrived_at)",
        )
        .bind(column(|s| s.key.store.to_string()))
        .bind(column(|s| s.key.kind.to_string()))
        .bind(column(|s| s.key.id.to_string()))
        .bind(column(|s| s.name().to_owned()))
        .bind(snapshots.iter().map(arrived).map(|at| at.map(|at| at.to_string())).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
        let mut lines = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for snapshot in snapshots {
            for system in plan.systems_for(&snapshot.key.store, snapshot.key.kind) {
                lines.0.push(snapshot.key.store.to_string());
                lines.1.push(snapshot.key.kind.to_string());
                lines.2.push(snapshot.key.id.to_string());
                lines.3.push(system.to_string());
                lines.4.push(snapshot.revision.epoch);
                lines.5.push(snapshot.revision.number);
            }
        }
        sqlx::query(
            "insert into line as l (store, kind, record_id, system, accepted_epoch, accepted_number, waits_since)
             select *, now()
             from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
             order by 1, 2, 3, 4
             on conflict (store, kind, record_id, system) do update set
                 accepted_epoch = excluded.accepted_epoch, accepted_number = excluded.accepted_number,
                 waits_since = case
                     when (l.settled_epoch, l.settled_number) >= (excluded.accepted_epoch, excluded.accepted_number) then null
                     else coalesce(l.waits_since, now()) end,
                 state = case
                     when (l.settled_epoch, l.settled_number) >= (excluded.accepted_epoch, excluded.accepted_number)
                         or l.state = 'parked' then l.state
                     else 'pending' end
             where (excluded.accepted_epoch, excluded.accepted_number) > (l.accepted_epoch, l.accepted_number)",
        )
        .bind(lines.0)
        .bind(lines.1)
        .bind(lines.2)
        .bind(lines.3)
        .bind(lines.4)
        .bind(lines.5)
        .execute(db)
        .await?;
        Ok(())
    }

    async fn receipts(&self, _plan: &Plan, db: &mut PgConnection, receipts: &[wire::Receipt]) -> sqlx::Result<()> {
        // In one order everywhere, so that two replicas' batches cannot lock each other out.
        let mut receipts: Vec<&wire::Receipt> = receipts.iter().collect();
        receipts.sort_by_key(|receipt| {
            let key = receipt.key.clone().unwrap_or_default();
            (key.store, key.kind, key.id, receipt.system.clone(), receipt.settlement)
        });
        for receipt in receipts {
            settle(db, receipt).await?;
        }
        Ok(())
    }

    async fn dead_letters(&self, db: &mut PgConnection, letters: &[wire::DeadLetter]) -> sqlx::Result<()> {
        for letter in letters {
            let (Some(key), Some(revision)) = (&letter.key, &letter.revision) else { continue };
            sqlx::query(
                "update line set dead_number = $5, dead_code = $6, dead_message = $7, dead_at = now(), service = $8
                 where (store, kind, record_id, system) = ($1, $2, $3, $4)
                     and settled_number < $5 and dead_number < $5",
            )
            .bind(&key.store)
            .bind(&key.kind)
            .bind(&key.id)
            .bind(&letter.system)
            .bind(revision.number)
            .bind(&letter.code)
            .bind(&letter.message)
            .bind(&letter.service)
            .execute(&mut *db)
            .await?;
        }
        Ok(())
    }

    fn says_receipts(&self) -> bool {
        false
    }
}

/// When a new order was accepted; nothing for what is old news, such as the orders of before a store was connected, and
/// for everything else.
fn arrived(snapshot: &Snapshot) -> Option<Timestamp> {
    match &snapshot.body {
        Some(Body::Order(order)) if snapshot.observed_at.duration_since(order.created_at) < NEWS => {
            Some(snapshot.observed_at)
        }
        _ => None,
    }
}

/// Sets a line by a receipt. Receipts are numbered per delivery: an older one changes nothing. Of the revisions that
/// it settles the last gets its state, those before it and a parked one before them are superseded.
async fn settle(db: &mut PgConnection, receipt: &wire::Receipt) -> sqlx::Result<()> {
    let (Some(key), Some(to)) = (&receipt.key, &receipt.to) else { return Ok(()) };
    let state = match receipt.state() {
        wire::State::Applied => "applied",
        wire::State::Ignored => "ignored",
        wire::State::Parked => "parked",
        _ => return Ok(()),
    };
    sqlx::query("insert into line (store, kind, record_id, system) values ($1, $2, $3, $4) on conflict do nothing")
        .bind(&key.store)
        .bind(&key.kind)
        .bind(&key.id)
        .bind(&receipt.system)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        // Row by row on its own columns: a row that another transaction changes meanwhile is judged as it is then.
        "update line l set
             service = $5, settled_epoch = $6, settled_number = $7, settlement = $8,
             -- A new epoch numbers on from where the backup stood. What was settled after it, and is still known here,
             -- was never accepted: the sum of the ends is the number in any case.
             superseded = l.superseded
                 + case when $6 = l.settled_epoch then greatest(0, $7 - l.settled_number - 1)
                     else $7 - l.settled_number - 1 end
                 + case when l.settled and l.end_state = 'parked'
                     and ($6, $7) > (l.settled_epoch, l.settled_number) then 1 else 0 end,
             -- The same revision settled anew moves from its former end to the new one.
             applied = l.applied + ($9 = 'applied')::int
                 - case when l.settled and l.end_state = 'applied'
                     and ($6, $7) = (l.settled_epoch, l.settled_number) then 1 else 0 end,
             ignored = l.ignored + ($9 = 'ignored')::int
                 - case when l.settled and l.end_state = 'ignored'
                     and ($6, $7) = (l.settled_epoch, l.settled_number) then 1 else 0 end,
             parked = ($9 = 'parked')::int,
             state = case when (l.accepted_epoch, l.accepted_number) > ($6, $7) and $9 <> 'parked' then 'pending' else $9 end,
             end_state = $9, settled = true,
             code = $10, message = $11, field = $12, external_id = $13, attempts = $14, plan_hash = $15,
             waits_since = case when (l.accepted_epoch, l.accepted_number) > ($6, $7) then coalesce(l.waits_since, now()) end,
             dead_at = null, settled_at = $16::timestamptz, changed_at = now()
         where (l.store, l.kind, l.record_id, l.system) = ($1, $2, $3, $4)
             and ($6, $8) > (l.settled_epoch, l.settlement) and ($6, $7) >= (l.settled_epoch, l.settled_number)",
    )
    .bind(&key.store)
    .bind(&key.kind)
    .bind(&key.id)
    .bind(&receipt.system)
    .bind(&receipt.service)
    .bind(to.epoch)
    .bind(to.number)
    .bind(receipt.settlement)
    .bind(state)
    .bind(&receipt.code)
    .bind(&receipt.message)
    .bind(&receipt.field)
    .bind(&receipt.external_id)
    .bind(receipt.attempts)
    .bind(&receipt.plan_hash)
    .bind(
        receipt
            .settled_at
            .as_ref()
            .and_then(|at| waybill_proto::convert::from_timestamp("settled_at", at).ok())
            .map(|time| time.to_string()),
    )
    .execute(db)
    .await?;
    Ok(())
}
