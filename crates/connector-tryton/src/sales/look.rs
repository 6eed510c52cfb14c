//! Looking for sales without touching them: drafts that are one too many stay as they are.

use std::collections::BTreeSet;

use waybill_connector::{Failure, Finding, Look, LookCall, look::in_parts};

use super::{
    Booked,
    lookup::{Referred, STATE_FIELDS},
};
use crate::{LOOKS, Tryton, wire::StateRow};

impl Tryton {
    pub(crate) async fn look_for_sales<D: Booked>(&self, calls: &[LookCall<'_, D>]) -> Vec<Result<Look, Failure>> {
        in_parts(calls, LOOKS, |part| async move {
            let keys: BTreeSet<&str> = part.iter().map(|call| call.document.key().as_str()).collect();
            let rows: Vec<StateRow> = self.by_reference(&keys, STATE_FIELDS).await?;
            let of = |document: &D| look_at(document, rows.iter().filter(|row| row.carries(document)));
            Ok(part.iter().map(|call| of(call.document)).collect())
        })
        .await
    }
}

/// A sale that is cancelled counts only where there is no other.
fn look_at<'a, D: Booked>(document: &D, rows: impl Iterator<Item = &'a StateRow>) -> Look {
    let (cancelled, standing): (Vec<&StateRow>, Vec<&StateRow>) = rows.partition(|row| row.state() == "cancelled");
    match (document.stands(), standing.as_slice()) {
        (true, [_]) | (false, []) => Look::whole(),
        (true, []) if cancelled.is_empty() => Look::missing(D::ROLE),
        // Who cancelled it there meant it.
        (true, []) => Look::found(Finding::cancelled(D::ROLE, false, false)),
        (_, [_, _, ..]) => Look::doubled(D::ROLE, standing.iter().map(|row| row.id().to_string()).collect()),
        (false, [_]) => Look::found(Finding::cancelled(D::ROLE, true, true)),
    }
}
