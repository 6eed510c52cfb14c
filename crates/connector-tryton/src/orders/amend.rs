//! A sale that is being processed: Tryton lets us change its comment and fields like it, and nothing that is sold.

use serde_json::{Map, Value as Json};
use waybill_connector::{Applied, Failure};

use super::{Call, Outcomes, draft::sale_of, not_amendable, sales};
use crate::{
    Tryton,
    mapping::{fields, sale::Wanted},
    wire::Id,
};
use sales::Sale;

impl Tryton {
    pub(super) async fn apply_amendments(&self, calls: &[Call<'_>]) -> Outcomes {
        if calls.iter().all(sales::is_held) {
            return Ok(calls.iter().map(|call| Ok(as_known(call))).collect());
        }
        let wanted = self.wanted(calls).await?;
        let mut sales = self.sales(calls).await?;
        let parties = self.parties_of(calls).await?;
        let mut outcomes = Vec::with_capacity(calls.len());
        for ((call, wanted), party) in calls.iter().zip(wanted).zip(parties) {
            let sale = sale_of(&mut sales, call);
            outcomes.push(match (wanted, sale) {
                _ if sales::is_held(call) => Ok(as_known(call)),
                (Ok(wanted), Ok(Some(sale))) => self.amend(call, &wanted, &sale, party).await,
                (_, Ok(None)) => Err(not_amendable("reference", "Tryton no longer has the sale")),
                (Err(failure), _) | (_, Err(failure)) => Err(failure),
            });
        }
        Ok(outcomes)
    }

    /// Writes the mapped fields that differ, if nothing else does.
    pub(super) async fn amend(
        &self,
        call: &Call<'_>,
        wanted: &Wanted,
        sale: &Sale,
        party: Option<Id>,
    ) -> Result<Applied, Failure> {
        let row = &sale.row;
        if row.state == "cancelled" {
            return Err(not_amendable("state", "the sale was cancelled in Tryton"));
        }
        if let Some(field) = wanted.settled_difference(row, party) {
            let message = format!("the sale is in state '{}' in Tryton; '{field}' can no longer be changed", row.state);
            return Err(not_amendable(&field, message));
        }
        let changes: Map<String, Json> = wanted
            .fields
            .iter()
            .filter(|(name, value)| {
                let one = Map::from_iter([((*name).clone(), (*value).clone())]);
                fields::difference(&one, &sale.raw).is_some()
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let wrote = !changes.is_empty();
        if wrote {
            let names = changes.keys().cloned().collect::<Vec<_>>().join(", ");
            self.client.write("sale.sale", row.id, Json::Object(changes)).await.map_err(|failure| match failure {
                Failure::Rejected { code, message, .. } if code == "UserError" => not_amendable(&names, message),
                other => other,
            })?;
        }
        Ok(sales::holds(sales::applied(row.id, &row.state, row.number.as_deref(), wrote), call))
    }
}

/// What earlier revisions left, where this one has nothing to add.
fn as_known(call: &Call<'_>) -> Applied {
    let known = |role: &str| call.known.get(role);
    let id = known(sales::ORDER).and_then(|id| id.parse().ok()).unwrap_or_default();
    let state = known(sales::STATE).map_or("processing", String::as_str);
    sales::holds(sales::applied(id, state, known(sales::NUMBER).map(String::as_str), false), call)
}
