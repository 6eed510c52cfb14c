//! Records that were in Tryton before us, recognised by the rules of the documents.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};
use waybill_connector::Failure;
use waybill_domain::{
    ObjectKey,
    document::{MatchBy, MatchRule, OnMatch, WritePolicy},
};

use crate::{
    Tryton,
    client::Query,
    mapping::recognised::{self, Candidate},
    refusal,
    wire::Id,
};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sought {
    /// A `party.party`.
    Party,
    /// A `sale.sale`.
    Sale,
}

/// A document whose record does not carry our key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) key: &'a ObjectKey,
    pub(crate) policy: &'a WritePolicy,
}

/// Per question: the record that is the one, none, or why a person has to say.
type Answers = Vec<Result<Option<Id>, Failure>>;

/// The rules that count: none where what they find is not to be touched.
pub(crate) fn rules(policy: &WritePolicy) -> &[MatchRule] {
    if policy.on_match == OnMatch::CreateSecond { &[] } else { &policy.matching }
}

impl Tryton {
    /// What the rules of each document find: the first rule that finds anything decides. Rules that look at the same
    /// place share a request.
    pub(crate) async fn recognise(&self, sought: Sought, questions: &[Question<'_>]) -> Result<Answers, Failure> {
        let mut answers: Answers = questions.iter().map(|_| Ok(None)).collect();
        let most = questions.iter().map(|question| rules(question.policy).len()).max().unwrap_or_default();
        for at in 0..most {
            let mut places: Vec<(&MatchBy, Vec<usize>)> = Vec::new();
            for (index, question) in questions.iter().enumerate() {
                let Some(rule) = rules(question.policy).get(at) else { continue };
                if answers[index] != Ok(None) || rule.value.expose().trim().is_empty() {
                    continue;
                }
                match places.iter_mut().find(|(by, _)| *by == &rule.by) {
                    Some((_, indexes)) => indexes.push(index),
                    None => places.push((&rule.by, vec![index])),
                }
            }
            for (by, indexes) in places {
                let rule = |index: &usize| &rules(questions[*index].policy)[at];
                let values: BTreeSet<&str> = indexes.iter().map(|index| rule(index).value.expose()).collect();
                let candidates = self.candidates(sought, by, &values).await?;
                for index in indexes {
                    answers[index] = decided(sought, questions[index].key, rule(&index), &candidates);
                }
            }
        }
        Ok(answers)
    }

    async fn candidates(
        &self,
        sought: Sought,
        by: &MatchBy,
        values: &BTreeSet<&str>,
    ) -> Result<Vec<Candidate>, Failure> {
        match (sought, by) {
            (Sought::Party, MatchBy::Email) => self.reached(&["email"], &recognised::email_domain(values)).await,
            (Sought::Party, MatchBy::Phone) => {
                let domain = recognised::phone_domain(values);
                match domain.as_array().map(Vec::len) {
                    // Of the operator and nothing else: no value is a number that can be compared.
                    Some(1) => Ok(Vec::new()),
                    _ => self.reached(&["phone", "mobile", "other"], &domain).await,
                }
            }
            (Sought::Party, MatchBy::Field(name)) => {
                let rows = self.rows_with("party.party", name, json!([[name, "in", values]]), &[]).await?;
                Ok(rows.iter().filter_map(|row| Candidate::of(row, name)).collect())
            }
            (Sought::Sale, MatchBy::Field(name)) => {
                let company = self.client.company().await?;
                let domain = json!([[name, "in", values], ["company", "=", company]]);
                let rows = self.rows_with("sale.sale", name, domain, &["origin", "reference", "state"]).await?;
                Ok(rows
                    .iter()
                    .filter(|row| !recognised::is_taken(row))
                    .filter_map(|row| Candidate::of(row, name))
                    .collect())
            }
            (Sought::Sale, MatchBy::Email | MatchBy::Phone) => {
                let message = "a sale in Tryton has neither e-mail nor phone: let the order match by a field of it";
                Err(Failure::rejected("map_error", "match", message))
            }
        }
    }

    /// The active parties with a contact mechanism of these types.
    async fn reached(&self, types: &[&str], values: &Json) -> Result<Vec<Candidate>, Failure> {
        let domain = json!([["type", "in", types], ["party.active", "=", true], values]);
        let query = Query::new(domain, &["party", "value", "value_compact"]);
        let rows: Vec<Map<String, Json>> = self.client.find("party.contact_mechanism", &query).await?;
        Ok(rows.iter().filter_map(Candidate::reached).collect())
    }

    async fn rows_with(
        &self,
        model: &str,
        name: &str,
        domain: Json,
        others: &[&str],
    ) -> Result<Vec<Map<String, Json>>, Failure> {
        let fields: BTreeSet<&str> = others.iter().copied().chain([name]).collect();
        let fields: Vec<&str> = fields.into_iter().collect();
        let rows = self.client.find(model, &Query::new(domain, &fields)).await;
        rows.map_err(|failure| refusal::unknown_field(failure, model, [name]))
    }
}

/// What one rule says of one document.
fn decided(sought: Sought, key: &ObjectKey, rule: &MatchRule, candidates: &[Candidate]) -> Result<Option<Id>, Failure> {
    let mut found: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.holds(rule)).collect();
    // What was cancelled counts only where there is nothing else.
    if found.iter().any(|candidate| !candidate.cancelled) {
        found.retain(|candidate| !candidate.cancelled);
    }
    let ids: BTreeSet<Id> = found.iter().map(|candidate| candidate.id).collect();
    let (what, how) = match sought {
        Sought::Party => ("party", "give it an identifier with our key"),
        Sought::Sale => ("sale", "write our key into its reference"),
    };
    let field = match &rule.by {
        MatchBy::Email => "email",
        MatchBy::Phone => "phone",
        MatchBy::Field(name) => name,
    };
    let listed = ids.iter().map(Id::to_string).collect::<Vec<_>>().join(", ");
    match ids.len() {
        0 => Ok(None),
        1 if rule.ask => {
            let message = format!("Tryton's {what} with the id {listed} may be this one: if it is, {how}, {key}");
            Err(Failure::rejected("match_needs_person", field, message))
        }
        1 => Ok(ids.first().copied()),
        _ => {
            let message =
                format!("Tryton's records of model {what} with the ids {listed} may all be this one: {how}, {key}");
            Err(Failure::rejected("several_matches", field, message))
        }
    }
}
