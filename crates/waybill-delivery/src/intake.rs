//! What was heard becomes `desired`.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use sqlx::PgConnection;
use waybill_bus::{Incoming, headers, subjects};
use waybill_domain::{RecordKey, Snapshot, SystemName};
use waybill_plan::Plan;
use waybill_proto::wire;
use waybill_runtime::database;

use crate::{
    engine::Engine,
    ledger::REFERENCE,
    sabotage,
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
        Ok(snapshot) => {
            Some(Heard { snapshot, traceparent: message.header(headers::TRACEPARENT).unwrap_or_default().to_owned() })
        }
        Err(error) => {
            tracing::error!(subject = message.subject(), error, "a message on the bus is no snapshot");
            None
        }
    }
}

impl Engine {
    /// Sets what is wanted at each of the service's systems, in one transaction with what the service itself keeps.
    pub(crate) async fn take(&self, heard: Vec<Heard>) -> anyhow::Result<()> {
        self.take_as(heard, false).await.map(drop)
    }

    /// The same; with `again`, what is new here may be in its system all the same. Gives how many deliveries have
    /// something new.
    pub(crate) async fn take_as(&self, heard: Vec<Heard>, again: bool) -> anyhow::Result<u64> {
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
            return Ok(0);
        }
        let plan = self.plan();
        let mut wanted = Vec::new();
        for Heard { snapshot, traceparent } in newest.values() {
            let key = &snapshot.key;
            let mut encoded = None;
            for system in plan.systems_for(&key.store, key.kind).filter(|system| self.is_ours(&plan, system, key.kind))
            {
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
                    again,
                });
            }
        }
        let snapshots: Vec<Snapshot> = newest.into_values().map(|heard| heard.snapshot).collect();
        // Most of what a service hears may be no flow's of its own.
        if wanted.is_empty() && !snapshots.iter().any(|snapshot| self.hooks().keeps(snapshot.key.kind)) {
            self.taken().note(&plan.hash, &snapshots);
            return Ok(0);
        }
        sabotage::keep_older(self.pool(), &mut wanted).await?;
        let changed = database::again_after_deadlock(|| self.keep(&plan, &wanted, &snapshots)).await?;
        self.taken().note(&plan.hash, &snapshots);
        waybill_faults::crash_point("intake-committed");
        self.metrics().add("waybill_snapshots_heard_total", &[], i64::try_from(snapshots.len()).unwrap_or(i64::MAX));
        if changed > 0 {
            self.wake_workers();
        }
        Ok(changed)
    }

    /// One transaction; gives how many deliveries have something new.
    async fn keep(&self, plan: &Plan, wanted: &[Wanted], snapshots: &[Snapshot]) -> sqlx::Result<u64> {
        let mut transaction = database::begin(self.pool()).await?;
        self.note_flows(&mut transaction, plan).await?;
        let changed = if wanted.is_empty() { 0 } else { heard::want(&mut transaction, wanted).await? };
        self.hooks().heard(plan, &mut transaction, snapshots).await?;
        waybill_faults::crash_point("intake-before-commit");
        transaction.commit().await?;
        Ok(changed)
    }

    /// Takes a batch of snapshots from the bus; those that travel as a reference are fetched from their source.
    pub(crate) async fn take_snapshots(&self, messages: &[Incoming]) -> anyhow::Result<()> {
        let mut heard = Vec::with_capacity(messages.len());
        for message in messages {
            if message.header(headers::SCHEMA) == Some(REFERENCE) {
                heard.extend(self.fetch(message).await?);
            } else {
                heard.extend(read(message));
            }
        }
        self.take(heard).await
    }

    async fn fetch(&self, message: &Incoming) -> anyhow::Result<Option<Heard>> {
        let Ok(key) = subjects::parse_snapshot(message.subject()) else { return Ok(None) };
        let traceparent = message.header(headers::TRACEPARENT).unwrap_or_default().to_owned();
        Ok(self.ask_source(&key).await?.map(|snapshot| Heard { snapshot, traceparent }))
    }

    /// Whether a receipt can matter here: to a flow that comes after another system, or to what the service keeps.
    pub(crate) fn hears_receipts(&self) -> bool {
        self.hooks().hears_receipts() || !waited_for(&self.plan()).is_empty()
    }

    /// Keeps other systems' receipts that a flow of ours waits for, and what the service itself keeps of them.
    pub(crate) async fn take_receipts(&self, messages: &[Incoming]) -> anyhow::Result<()> {
        self.keep_receipts(&decode(messages)).await
    }

    pub(crate) async fn keep_receipts(&self, receipts: &[wire::Receipt]) -> anyhow::Result<()> {
        let plan = self.plan();
        let waited_for = waited_for(&plan);
        let is_waited_for = |receipt: &&wire::Receipt| waited_for.contains(receipt.system.as_str());
        let facts: Vec<Fact> = receipts.iter().filter(is_waited_for).filter_map(fact).collect();
        if facts.is_empty() && !self.hooks().hears_receipts() {
            return Ok(());
        }
        database::again_after_deadlock(async || {
            let mut transaction = database::begin(self.pool()).await?;
            if !facts.is_empty() {
                facts::keep(&mut transaction, &facts).await?;
            }
            self.hooks().receipts(&plan, &mut transaction, receipts).await?;
            transaction.commit().await
        })
        .await?;
        if !facts.is_empty() {
            self.wake_workers();
        }
        Ok(())
    }

    pub(crate) async fn take_dead_letters(&self, messages: &[Incoming]) -> anyhow::Result<()> {
        let letters: Vec<wire::DeadLetter> = decode(messages);
        database::again_after_deadlock(async || {
            let mut transaction = database::begin(self.pool()).await?;
            self.hooks().dead_letters(&mut transaction, &letters).await?;
            transaction.commit().await
        })
        .await?;
        Ok(())
    }
}

/// The systems whose word something waits for.
fn waited_for(plan: &Plan) -> BTreeSet<&str> {
    let after = plan.flows.iter().flat_map(|flow| &flow.after);
    after.chain(plan.stock.as_ref().map(|stock| &stock.from)).map(SystemName::as_str).collect()
}

fn decode<M: prost::Message + Default>(messages: &[Incoming]) -> Vec<M> {
    messages
        .iter()
        .filter_map(|message| {
            M::decode(message.payload())
                .inspect_err(
                    |error| tracing::error!(subject = message.subject(), %error, "a message on the bus cannot be read"),
                )
                .ok()
        })
        .collect()
}

fn fact(receipt: &wire::Receipt) -> Option<Fact> {
    let state = match receipt.state() {
        wire::State::Applied => "applied",
        wire::State::Ignored => "ignored",
        wire::State::Parked => "parked",
        _ => return None,
    };
    let key = receipt.key.as_ref()?;
    let said = receipt.to.as_ref();
    let applied = if state == "applied" { said } else { None };
    Some(Fact {
        store: key.store.clone(),
        kind: key.kind.clone(),
        record_id: key.id.clone(),
        system: receipt.system.clone(),
        state: state.to_owned(),
        settlement: receipt.settlement,
        said_epoch: said.map(|revision| revision.epoch),
        said_number: said.map(|revision| revision.number),
        applied_epoch: applied.map(|revision| revision.epoch),
        applied_number: applied.map(|revision| revision.number),
    })
}

/// Has deliveries of these records decided anew, within the caller's transaction: something beside their snapshot
/// that decides them has changed.
///
/// # Errors
/// If the database fails.
pub async fn decide_anew(db: &mut PgConnection, records: &[RecordKey], systems: &[String]) -> sqlx::Result<()> {
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
