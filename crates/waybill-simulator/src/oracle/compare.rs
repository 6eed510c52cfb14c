//! Wanted against found, field by field.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Finding;

/// What a field should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// This text; empty and absent are the same.
    Text(String),
    /// This number, whatever its zeros.
    Number(Decimal),
    /// This instant.
    Instant(Timestamp),
    /// One of these texts.
    OneOf(Vec<String>),
    /// A text that begins with this one.
    Begins(String),
}

impl Wish {
    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn holds(&self, found: Option<&str>) -> bool {
        let found = found.unwrap_or_default();
        match self {
            Self::Text(wanted) => found == wanted,
            Self::Number(wanted) => found.parse::<Decimal>().is_ok_and(|found| found == *wanted),
            Self::Instant(wanted) => found.parse::<Timestamp>().is_ok_and(|found| found == *wanted),
            Self::OneOf(wanted) => wanted.iter().any(|one| one == found),
            Self::Begins(wanted) => found.starts_with(wanted.as_str()),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Instant(instant) => instant.to_string(),
            Self::OneOf(texts) => texts.join(" or "),
            Self::Begins(text) => format!("{text}…"),
        }
    }
}

/// An object that should be in a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) system: &'static str,
    pub(super) object: &'static str,
    pub(super) key: String,
    /// Whether it may be absent: then only what is there is compared.
    pub(super) optional: bool,
    pub(super) fields: BTreeMap<String, Wish>,
}

impl Wanted {
    /// An object that must be there, its fields to come.
    pub(super) fn new(system: &'static str, object: &'static str, key: impl Into<String>) -> Self {
        Self { system, object, key: key.into(), optional: false, fields: BTreeMap::new() }
    }

    /// Adds a field.
    pub(super) fn with(mut self, field: impl Into<String>, wish: Wish) -> Self {
        self.fields.insert(field.into(), wish);
        self
    }
}

/// An object that is in a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) system: &'static str,
    pub(super) object: &'static str,
    pub(super) key: String,
    pub(super) fields: BTreeMap<String, String>,
}

impl Found {
    /// An object that is there, its fields to come.
    pub(super) fn new(system: &'static str, object: &'static str, key: impl Into<String>) -> Self {
        Self { system, object, key: key.into(), fields: BTreeMap::new() }
    }

    /// Adds a field.
    pub(super) fn with(mut self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.insert(field.into(), value.into());
        self
    }
}

/// All that differs, and how many fields were compared. Every field that is wanted is compared; what else an object
/// holds is its own.
pub(super) fn compare(wanted: &[Wanted], found: &[Found]) -> (Vec<Finding>, usize) {
    let mut by_key: HashMap<(&str, &str, &str), Vec<&Found>> = HashMap::new();
    for one in found {
        by_key.entry((one.system, one.object, &one.key)).or_default().push(one);
    }
    let mut findings = Vec::new();
    let mut fields = 0;
    for one in wanted {
        let finding = |problem: &'static str, field: &str, expected: String, found: String| Finding {
            system: one.system,
            object: one.object,
            key: one.key.clone(),
            problem,
            field: field.to_owned(),
            expected,
            found,
        };
        let there = by_key.remove(&(one.system, one.object, one.key.as_str())).unwrap_or_default();
        if there.is_empty() && !one.optional {
            findings.push(finding("missing", "", String::new(), String::new()));
        }
        if there.len() > 1 {
            findings.push(finding("doubled", "", "1".into(), there.len().to_string()));
        }
        for object in there.iter().take(1) {
            for (name, wish) in &one.fields {
                fields += 1;
                let value = object.fields.get(name).map(String::as_str);
                if !wish.holds(value) {
                    let shown = value.unwrap_or("nothing").to_owned();
                    findings.push(finding("wrong_value", name, wish.show(), shown));
                }
            }
        }
    }
    let mut rest: Vec<_> = by_key.into_keys().collect();
    rest.sort_unstable();
    for (system, object, key) in rest {
        let kind = found.iter().find(|one| one.system == system && one.object == object);
        let Some(kind) = kind else { continue };
        findings.push(Finding {
            system: kind.system,
            object: kind.object,
            key: key.to_owned(),
            problem: "unexpected",
            field: String::new(),
            expected: String::new(),
            found: String::new(),
        });
    }
    (findings, fields)
}

#[cfg(test)]
mod tests {
    use super::{Found, Wanted, Wish, compare};

    fn wanted() -> Vec<Wanted> {
        vec![
            Wanted::new("crm", "order", "#1")
                .with("total", Wish::Number("79.10".parse().unwrap()))
                .with("at", Wish::Instant("2026-07-01T10:00:00Z".parse().unwrap()))
                .with("phone", Wish::text("")),
        ]
    }

    fn there() -> Found {
        Found::new("crm", "order", "#1").with("total", "79.1").with("at", "2026-07-01T10:00:00.000Z")
    }

    fn problems(found: &[Found]) -> Vec<(&'static str, String)> {
        compare(&wanted(), found).0.into_iter().map(|one| (one.problem, one.field)).collect()
    }

    #[test]
    fn numbers_instants_and_empty_texts_compare_by_what_they_mean() {
        assert_eq!(compare(&wanted(), &[there()]), (Vec::new(), 3));
    }

    #[test]
    fn each_difference_is_found_once() {
        assert_eq!(problems(&[]), [("missing", String::new())]);
        assert_eq!(problems(&[there(), there()]), [("doubled", String::new())]);
        assert_eq!(problems(&[there().with("total", "79.11")]), [("wrong_value", "total".to_owned())]);
        let stranger = Found::new("crm", "order", "#2");
        assert_eq!(problems(&[there(), stranger]), [("unexpected", String::new())]);
    }

    #[test]
    fn what_may_be_absent_is_compared_when_it_is_there() {
        let optional = vec![Wanted { optional: true, ..wanted().remove(0) }];
        assert!(compare(&optional, &[]).0.is_empty());
        assert_eq!(compare(&optional, &[there().with("total", "1")]).0.len(), 1);
    }
}
