//! The draft: a sale is made or written again, and its amounts are compared with the document's.

use std::collections::HashMap;

use serde_json::Value as Json;
use waybill_connector::{Applied, Effect, Failure, StepCall};

use super::{
    Booked, FIELDS, adopt, applied, fields_only, holds, is_held,
    lookup::{Referred, Sale, sale_of},
};
use crate::{
    Tryton,
    mapping::{
        lines::{self, SaleLine},
        sale::{Ids, Place, Wanted, Warehouse},
    },
    steps::{Outcomes, not_amendable},
    wire::{AmountsRow, Id},
};

/// A sale that was just written: whose amounts are to be compared.
struct Written {
    at: usize,
    id: Id,
    number: Option<String>,
}

impl Tryton {
    pub(crate) async fn apply_drafts<D: Booked>(&self, calls: &[StepCall<'_, D>]) -> Outcomes {
        let wanted = D::wanted(self, calls).await?;
        let mut sales = self.sales(calls).await?;
        let lines: Vec<&SaleLine> = wanted.iter().flatten().flat_map(|wanted| &wanted.lines).collect();
        self.book.learn_lines(&self.client, &lines).await?;

        let mut outcomes: Vec<Option<Result<Applied, Failure>>> = calls.iter().map(|_| None).collect();
        let mut creates: Vec<(usize, Json)> = Vec::new();
        let mut written: Vec<Written> = Vec::new();
        for (at, (call, wanted)) in calls.iter().zip(&wanted).enumerate() {
            match self.draft_of(call, wanted, sale_of(&mut sales, call)).await {
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

    pub(crate) async fn find_draft<D: Booked>(&self, call: &StepCall<'_, D>) -> Result<Option<Applied>, Failure> {
        let calls = std::slice::from_ref(call);
        let wanted = D::wanted(self, calls).await?.remove(0)?;
        let Some(sale) = sale_of(&mut self.sales(calls).await?, call)? else { return Ok(None) };
        let row = &sale.row;
        let scope = adopt::scope(call, sale.carries(call.document));
        if !sale.carries(call.document) || wanted.difference(row, &sale.raw, &scope).is_some() {
            return Ok(None);
        }
        if !scope.is_fields_only() {
            if row.state == "cancelled" {
                return Ok(None);
            }
            wanted.check_total(row.tax_amount, row.total_amount)?;
        }
        Ok(Some(holds(applied::<D>(row.id, &row.state, row.number.as_deref(), false), call)))
    }

    /// What is to be done about one sale, done unless it is a create.
    async fn draft_of<D: Booked>(
        &self,
        call: &StepCall<'_, D>,
        wanted: &Result<Wanted, Failure>,
        sale: Result<Option<Sale>, Failure>,
    ) -> Result<Draft, Failure> {
        let wanted = wanted.as_ref().map_err(Clone::clone)?;
        let Some(sale) = sale? else {
            let ids = self.ids_of(wanted).await?;
            return Ok(Draft::Create(wanted.values(&ids, &[], wanted.fields.clone())));
        };
        let row = &sale.row;
        if is_held(call) && row.state != "cancelled" {
            return Ok(Draft::Settled(holds(applied::<D>(row.id, &row.state, row.number.as_deref(), false), call)));
        }
        if let Some(names) = fields_only(call, sale.carries(call.document)) {
            if call.known.contains_key(FIELDS) {
                return self.amend(call, wanted, &sale).await.map(Draft::Settled);
            }
            // It came after the look for it. The next step writes, once this is remembered.
            return Ok(Draft::Settled(adopt::noted_fields(&names)));
        }
        let may_be_taken_back = !call.document.policy().amend;
        match row.state.as_str() {
            "draft" => self.rewritten(call, wanted, &sale).await,
            "quotation" | "confirmed" if may_be_taken_back => self.rewritten(call, wanted, &sale).await,
            "cancelled" => Err(not_amendable("state", "the sale was cancelled in Tryton")),
            _ => self.amend(call, wanted, &sale).await.map(Draft::Settled),
        }
    }

    /// Writes a sale again that holds something else, as a draft.
    async fn rewritten<D: Booked>(
        &self,
        call: &StepCall<'_, D>,
        wanted: &Wanted,
        sale: &Sale,
    ) -> Result<Draft, Failure> {
        let row = &sale.row;
        let scope = adopt::scope(call, sale.carries(call.document));
        let same = wanted.difference(row, &sale.raw, &scope).is_none();
        if same && (row.state != "draft" || lines::described_alike(&wanted.lines, &row.lines)) {
            wanted.check_total(row.tax_amount, row.total_amount)?;
            let adopted = self.put_key_on(call, sale).await?;
            return Ok(Draft::Settled(holds(applied::<D>(row.id, &row.state, row.number.as_deref(), adopted), call)));
        }
        let ids = self.ids_of(wanted).await?;
        if row.state != "draft" {
            self.client.press("sale.sale", "draft", &[row.id]).await.remove(0)?;
        }
        let old: Vec<Id> = row.lines.iter().map(|line| line.id).collect();
        let fields = scope.writable(&wanted.fields, &sale.raw);
        self.client.write("sale.sale", row.id, wanted.values(&ids, &old, fields)).await?;
        Ok(Draft::Rewritten(row.id, row.number.clone()))
    }

    /// The ids of everything that a sale refers to; nothing is written before all of them are known.
    async fn ids_of(&self, wanted: &Wanted) -> Result<Ids, Failure> {
        let lines = self.book.line_ids(&wanted.lines)?;
        let missing = || Failure::Transient { message: "an earlier step's address or party is not there".to_owned() };
        let [invoice, shipment] = &wanted.places;
        let address = |place: &Place| match place {
            Place::Address(_, id) => id.map(Some).ok_or_else(missing),
            Place::Record(id) => Ok(*id),
        };
        Ok(Ids {
            company: self.client.company().await?,
            party: wanted.party.ok_or_else(missing)?,
            currency: self.book.currency(&self.client, &wanted.currency).await?,
            warehouse: match &wanted.warehouse {
                Warehouse::OfUser => None,
                Warehouse::Coded(code) => Some(self.book.warehouse(&self.client, code).await?),
                Warehouse::Record(id) => Some(*id),
            },
            invoice_address: address(invoice)?,
            shipment_address: address(shipment)?,
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
fn checked<D: Booked>(
    call: &StepCall<'_, D>,
    wanted: &Wanted,
    amounts: Option<&AmountsRow>,
    number: Option<&str>,
) -> Result<Applied, Failure> {
    let amounts = amounts.ok_or_else(|| Failure::Transient { message: "the sale is not there".to_owned() })?;
    wanted.check_total(amounts.tax_amount, amounts.total_amount)?;
    Ok(holds(applied::<D>(amounts.id, "draft", number, true), call))
}
