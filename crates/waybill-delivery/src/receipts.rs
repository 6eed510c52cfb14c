//! What is said of a settlement.

use prost::Message as _;
use waybill_domain::RecordKey;
use waybill_proto::wire;

use crate::{
    outbox::OutboxRow,
    store::{claim::Claim, settle::Ended},
};

/// The receipt, and the dead letter if a person is needed.
pub(crate) fn receipt_rows(
    service: &str,
    claim: &Claim,
    ended: &Ended,
    settlement: i64,
    now: jiff::Timestamp,
) -> Vec<OutboxRow> {
    let (Ok(store), Ok(kind), Ok(id), Ok(system)) =
        (claim.store.parse(), claim.kind.parse(), claim.record_id.parse(), claim.system.parse())
    else {
        return Vec::new();
    };
    let key = RecordKey { store, kind, id };
    let from = (claim.settled_number + 1).min(claim.desired_number);
    let state = match ended.state {
        "applied" => wire::State::Applied,
        "ignored" => wire::State::Ignored,
        _ => wire::State::Parked,
    };
    let at = waybill_proto::convert::to_timestamp(now);
    let revision = wire::Revision { epoch: ended.epoch, number: ended.number };
    let receipt = wire::Receipt {
        service: service.to_owned(),
        system: claim.system.clone(),
        key: Some((&key).into()),
        name: claim.name.clone(),
        from,
        to: Some(revision),
        state: state.into(),
        code: ended.code.clone(),
        message: ended.message.clone(),
        field: ended.field.clone(),
        external_id: ended.external_id.clone(),
        attempts: i64::from(ended.attempts),
        settled_at: Some(at),
        settlement,
        plan_hash: ended.plan_hash.clone(),
    };
    let headers = |kind: &str, schema: &str| {
        vec![
            (
                waybill_bus::headers::MESSAGE_ID.to_owned(),
                format!("{kind}-{service}-{}-{}-{settlement}", claim.id, ended.epoch),
            ),
            (waybill_bus::headers::SCHEMA.to_owned(), schema.to_owned()),
            (waybill_bus::headers::TRACEPARENT.to_owned(), claim.traceparent.clone()),
        ]
    };
    let mut rows = vec![OutboxRow {
        subject: waybill_bus::subjects::receipt(service, &system, &key),
        headers: headers("receipt", "waybill.v1.Receipt"),
        payload: receipt.encode_to_vec(),
    }];
    if ended.state == "parked" {
        let dead = wire::DeadLetter {
            service: service.to_owned(),
            system: claim.system.clone(),
            key: Some((&key).into()),
            name: claim.name.clone(),
            revision: Some(revision),
            code: ended.code.clone(),
            message: ended.message.clone(),
            field: ended.field.clone(),
            attempts: i64::from(ended.attempts),
            parked_at: Some(at),
        };
        rows.push(OutboxRow {
            subject: waybill_bus::subjects::dead_letter(service, &system, &key),
            headers: headers("dead", "waybill.v1.DeadLetter"),
            payload: dead.encode_to_vec(),
        });
    }
    rows
}
