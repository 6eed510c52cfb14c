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
        let changed: Vec<Call<'_>> = calls.iter().filter(|call| !sales::is_held(call)).copied().collect();
        let wanted = self.wanted(&changed).await?;
        let mut sales = if changed.is_empty() { sales::ByReference::new() } else { self.sales(&changed).await? };
        let parties = self.parties_of(&changed).await?;
        let mut amended = Vec::with_capacity(changed.len());
        for ((call, wanted), party) in changed.iter().zip(wanted).zip(parties) {
            let sale = sale_of(&mut sales, call);
            amended.push(match (wanted, sale) {
                (Ok(wanted), Ok(Some(sale))) => self.amend(call, &wanted, &sale, party).await,
                (_, Ok(None)) => Err(not_amendable("reference", "Tryton no longer has the sale")),
                (Err(failure), _) | (_, Err(failure)) => Err(failure),
            });
        }
        let mut amended = amended.into_iter();
        let outcome = |call: &Call<'_>| {
            if sales::is_held(call) { Ok(as_known(call)) } else { amended.next().unwrap_or_else(|| Ok(as_known(call))) }
        };
        Ok(calls.iter().map(outcome).collect())
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
