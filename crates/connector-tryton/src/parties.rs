//! Parties by our key: the code of those that we made, an identifier of those that were there before us.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value as Json, json};
use waybill_connector::{Effect, Failure};

use crate::{
    Tryton,
    client::Query,
    mapping::party::Buyer,
    matching::{Question, Sought},
    wire::{Id, IdentifierRow, PartyRow},
};

/// How many merges are followed from one party to the next.
const MOST_MERGES: usize = 10;

/// How a party came to carry our key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// This call made it.
    Made,
    /// It is one of ours.
    Ours,
    /// It was there before us.
    Adopted,
}

/// A party that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) id: Id,
    pub(crate) way: Way,
    /// Whether this call wrote our key onto it.
    pub(crate) wrote: bool,
}

/// The parties that carry keys of ours.
pub(crate) type ByKey = HashMap<String, Result<Party, Failure>>;

impl Tryton {
    /// The parties with these keys.
    pub(crate) async fn parties_by_key(&self, keys: &BTreeSet<&str>) -> Result<ByKey, Failure> {
        let mut found: ByKey = HashMap::new();
        for (key, id) in self.parties_by_code(keys).await? {
            found.insert(key, Ok(Party { id, way: Way::Ours, wrote: false }));
        }
        let others: BTreeSet<&str> = keys.iter().copied().filter(|key| !found.contains_key(*key)).collect();
        for (key, ids) in self.parties_by_identifier(&others).await? {
            let outcome = match ids.as_slice() {
                [id] => Ok(Party { id: *id, way: Way::Adopted, wrote: false }),
                _ => {
                    let message = format!("Tryton has {} parties with the identifier {key}", ids.len());
                    Err(Failure::rejected("duplicate", "identifiers", message))
                }
            };
            found.insert(key, outcome);
        }
        Ok(found)
    }

    /// The ids of the parties that carry these keys; several where a person gave the key to more than one.
    pub(crate) async fn party_ids(&self, keys: &BTreeSet<&str>) -> Result<HashMap<String, Vec<Id>>, Failure> {
        let by_code = self.parties_by_code(keys).await?;
        let mut found: HashMap<String, Vec<Id>> = by_code.into_iter().map(|(key, id)| (key, vec![id])).collect();
        let others: BTreeSet<&str> = keys.iter().copied().filter(|key| !found.contains_key(*key)).collect();
        found.extend(self.parties_by_identifier(&others).await?);
        Ok(found)
    }

    /// The parties with these codes. One that a colleague merged into another (`party.replace`) is that other one.
    async fn parties_by_code(&self, codes: &BTreeSet<&str>) -> Result<HashMap<String, Id>, Failure> {
        const FIELDS: &[&str] = &["code", "replaced_by"];
        if codes.is_empty() {
            return Ok(HashMap::new());
        }
        let query = Query { inactive_too: true, ..Query::new(json!([["code", "in", codes]]), FIELDS) };
        let mut rows: HashMap<String, PartyRow> = HashMap::new();
        for row in self.client.find::<PartyRow>("party.party", &query).await? {
            rows.insert(row.code.clone(), row);
        }
        for _ in 0..MOST_MERGES {
            let next: BTreeSet<Id> = rows.values().filter_map(|row| row.replaced_by).collect();
            if next.is_empty() {
                break;
            }
            let ids: Vec<Id> = next.into_iter().collect();
            let targets: Vec<PartyRow> = self.client.read("party.party", &ids, FIELDS).await?;
            for row in rows.values_mut() {
                if let Some(target) = targets.iter().find(|target| Some(target.id) == row.replaced_by) {
                    *row = target.clone();
                }
            }
        }
        Ok(rows.into_iter().map(|(code, row)| (code, row.id)).collect())
    }

