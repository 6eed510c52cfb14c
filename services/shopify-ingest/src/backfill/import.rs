//! A bulk operation's file, read piece by piece and put into the ledger in batches.

use std::{collections::BTreeSet, iter, time::Duration};

use connector_shopify::{
    body::content_hash,
    bulk::{BulkError, Reading, Told},
};
use jiff::Timestamp;
use waybill_delivery::ledger::{Observed, Origin, Verdict};
use waybill_domain::{Body, Kind, RecordId, RecordKey};
use waybill_runtime::database;

use super::{
    Stop,
    store::{self, Claim, Progress},
};
use crate::{
    app::{Shared, Shop},
    refetch, refunds,
};

/// Records in a transaction.
const BATCH: usize = 50;
/// A second's worth of records is imported within so much of it: the rest is live traffic's.
const PACE: Duration = Duration::from_secs(1);

/// Records that are whole, and up to where they stand in the file.
#[derive(Debug)]
struct Batch {
    records: Vec<Told>,
    /// Orders of which the file does not tell all.
    untold: Vec<RecordId>,
    bytes: i64,
    lines: i64,
}

impl Batch {
    const fn at(bytes: i64, lines: i64) -> Self {
        Self { records: Vec::new(), untold: Vec::new(), bytes, lines }
    }

    const fn size(&self) -> usize {
        self.records.len() + self.untold.len()
    }

    /// Takes a record that ended before `bytes` and `lines`.
    fn take(&mut self, told: Result<Told, BulkError>, bytes: i64, lines: i64) -> Result<(), BulkError> {
        match told {
            Ok(told) => self.records.push(told),
            Err(BulkError::RefundUntold { id, .. }) => self.untold.push(id),
            Err(error) => return Err(error),
        }
        (self.bytes, self.lines) = (bytes, lines);
        Ok(())
    }
}

/// Imports the rest of a backfill's file.
pub(super) async fn rest(shared: &Shared, shop: &Shop, claim: &Claim, began_at: Timestamp) -> Result<(), Stop> {
    let mut reading = Reading::of(claim.kind, usize::try_from(claim.lines).unwrap_or_default());
    let mut batch = Batch::at(claim.bytes, claim.lines);
    // No more than a second's worth, so that no pause outlasts the lease.
    let most = BATCH.min(shared.backfilling.records_per_second as usize);
    // Where the next line begins, and what is there of it.
    let (mut at, mut text): (i64, Vec<u8>) = (claim.bytes, Vec::new());
    loop {
        let from = at + length(&text);
        let piece = shop.api.bulk_piece(&claim.url, from.try_into().unwrap_or_default()).await?;
        text.extend_from_slice(&piece.bytes);
        let mut read = 0;
        while let Some(end) = text[read..].iter().position(|byte| *byte == b'\n') {
            let line = &text[read..=read + end];
            let before = (at, length_of(reading.lines()));
            if let Some(told) = reading.line(line)? {
                batch.take(told, before.0, before.1)?;
            }
            at += length(line);
            read += end + 1;
            if batch.size() >= most {
                let next = Batch::at(batch.bytes, batch.lines);
                write(shared, claim, std::mem::replace(&mut batch, next), began_at).await?;
                pause(shared, most).await;
            }
        }
        text.drain(..read);
        if piece.last {
            if !text.is_empty()
                && let Some(told) = reading.line(&text)?
            {
                batch.take(told, at, length_of(reading.lines()) - 1)?;
            }
            at += length(&text);
            if let Some(told) = reading.end() {
                batch.take(told, at, length_of(reading.lines()))?;
            }
            return write(shared, claim, batch, began_at).await;
        }
    }
}

fn length(text: &[u8]) -> i64 {
    length_of(text.len())
}

fn length_of(count: usize) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// Leaves live traffic its room.
async fn pause(shared: &Shared, records: usize) {
    let share = PACE.mul_f64(records as f64 / f64::from(shared.backfilling.records_per_second));
    tokio::time::sleep(share).await;
}

/// One transaction: what the records are to the ledger, and how far the file is imported.
async fn write(shared: &Shared, claim: &Claim, batch: Batch, began_at: Timestamp) -> Result<(), Stop> {
    let Batch { records, untold, bytes, lines } = batch;
    let mut progress =
        Progress { bytes, lines, records: length_of(records.len() + untold.len()), ..Progress::default() };
    let mut states: Vec<Observed> = Vec::new();
    for (id, body, updated_at) in records {
        let told = refunds::told_by(Some(&body)).into_iter().map(|refund| (refund.id.clone(), Body::Refund(refund)));
        for (id, body) in told.chain(iter::once((id, body))) {
            let key = RecordKey { store: claim.store.clone(), kind: body.kind(), id };
            let origin = Origin::Imported { began_at, source_updated_at: updated_at };
            let content_hash = content_hash(&body);
            states.push(Observed { key, body: Some(body), content_hash, origin, traceparent: String::new() });
        }
    }
    let states: Vec<&Observed> = states.iter().collect();
    let mut transaction = database::begin(shared.ledger.pool()).await?;
    let mut wishes: BTreeSet<(Kind, RecordId)> = untold.into_iter().map(|id| (Kind::Order, id)).collect();
    let verdicts = shared.ledger.observe_all(&mut transaction, &states, shared.clock.now()).await?;
    for (state, verdict) in states.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Changed => progress.changed += i64::from(state.key.kind == claim.kind),
            Verdict::Refetch => drop(wishes.insert(read_instead(state))),
            Verdict::Echo | Verdict::Stale => {}
        }
    }
    // Wished for once all records are locked, in one order everywhere.
    for (kind, id) in &wishes {
        refetch::want(&mut transaction, &claim.store, *kind, id, "backfill", "").await?;
    }
    progress.to_read = length_of(wishes.len());
    if !store::imported(&mut transaction, claim, progress).await? {
        return Err(Stop::Lost);
    }
    transaction.commit().await?;
    let labels = [("store", claim.store.as_str()), ("kind", claim.kind.as_str())];
    shared.metrics.add("waybill_backfilled_total", &labels, progress.records);
    shared.to_publish.notify_one();
    if !wishes.is_empty() {
        shared.to_refetch.notify_one();
    }
    Ok(())
}

/// What is read where the file does not tell all, or it cannot be told which of two states is newer: a refund is read
/// with its order.
fn read_instead(state: &Observed) -> (Kind, RecordId) {
    match &state.body {
        Some(Body::Refund(refund)) => (Kind::Order, refund.order_id.clone()),
        _ => (state.key.kind, state.key.id.clone()),
    }
}
