//! What was said of settled deliveries, once more: on the road to all, or to one who asks.

use prost::Message as _;
use sqlx::PgConnection;
use tonic::Status;
use waybill_domain::{RecordKey, SystemName};
use waybill_proto::wire;
use waybill_runtime::database;

use super::{columns, state_of, time, unavailable};
use crate::{
    engine::Engine,
    outbox::{self, OutboxRow},
    store::receipts::{self, Said},
};

/// Publishes the stored receipts of settled deliveries again. Gives how many.
pub(super) async fn say_again(engine: &Engine, keys: &[wire::RecordKey]) -> Result<i64, Status> {
    let [stores, kinds, ids] = columns(keys)?;
    let said = async {
        let mut transaction = database::begin(engine.pool()).await?;
        let all = receipts::said(&mut transaction, &stores, &kinds, &ids).await?;
        let written = write(engine, &mut transaction, kept(&all)).await?;
        transaction.commit().await?;
        Ok(written as i64)
    };
    let said = said.await.map_err(unavailable)?;
    engine.wake_outbox();
    Ok(said)
}

/// Writes the last receipts of those that are settled, within the caller's transaction. Gives how many.
pub(super) async fn write(
    engine: &Engine,
    db: &mut PgConnection,
    all: impl Iterator<Item = &Said>,
) -> sqlx::Result<usize> {
    let rows: Vec<OutboxRow> = all.filter_map(|said| last(engine, said)).filter_map(row).collect();
    outbox::write(db, rows.iter()).await?;
    Ok(rows.len())
}

/// The receipts of a system's deliveries of these records.
pub(super) async fn list(
    engine: &Engine,
    system: &str,
    keys: &[wire::RecordKey],
) -> Result<Vec<wire::Receipt>, Status> {
    let [stores, kinds, ids] = columns(keys)?;
    let said = async {
        let mut db = engine.pool().acquire().await?;
        receipts::said(&mut db, &stores, &kinds, &ids).await
    };
    let all = said.await.map_err(unavailable)?;
    let of_system = kept(&all).filter(|said| said.system == system);
    Ok(of_system.flat_map(|said| [last(engine, said), held(engine, said)]).flatten().collect())
}

fn kept(all: &[Said]) -> impl Iterator<Item = &Said> {
    all.iter().filter(|said| !waybill_faults::breaks("lose-receipt", &said.record_id))
}

fn row(receipt: wire::Receipt) -> Option<OutboxRow> {
    let key = RecordKey::try_from(receipt.key.as_ref()?).ok()?;
    let system: SystemName = receipt.system.parse().ok()?;
    Some(OutboxRow {
        subject: waybill_bus::subjects::receipt(&receipt.service, &system, &key),
        headers: vec![(waybill_bus::headers::SCHEMA.to_owned(), "waybill.v1.Receipt".to_owned())],
        payload: receipt.encode_to_vec(),
    })
}

/// The receipt of the last settlement, made of the delivery's own row. It covers every revision up to it: what
/// earlier receipts said of earlier ones is superseded by now.
fn last(engine: &Engine, said: &Said) -> Option<wire::Receipt> {
    said.is_settled.then(|| wire::Receipt {
        service: engine.service().to_owned(),
        system: said.system.clone(),
        key: Some(said.key()),
        name: said.name.clone(),
        from: 1,
        to: Some(wire::Revision { epoch: said.settled_epoch, number: said.settled_number }),
        state: state_of(&said.state).into(),
        code: said.code.clone(),
        message: said.message.clone(),
        field: said.field.clone(),
        external_id: said.external_id.clone(),
        attempts: i64::from(said.attempts),
        settled_at: time(said.changed_us),
        settlement: said.settlement,
        plan_hash: said.plan_hash.clone(),
    })
}

/// What the system holds, where the last receipt is not about that.
fn held(engine: &Engine, said: &Said) -> Option<wire::Receipt> {
    let applied = said.applied_epoch.zip(said.applied_number);
    let (epoch, number) = applied.filter(|_| !said.is_settled || said.state != "applied")?;
    Some(wire::Receipt {
        service: engine.service().to_owned(),
        system: said.system.clone(),
        key: Some(said.key()),
        name: said.name.clone(),
        from: number,
        to: Some(wire::Revision { epoch, number }),
        state: wire::State::Applied.into(),
        external_id: said.external_id.clone(),
        ..Default::default()
    })
}
