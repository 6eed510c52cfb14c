//! Parties by our key, which is their code.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value as Json, json};
use waybill_connector::{Effect, Failure};

use crate::{
    Tryton,
    client::Query,
    mapping::party::Buyer,
    wire::{Id, PartyRow},
};

/// How many merges are followed from one party to the next.
const MOST_MERGES: usize = 10;

/// A party that is there, and whether this call made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) id: Id,
    pub(crate) new: bool,
}

impl Tryton {
    /// The parties with these codes. One that a colleague merged into another (`party.replace`) is that other one.
    pub(crate) async fn party_ids(&self, codes: &BTreeSet<&str>) -> Result<HashMap<String, Id>, Failure> {
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

    /// The parties of these buyers; those that are missing are created. `party.party.code` is unique, so that a second
    /// create is refused and nobody is there twice.
    pub(crate) async fn ensure_parties(&self, buyers: &[&Buyer]) -> Result<Vec<Result<Party, Failure>>, Failure> {
        let codes = buyers.iter().map(|buyer| buyer.key.as_str()).collect();
        let mut known = self.party_ids(&codes).await?;
        let mut missing: Vec<&Buyer> = Vec::new();
        for buyer in buyers {
            let key = buyer.key.as_str();
            if !known.contains_key(key) && !missing.iter().any(|other| other.key == buyer.key) {
                missing.push(buyer);
            }
        }
        let values: Vec<Json> = missing.iter().map(|buyer| buyer.values()).collect();
        let outcomes = self.client.create("party.party", Effect::IdempotentWrite, &values).await;
        // A refusal can mean that another order of the same buyer was quicker.
        let refused = outcomes.iter().any(|outcome| matches!(outcome, Err(Failure::Rejected { .. })));
        if refused {
            known = self.party_ids(&codes).await?;
        }
        let made: HashMap<&str, Result<Id, Failure>> =
            missing.iter().map(|buyer| buyer.key.as_str()).zip(outcomes).collect();
        Ok(buyers
            .iter()
            .map(|buyer| {
                let key = buyer.key.as_str();
                match (made.get(key), known.get(key)) {
                    (Some(Ok(id)), _) => Ok(Party { id: *id, new: true }),
                    (_, Some(id)) => Ok(Party { id: *id, new: false }),
                    (Some(Err(failure)), None) => Err(failure.clone()),
                    (None, None) => Err(Failure::Transient { message: "the party was removed in between".to_owned() }),
                }
            })
            .collect())
    }
}
