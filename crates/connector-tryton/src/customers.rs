//! Customers: parties that follow the customer's record.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall, look::in_parts};
use waybill_domain::document::{CustomerDocument, OnMatch};

use crate::{
    BATCH, LOOKS, Tryton,
    mapping::{
        party::{self, Buyer},
        same_text,
        scope::{self, Scope},
    },
    parties::{Party, Way},
    refusal,
    steps::{Outcomes, Taken},
    wire::{CustomerRow, Id},
};

const PARTY: &str = "party";
/// In [`Known`]: of an adopted party, only these mapped fields are ours.
const FIELDS: &str = "party_fields";

type Call<'a> = StepCall<'a, CustomerDocument>;

#[async_trait]
impl Sink<CustomerDocument> for Tryton {
    fn steps(&self, _document: &CustomerDocument, _known: &Known) -> Vec<Step> {
        vec![Step::idempotent(PARTY, "customer")]
    }

    fn batch_size(&self, _step: &str) -> usize {
        BATCH
    }

    async fn apply(&self, calls: &[Call<'_>]) -> Vec<Result<Applied, Failure>> {
        self.apply_together(calls).await
    }

    async fn find(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        self.find_customer(call).await.map_err(|failure| CustomerDocument::explained(failure, call.document))
    }

    async fn look(&self, calls: &[LookCall<'_, CustomerDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_for_customers(calls).await
    }
}

#[async_trait]
impl Taken for CustomerDocument {
    async fn run(tryton: &Tryton, calls: &[Call<'_>]) -> Outcomes {
        tryton.apply_customers(calls).await
    }

    fn explained(failure: Failure, document: &Self) -> Failure {
        refusal::explained(failure, "party.party", &document.fields, &personal(document))
    }
}

impl Tryton {
    async fn apply_customers(&self, calls: &[Call<'_>]) -> Outcomes {
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
        let old = parties.iter().flatten().filter(|party| party.way != Way::Made);
        let old: BTreeSet<Id> = old.map(|party| party.id).collect();
        let rows = self.customer_rows(&old.into_iter().collect::<Vec<_>>(), &readable).await?;
        let mut outcomes = Vec::with_capacity(calls.len());
        for ((call, buyer), party) in calls.iter().zip(buyers).zip(parties) {
            outcomes.push(match (buyer, party) {
                (Ok(_), Ok(party)) if party.way == Way::Made => Ok(Applied::wrote(PARTY, party.id.to_string())),
                (Ok(buyer), Ok(party)) => match rows.get(&party.id) {
                    Some((row, raw)) => self.follow(call, &buyer, party, row, raw).await,
                    None => Err(gone()),
                },
                (Err(failure), _) | (_, Err(failure)) => Err(failure),
            });
        }
        Ok(outcomes)
    }

    async fn look_for_customers(&self, calls: &[LookCall<'_, CustomerDocument>]) -> Vec<Result<Look, Failure>> {
        in_parts(calls, LOOKS, |part| async move {
            let there = self.party_ids(&part.iter().map(|call| call.document.key.as_str()).collect()).await?;
            let look = |ids: Option<&Vec<Id>>| match ids.map(Vec::as_slice) {
                None | Some([]) => Look::missing(PARTY),
                Some([_]) => Look::whole(),
                Some(several) => Look::doubled(PARTY, several.iter().map(Id::to_string).collect()),
            };
            Ok(part.iter().map(|call| look(there.get(call.document.key.as_str()))).collect())
        })
        .await
    }

    async fn find_customer(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let buyer = party::of_customer(call.document)?;
        let key = buyer.key.as_str();
        let Some(party) = self.parties_by_key(&BTreeSet::from([key])).await?.remove(key).transpose()? else {
            return Ok(None);
        };
        let (row, raw) = self.customer_rows(&[party.id], &[&buyer]).await?.remove(&party.id).ok_or_else(gone)?;
        let is_current = changes(&buyer, &scope(call, &buyer, party), &row, &raw).is_empty();
        Ok(is_current.then(|| remembered(call, &buyer, party, false)))
    }

    /// Writes what the document says otherwise.
    async fn follow(
        &self,
        call: &Call<'_>,
        buyer: &Buyer,
        party: Party,
        row: &CustomerRow,
        raw: &Map<String, Json>,
    ) -> Result<Applied, Failure> {
        let changes = changes(buyer, &scope(call, buyer, party), row, raw);
        let wrote = party.wrote || !changes.is_empty();
        if !changes.is_empty() {
            self.client.write("party.party", row.id, Json::Object(changes)).await?;
        }
        Ok(remembered(call, buyer, party, wrote))
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

/// Of an adopted party: the fields that are ours, if not all of them are. What was decided on adoption stays.
fn only(call: &Call<'_>, buyer: &Buyer, party: Party) -> Option<BTreeSet<String>> {
    match (call.known.get(FIELDS), &buyer.policy.on_match) {
        (Some(text), _) => Some(scope::names_of_text(text)),
        (None, OnMatch::Fields(names)) if party.way == Way::Adopted && !call.known.contains_key(PARTY) => {
            Some(names.clone())
        }
        (None, OnMatch::Fields(_) | OnMatch::Merge | OnMatch::CreateSecond) => None,
    }
}

fn scope<'a>(call: &Call<'_>, buyer: &'a Buyer, party: Party) -> Scope<'a> {
    Scope::new(&buyer.policy, only(call, buyer, party), !call.known.contains_key(PARTY))
}

/// What later revisions need to know.
fn remembered(call: &Call<'_>, buyer: &Buyer, party: Party, wrote: bool) -> Applied {
    let mut applied = Applied { wrote, ..Applied::unchanged(PARTY, party.id.to_string()) };
    if let Some(names) = only(call, buyer, party) {
        applied.known.insert(FIELDS.to_owned(), scope::names_to_text(&names));
    }
    applied
}

/// The values that differ.
fn changes(buyer: &Buyer, scope: &Scope<'_>, row: &CustomerRow, raw: &Map<String, Json>) -> Map<String, Json> {
    let mut changes = scope.changes(&buyer.fields, raw);
    if scope.is_fields_only() {
        return changes;
    }
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

/// Every text of a customer that names a person.
pub(crate) fn personal(document: &CustomerDocument) -> Vec<&str> {
    [&document.email, &document.phone, &document.last_name, &document.first_name]
        .into_iter()
        .chain(document.policy.matching.iter().map(|rule| &rule.value))
        .map(waybill_domain::Personal::expose)
        .collect()
}
