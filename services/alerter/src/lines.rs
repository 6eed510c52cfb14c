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

    fn hears_receipts(&self) -> bool {
        true
    }

    async fn receipts(&self, _plan: &Plan, db: &mut PgConnection, receipts: &[wire::Receipt]) -> sqlx::Result<()> {
        let mut left: Vec<Told<'_>> = receipts.iter().filter_map(Told::of).collect();
        // In one order everywhere, so that two replicas' batches cannot lock each other out.
        left.sort_by(|a, b| (a.line(), a.receipt.settlement).cmp(&(b.line(), b.receipt.settlement)));
        while !left.is_empty() {
            // Of each line its first receipt: the next one is judged by what this one makes of it.
            let (mut first, mut later): (Vec<Told<'_>>, Vec<_>) = (Vec::with_capacity(left.len()), Vec::new());
            for told in left {
                match first.last() {
                    Some(before) if before.line() == told.line() => later.push(told),
                    _ => first.push(told),
                }
            }
            settle(db, &first).await?;
            left = later;
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

/// A receipt of an end.
struct Told<'a> {
    receipt: &'a wire::Receipt,
    key: &'a wire::RecordKey,
    to: &'a wire::Revision,
    state: &'static str,
}

impl<'a> Told<'a> {
    fn of(receipt: &'a wire::Receipt) -> Option<Self> {
        let state = match receipt.state() {
            wire::State::Applied => "applied",
            wire::State::Ignored => "ignored",
            wire::State::Parked => "parked",
            _ => return None,
        };
        Some(Self { receipt, key: receipt.key.as_ref()?, to: receipt.to.as_ref()?, state })
    }

    fn line(&self) -> (&str, &str, &str, &str) {
        (&self.key.store, &self.key.kind, &self.key.id, &self.receipt.system)
    }

    fn settled_at(&self) -> Option<String> {
        let at = self.receipt.settled_at.as_ref()?;
        Some(waybill_proto::convert::from_timestamp("settled_at", at).ok()?.to_string())
    }
}

/// Sets lines by receipts, one each. Receipts are numbered per delivery: an older one changes nothing. Of the revisions
/// that it settles the last gets its state, those before it and a parked one before them are superseded.
async fn settle(db: &mut PgConnection, receipts: &[Told<'_>]) -> sqlx::Result<()> {
    fn column<'a, T>(receipts: &'a [Told<'_>], pick: impl Fn(&'a Told<'_>) -> T) -> Vec<T> {
        receipts.iter().map(pick).collect()
    }
    let (stores, kinds, ids, systems) = (
        column(receipts, |told| told.key.store.as_str()),
        column(receipts, |told| told.key.kind.as_str()),
        column(receipts, |told| told.key.id.as_str()),
        column(receipts, |told| told.receipt.system.as_str()),
    );
    sqlx::query(
        "insert into line (store, kind, record_id, system)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) order by 1, 2, 3, 4
         on conflict do nothing",
    )
    .bind(&stores)
    .bind(&kinds)
    .bind(&ids)
    .bind(&systems)
    .execute(&mut *db)
    .await?;
    // Locked before they are judged: a row that another transaction changes meanwhile is judged as it is then.
    sqlx::query(
        "select from line l
         join unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (store, kind, record_id, system)
             using (store, kind, record_id, system)
         order by l.store, l.kind, l.record_id, l.system
         for update of l",
    )
    .bind(&stores)
    .bind(&kinds)
    .bind(&ids)
    .bind(&systems)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "update line l set
             service = n.service, settled_epoch = n.epoch, settled_number = n.number, settlement = n.settlement,
             -- A new epoch numbers on from where the backup stood. What was settled after it, and is still known here,
             -- was never accepted: the sum of the ends is the number in any case.
             superseded = l.superseded
                 + case when n.epoch = l.settled_epoch then greatest(0, n.number - l.settled_number - 1)
                     else n.number - l.settled_number - 1 end
                 + case when l.settled and l.end_state = 'parked'
                     and (n.epoch, n.number) > (l.settled_epoch, l.settled_number) then 1 else 0 end,
             -- The same revision settled anew moves from its former end to the new one.
             applied = l.applied + (n.state = 'applied')::int
                 - case when l.settled and l.end_state = 'applied'
                     and (n.epoch, n.number) = (l.settled_epoch, l.settled_number) then 1 else 0 end,
             ignored = l.ignored + (n.state = 'ignored')::int
                 - case when l.settled and l.end_state = 'ignored'
                     and (n.epoch, n.number) = (l.settled_epoch, l.settled_number) then 1 else 0 end,
             parked = (n.state = 'parked')::int,
             state = case when (l.accepted_epoch, l.accepted_number) > (n.epoch, n.number) and n.state <> 'parked'
                 then 'pending' else n.state end,
             end_state = n.state, settled = true,
             code = n.code, message = n.message, field = n.field, external_id = n.external_id, attempts = n.attempts,
             plan_hash = n.plan_hash,
             waits_since = case when (l.accepted_epoch, l.accepted_number) > (n.epoch, n.number)
                 then coalesce(l.waits_since, now()) end,
             dead_at = null, settled_at = n.settled_at::timestamptz, changed_at = now()
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
                 $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[], $15::text[], $16::text[])
             as n (store, kind, record_id, system, service, epoch, number, settlement, state, code, message, field,
                 external_id, attempts, plan_hash, settled_at)
         where (l.store, l.kind, l.record_id, l.system) = (n.store, n.kind, n.record_id, n.system)
             and (n.epoch, n.settlement) > (l.settled_epoch, l.settlement)
             and (n.epoch, n.number) >= (l.settled_epoch, l.settled_number)",
    )
    .bind(stores)
    .bind(kinds)
    .bind(ids)
    .bind(systems)
    .bind(column(receipts, |told| told.receipt.service.as_str()))
    .bind(column(receipts, |told| told.to.epoch))
    .bind(column(receipts, |told| told.to.number))
    .bind(column(receipts, |told| told.receipt.settlement))
    .bind(column(receipts, |told| told.state))
    .bind(column(receipts, |told| told.receipt.code.as_str()))
    .bind(column(receipts, |told| told.receipt.message.as_str()))
    .bind(column(receipts, |told| told.receipt.field.as_str()))
    .bind(column(receipts, |told| told.receipt.external_id.as_str()))
    .bind(column(receipts, |told| told.receipt.attempts))
    .bind(column(receipts, |told| told.receipt.plan_hash.as_str()))
    .bind(receipts.iter().map(Told::settled_at).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
