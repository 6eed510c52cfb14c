//! What was heard becomes `desired`.

use std::collections::{BTreeMap, HashMap};

use prost::Message as _;
use sqlx::PgConnection;
use waybill_bus::{Incoming, headers};
use waybill_domain::{RecordKey, Snapshot};
use waybill_proto::wire;

use crate::{
    engine::Engine,
    store::{
        facts::{self, Fact},
        heard::{self, Wanted},
    },
};

/// A snapshot as it was heard.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) snapshot: Snapshot,
    pub(crate) traceparent: String,
}

/// Reads a message; `None` (and a log line) if it is no snapshot. The record is safe at its source, so an unreadable
/// message is not held: it would only block what comes after it.
pub(crate) fn read(message: &Incoming) -> Option<Heard> {
    let read = wire::Snapshot::decode(message.payload())
        .map_err(|error| error.to_string())
        .and_then(|wire| Snapshot::try_from(wire).map_err(|error| error.to_string()));
    match read {
        Ok(snapshot) => Some(Heard {
            snapshot,
            traceparent: message.header(headers::TRACEPARENT).unwrap_or_default().to_owned(),
        }),
        Err(error) => {
            tracing::error!(subject = message.subject(), error, "a message on the bus is no snapshot");
            None
        }
    }
}

impl Engine {
    /// Sets what is wanted at each of the service's systems, in one transaction with what the service itself keeps.
    pub(crate) async fn take(&self, heard: Vec<Heard>) -> anyhow::Result<()> {
        let mut newest: BTreeMap<RecordKey, Heard> = BTreeMap::new();
        for one in heard {
            match newest.get(&one.snapshot.key) {
                Some(other) if other.snapshot.revision >= one.snapshot.revision => {}
                _ => {
                    newest.insert(one.snapshot.key.clone(), one);
                }
            }
        }
        if newest.is_empty() {
            return Ok(());
        }
        let plan = self.plan();
        let mut wanted = Vec::new();
        for Heard { snapshot, traceparent } in newest.values() {
            let key = &snapshot.key;
            let mut encoded = None;
            for system in plan.systems_for(&key.store, key.kind).filter(|system| self.is_ours(&plan, system)) {
                let snapshot_bytes =
                    encoded.get_or_insert_with(|| wire::Snapshot::from(snapshot).encode_to_vec()).clone();
                wanted.push(Wanted {
                    system: system.to_string(),
                    store: key.store.to_string(),
                    kind: key.kind.as_str(),
                    record_id: key.id.to_string(),
                    name: snapshot.name().to_owned(),
                    target_key: self.hooks().target_key(system, snapshot),
                    epoch: snapshot.revision.epoch,
                    number: snapshot.revision.number,
                    snapshot: snapshot_bytes,
                    traceparent: traceparent.clone(),
                });
            }
        }
        let snapshots: Vec<Snapshot> = newest.into_values().map(|heard| heard.snapshot).collect();
        let mut transaction = self.pool().begin().await?;
        let changed = if wanted.is_empty() { 0 } else { heard::want(&mut transaction, &wanted).await? };
        self.hooks().heard(&plan, &mut transaction, &snapshots).await?;
        transaction.commit().await?;
        if changed > 0 {
            self.wake_workers();
        }
        Ok(())
    }

    /// Keeps other systems' receipts that a flow of ours waits for.
    pub(crate) async fn take_receipts(&self, messages: &[Incoming]) -> anyhow::Result<()> {
        let plan = self.plan();
        let waited_for = |system: &str| {
            plan.flows.iter().any(|flow| flow.after.iter().any(|after| after.as_str() == system))
                || plan.stock.as_ref().is_some_and(|stock| stock.from.as_str() == system)
        };
        let mut newest: HashMap<(RecordKey, String), Fact> = HashMap::new();
        for message in messages {
            let Ok(receipt) = wire::Receipt::decode(message.payload()) else {
                tracing::error!(subject = message.subject(), "a message on the bus is no receipt");
                continue;
            };
            let state = match receipt.state() {
                wire::State::Applied => "applied",
                wire::State::Ignored => "ignored",
                wire::State::Parked => "parked",
                _ => continue,
            };
            let Some(Ok(key)) = receipt.key.as_ref().map(RecordKey::try_from) else { continue };
            if !waited_for(&receipt.system) {
                continue;
            }
            let fact = Fact {
                store: key.store.to_string(),
                kind: key.kind.to_string(),
                record_id: key.id.to_string(),
                system: receipt.system.clone(),
                state: state.to_owned(),
                settlement: receipt.settlement,
            };
            let slot = newest.entry((key, receipt.system)).or_insert_with(|| fact.clone());
            if fact.settlement > slot.settlement {
                *slot = fact;
            }
        }
        if newest.is_empty() {
            return Ok(());
        }
        let facts: Vec<Fact> = newest.into_values().collect();
        let mut transaction = self.pool().begin().await?;
        facts::keep(&mut transaction, &facts).await?;
        self.hooks().receipts(&plan, &mut transaction).await?;
        transaction.commit().await?;
        self.wake_workers();
        Ok(())
    }
}

/// Has deliveries of these records decided anew, within the caller's transaction: something beside their snapshot
/// that decides them has changed.
///
/// # Errors
/// If the database fails.
pub async fn decide_anew(
    db: &mut PgConnection,
    records: &[RecordKey],
    systems: &[String],
) -> sqlx::Result<()> {
    let column = |pick: fn(&RecordKey) -> String| records.iter().map(pick).collect::<Vec<_>>();
    heard::wake(
        db,
        &column(|key| key.store.to_string()),
        &column(|key| key.kind.to_string()),
        &column(|key| key.id.to_string()),
        systems,
    )
    .await
}
