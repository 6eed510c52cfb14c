//! Where a document's record is: known from before, found by our key, or by the plan's match rules.

use std::collections::BTreeSet;

use waybill_connector::Failure;
use waybill_domain::{
    Personal,
    document::{MatchBy, MatchRule, OnMatch, WritePolicy},
};

use crate::{
    ADOPTED_PROPERTY, HubSpot,
    batch::Deadline,
    lookup::{ADDITIONAL_EMAILS, Question},
    mapping::EMAIL,
    phones,
    wire::{Kind, Object},
};

/// So many of the records that could be one are named to a person.
const MOST_NAMED: usize = 5;

/// A document's record, to be looked for.
#[derive(Debug, Clone)]
pub(crate) struct Sought<'a> {
    pub(crate) key: &'a str,
    /// The record that an earlier revision left.
    pub(crate) id: Option<&'a str>,
    /// In this order.
    pub(crate) rules: Vec<MatchRule>,
    pub(crate) on_match: &'a OnMatch,
}

impl<'a> Sought<'a> {
    /// By the plan's rules. A person for whom there are none is found by e-mail, because HubSpot has one contact for
    /// each.
    pub(crate) fn new(key: &'a str, id: Option<&'a str>, policy: &'a WritePolicy, email: &str) -> Self {
        if policy.matching.is_empty() && !email.is_empty() {
            let rule = MatchRule { by: MatchBy::Email, value: Personal::new(email), ask: false };
            return Self { key, id, rules: vec![rule], on_match: &OnMatch::Merge };
        }
        Self { key, id, rules: policy.matching.clone(), on_match: &policy.on_match }
    }

    /// By id and key alone: what was written already.
    pub(crate) fn written(key: &'a str, id: Option<&'a str>) -> Self {
        Self { key, id, rules: Vec::new(), on_match: &OnMatch::Merge }
    }

    /// Whether e-mail is among what it is found by.
    pub(crate) fn is_found_by_email(&self) -> bool {
        self.rules.iter().any(|rule| rule.by == MatchBy::Email)
    }
}

/// Where a document's record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was written by us before, or a person put our key on it.
    Ours(Object),
    /// A rule found it: it gets our key.
    Before(Object),
    /// It is to be created.
    Nowhere,
}

impl Place {
    /// The record that is there.
    pub(crate) fn record(&self) -> Option<&Object> {
        match self {
            Self::Ours(record) | Self::Before(record) => Some(record),
            Self::Nowhere => None,
        }
    }
}

impl HubSpot {
    /// Looks for records, each with these properties and with what tells whose it is. One outcome each:
    ///
    /// # Errors
    /// - `several_matches` if a rule finds several
    /// - `match_needs_person` if a rule that finds one says so
    /// - whatever a look-up fails with
    pub(crate) async fn locate(
        &self,
        kind: Kind,
        sought: &[Sought<'_>],
        properties: impl IntoIterator<Item = &str>,
        deadline: Deadline,
    ) -> Vec<Result<Place, Failure>> {
        let mut properties: BTreeSet<String> = properties.into_iter().map(str::to_owned).collect();
        properties.extend([self.key_property(kind), ADOPTED_PROPERTY].map(str::to_owned));
        if kind == Kind::Contacts {
            properties.extend([EMAIL, ADDITIONAL_EMAILS].into_iter().chain(phones::SHOWN).map(str::to_owned));
        }
        let fields = sought.iter().flat_map(|one| &one.rules).filter_map(|rule| match &rule.by {
            MatchBy::Field(name) => Some(name.clone()),
            MatchBy::Email | MatchBy::Phone => None,
        });
        properties.extend(fields.collect::<Vec<_>>());
        let question = Question { kind, properties: &properties, deadline };
        let mut locating = Locating { hubspot: self, question, sought, places: vec![None; sought.len()], broken: None };
        locating.by_id().await;
        locating.by_key().await;
        for turn in 0..sought.iter().map(|one| one.rules.len()).max().unwrap_or_default() {
            locating.by_rule(turn).await;
        }
        let broken = locating.broken;
        let open = || broken.clone().map_or(Ok(Place::Nowhere), Err);
        locating.places.into_iter().map(|place| place.unwrap_or_else(open)).collect()
    }
}

struct Locating<'a> {
    hubspot: &'a HubSpot,
    question: Question<'a>,
    sought: &'a [Sought<'a>],
    /// What is settled.
    places: Vec<Option<Result<Place, Failure>>>,
    /// What stopped the look-ups: the rest is not asked for.
    broken: Option<Failure>,
}

