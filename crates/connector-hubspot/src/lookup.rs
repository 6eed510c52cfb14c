//! Records by a value: read by id or unique property where HubSpot can, searched where it cannot.

use std::{collections::BTreeSet, ops::Range, sync::PoisonError};

use waybill_connector::Failure;
use waybill_domain::{document::MatchBy, phone};

use crate::{
    HubSpot,
    batch::{Deadline, MOST_INPUTS},
    mapping::{self, EMAIL},
    phones,
    wire::{BatchRead, Definition, Filter, FilterGroup, Id, Kind, Object, Properties, Search},
};

/// A contact's e-mails beside [`EMAIL`], with semicolons between them. Reads by e-mail find a contact by them too.
pub(crate) const ADDITIONAL_EMAILS: &str = "hs_additional_emails";

/// "The maximum number of supported objects per page is 200" (search guide, "Limits").
const LONGEST_PAGE: u16 = 200;
/// "If the body of your request exceeds 3,000 characters, a 400 error will be returned": what is left for the values.
const MOST_VALUE_CHARS: usize = 2_400;

/// What a look-up asks for.
pub(crate) struct Question<'a> {
    pub(crate) kind: Kind,
    /// What is to be shown of each record.
    pub(crate) properties: &'a BTreeSet<String>,
    pub(crate) deadline: Deadline,
}

/// What was found for each value that was asked for.
pub(crate) type Found = Vec<Result<Vec<Object>, Failure>>;

/// Whether one of a contact's e-mails is this.
pub(crate) fn has_email(contact: &Object, email: &str) -> bool {
    let others = contact.value(ADDITIONAL_EMAILS).split(';');
    std::iter::once(contact.value(EMAIL)).chain(others).any(|one| !one.is_empty() && mapping::same(EMAIL, email, one))
}

impl HubSpot {
    /// The records that have one of these values of a unique property, or of these ids; in any order.
    pub(crate) async fn read_all(
        &self,
        question: &Question<'_>,
        id_property: Option<&str>,
        ids: impl IntoIterator<Item = &str>,
    ) -> Result<Vec<Object>, Failure> {
        // HubSpot takes no id twice, and e-mails are one whatever their letters.
        let lower = id_property == Some(EMAIL);
        let ids: BTreeSet<String> =
            ids.into_iter().map(|id| if lower { id.trim().to_lowercase() } else { id.to_owned() }).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !id.is_empty()).collect();
        let mut found = Vec::new();
        for part in ids.chunks(MOST_INPUTS) {
            question.deadline.check()?;
            let body = BatchRead {
                inputs: part.iter().map(|id| Id { id }).collect(),
                id_property,
                properties: question.properties.iter().map(String::as_str).collect(),
                properties_with_history: Vec::new(),
            };
            found.extend(self.client.read(question.kind, &body).await?.results);
        }
        Ok(found)
    }

    /// The records that have each of these values, where a match rule says.
    pub(crate) async fn holders(&self, question: &Question<'_>, by: &MatchBy, values: &[&str]) -> Found {
        let found = match (by, question.kind) {
            (MatchBy::Email, Kind::Contacts) => self.by_email(question, values).await,
            (MatchBy::Field(name), Kind::Contacts) if name == EMAIL => self.by_email(question, values).await,
            (MatchBy::Phone, Kind::Contacts) => return self.by_phone(question, values).await,
            (MatchBy::Field(name), _) => match self.definition(question.kind, name).await {
                Ok(definition) if definition.has_unique_value => self.by_unique(question, name, values).await,
                Ok(definition) => return self.by_search(question, name, &definition, values).await,
                Err(failure) => Err(failure),
            },
            (MatchBy::Email | MatchBy::Phone, Kind::Orders) => {
                let message = "HubSpot's orders are matched by one of their properties, not by a person's e-mail or \
                               phone; correct the flow's match rules";
                Err(Failure::rejected("map_error", "", message))
            }
        };
        match found {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(failure) => values.iter().map(|_| Err(failure.clone())).collect(),
        }
    }

    async fn by_email(&self, question: &Question<'_>, emails: &[&str]) -> Result<Vec<Vec<Object>>, Failure> {
        let all = self.read_all(question, Some(EMAIL), emails.iter().copied()).await?;
        Ok(shared(emails, &all, has_email))
    }

    async fn by_unique(
        &self,
        question: &Question<'_>,
        name: &str,
        values: &[&str],
    ) -> Result<Vec<Vec<Object>>, Failure> {
        let all = self.read_all(question, Some(name), values.iter().copied()).await?;
        Ok(shared(values, &all, |record, value| mapping::same(name, value, record.value(name))))
    }

    async fn by_phone(&self, question: &Question<'_>, values: &[&str]) -> Found {
        let numbers: Vec<String> =
            values.iter().map(|value| phone::normalise(value, None).unwrap_or_default()).collect();
        let terms: Vec<Vec<String>> =
            numbers.iter().map(|number| phones::searched(number).into_iter().collect()).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        self.search(question, &phones::SEARCHED, &terms, &numbers, phones::has).await
    }

    async fn by_search(&self, question: &Question<'_>, name: &str, definition: &Definition, values: &[&str]) -> Found {
        // "When searching a string property with this operator, values must be lowercase"; choices are searched as
        // they are (search guide, "Filter search results").
        let lower = definition.data_type == "string";
        let term = |value: &&str| if lower { value.to_lowercase() } else { (*value).to_owned() };
        let terms: Vec<Vec<String>> = values
            .iter()
            .map(|value| Some(term(value)).into_iter().filter(|term| !term.is_empty()).collect())
            .collect();
        self.search(question, &[name], &terms, values, |record, value| mapping::same(name, value, record.value(name)))
            .await
    }

    /// Searches for records of which one of the properties is one of a value's terms, reads them, because the index
    /// lags, and keeps those that have the value.
    async fn search(
        &self,
        question: &Question<'_>,
        names: &[&str],
        terms: &[Vec<String>],
        values: &[&str],
        has: impl Fn(&Object, &str) -> bool,
    ) -> Found {
        let mut found = Found::new();
        for part in portions(terms, names.len()) {
            let listed: BTreeSet<&str> = terms[part.clone()].iter().flatten().map(String::as_str).collect();
            let all = match self.searched(question, names, &listed.into_iter().collect::<Vec<_>>()).await {
                Ok(ids) => self.read_all(question, None, ids.iter().map(String::as_str)).await,
                Err(failure) => Err(failure),
            };
            let values = &values[part];
            match all {
                Ok(all) => {
                    let wanted = |record: &Object, value: &str| !value.is_empty() && has(record, value);
                    found.extend(shared(values, &all, wanted).into_iter().map(Ok));
                }
                Err(failure) => found.extend(values.iter().map(|_| Err(failure.clone()))),
            }
        }
        found
    }

    /// The ids of the records of which one of the properties is one of the terms.
    async fn searched(
        &self,
        question: &Question<'_>,
        names: &[&str],
        terms: &[&str],
    ) -> Result<BTreeSet<String>, Failure> {
        let (mut ids, mut after) = (BTreeSet::new(), "0".to_owned());
        if terms.is_empty() {
            return Ok(ids);
        }
        loop {
            question.deadline.check()?;
            let filter = |name| Filter { property_name: name, operator: "IN", values: terms };
            let body = Search {
                after: &after,
                filter_groups: names.iter().map(|name| FilterGroup { filters: vec![filter(name)] }).collect(),
                limit: LONGEST_PAGE,
                properties: Vec::new(),
                sorts: Vec::new(),
            };
            let page = self.client.search(question.kind, &body).await.map_err(|denial| {
                let sent: Properties =
                    terms.iter().enumerate().map(|(n, term)| (n.to_string(), (*term).to_owned())).collect();
                denial.into_failure_of(question.kind, &sent)
            })?;
            ids.extend(page.results.into_iter().map(|record| record.id));
            match page.paging.and_then(|paging| paging.next) {
                Some(next) => after = next.after,
                None => return Ok(ids),
            }
        }
    }

    /// A property's definition, read once.
    async fn definition(&self, kind: Kind, name: &str) -> Result<Definition, Failure> {
        let known = || self.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (kind, name.to_owned());
        if let Some(definition) = known().get(&place) {
            return Ok(definition.clone());
        }
        let Some(definition) = self.client.property(kind, name).await? else {
            let message = format!("{} have no property {name}; correct the plan's match rule", kind.as_str());
            return Err(Failure::rejected("PROPERTY_DOESNT_EXIST", name, message));
        };
        known().insert(place, definition.clone());
        Ok(definition)
    }
}

