//! Writes that depend on what HubSpot holds: records are looked for first, then created, adopted or updated.

use std::collections::{BTreeSet, HashSet};

use waybill_connector::{Applied, Failure};
use waybill_domain::document::{MatchBy, OnMatch, WritePolicy};

use crate::{
    ADOPTED_PROPERTY, HubSpot,
    batch::{self, Deadline, Outcome, Write},
    client::Call,
    lookup::{ADDITIONAL_EMAILS, Question, has_email},
    mapping::{self, EMAIL},
    matching::{Place, Sought},
    wire::{Kind, Object, Properties},
};

/// What a document wants a record to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) key: &'a str,
    /// The record that an earlier revision left.
    pub(crate) known: Option<&'a str>,
    pub(crate) policy: &'a WritePolicy,
    /// A person's e-mail; empty for other records.
    pub(crate) email: &'a str,
    /// Whether another document makes the record, which may be there before this one is written for the first time.
    pub(crate) joins: bool,
    pub(crate) properties: Properties,
    /// What HubSpot requires of a new record beside them.
    pub(crate) required: Properties,
}

/// A record that holds what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) id: String,
    /// False if it held it all already.
    pub(crate) wrote: bool,
}

impl Saved {
    /// What the step leaves.
    pub(crate) fn applied(self, role: &str) -> Applied {
        Applied { wrote: self.wrote, ..Applied::wrote(role, self.id) }
    }
}

/// Whether a record can be written without looking at what is there.
pub(crate) fn is_plain(policy: &WritePolicy) -> bool {
    policy.keep.is_empty() && policy.matching.is_empty() && policy.on_match == OnMatch::Merge
}

/// The properties that are sent for a record that is in this place.
pub(crate) fn to_send(record: &Record<'_>, key_property: &str, place: &Place) -> Properties {
    let mut sent = record.properties.clone();
    let policy = record.policy;
    let (there, adopts) = match place {
        Place::Nowhere => {
            sent.extend(record.required.clone());
            return sent;
        }
        Place::Ours(there) => (there, record.joins && record.known.is_none()),
        Place::Before(there) => (there, true),
    };
    sent.retain(|name, _| !policy.keep.contains(name) || adopts && there.value(name).is_empty());
    // An e-mail that the contact has beside its first does not become the first by being written.
    if sent.get(EMAIL).is_some_and(|email| !mapping::same(EMAIL, email, there.value(EMAIL)) && has_email(there, email))
    {
        sent.remove(EMAIL);
    }
    // One that carries another key was made by us, for a customer of another store with the same e-mail.
    let was_before_us = matches!(place, Place::Before(_)) && there.value(key_property).is_empty();
    if let OnMatch::Fields(fields) = &policy.on_match
        && (was_before_us || there.value(ADOPTED_PROPERTY) == "true")
    {
        sent.retain(|name, _| fields.contains(name));
        sent.insert(ADOPTED_PROPERTY.to_owned(), "true".to_owned());
    }
    sent.insert(key_property.to_owned(), record.key.to_owned());
    sent
}