impl Locating<'_> {
    fn open(&self) -> Vec<usize> {
        if self.broken.is_some() {
            return Vec::new();
        }
        (0..self.sought.len()).filter(|&at| self.places[at].is_none()).collect()
    }

    async fn by_id(&mut self) {
        let sought = self.sought;
        let ids = self.open().into_iter().filter_map(|at| sought[at].id);
        let found = self.hubspot.read_all(&self.question, None, ids).await;
        self.settle(found, |one, record| one.id == Some(record.id.as_str()));
    }

    async fn by_key(&mut self) {
        let property = self.hubspot.key_property(self.question.kind);
        let sought = self.sought;
        let keys = self.open().into_iter().map(|at| sought[at].key);
        let found = self.hubspot.read_all(&self.question, Some(property), keys).await;
        self.settle(found, |one, record| record.value(property) == one.key);
    }

    fn settle(&mut self, found: Result<Vec<Object>, Failure>, is: impl Fn(&Sought<'_>, &Object) -> bool) {
        match found {
            Ok(records) => {
                for at in self.open() {
                    let record = records.iter().find(|record| is(&self.sought[at], record));
                    self.places[at] = record.map(|record| Ok(Place::Ours(record.clone())));
                }
            }
            Err(failure) => self.broken = Some(failure),
        }
    }

    /// Each record's rule of this turn, in one look-up for all rules of a kind.
    async fn by_rule(&mut self, turn: usize) {
        let sought = self.sought;
        let rule = |at: usize| sought[at].rules.get(turn);
        let mut kinds: Vec<&MatchBy> = Vec::new();
        for at in self.open() {
            if let Some(rule) = rule(at)
                && !kinds.contains(&&rule.by)
            {
                kinds.push(&rule.by);
            }
        }
        for by in kinds {
            let asked: Vec<usize> =
                self.open().into_iter().filter(|&at| rule(at).is_some_and(|rule| rule.by == *by)).collect();
            let values: Vec<&str> =
                asked.iter().filter_map(|&at| rule(at)).map(|rule| rule.value.expose().trim()).collect();
            let found = self.hubspot.holders(&self.question, by, &values).await;
            for (at, found) in asked.into_iter().zip(found) {
                match (found, rule(at)) {
                    (Ok(records), Some(rule)) => self.places[at] = self.decide(&sought[at], rule, records),
                    (Ok(_), None) => {}
                    (Err(refused @ Failure::Rejected { .. }), _) => self.places[at] = Some(Err(refused)),
                    (Err(failure), _) => self.broken = Some(failure),
                }
            }
        }
    }

    /// What follows from what a rule finds; `None` if it finds nothing.
    fn decide(
        &self,
        sought: &Sought<'_>,
        rule: &MatchRule,
        mut records: Vec<Object>,
    ) -> Option<Result<Place, Failure>> {
        let property = self.hubspot.key_property(self.question.kind);
        // What carries another key is another record of ours. Not so by e-mail: HubSpot has one contact for each, and
        // two stores' customers with one e-mail share it.
        if rule.by != MatchBy::Email {
            records.retain(|record| record.value(property).is_empty());
        }
        let (first, several) = (records.first()?, records.len() > 1);
        let by = match &rule.by {
            MatchBy::Email => "email",
            MatchBy::Phone => "phone",
            MatchBy::Field(name) => name,
        };
        if several {
            let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).take(MOST_NAMED).collect();
            let more = if ids.len() < records.len() { " and others" } else { "" };
            let message = format!(
                "{} {}{more} could be this record, by {by}; merge them, or set {} on the right one",
                self.question.kind.as_str(),
                ids.join(", "),
                self.mark(sought)
            );
            return Some(Err(Failure::rejected("several_matches", by, message)));
        }
        if rule.ask {
            let message = format!(
                "{} {} may be this record, by {by}; if it is, set {} on it",
                self.question.kind.as_str(),
                first.id,
                self.mark(sought)
            );
            return Some(Err(Failure::rejected("match_needs_person", by, message)));
        }
        Some(Ok(match sought.on_match {
            OnMatch::Merge | OnMatch::Fields(_) => Place::Before(first.clone()),
            OnMatch::CreateSecond => Place::Nowhere,
        }))
    }

    /// What a person sets on the record that it is.
    fn mark(&self, sought: &Sought<'_>) -> String {
        let key = format!("{} = {}", self.hubspot.key_property(self.question.kind), sought.key);
        match sought.on_match {
            OnMatch::Fields(_) => format!("{key} and {ADOPTED_PROPERTY} = Yes"),
            OnMatch::Merge | OnMatch::CreateSecond => key,
        }
    }
}
