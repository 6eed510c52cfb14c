//! Refunds: what Tryton's wizard `sale.return_sale` makes of a sale, with what the store gave back. It is a sale of
//! negative quantities whose origin is the order's, and goes the way of every sale.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::{
    ObjectKey, RecordId,
    document::{Fields, RefundDocument, WritePolicy},
};

use crate::{
    BATCH, Tryton,
    mapping::{
        fields, lines, one_line,
        sale::{Place, Wanted, Warehouse},
    },
    refusal,
    sales::{self, AMEND, Booked, CONFIRM, DRAFT, PROCESS, QUOTE},
    steps::{self, Outcomes, Taken},
    wire::OriginalRow,
};

type Call<'a> = StepCall<'a, RefundDocument>;

const NOTHING: &str = "nothing";

#[async_trait]
impl Sink<RefundDocument> for Tryton {
    fn steps(&self, document: &RefundDocument, known: &Known) -> Vec<Step> {
        if is_nothing(document) {
            return vec![Step::idempotent(NOTHING, "refund")];
        }
        if sales::is_settled(known) {
            return vec![Step::idempotent(AMEND, "refund")];
        }
        let draft = if known.contains_key(RefundDocument::ROLE) { Step::idempotent } else { Step::unkeyed };
        vec![
            draft(DRAFT, "refund"),
            Step::idempotent(QUOTE, "refund"),
            Step::idempotent(CONFIRM, "refund"),
            Step::idempotent(PROCESS, "refund"),
        ]
    }

    fn batch_size(&self, _step: &str) -> usize {
        BATCH
    }

    async fn apply(&self, calls: &[Call<'_>]) -> Vec<Result<Applied, Failure>> {
        self.apply_together(calls).await
    }

    async fn find(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let found = match &*call.step.name {
            NOTHING => Ok(None),
            DRAFT | AMEND => self.find_draft(call).await,
            QUOTE | CONFIRM | PROCESS => self.find_state(call).await,
            other => Err(steps::unknown(other)),
        };
        found.map_err(|failure| RefundDocument::explained(failure, call.document))
    }

    async fn look(&self, calls: &[LookCall<'_, RefundDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_for_sales(calls).await
    }
}

#[async_trait]
impl Taken for RefundDocument {
    async fn run(tryton: &Tryton, calls: &[Call<'_>]) -> Outcomes {
        let Some(first) = calls.first() else { return Ok(Vec::new()) };
        match &*first.step.name {
            DRAFT => tryton.apply_drafts(calls).await,
            QUOTE | CONFIRM | PROCESS => tryton.advance(calls).await,
            AMEND => tryton.apply_amendments(calls).await,
            NOTHING => Ok(calls.iter().map(|_| Ok(Applied::default())).collect()),
            other => Err(steps::unknown(other)),
        }
    }

    fn explained(failure: Failure, document: &Self) -> Failure {
        refusal::explained(failure, "sale.sale", &document.fields, &[])
    }
}

#[async_trait]
impl Booked for RefundDocument {
    const ROLE: &'static str = "refund";
    /// A return that a colleague made has nothing of the store's to be recognised by.
    const ADOPTS: bool = false;

    fn key(&self) -> &ObjectKey {
        &self.key
    }

    fn record(&self) -> &RecordId {
        &self.source_id
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }

    fn policy(&self) -> &WritePolicy {
        &self.policy
    }

    fn stands(&self) -> bool {
        !is_nothing(self)
    }

    async fn wanted(tryton: &Tryton, calls: &[Call<'_>]) -> Result<Vec<Result<Wanted, Failure>>, Failure> {
        let keys: BTreeSet<&str> = calls.iter().map(|call| call.document.order_key.as_str()).collect();
        let originals = tryton.originals(&keys).await?;
        let wanted = |call: &Call<'_>| {
            let original = originals.get(call.document.order_key.as_str()).cloned().transpose()?;
            tryton.wanted_of_refund(call.document, &booked(call.document, original)?)
        };
        Ok(calls.iter().map(wanted).collect())
    }
}

impl Tryton {
    fn wanted_of_refund(&self, document: &RefundDocument, original: &OriginalRow) -> Result<Wanted, Failure> {
        let mut mapped = fields::encoded(&document.fields, fields::RETURN_OWN)?;
        let name = original.description.as_deref().filter(|text| !text.is_empty()).or(original.number.as_deref());
        mapped
            .entry("description")
            .or_insert_with(|| json!(one_line(&format!("Refund of {}", name.unwrap_or_default()))));
        Ok(Wanted {
            reference: document.key.as_str().to_owned(),
            party: Some(original.party),
            currency: document.currency.to_string(),
            places: [Place::Record(original.invoice_address), Place::Record(original.shipment_address)],
            warehouse: original.warehouse.map_or(Warehouse::OfUser, Warehouse::Record),
            inherited: inherited(original),
            lines: lines::of_refund(document, self.price_digits)?,
            fields: mapped,
            total: -document.total,
            total_tax: -document.total_tax,
        })
    }
}

/// Whether there is nothing to book: Tryton quotes no sale without lines.
fn is_nothing(document: &RefundDocument) -> bool {
    document.lines.is_empty() && document.charges.is_empty() && document.total.is_zero()
}

/// The order's sale, if it has been booked: else there is no invoice that anything could be given back of.
fn booked(document: &RefundDocument, original: Option<OriginalRow>) -> Result<OriginalRow, Failure> {
    let key = &document.order_key;
    let not_found = |message: String| Failure::rejected("not_found", "order_key", message);
    let Some(original) = original else {
        return Err(not_found(format!("Tryton has no sale with the order's key {key} as its reference")));
    };
    if !["confirmed", "processing", "done"].contains(&original.state.as_str()) {
        let state = &original.state;
        return Err(not_found(format!("the order's sale, {key}, is in state '{state}' in Tryton and not booked")));
    }
    let currency = original.currency.code.as_deref().unwrap_or_default();
    if currency != document.currency.to_string() {
        let message = format!("the order is booked in {currency}, the refund is in {}", document.currency);
        return Err(Failure::rejected("total_differs", "currency", message));
    }
    Ok(original)
}

/// What the wizard copies beside party, addresses and warehouse, and the origin that it sets.
fn inherited(original: &OriginalRow) -> Map<String, Json> {
    let values = [
        ("invoice_method", json!(original.invoice_method)),
        ("invoice_party", json!(original.invoice_party)),
        ("origin", json!(format!("sale.sale,{}", original.id))),
        ("payment_term", json!(original.payment_term)),
        ("shipment_method", json!(original.shipment_method)),
        ("shipment_party", json!(original.shipment_party)),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
