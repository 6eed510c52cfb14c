//! Looking at parcels' fulfilments without touching them.

use waybill_connector::{Failure, Finding, Look, LookCall, look::in_parts};
use waybill_domain::document::{FieldValue, ShipmentDocument};

use super::{
    ROLE, shows,
    sink::{Ours, ids, known_ids},
    spread::{Units, less},
    wanted,
};
use crate::{Shopify, wire};

type Call<'a> = LookCall<'a, ShipmentDocument>;

impl Shopify {
    pub(crate) async fn look_at_parcels(&self, calls: &[Call<'_>]) -> Vec<Result<Look, Failure>> {
        in_parts(calls, 1, |part| async move {
            let [call] = part else { return Ok(Vec::new()) };
            self.look_at_parcel(call).await.map(|look| vec![look])
        })
        .await
    }

    async fn look_at_parcel(&self, call: &Call<'_>) -> Result<Look, Failure> {
        let document = call.document;
        let Some(work) = self.client.fulfillment_work(&document.order_source_id).await? else {
            return Ok(if document.voided { Look::whole() } else { Look::missing("order") });
        };
        let ours = Ours::of(document, &document.key, call.known, &work);
        if document.voided {
            let stands = !ours.standing.is_empty();
            return Ok(if stands { Look::found(Finding::cancelled(ROLE, true, true)) } else { Look::whole() });
        }
        if ours.standing.is_empty() {
            let known = known_ids(call.known);
            let cancelled = ours.fallen.iter().any(|one| known.contains(&one.id));
            // Who cancelled it there meant it.
            let told = || Look::found(Finding::cancelled(ROLE, false, false));
            return Ok(if cancelled { told() } else { Look::missing(ROLE) });
        }
        let (missing, extra) = less(&wanted(document), self.held(&ours.standing).await?);
        Ok(match (missing.is_empty(), extra.is_empty()) {
            (true, true) => tracking(&ours),
            // One location makes one fulfilment, so that several are right. More than the parcel holds are not.
            (_, false) if ours.standing.len() > 1 => Look::doubled(ROLE, own_ids(&ours.standing)),
            (_, false) => units(&missing, &extra, false),
            (false, true) => units(&missing, &extra, true),
        })
    }
}

fn own_ids(fulfillments: &[wire::Fulfillment]) -> Vec<String> {
    ids(&fulfillments.iter().map(|one| one.id.clone()).collect::<Vec<_>>())
}

fn tracking(ours: &Ours) -> Look {
    let Some(other) = ours.standing.iter().find(|one| !shows(one, &ours.tracking)) else { return Look::whole() };
    let number = |number: Option<&str>| FieldValue::Text(number.unwrap_or_default().into());
    let there = other.tracking_info.first().and_then(|info| info.number.as_deref());
    Look::found(Finding::Differs {
        role: ROLE.to_owned(),
        field: "tracking".to_owned(),
        ours: number(Some(&ours.tracking.number)),
        theirs: number(there),
        is_writable: true,
    })
}

/// How many units are one too few or too many there. Shopify takes nothing out of a fulfilment.
fn units(missing: &Units, extra: &Units, is_writable: bool) -> Look {
    let sum = |units: &Units| units.iter().map(|(_, quantity)| quantity).sum::<i64>();
    Look::found(Finding::Differs {
        role: ROLE.to_owned(),
        field: "lines".to_owned(),
        ours: FieldValue::Number(sum(missing).into()),
        theirs: FieldValue::Number(sum(extra).into()),
        is_writable,
    })
}
