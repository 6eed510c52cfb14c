//! Orders: party, addresses, and the sale's way.

mod addresses;
mod cancel;

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::{
    ObjectKey, RecordId,
    document::{Fields, OrderDocument, WritePolicy},
};

use crate::{
    BATCH, Tryton,
    mapping::{
        fields, lines, one_line,
        party::{self, Buyer},
        sale::{Place, Wanted, Warehouse},
    },
    matching::rules,
    parties::ByKey,
    refusal,
    sales::{self, AMEND, Booked, CONFIRM, DRAFT, PROCESS, QUOTE},
    steps::{self, Outcomes, Taken},
    wire::Id,
};

/// One step of one order.
type Call<'a> = StepCall<'a, OrderDocument>;

const RECOGNISE: &str = "recognise";
const PARTY: &str = "party";
const ADDRESSES: &str = "addresses";
const CANCEL: &str = "cancel";

#[async_trait]
impl Sink<OrderDocument> for Tryton {
    fn steps(&self, document: &OrderDocument, known: &Known) -> Vec<Step> {
        if document.cancelled {
            return vec![Step::idempotent(CANCEL, "order")];
        }
        // Tryton lets nobody take a sale back from these states, so that nothing else can be left to do.
        if sales::is_settled(known) || known.contains_key(sales::FIELDS) {
            return vec![Step::idempotent(AMEND, "order")];
        }
        let is_known = known.contains_key(OrderDocument::ROLE);
        let draft = if is_known { Step::idempotent } else { Step::unkeyed };
        let mut steps = Vec::new();
        if !is_known && !rules(&document.policy).is_empty() {
            steps.push(Step::idempotent(RECOGNISE, "order"));
        }
        steps.extend([
            Step::idempotent(PARTY, "party"),
            Step::unkeyed(ADDRESSES, "address"),
            draft(DRAFT, "order"),
            Step::idempotent(QUOTE, "order"),
            Step::idempotent(CONFIRM, "order"),
            Step::idempotent(PROCESS, "order"),
        ]);
        steps
    }

    fn batch_size(&self, _step: &str) -> usize {
        BATCH
    }