impl HubSpot {
    /// Writes records; answers each one's id.
    pub(crate) async fn write_records(&self, kind: Kind, records: &[Record<'_>]) -> Vec<Result<Saved, Failure>> {
        let deadline = Deadline::from_now();
        let first_like = |at: usize| records.iter().position(|record| *record == records[at]).unwrap_or(at);
        let mut results: Vec<Option<Result<Saved, Failure>>> = vec![None; records.len()];
        let mut open: Vec<usize> = (0..records.len()).filter(|&at| first_like(at) == at).collect();
        while !open.is_empty() {
            let turn: Vec<&Record<'_>> = open.iter().map(|&at| &records[at]).collect();
            let outcomes = self.write_each_once(kind, &turn, deadline).await;
            let tried = std::mem::take(&mut open);
            for (at, outcome) in tried.into_iter().zip(outcomes) {
                match outcome {
                    Some(outcome) => results[at] = Some(outcome),
                    None => open.push(at),
                }
            }
            let broken = results.iter().flatten().find_map(|result| result.as_ref().err().filter(|it| !is_own(it)));
            if let Some(failure) = broken.cloned() {
                open.drain(..).for_each(|at| results[at] = Some(Err(failure.clone())));
            }
        }
        let result = |at: usize| results[first_like(at)].clone().expect("the loop ends when every record has a result");
        (0..records.len()).map(result).collect()
    }

    /// Writes records, but of those that end in one place only the first: the others are looked for again after it,
    /// because it may have changed what follows for them. `None` for these.
    async fn write_each_once(
        &self,
        kind: Kind,
        records: &[&Record<'_>],
        deadline: Deadline,
    ) -> Vec<Option<Result<Saved, Failure>>> {
        let key_property = self.key_property(kind);
        let sought: Vec<Sought<'_>> = records.iter().map(|record| record.sought()).collect();
        let places = self.place(kind, records, &sought, deadline).await;
        let mut results: Vec<Option<Result<Saved, Failure>>> = vec![None; records.len()];
        let (mut taken, mut writes) = (HashSet::new(), Vec::new());
        for (at, place) in places.into_iter().enumerate() {
            match place {
                Err(failure) => results[at] = Some(Err(failure)),
                Ok((place, properties)) => {
                    if !taken.insert(place.record().map_or(records[at].key, |there| &there.id).to_owned()) {
                        continue;
                    }
                    match place.record() {
                        Some(there) if mapping::shows(there, &properties) => {
                            results[at] = Some(Ok(Saved { id: there.id.clone(), wrote: false }));
                        }
                        there => writes.push((at, write(records[at].key, key_property, there, properties))),
                    }
                }
            }
        }
        let (places, writes): (Vec<usize>, Vec<Write>) = writes.into_iter().unzip();
        let outcomes = batch::write_all(&self.client, kind, key_property, &writes, deadline).await;
        for ((at, write), outcome) in places.into_iter().zip(&writes).zip(outcomes) {
            results[at] = Some(saved(kind, &sought[at], write, outcome));
        }
        results
    }

    /// Where each record is, and what is sent for it.
    async fn place(
        &self,
        kind: Kind,
        records: &[&Record<'_>],
        sought: &[Sought<'_>],
        deadline: Deadline,
    ) -> Vec<Result<(Place, Properties), Failure>> {
        let names = records.iter().flat_map(|record| record.properties.keys()).map(String::as_str);
        let places = self.locate(kind, sought, names, deadline).await;
        let second: Vec<&str> = records
            .iter()
            .filter(|record| record.policy.on_match == OnMatch::CreateSecond && !record.email.is_empty())
            .map(|record| record.email)
            .collect();
        let properties = BTreeSet::from([EMAIL, ADDITIONAL_EMAILS].map(str::to_owned));
        let question = Question { kind, properties: &properties, deadline };
        let holders = match second.as_slice() {
            [] => Ok(Vec::new()),
            emails => self.holders(&question, &MatchBy::Email, emails).await.into_iter().collect::<Result<Vec<_>, _>>(),
        };
        let holders: Result<Vec<Object>, Failure> = holders.map(|found| found.into_iter().flatten().collect());
        let key_property = self.key_property(kind);
        places
            .into_iter()
            .zip(records)
            .map(|(place, record)| {
                let place = place?;
                let mut sent = to_send(record, key_property, &place);
                if record.policy.on_match == OnMatch::CreateSecond && !record.email.is_empty() {
                    let own = place.record().map(|there| there.id.as_str());
                    let holders = holders.as_ref().map_err(Failure::clone)?;
                    let elsewhere =
                        |holder: &Object| has_email(holder, record.email) && Some(holder.id.as_str()) != own;
                    if holders.iter().any(elsewhere) {
                        sent.remove(EMAIL);
                    }
                }
                Ok((place, sent))
            })
            .collect()
    }

    /// A record that was written, by id or key, and whether it shows what would be sent for it.
    pub(crate) async fn find_record(&self, kind: Kind, record: &Record<'_>) -> Result<Option<(String, bool)>, Failure> {
        let sought = [Sought::written(record.key, record.known)];
        let mut places = self.place(kind, &[record], &sought, Deadline::from_now()).await;
        let (place, sent) = places.remove(0)?;
        Ok(place.record().map(|there| (there.id.clone(), mapping::shows(there, &sent))))
    }
}

impl<'a> Record<'a> {
    /// What it is looked for by.
    pub(crate) fn sought(&self) -> Sought<'a> {
        Sought::new(self.key, self.known, self.policy, self.email)
    }
}

/// Whether a failure is the record's own, so that others can be written all the same.
fn is_own(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected { .. } | Failure::Conflict { .. } | Failure::Malformed { .. })
}

fn write(key: &str, key_property: &str, there: Option<&Object>, properties: Properties) -> Write {
    match there {
        Some(there) => Write { call: Call::Update, id_property: None, id: there.id.clone(), properties },
        // Not a create: cut and sent again, it meets the record that the first one made.
        None => {
            Write { call: Call::Upsert, id_property: Some(key_property.to_owned()), id: key.to_owned(), properties }
        }
    }
}

fn saved(kind: Kind, sought: &Sought<'_>, write: &Write, outcome: Outcome) -> Result<Saved, Failure> {
    match outcome {
        Outcome::Written(record) => Ok(Saved { id: record.id, wrote: true }),
        Outcome::Missing if write.call == Call::Update => {
            Err(Failure::Transient { message: "the record was deleted or merged at the same time".to_owned() })
        }
        Outcome::Missing => Err(Failure::malformed("HubSpot misses a record that it was to create", b"")),
        Outcome::Refused(refusal)
            if write.call == Call::Upsert && sought.is_found_by_email() && refusal.is_taken(EMAIL) =>
        {
            Err(Failure::Transient { message: "the contact was created at the same time".to_owned() })
        }
        Outcome::Refused(refusal) => Err(refusal.into_failure(kind, &write.properties)),
        Outcome::Failed(failure) => Err(failure),
    }
}
