//! A sale that is not taken back: Tryton lets us change its comment and fields like it, and nothing that is sold.

use serde_json::Value as Json;
use waybill_connector::{Applied, Failure, StepCall};

use super::{
    Booked, NUMBER, STATE, adopt, applied, holds, is_held,
    lookup::{Referred, Sale, sale_of},
};
use crate::{
    Tryton,
    mapping::sale::Wanted,
    steps::{Outcomes, not_amendable},
};

impl Tryton {
    pub(crate) async fn apply_amendments<D: Booked>(&self, calls: &[StepCall<'_, D>]) -> Outcomes {
        if calls.iter().all(is_held) {
            return Ok(calls.iter().map(|call| Ok(as_known(call))).collect());
        }
        let wanted = D::wanted(self, calls).await?;
        let mut sales = self.sales(calls).await?;
        let mut outcomes = Vec::with_capacity(calls.len());
        for (call, wanted) in calls.iter().zip(wanted) {
            let sale = sale_of(&mut sales, call);
            outcomes.push(match (wanted, sale) {
                _ if is_held(call) => Ok(as_known(call)),
                (Ok(wanted), Ok(Some(sale))) => self.amend(call, &wanted, &sale).await,
                (_, Ok(None)) => Err(not_amendable("reference", "Tryton no longer has the sale")),
                (Err(failure), _) | (_, Err(failure)) => Err(failure),
            });
        }
        Ok(outcomes)
    }

    /// Writes our key if the sale does not carry it, and the mapped fields that differ, if nothing else does.
    pub(super) async fn amend<D: Booked>(
        &self,
        call: &StepCall<'_, D>,
        wanted: &Wanted,
        sale: &Sale,
    ) -> Result<Applied, Failure> {
        let row = &sale.row;
        let scope = adopt::scope(call, sale.carries(call.document));
        if row.state == "cancelled" && !scope.is_fields_only() {
            return Err(not_amendable("state", "the sale was cancelled in Tryton"));
        }
        // First of all the key, so that a refund finds even a sale that Tryton no longer lets us change.
        let adopted = self.put_key_on(call, sale).await?;
        if !scope.is_fields_only()
            && let Some(field) = wanted.settled_difference(row)
        {
            let message = format!("the sale is in state '{}' in Tryton; '{field}' can no longer be changed", row.state);
            return Err(not_amendable(&field, message));
        }
        let changes = scope.changes(&wanted.fields, &sale.raw);
        let wrote = !changes.is_empty();
        if wrote {
            let names = changes.keys().cloned().collect::<Vec<_>>().join(", ");
            self.client.write("sale.sale", row.id, Json::Object(changes)).await.map_err(|failure| match failure {
                Failure::Rejected { code, message, .. } if code == "UserError" => not_amendable(&names, message),
                other => other,
            })?;
        }
        Ok(holds(applied::<D>(row.id, &row.state, row.number.as_deref(), wrote || adopted), call))
    }
}

/// What earlier revisions left, where this one has nothing to add.
fn as_known<D: Booked>(call: &StepCall<'_, D>) -> Applied {
    let known = |role: &str| call.known.get(role);
    let id = known(D::ROLE).and_then(|id| id.parse().ok()).unwrap_or_default();
    let state = known(STATE).map_or("processing", String::as_str);
    holds(applied::<D>(id, state, known(NUMBER).map(String::as_str), false), call)
}
