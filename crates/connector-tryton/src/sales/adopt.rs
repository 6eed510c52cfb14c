//! Sales that were in Tryton before us.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value as Json, json};
use waybill_connector::{Applied, Failure, Known, StepCall};
use waybill_domain::document::OnMatch;

use super::{
    Booked,
    lookup::{ByKey, Referred, sale_of},
};
use crate::{
    Tryton,
    client::Query,
    mapping::scope::{self, Scope},
    matching::{Question, Sought, rules},
    steps::Outcomes,
    wire::Id,
};

/// In [`Known`]: of an adopted sale, only these mapped fields are ours. It is remembered before our key is written
/// onto the sale, so that nothing can take the sale for one of ours.
pub(crate) const FIELDS: &str = "sale_fields";
/// In [`Known`]: nothing was found, so that a sale with our key is one that we made.
pub(crate) const NEW: &str = "sale_is_new";

impl Tryton {
    /// Looks for sales from before us, and writes nothing: whatever is for a person is told before anything is made.
    pub(crate) async fn recognise_sales<D: Booked>(&self, calls: &[StepCall<'_, D>]) -> Outcomes {
        let mut rows = self.states_or_found(calls).await?;
        let outcome = |call: &StepCall<'_, D>| match sale_of(&mut rows, call)? {
            None => Ok(noted(NEW, "yes")),
            Some(row) => Ok(match fields_only(call, row.carries(call.document)) {
                Some(names) => noted_fields(&names),
                None => Applied::default(),
            }),
        };
        Ok(calls.iter().map(outcome).collect())
    }

    /// One sale per call: the one with our key, else what the rules find.
    pub(super) async fn by_key_or_rules<D: Booked, T: Referred>(
        &self,
        calls: &[StepCall<'_, D>],
        fields: &[&str],
    ) -> Result<ByKey<T>, Failure> {
        let mut found: ByKey<T> = self.by_key(calls, fields).await?;
        let open: Vec<&StepCall<'_, D>> = calls
            .iter()
            .filter(|call| {
                !found.contains_key(call.document.key().as_str()) && !rules(call.document.policy()).is_empty()
            })
            .collect();
        if !D::ADOPTS || open.is_empty() {
            return Ok(found);
        }
        let questions: Vec<_> =
            open.iter().map(|call| Question { key: call.document.key(), policy: call.document.policy() }).collect();
        let answers = self.recognise(Sought::Sale, &questions).await?;
        let ids: BTreeSet<Id> = answers.iter().flatten().copied().flatten().collect();
        let rows: HashMap<Id, Map<String, Json>> = self.raw_sales(&ids, fields).await?;
        for (call, answer) in open.iter().zip(&answers) {
            let key = call.document.key().as_str().to_owned();
            let others = answers.iter().filter(|other| *other == answer).count();
            match answer {
                Ok(None) => {}
                Ok(Some(id)) if others > 1 => {
                    let message = format!("Tryton's sale with the id {id} may be each of {others} orders");
                    found.insert(key, Err(Failure::rejected("several_matches", "match", message)));
                }
                Ok(Some(id)) => {
                    if let Some(raw) = rows.get(id) {
                        found.insert(key, T::read(raw.clone()));
                    }
                }
                Err(failure) => {
                    found.insert(key, Err(failure.clone()));
                }
            }
        }
        Ok(found)
    }

    async fn raw_sales(&self, ids: &BTreeSet<Id>, fields: &[&str]) -> Result<HashMap<Id, Map<String, Json>>, Failure> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let query = Query::new(json!([["id", "in", ids]]), fields);
        let rows: Vec<Map<String, Json>> = self.client.find("sale.sale", &query).await?;
        Ok(rows.into_iter().filter_map(|raw| Some((raw.get("id")?.as_i64()?, raw))).collect())
    }

    /// Writes our key onto a sale that does not carry it. Tryton lets a sale's reference be changed in every state.
    pub(crate) async fn put_key_on<D: Booked>(
        &self,
        call: &StepCall<'_, D>,
        row: &impl Referred,
    ) -> Result<bool, Failure> {
        if row.carries(call.document) {
            return Ok(false);
        }
        let values = json!({"reference": call.document.key().as_str()});
        self.client.write("sale.sale", row.id(), values).await.map(|()| true)
    }
}

fn noted(role: &str, value: &str) -> Applied {
    Applied { known: Known::from([(role.to_owned(), value.to_owned())]), ..Applied::default() }
}

/// What is remembered of a sale of which only some fields are ours.
pub(super) fn noted_fields(names: &BTreeSet<String>) -> Applied {
    noted(FIELDS, &scope::names_to_text(names))
}

/// Of an adopted sale: the fields that are ours, if not all of it is. What was decided on adoption stays. A sale that
/// carries our key without our having written it got it from a person.
pub(crate) fn fields_only<D: Booked>(call: &StepCall<'_, D>, carries_key: bool) -> Option<BTreeSet<String>> {
    let is_ours = call.known.contains_key(D::ROLE) || (carries_key && call.known.contains_key(NEW));
    match (call.known.get(FIELDS), &call.document.policy().on_match) {
        (Some(text), _) => Some(scope::names_of_text(text)),
        (None, OnMatch::Fields(names)) if !is_ours && !rules(call.document.policy()).is_empty() => Some(names.clone()),
        (None, OnMatch::Fields(_) | OnMatch::Merge | OnMatch::CreateSecond) => None,
    }
}

/// What may be written on the sale of a call.
pub(super) fn scope<'a, D: Booked>(call: &StepCall<'a, D>, carries_key: bool) -> Scope<'a> {
    Scope::new(call.document.policy(), fields_only(call, carries_key), !call.known.contains_key(D::ROLE))
}
