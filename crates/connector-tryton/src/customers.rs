//! Customers: parties that follow the customer's record.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use waybill_connector::{Applied, Failure, Known, Sink, Step, StepCall};
use waybill_domain::document::CustomerDocument;

use crate::{
    BATCH, Tryton,
    mapping::{
        fields,
        party::{self, Buyer},
        same_text,
    },
    refusal,
    wire::{CustomerRow, Id},
};

const PARTY: &str = "party";

#[async_trait]
impl Sink<CustomerDocument> for Tryton {
    fn steps(&self, _document: &CustomerDocument, _known: &Known) -> Vec<Step> {
        vec![Step::idempotent(PARTY, "customer")]
    }

    fn batch_size(&self, _step: &str) -> usize {
        BATCH
    }

    async fn apply(&self, calls: &[StepCall<'_, CustomerDocument>]) -> Vec<Result<Applied, Failure>> {
        let outcomes = match self.apply_customers(calls).await {
            Err(Failure::Rejected { .. }) if calls.len() > 1 => {
                let mut outcomes = Vec::with_capacity(calls.len());
                for call in calls {
                    let alone = self.apply_customers(std::slice::from_ref(call)).await;
                    outcomes.push(alone.and_then(|mut one| one.remove(0)));
                }
                outcomes
            }
            Err(failure) => calls.iter().map(|_| Err(failure.clone())).collect(),
            Ok(outcomes) => outcomes,
        };
        let clean = |(call, outcome): (&StepCall<'_, CustomerDocument>, Result<Applied, Failure>)| {
            outcome.map_err(|failure| explained(failure, call.document))
        };
        calls.iter().zip(outcomes).map(clean).collect()
    }

    async fn find(&self, call: &StepCall<'_, CustomerDocument>) -> Result<Option<Applied>, Failure> {
        let found = async {
            let buyer = party::of_customer(call.document)?;
            let codes = BTreeSet::from([buyer.key.as_str()]);
            let Some(id) = self.party_ids(&codes).await?.get(buyer.key.as_str()).copied() else { return Ok(None) };
            let (row, raw) = self.customer_rows(&[id], &[&buyer]).await?.remove(&id).ok_or_else(gone)?;
            let is_current = changes(&buyer, &row, &raw).is_empty();
            Ok(is_current.then(|| Applied::unchanged(PARTY, id.to_string())))
        };
        found.await.map_err(|failure| explained(failure, call.document))
    }
}

impl Tryton {
    async fn apply_customers(
        &self,
        calls: &[StepCall<'_, CustomerDocument>],
    ) -> Result<Vec<Result<Applied, Failure>>, Failure> {
        let buyers: Vec<Result<Buyer, Failure>> = calls.iter().map(|call| party::of_customer(call.document)).collect();
        let readable: Vec<&Buyer> = buyers.iter().filter_map(|buyer| buyer.as_ref().ok()).collect();
        let mut parties = self.ensure_parties(&readable).await?.into_iter();
        let parties: Vec<_> = buyers
            .iter()
            .map(|buyer| match buyer {
                Ok(_) => parties.next().unwrap_or_else(|| Err(gone())),
                Err(failure) => Err(failure.clone()),
            })
            .collect();
        let old: Vec<Id> = parties.iter().flatten().filter(|party| !party.new).map(|party| party.id).collect();
        let rows = self.customer_rows(&old, &readable).await?;
        let mut outcomes = Vec::with_capacity(calls.len());
        for (buyer, party) in buyers.into_iter().zip(parties) {
            outcomes.push(match (buyer, party) {
                (Ok(_), Ok(party)) if party.new => Ok(Applied::wrote(PARTY, party.id.to_string())),
                (Ok(buyer), Ok(party)) => match rows.get(&party.id) {
                    Some((row, raw)) => self.follow(&buyer, row, raw).await,
                    None => Err(gone()),
                },
                (Err(failure), _) | (_, Err(failure)) => Err(failure),
            });
        }
        Ok(outcomes)
    }

    /// Writes what the document says otherwise.
    async fn follow(&self, buyer: &Buyer, row: &CustomerRow, raw: &Map<String, Json>) -> Result<Applied, Failure> {
        let changes = changes(buyer, row, raw);
        if changes.is_empty() {
            return Ok(Applied::unchanged(PARTY, row.id.to_string()));
        }
        self.client.write("party.party", row.id, Json::Object(changes)).await?;
        Ok(Applied::wrote(PARTY, row.id.to_string()))
    }

    async fn customer_rows(
        &self,
        ids: &[Id],
        buyers: &[&Buyer],
    ) -> Result<HashMap<Id, (CustomerRow, Map<String, Json>)>, Failure> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut fields = vec!["name", "contact_mechanisms.type", "contact_mechanisms.value"];
        let mapped: BTreeSet<&str> = buyers.iter().flat_map(|buyer| buyer.fields.keys().map(String::as_str)).collect();
        fields.extend(mapped);
        let rows: Vec<Map<String, Json>> = self.client.read("party.party", ids, &fields).await?;
        rows.into_iter()
            .map(|raw| {
                let row: CustomerRow = serde_json::from_value(Json::Object(raw.clone()))
                    .map_err(|error| Failure::malformed(format!("Tryton's party cannot be read: {error}"), b""))?;
                Ok((row.id, (row, raw)))
            })
            .collect()
    }
}

/// The values that differ.
fn changes(buyer: &Buyer, row: &CustomerRow, raw: &Map<String, Json>) -> Map<String, Json> {
    let mut changes: Map<String, Json> = buyer
        .fields
        .iter()
        .filter(|(name, value)| {
            let one = Map::from_iter([((*name).clone(), (*value).clone())]);
            fields::difference(&one, raw).is_some()
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !same_text(&buyer.name, row.name.as_deref()) {
        changes.insert("name".to_owned(), json!(buyer.name));
    }
    let commands = buyer.mechanism_commands(&row.mechanisms);
    if !commands.is_empty() {
        changes.insert("contact_mechanisms".to_owned(), json!(commands));
    }
    changes
}

fn gone() -> Failure {
    Failure::Transient { message: "the party was removed in between".to_owned() }
}

fn explained(failure: Failure, document: &CustomerDocument) -> Failure {
    refusal::explained(failure, "party.party", &document.fields, &personal(document))
}

/// Every text of a customer that names a person.
pub(crate) fn personal(document: &CustomerDocument) -> Vec<&str> {
    [&document.email, &document.phone, &document.last_name, &document.first_name]
        .into_iter()
        .map(waybill_domain::Personal::expose)
        .collect()
}
