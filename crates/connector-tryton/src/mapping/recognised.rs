//! Which of Tryton's records a match rule means: pure.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};
use waybill_domain::{
    document::{MatchBy, MatchRule},
    phone,
};

use crate::wire::{self, Id};

/// A record with what it holds where a rule looks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: Id,
    pub(crate) cancelled: bool,
    held: Vec<Json>,
}

impl Candidate {
    /// A record by a field of it, related ones by a dotted path.
    pub(crate) fn of(row: &Map<String, Json>, path: &str) -> Option<Self> {
        let id = row.get("id")?.as_i64()?;
        let cancelled = row.get("state").and_then(Json::as_str) == Some("cancelled");
        let mut held = Vec::new();
        collect(row, path, &mut held);
        Some(Self { id, cancelled, held })
    }

    /// The party of a contact mechanism.
    pub(crate) fn reached(row: &Map<String, Json>) -> Option<Self> {
        let id = row.get("party")?.as_i64()?;
        let held = ["value", "value_compact"].into_iter().filter_map(|name| row.get(name)).cloned().collect();
        Some(Self { id, cancelled: false, held })
    }

    /// Whether it holds what the rule looks for: Tryton's search finds more than that.
    pub(crate) fn holds(&self, rule: &MatchRule) -> bool {
        let wanted = rule.value.expose();
        self.held.iter().any(|held| match &rule.by {
            MatchBy::Email => held.as_str().is_some_and(|held| folded(held) == folded(wanted)),
            MatchBy::Phone => held.as_str().is_some_and(|held| is_phone(held, wanted)),
            MatchBy::Field(_) => is_value(held, wanted),
        })
    }
}

/// The values at the end of a path, as Tryton nests them: `party.name` stands in `party.` under `name`.
fn collect(row: &Map<String, Json>, path: &str, held: &mut Vec<Json>) {
    let Some((first, rest)) = path.split_once('.') else {
        held.extend(row.get(path).cloned());
        return;
    };
    match row.get(&format!("{first}.")) {
        Some(Json::Object(related)) => collect(related, rest, held),
        Some(Json::Array(rows)) => {
            rows.iter().filter_map(Json::as_object).for_each(|related| collect(related, rest, held));
        }
        _ => {}
    }
}

fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}

fn is_phone(held: &str, wanted: &str) -> bool {
    phone::normalise(wanted, None).is_some_and(|wanted| phone::normalise(held, None) == Some(wanted))
}

fn is_value(held: &Json, wanted: &str) -> bool {
    match held {
        Json::String(held) => held == wanted,
        Json::Bool(held) => held.to_string() == wanted,
        held => wire::number(held).is_some_and(|held| wanted.parse::<Decimal>().is_ok_and(|wanted| wanted == held)),
    }
}

/// Whether a sale is another record's: it carries the key of one, or it is the return of a sale.
pub(crate) fn is_taken(row: &Map<String, Json>) -> bool {
    let text = |name: &str| row.get(name).and_then(Json::as_str).unwrap_or_default();
    is_key(text("reference")) || text("origin").starts_with("sale.sale,")
}

/// Whether a text is a key of ours (see [`waybill_domain::keys`]).
fn is_key(text: &str) -> bool {
    text.len() == 21 && text.starts_with('w') && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
}

/// Mechanisms with one of these e-mails, and some more: `_` stands for any letter.
pub(crate) fn email_domain(values: &BTreeSet<&str>) -> Json {
    any(values.iter().map(|email| json!(["value", "ilike", email.trim()])))
}

/// Mechanisms whose digits are those of one of these phones, in this order, and some more: people write blanks,
/// slashes and `(0)` between. Tryton itself writes E.164 into `value_compact`, where Python's `phonenumbers` is
/// installed.
pub(crate) fn phone_domain(values: &BTreeSet<&str>) -> Json {
    any(values.iter().filter_map(|text| phone::normalise(text, None)).flat_map(|phone| {
        let pattern = phone.chars().filter(char::is_ascii_digit).fold("%".to_owned(), |mut pattern, digit| {
            pattern.extend([digit, '%']);
            pattern
        });
        [json!(["value_compact", "=", phone]), json!(["value", "ilike", pattern])]
    }))
}

fn any(clauses: impl Iterator<Item = Json>) -> Json {
    Json::Array(std::iter::once(json!("OR")).chain(clauses).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value as Json, json};
    use waybill_domain::document::{MatchBy, MatchRule};

    use super::{Candidate, is_taken, phone_domain};

    fn row(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    fn rule(by: MatchBy, value: &str) -> MatchRule {
        MatchRule { by, value: value.into(), ask: false }
    }

    fn reached(value: &str) -> Candidate {
        Candidate::reached(&row(json!({"id": 9, "party": 4, "value": value, "value_compact": value}))).unwrap()
    }

    #[test]
    fn an_email_is_the_same_in_any_case_and_no_other() {
        let rule = rule(MatchBy::Email, "jo_e@example.com");
        assert!(reached("Jo_E@Example.com").holds(&rule));
        assert!(!reached("joke@example.com").holds(&rule), "Tryton's `_` stands for any letter");
    }

    #[test]
    fn a_phone_is_the_same_however_it_is_written() {
        let rule = rule(MatchBy::Phone, "+49 30 1234567");
        for text in ["+49301234567", "0049 30 1234567", "+49 (0) 30 / 123-4567"] {
            assert!(reached(text).holds(&rule), "{text}");
        }
        assert!(!reached("+49 30 12345678").holds(&rule));
        assert!(!reached("030 1234567").holds(&rule), "a national number may be anybody's");
    }

    #[test]
    fn a_phone_that_cannot_be_compared_asks_for_nothing() {
        assert_eq!(phone_domain(&BTreeSet::from(["112", "030 1234567"])), json!(["OR"]));
        let expected = json!(["OR", ["value_compact", "=", "+4930123"], ["value", "ilike", "%4%9%3%0%1%2%3%"]]);
        assert_eq!(phone_domain(&BTreeSet::from(["+49 30 123"])), expected);
    }

    #[test]
    fn a_field_is_compared_exactly_wherever_it_stands() {
        let holds = |row_: Json, path: &str, wanted: &str| {
            Candidate::of(&row(row_), path).unwrap().holds(&rule(MatchBy::Field(path.to_owned()), wanted))
        };
        assert!(holds(json!({"id": 1, "number": "1001"}), "number", "1001"));
        assert!(!holds(json!({"id": 1, "description": "#1001 "}), "description", "#1001"));
        assert!(holds(json!({"id": 1, "code_digit": 7}), "code_digit", "7"));
        assert!(holds(json!({"id": 1, "party.": {"name": "Ann"}}), "party.name", "Ann"));
        assert!(holds(json!({"id": 1, "identifiers.": [{"code": "a"}, {"code": "b"}]}), "identifiers.code", "b"));
    }

    #[test]
    fn a_sale_of_another_record_is_taken() {
        let taken = |reference: &str, origin: Json| is_taken(&row(json!({"reference": reference, "origin": origin})));
        assert!(taken("w3em2ra3272icyt7jpy4m", Json::Null), "another order's key");
        assert!(taken("", json!("sale.sale,4")), "a return");
        assert!(!taken("#1001", Json::Null));
        assert!(!taken("", json!("sale.opportunity,4")));
    }
}