/// Which of the records each value has.
fn shared(values: &[&str], all: &[Object], has: impl Fn(&Object, &str) -> bool) -> Vec<Vec<Object>> {
    values.iter().map(|value| all.iter().filter(|record| has(record, value)).cloned().collect()).collect()
}

/// Neighbours that fit into one search; each term stands in it once for each property.
fn portions(terms: &[Vec<String>], properties: usize) -> Vec<Range<usize>> {
    const QUOTES_AND_COMMA: usize = 3;
    let chars = |term: &String| term.escape_debug().count() + QUOTES_AND_COMMA;
    let (mut portions, mut begin, mut used) = (Vec::new(), 0, 0);
    for (at, terms) in terms.iter().enumerate() {
        let needed = terms.iter().map(chars).sum::<usize>() * properties;
        if used + needed > MOST_VALUE_CHARS && at > begin {
            portions.push(begin..at);
            (begin, used) = (at, 0);
        }
        used += needed;
    }
    if begin < terms.len() {
        portions.push(begin..terms.len());
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_has_as_many_values_as_fit() {
        let terms: Vec<Vec<String>> =
            (0..100).map(|n| vec![format!("155501{n:02}"), format!("43155501{n:02}")]).collect();
        let portions = portions(&terms, 2);
        assert_eq!(portions.iter().map(|part| part.len()).collect::<Vec<_>>(), [50, 50]);
        assert_eq!((portions[0].start, portions[1].end), (0, 100));
    }

    #[test]
    fn a_value_that_never_fits_stands_alone() {
        let terms = [vec!["1".to_owned()], vec!["2".repeat(3_000)], vec!["3".to_owned()]];
        assert_eq!(portions(&terms, 1), [0..1, 1..2, 2..3]);
        assert!(portions(&[], 1).is_empty());
    }

    #[test]
    fn an_email_is_a_contacts_first_or_one_of_the_others() {
        let properties = [(EMAIL, "jo@example.com"), (ADDITIONAL_EMAILS, "j@example.com;joanna@example.com")];
        let properties = properties.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).into();
        let contact = Object { id: "1".to_owned(), properties, object_write_trace_id: None };
        for email in ["Jo@example.com", "joanna@example.com"] {
            assert!(has_email(&contact, email), "{email}");
        }
        assert!(!has_email(&contact, "anna@example.com") && !has_email(&contact, ""));
    }
}