    /// The parties with these identifiers. Merging moves them to the party that is left, and puts them to sleep.
    async fn parties_by_identifier(&self, keys: &BTreeSet<&str>) -> Result<BTreeMap<String, Vec<Id>>, Failure> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let query = Query { inactive_too: true, ..Query::new(json!([["code", "in", keys]]), &["code", "party"]) };
        let mut found: BTreeMap<String, Vec<Id>> = BTreeMap::new();
        for row in self.client.find::<IdentifierRow>("party.identifier", &query).await? {
            let ids = found.entry(row.code).or_default();
            if !ids.contains(&row.party) {
                ids.push(row.party);
            }
        }
        Ok(found)
    }

    /// The parties of these buyers: those that carry our key, those that a match rule finds, which get it, and new
    /// ones. `party.party.code` is unique, so that a second create is refused and nobody is there twice.
    pub(crate) async fn ensure_parties(&self, buyers: &[&Buyer]) -> Result<Vec<Result<Party, Failure>>, Failure> {
        let keys = buyers.iter().map(|buyer| buyer.key.as_str()).collect();
        let mut known = self.parties_by_key(&keys).await?;
        let adopted = self.adopt_parties(&missing(buyers, &known)).await?;
        known.extend(adopted);
        let missing = missing(buyers, &known);
        let values: Vec<Json> = missing.iter().map(|buyer| buyer.values()).collect();
        let outcomes = self.client.create("party.party", Effect::IdempotentWrite, &values).await;
        // A refusal can mean that another order of the same buyer was quicker.
        let quicker = match outcomes.iter().any(|outcome| matches!(outcome, Err(Failure::Rejected { .. }))) {
            true => self.parties_by_key(&missing.iter().map(|buyer| buyer.key.as_str()).collect()).await?,
            false => HashMap::new(),
        };
        let made: Vec<_> = missing.iter().map(|buyer| buyer.key.as_str().to_owned()).zip(outcomes).collect();
        for (key, outcome) in made {
            let outcome = match (outcome, quicker.get(&key)) {
                (Ok(id), _) => Ok(Party { id, way: Way::Made, wrote: true }),
                (Err(_), Some(there)) => there.clone(),
                (Err(failure), None) => Err(failure),
            };
            known.insert(key, outcome);
        }
        let gone = || Err(Failure::Transient { message: "the party was removed in between".to_owned() });
        Ok(buyers.iter().map(|buyer| known.get(buyer.key.as_str()).cloned().unwrap_or_else(gone)).collect())
    }

    /// Those of the buyers that a match rule finds. They get our key as an identifier, because nobody may change the
    /// code of a party. Sent twice it is the same identifier twice, of the same party.
    async fn adopt_parties(&self, buyers: &[&Buyer]) -> Result<ByKey, Failure> {
        let questions: Vec<_> =
            buyers.iter().map(|buyer| Question { key: &buyer.key, policy: &buyer.policy }).collect();
        let answers = self.recognise(Sought::Party, &questions).await?;
        let mut known: ByKey = HashMap::new();
        let mut found: Vec<(String, Id)> = Vec::new();
        for (buyer, answer) in buyers.iter().zip(answers) {
            let key = buyer.key.as_str().to_owned();
            match answer {
                Ok(None) => {}
                Ok(Some(id)) => found.push((key, id)),
                Err(failure) => drop(known.insert(key, Err(failure))),
            }
        }
        let values: Vec<Json> = found.iter().map(|(key, party)| json!({"party": party, "code": key})).collect();
        let outcomes = self.client.create("party.identifier", Effect::IdempotentWrite, &values).await;
        for ((key, id), outcome) in found.into_iter().zip(outcomes) {
            known.insert(key, outcome.map(|_| Party { id, way: Way::Adopted, wrote: true }));
        }
        Ok(known)
    }
}

/// The buyers whose key nobody carries, each once.
fn missing<'a>(buyers: &[&'a Buyer], known: &ByKey) -> Vec<&'a Buyer> {
    let mut missing: Vec<&Buyer> = Vec::new();
    for buyer in buyers {
        if !known.contains_key(buyer.key.as_str()) && !missing.iter().any(|other| other.key == buyer.key) {
            missing.push(buyer);
        }
    }
    missing
}
