//! The draft: a sale is made or written again, and its amounts are compared with the order's.

use std::collections::HashMap;

use serde_json::Value as Json;
use waybill_connector::{Applied, Effect, Failure};

use super::{Call, Outcomes, addresses, not_amendable, sales};
use crate::{
    Tryton,
    mapping::{
        lines::{self, SaleLine},
        party,
        sale::{Ids, Wanted},
    },
    wire::{AmountsRow, Id},
};
use sales::{ByReference, Sale};

/// A sale that was just written: whose amounts are to be compared.
struct Written {
    at: usize,
    id: Id,
    number: Option<String>,
}

impl Tryton {
    pub(super) async fn apply_drafts(&self, calls: &[Call<'_>]) -> Outcomes {
        let wanted = self.wanted(calls).await?;
        let mut sales = self.sales(calls).await?;
        let parties = self.parties_of(calls).await?;
        let lines: Vec<&SaleLine> = wanted.iter().flatten().flat_map(|wanted| &wanted.lines).collect();
        self.book.learn_lines(&self.client, &lines).await?;

        let mut outcomes: Vec<Option<Result<Applied, Failure>>> = calls.iter().map(|_| None).collect();
        let mut creates: Vec<(usize, Json)> = Vec::new();
        let mut written: Vec<Written> = Vec::new();
        for (at, (call, wanted)) in calls.iter().zip(&wanted).enumerate() {
            let step = self.draft_of(call, wanted, sales.remove(call.document.key.as_str()), parties[at]).await;
            match step {
                Ok(Draft::Create(values)) => creates.push((at, values)),
                Ok(Draft::Rewritten(id, number)) => written.push(Written { at, id, number }),
                Ok(Draft::Settled(applied)) => outcomes[at] = Some(Ok(applied)),
                Err(failure) => outcomes[at] = Some(Err(failure)),
            }
        }
        let values: Vec<Json> = creates.iter().map(|(_, values)| values.clone()).collect();
        let created = self.client.create("sale.sale", Effect::UnkeyedWrite, &values).await;
        for ((at, _), outcome) in creates.into_iter().zip(created) {
            match outcome {
                Ok(id) => written.push(Written { at, id, number: None }),
                Err(failure) => outcomes[at] = Some(Err(failure)),
            }
        }
        let amounts = self.amounts(&written).await;
        for Written { at, id, number } in written {
            outcomes[at] = Some(match (&amounts, &wanted[at]) {
                (Ok(amounts), Ok(wanted)) => checked(&calls[at], wanted, amounts.get(&id), number.as_deref()),
                (Err(failure), _) | (_, Err(failure)) => Err(failure.clone()),
            });
        }
        let unsettled = || Err(Failure::Transient { message: "the sale was not looked at".to_owned() });
        Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unsettled)).collect())
    }

    pub(super) async fn find_draft(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let calls = std::slice::from_ref(call);
        let wanted = self.wanted(calls).await?.remove(0)?;
        let party = self.party_of(call).await?;
        let Some(sale) = self.sales(calls).await?.remove(call.document.key.as_str()).transpose()? else {
            return Ok(None);
        };
        let row = &sale.row;
        if row.state == "cancelled" || wanted.difference(row, &sale.raw, party).is_some() {
            return Ok(None);
        }
        wanted.check_total(row.tax_amount, row.total_amount)?;
        Ok(Some(sales::holds(sales::applied(row.id, &row.state, row.number.as_deref(), false), call)))
    }

    /// What each call's sale is to hold.
    pub(super) async fn wanted(&self, calls: &[Call<'_>]) -> Result<Vec<Result<Wanted, Failure>>, Failure> {
        let documents: Vec<_> = calls.iter().map(|call| call.document).collect();
        let places = self.places(&documents).await?;
        Ok(documents
            .into_iter()
            .zip(places)
            .map(|(document, places)| {
                let addresses = places?.map(|(address, ..)| address);
                Wanted::new(document, party::key_of_order(document).as_str(), addresses, self.price_digits)
            })
            .collect())
    }

    /// What is to be done about one sale, done unless it is a create.
    async fn draft_of(
        &self,
        call: &Call<'_>,
        wanted: &Result<Wanted, Failure>,
        sale: Option<Result<Sale, Failure>>,
        party: Option<Id>,
    ) -> Result<Draft, Failure> {
        let wanted = wanted.as_ref().map_err(Clone::clone)?;
        let Some(sale) = sale.transpose()? else {
            let ids = self.ids_of(call, wanted, party).await?;
            return Ok(Draft::Create(wanted.values(&ids, &[])));
        };
        let row = &sale.row;
        let unchanged = || sales::holds(sales::applied(row.id, &row.state, row.number.as_deref(), false), call);
        if sales::is_held(call) && row.state != "cancelled" {
            return Ok(Draft::Settled(unchanged()));
        }
        match row.state.as_str() {
            "draft" | "quotation" | "confirmed" => {
                let same = wanted.difference(row, &sale.raw, party).is_none();
                if same && (row.state != "draft" || lines::described_alike(&wanted.lines, &row.lines)) {
                    wanted.check_total(row.tax_amount, row.total_amount)?;
                    return Ok(Draft::Settled(unchanged()));
                }
                let ids = self.ids_of(call, wanted, party).await?;
                if row.state != "draft" {
                    self.client.press("sale.sale", "draft", &[row.id]).await.remove(0)?;
                }
                let old: Vec<Id> = row.lines.iter().map(|line| line.id).collect();
                self.client.write("sale.sale", row.id, wanted.values(&ids, &old)).await?;
                Ok(Draft::Rewritten(row.id, row.number.clone()))
            }
            "cancelled" => Err(not_amendable("state", "the sale was cancelled in Tryton")),
            _ => self.amend(call, wanted, &sale, party).await.map(Draft::Settled),
        }
    }

    /// The ids of everything that a sale refers to; nothing is written before all of them are known.
    async fn ids_of(&self, call: &Call<'_>, wanted: &Wanted, party: Option<Id>) -> Result<Ids, Failure> {
        let lines = self.book.line_ids(&wanted.lines)?;
        let missing = || Failure::Transient { message: "an earlier step's address or party is not there".to_owned() };
        let address = |role: &str| call.known.get(role).and_then(|id| id.parse().ok()).ok_or_else(missing);
        Ok(Ids {
            company: self.client.company().await?,
            party: party.ok_or_else(missing)?,
            currency: self.book.currency(&self.client, &wanted.currency).await?,
            warehouse: match &self.warehouse {
                Some(code) => Some(self.book.warehouse(&self.client, code).await?),
                None => None,
            },
            invoice_address: address(addresses::INVOICE)?,
            shipment_address: address(addresses::SHIPMENT)?,
            lines,
        })
    }

    async fn amounts(&self, written: &[Written]) -> Result<HashMap<Id, AmountsRow>, Failure> {
        let ids: Vec<Id> = written.iter().map(|written| written.id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<AmountsRow> = self.client.read("sale.sale", &ids, &["tax_amount", "total_amount"]).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// What is to be done, or was done, about a draft.
enum Draft {
    Create(Json),
    Rewritten(Id, Option<String>),
    Settled(Applied),
}

/// A written sale stays a draft if Tryton adds it up differently: a person can compare the two there.
fn checked(
    call: &Call<'_>,
    wanted: &Wanted,
    amounts: Option<&AmountsRow>,
    number: Option<&str>,
) -> Result<Applied, Failure> {
    let amounts = amounts.ok_or_else(|| Failure::Transient { message: "the sale is not there".to_owned() })?;
    wanted.check_total(amounts.tax_amount, amounts.total_amount)?;
    Ok(sales::holds(sales::applied(amounts.id, "draft", number, true), call))
}

/// The one sale of a call.
pub(super) fn sale_of<T>(sales: &mut ByReference<T>, call: &Call<'_>) -> Result<Option<T>, Failure> {
    sales.remove(call.document.key.as_str()).transpose()
}