    async fn apply(&self, calls: &[Call<'_>]) -> Vec<Result<Applied, Failure>> {
        self.apply_together(calls).await
    }

    async fn find(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let found = match &*call.step.name {
            // It writes nothing.
            RECOGNISE => Ok(None),
            PARTY => self.find_party(call).await,
            ADDRESSES => self.find_addresses(call).await,
            DRAFT | AMEND => self.find_draft(call).await,
            QUOTE | CONFIRM | PROCESS => self.find_state(call).await,
            CANCEL => self.find_cancelled(call).await,
            other => Err(steps::unknown(other)),
        };
        found.map_err(|failure| OrderDocument::explained(failure, call.document))
    }

    async fn look(&self, calls: &[LookCall<'_, OrderDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_for_sales(calls).await
    }
}

#[async_trait]
impl Taken for OrderDocument {
    /// A sale of which only some fields are ours takes none of the steps that make one.
    async fn run(tryton: &Tryton, calls: &[Call<'_>]) -> Outcomes {
        let is_others = |call: &Call<'_>| call.known.contains_key(sales::FIELDS);
        if !calls.iter().any(is_others) {
            return tryton.run_order_step(calls).await;
        }
        let (others, ours): (Vec<Call<'_>>, Vec<Call<'_>>) = calls.iter().map(again).partition(is_others);
        let mut of_others = tryton.run_fields_step(&others).await?.into_iter();
        let mut of_ours = tryton.run_order_step(&ours).await?.into_iter();
        let missing = || Err(Failure::Transient { message: "the order was not looked at".to_owned() });
        let next = |call: &Call<'_>| if is_others(call) { of_others.next() } else { of_ours.next() };
        Ok(calls.iter().map(next).map(|outcome| outcome.unwrap_or_else(missing)).collect())
    }

    fn explained(failure: Failure, document: &Self) -> Failure {
        refusal::explained(failure, "sale.sale", &document.fields, &personal(document))
    }
}

#[async_trait]
impl Booked for OrderDocument {
    const ROLE: &'static str = "order";
    const ADOPTS: bool = true;

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
        !self.cancelled
    }

    async fn wanted(tryton: &Tryton, calls: &[Call<'_>]) -> Result<Vec<Result<Wanted, Failure>>, Failure> {
        let places = tryton.places(&calls.iter().map(|call| call.document).collect::<Vec<_>>()).await?;
        let parties = tryton.parties_of(calls).await?;
        Ok(calls
            .iter()
            .zip(places)
            .zip(parties)
            .map(|((call, places), party)| {
                let id = |role: &str| call.known.get(role).and_then(|id| id.parse().ok());
                let [(invoice, ..), (shipment, ..)] = places?;
                let places = [
                    Place::Address(invoice, id(addresses::INVOICE)),
                    Place::Address(shipment, id(addresses::SHIPMENT)),
                ];
                tryton.wanted_of_order(call.document, party?, places)
            })
            .collect())
    }
}

impl Tryton {
    async fn run_order_step(&self, calls: &[Call<'_>]) -> Outcomes {
        let Some(first) = calls.first() else { return Ok(Vec::new()) };
        match &*first.step.name {
            RECOGNISE => self.recognise_sales(calls).await,
            PARTY => self.apply_parties(calls).await,
            ADDRESSES => self.apply_addresses(calls).await,
            DRAFT => self.apply_drafts(calls).await,
            QUOTE | CONFIRM | PROCESS => self.advance(calls).await,
            AMEND => self.apply_amendments(calls).await,
            CANCEL => self.apply_cancellations(calls).await,
            other => Err(steps::unknown(other)),
        }
    }

    /// The fields are written when the sale would be drafted, or with the next step if it was found no earlier.
    async fn run_fields_step(&self, calls: &[Call<'_>]) -> Outcomes {
        let Some(first) = calls.first() else { return Ok(Vec::new()) };
        match &*first.step.name {
            DRAFT | QUOTE | AMEND => self.apply_amendments(calls).await,
            CANCEL => self.apply_cancellations(calls).await,
            _ => Ok(calls.iter().map(|_| Ok(Applied::default())).collect()),
        }
    }

    fn wanted_of_order(
        &self,
        document: &OrderDocument,
        party: Option<Id>,
        places: [Place; 2],
    ) -> Result<Wanted, Failure> {
        let mut mapped = fields::encoded(&document.fields, fields::SALE_OWN)?;
        mapped.entry("description").or_insert_with(|| json!(one_line(&document.name)));
        Ok(Wanted {
            reference: document.key.as_str().to_owned(),
            party,
            currency: document.currency.to_string(),
            places,
            warehouse: self.warehouse.clone().map_or(Warehouse::OfUser, Warehouse::Coded),
            inherited: Default::default(),
            lines: lines::of_order(document, self.price_digits)?,
            fields: mapped,
            total: document.total,
            total_tax: document.total_tax,
        })
    }

    /// An order makes its party if it is missing and leaves one that is there as it is: it follows the customer's
    /// record, not old orders.
    async fn apply_parties(&self, calls: &[Call<'_>]) -> Outcomes {
        let buyers: Vec<Result<Buyer, Failure>> = calls.iter().map(|call| party::of_order(call.document)).collect();
        let readable: Vec<&Buyer> = buyers.iter().filter_map(|buyer| buyer.as_ref().ok()).collect();
        let mut parties = self.ensure_parties(&readable).await?.into_iter();
        let outcome = |buyer: &Result<Buyer, Failure>| match buyer {
            Ok(_) => parties
                .next()
                .unwrap_or_else(|| Err(steps::unknown(PARTY)))
                .map(|party| part(PARTY, party.id, party.wrote)),
            Err(failure) => Err(failure.clone()),
        };
        Ok(buyers.iter().map(outcome).collect())
    }

    async fn find_party(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        Ok(self.party_of(call).await?.map(|id| part(PARTY, id, false)))
    }

    /// The id of a call's party.
    async fn party_of(&self, call: &Call<'_>) -> Result<Option<Id>, Failure> {
        self.parties_of(std::slice::from_ref(call)).await?.remove(0)
    }

    /// The parties of calls, by key: since an earlier step, a colleague may have merged one into another.
    async fn parties_of(&self, calls: &[Call<'_>]) -> Result<Vec<Result<Option<Id>, Failure>>, Failure> {
        let key = |call: &Call<'_>| party::key_of_order(call.document).as_str().to_owned();
        let keys: BTreeSet<String> = calls.iter().map(key).collect();
        let by_key: ByKey = self.parties_by_key(&keys.iter().map(String::as_str).collect()).await?;
        let party =
            |call: &Call<'_>| by_key.get(&key(call)).cloned().transpose().map(|party| party.map(|party| party.id));
        Ok(calls.iter().map(party).collect())
    }
}

/// The same call once more.
fn again<'a>(call: &Call<'a>) -> Call<'a> {
    StepCall {
        step: call.step,
        document: call.document,
        object_key: call.object_key,
        call_key: call.call_key,
        known: call.known,
        is_again: call.is_again,
    }
}

/// Something that belongs to an order and that people do not look up.
fn part(role: &str, id: Id, wrote: bool) -> Applied {
    Applied { external_id: None, known: Known::from([(role.to_owned(), id.to_string())]), wrote }
}

/// Every text of an order that names a person, the longest parts of an address included.
fn personal(document: &OrderDocument) -> Vec<&str> {
    let addresses = [&document.billing_address, &document.shipping_address];
    let of_address = addresses.into_iter().flatten().flat_map(|address| {
        [
            &address.address1,
            &address.address2,
            &address.company,
            &address.phone,
            &address.last_name,
            &address.first_name,
            &address.zip,
            &address.city,
        ]
        .map(waybill_domain::Personal::expose)
    });
    document.customer.iter().flat_map(crate::customers::personal).chain(of_address).collect()
}
