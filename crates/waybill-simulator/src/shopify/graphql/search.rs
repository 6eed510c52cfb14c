//! Shopify's search syntax: `updated_at:>='2026-07-01T00:00:00Z' AND sku:TEE-WHITE-M`.
//!
//! Source: shopify.dev, "Shopify API search syntax". Terms are joined by a space or AND. What is not understood here
//! (OR, NOT, unknown filters, free text) fails the request: a search that filters nothing would be a wrong answer.

use std::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;
use crate::shopify::clock::Moment;

/// How a term compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Above,
    AtLeast,
    Below,
    AtMost,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    field: String,
    comparison: Comparison,
    value: String,
}

/// A query, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Search {
    terms: Vec<Term>,
    /// What changed after this the index does not know yet.
    knows_until: Option<i64>,
}

/// A field of a record, as a search sees it.
pub(crate) enum Field<'a> {
    Text(Option<&'a str>),
    Texts(&'a [String]),
    Number(u64),
    Time(Moment),
    Flag(bool),
}

impl Search {
    /// Reads a query; an empty one finds everything.
    ///
    /// # Errors
    /// If it has a part that is not understood here.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Failure> {
        let query = query.unwrap_or_default();
        let gap = |what: &str| Failure::Unanswered(format!("The simulator does not understand {what} in a search."));
        let mut terms = Vec::new();
        let mut rest = query.trim();
        while !rest.is_empty() {
            let (word, after) = word(rest);
            rest = after.trim_start();
            match word.as_str() {
                "AND" => continue,
                "OR" | "NOT" => return Err(gap("OR and NOT")),
                _ if word.starts_with(['(', '-']) => return Err(gap("groups and negation")),
                _ => {}
            }
            let Some((field, value)) = word.split_once(':') else { return Err(gap("free text")) };
            let (comparison, value) = [
                (">=", Comparison::AtLeast),
                ("<=", Comparison::AtMost),
                (">", Comparison::Above),
                ("<", Comparison::Below),
            ]
            .into_iter()
            .find_map(|(sign, comparison)| Some((comparison, value.strip_prefix(sign)?)))
            .unwrap_or((Comparison::Equal, value));
            let value = value.trim_matches(['\'', '"']).replace('\\', "");
            terms.push(Term { field: field.to_owned(), comparison, value });
        }
        Ok(Self { terms, knows_until: None })
    }

    /// A search in an index that is so far behind the store. One without terms reads the store itself.
    pub(crate) fn behind(mut self, by: Duration) -> Self {
        self.knows_until = (!self.terms.is_empty() && !by.is_zero())
            .then(|| Moment::now().second() - i64::try_from(by.as_secs()).unwrap_or(i64::MAX));
        self
    }

    /// Whether a record is found. `field` gives the record's fields by name.
    ///
    /// # Errors
    /// If the record has no such field here, or a time cannot be read, as recorded.
    pub(crate) fn finds<'a>(&self, field: impl Fn(&str) -> Option<Field<'a>>) -> Result<bool, Failure> {
        if let (Some(until), Some(Field::Time(at))) = (self.knows_until, field("updated_at"))
            && at.second() > until
        {
            return Ok(false);
        }
        for term in &self.terms {
            let known = field(&term.field)
                .ok_or_else(|| Failure::Unanswered(format!("The simulator cannot search by {}.", term.field)))?;
            let matches = match known {
                Field::Time(at) => {
                    let wanted: Timestamp = term.value.parse().map_err(|_| {
                        Failure::bad_request(format!("Invalid timestamp for query filter `{}`.", term.field))
                    })?;
                    term.comparison.holds(at.second().cmp(&wanted.as_second()))
                }
                Field::Number(number) => {
                    let wanted = term.value.rsplit('/').next().and_then(|last| last.parse::<u64>().ok());
                    wanted.is_some_and(|wanted| term.comparison.holds(number.cmp(&wanted)))
                }
                Field::Flag(flag) => term.value == flag.to_string(),
                Field::Text(text) => text.is_some_and(|text| text_matches(text, &term.value)),
                Field::Texts(texts) => texts.iter().any(|text| text_matches(text, &term.value)),
            };
            if !matches {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Comparison {
    fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
        }
    }
}

/// Texts compare without case; a star at the end stands for anything.
fn text_matches(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    match wanted.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == wanted,
    }
}

/// The first word, quoted parts kept together, and the rest.
fn word(text: &str) -> (String, &str) {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => return (text[..at].to_owned(), &text[at..]),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    (text.to_owned(), "")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Field, Search};
    use crate::shopify::clock::Moment;

    fn finds(query: &str) -> bool {
        let at = Moment::at("2026-07-01T12:00:00Z".parse().unwrap());
        Search::parse(Some(query))
            .unwrap()
            .finds(|field| match field {
                "updated_at" => Some(Field::Time(at)),
                "sku" => Some(Field::Text(Some("TEE-M"))),
                "id" => Some(Field::Number(7)),
                _ => None,
            })
            .unwrap()
    }

    #[test]
    fn terms_are_joined_and_compared() {
        assert!(finds(""));
        assert!(finds("updated_at:>='2026-07-01T12:00:00Z' AND sku:tee-m"));
        assert!(!finds("updated_at:>'2026-07-01T12:00:00Z'"));
        assert!(finds("updated_at:<\"2026-07-01T12:00:01Z\" sku:TEE*"));
        assert!(finds("id:gid://shopify/Order/7"));
        assert!(!finds("sku:'TEE-L'"));
    }

    #[test]
    fn what_changed_just_now_is_not_in_an_index_that_is_behind() {
        let found = |at: Moment, behind: Duration| {
            let search = Search::parse(Some("updated_at:>'2026-07-01T12:00:00Z'")).unwrap().behind(behind);
            search.finds(|field| (field == "updated_at").then_some(Field::Time(at))).unwrap()
        };
        assert!(found(Moment::now(), Duration::ZERO));
        assert!(!found(Moment::now(), Duration::from_secs(60)));
    }

    #[test]
    fn what_is_not_understood_fails() {
        assert!(Search::parse(Some("tee")).is_err());
        assert!(Search::parse(Some("sku:a OR sku:b")).is_err());
        assert!(Search::parse(Some("colour:red")).unwrap().finds(|_| None).is_err());
    }
}
