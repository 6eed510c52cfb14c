//! Orders: party, addresses, draft, quotation, confirmation, processing.

mod addresses;
mod amend;
mod cancel;
mod draft;
mod sales;
mod states;

use std::collections::BTreeSet;

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, Known, Sink, Step, StepCall};
use waybill_domain::document::OrderDocument;

use crate::{
    BATCH, Tryton,
    mapping::party::{self, Buyer},
    refusal,
    wire::Id,
};

/// One step of one order.
type Call<'a> = StepCall<'a, OrderDocument>;

/// One outcome per call, or the failure of a request that served all.
type Outcomes = Result<Vec<Result<Applied, Failure>>, Failure>;

const PARTY: &str = "party";
const ADDRESSES: &str = "addresses";
const DRAFT: &str = "draft";
const QUOTE: &str = "quote";
const CONFIRM: &str = "confirm";
const PROCESS: &str = "process";
const AMEND: &str = "amend";
const CANCEL: &str = "cancel";

#[async_trait]
impl Sink<OrderDocument> for Tryton {
    fn steps(&self, document: &OrderDocument, known: &Known) -> Vec<Step> {
        if document.cancelled {
            return vec![Step::idempotent(CANCEL, "order")];
        }
        // Tryton lets nobody take a sale back from these states, so that nothing else can be left to do.
        if matches!(known.get(sales::STATE).map(String::as_str), Some("processing" | "done")) {
            return vec![Step::idempotent(AMEND, "order")];
        }
        let draft = if known.contains_key(sales::ORDER) { Step::idempotent } else { Step::unkeyed };
        vec![
            Step::idempotent(PARTY, "party"),
            Step::unkeyed(ADDRESSES, "address"),
            draft(DRAFT, "order"),
            Step::idempotent(QUOTE, "order"),
            Step::idempotent(CONFIRM, "order"),
            Step::idempotent(PROCESS, "order"),
        ]
    }

    fn batch_size(&self, _step: &str) -> usize {
        BATCH
    }

    async fn apply(&self, calls: &[Call<'_>]) -> Vec<Result<Applied, Failure>> {
        let outcomes = match self.run(calls).await {
            // Something in one document spoils a request for all: an unknown field, say.
            Err(Failure::Rejected { .. }) if calls.len() > 1 => {
                let mut outcomes = Vec::with_capacity(calls.len());
                for call in calls {
                    let alone = self.run(std::slice::from_ref(call)).await;
                    outcomes.push(alone.and_then(|mut one| one.remove(0)));
                }
                outcomes
            }
            Err(failure) => calls.iter().map(|_| Err(failure.clone())).collect(),
            Ok(outcomes) => outcomes,
        };
        if outcomes.iter().any(|outcome| matches!(outcome, Err(Failure::Rejected { .. }))) {
            self.book.forget();
        }
        let clean = |(call, outcome): (&Call<'_>, Result<Applied, Failure>)| {
            outcome.map_err(|failure| explained(failure, call.document))
        };
        calls.iter().zip(outcomes).map(clean).collect()
    }

    async fn find(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let found = match &*call.step.name {
            PARTY => self.find_party(call).await,
            ADDRESSES => self.find_addresses(call).await,
            DRAFT | AMEND => self.find_draft(call).await,
            QUOTE | CONFIRM | PROCESS => self.find_state(call).await,
            CANCEL => self.find_cancelled(call).await,
            other => Err(unknown_step(other)),
        };
        found.map_err(|failure| explained(failure, call.document))
    }
}

impl Tryton {
    async fn run(&self, calls: &[Call<'_>]) -> Outcomes {
        let Some(first) = calls.first() else { return Ok(Vec::new()) };
        match &*first.step.name {
            PARTY => self.apply_parties(calls).await,
            ADDRESSES => self.apply_addresses(calls).await,
            DRAFT => self.apply_drafts(calls).await,
            QUOTE | CONFIRM | PROCESS => self.advance(calls).await,
            AMEND => self.apply_amendments(calls).await,
            CANCEL => self.apply_cancellations(calls).await,
            other => Err(unknown_step(other)),
        }
    }

    /// An order makes its party if it is missing and leaves one that is there as it is: it follows the customer's
    /// record, not old orders.
    async fn apply_parties(&self, calls: &[Call<'_>]) -> Outcomes {
        let buyers: Vec<Result<Buyer, Failure>> = calls.iter().map(|call| party::of_order(call.document)).collect();
        let readable: Vec<&Buyer> = buyers.iter().filter_map(|buyer| buyer.as_ref().ok()).collect();
        let mut parties = self.ensure_parties(&readable).await?.into_iter();
        let outcome = |buyer: &Result<Buyer, Failure>| match buyer {
            Ok(_) => {
                parties.next().unwrap_or_else(|| Err(unknown_step(PARTY))).map(|party| part(PARTY, party.id, party.new))
            }
            Err(failure) => Err(failure.clone()),
        };
        Ok(buyers.iter().map(outcome).collect())
    }

    async fn find_party(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        Ok(self.party_of(call).await?.map(|id| part(PARTY, id, false)))
    }

    /// The id of a call's party.
    async fn party_of(&self, call: &Call<'_>) -> Result<Option<Id>, Failure> {
        Ok(self.parties_of(std::slice::from_ref(call)).await?.remove(0))
    }

    /// The parties of calls, by key: since an earlier step, a colleague may have merged one into another.
    async fn parties_of(&self, calls: &[Call<'_>]) -> Result<Vec<Option<Id>>, Failure> {
        let key = |call: &Call<'_>| party::key_of_order(call.document).as_str().to_owned();
        let keys: BTreeSet<String> = calls.iter().map(key).collect();
        let by_key = self.party_ids(&keys.iter().map(String::as_str).collect()).await?;
        Ok(calls.iter().map(|call| by_key.get(&key(call)).copied()).collect())
    }
}

/// Something that belongs to an order and that people do not look up.
fn part(role: &str, id: Id, wrote: bool) -> Applied {
    Applied { external_id: None, known: Known::from([(role.to_owned(), id.to_string())]), wrote }
}

fn unknown_step(name: &str) -> Failure {
    Failure::rejected("exception", "", format!("Tryton's connector has no step '{name}'"))
}

/// What Tryton no longer lets us change.
fn not_amendable(field: &str, message: impl Into<String>) -> Failure {
    Failure::rejected("not_amendable", field, message)
}

fn explained(failure: Failure, document: &OrderDocument) -> Failure {
    refusal::explained(failure, "sale.sale", &document.fields, &personal(document))
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
