//! The demo's figures. One that was not measured is absent, never 0.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::Value;

use super::accounting::{self, Line};

/// All figures of `--json`, in the order in which they are shown.
const NAMES: [&str; 14] = [
    "accepted",
    "applied",
    "superseded",
    "ignored",
    "parked",
    "parked_planned",
    "in_flight",
    "gap",
    "missing_in_systems",
    "doubled",
    "wrong_values",
    "slowest_page_s",
    "seconds",
    "rss_mb",
];

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures(BTreeMap<&'static str, Value>);

impl Figures {
    /// Reads the figures out of a JSON object; what else it has is not ours.
    ///
    /// # Errors
    /// When it is no JSON object, or a figure no number.
    pub(crate) fn parse(json: &[u8]) -> anyhow::Result<Self> {
        let all: serde_json::Map<String, Value> = serde_json::from_slice(json).context("not a JSON object")?;
        let mut figures = BTreeMap::new();
        for name in NAMES {
            match all.get(name) {
                None | Some(Value::Null) => {}
                Some(value @ Value::Number(_)) => {
                    figures.insert(name, value.clone());
                }
                Some(other) => anyhow::bail!("{name} is no number: {other}"),
            }
        }
        Ok(Self(figures))
    }

    /// Takes over what another one measured.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(name, value)| (*name, value.clone())));
    }

    /// Sets a count.
    pub(crate) fn set_count(&mut self, name: &'static str, count: i64) {
        self.0.insert(name, count.into());
    }

    /// Takes over the accounting, all lines together.
    pub(crate) fn set_accounting(&mut self, lines: &[Line]) {
        let sum = accounting::sum(lines);
        for (name, count) in [
            ("accepted", sum.accepted),
            ("applied", sum.applied),
            ("superseded", sum.superseded),
            ("ignored", sum.ignored),
            ("parked", sum.parked),
            ("in_flight", sum.in_flight),
            ("gap", sum.gap),
        ] {
            self.set_count(name, count);
        }
    }

    /// Sets a measured time or size, to one tenth.
    pub(crate) fn set(&mut self, name: &'static str, value: f64) {
        self.0.insert(name, Value::from((value * 10.0).round() / 10.0));
    }

    /// A count, if it was measured.
    pub(crate) fn count(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// What does not agree; empty if everything does. A figure that is absent proves nothing.
    pub(crate) fn disagreements(&self) -> Vec<String> {
        let mut found = Vec::new();
        for name in ["gap", "missing_in_systems", "doubled", "wrong_values"] {
            match self.count(name) {
                Some(0) => {}
                Some(count) => found.push(format!("{name} is {count}")),
                None => found.push(format!("{name} was not measured")),
            }
        }
        match (self.count("parked"), self.count("parked_planned")) {
            (Some(parked), Some(planned)) if parked == planned => {}
            (Some(parked), Some(planned)) => found.push(format!("{parked} are parked, {planned} were planted")),
            _ => found.push("what is parked was not measured".to_owned()),
        }
        found
    }

    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&self.0)? + "\n")
    }

    #[expect(clippy::print_stdout, reason = "what the command was run for")]
    pub(crate) fn print_summary(&self) {
        for name in NAMES {
            match self.0.get(name) {
                Some(value) => println!("{name:>20}  {value}"),
                None => println!("{name:>20}  not measured"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(json: &str) -> Figures {
        Figures::parse(json.as_bytes()).expect("figures")
    }

    const AGREED: &str = r#"{"accepted": 9, "applied": 7, "parked": 2, "parked_planned": 2,
        "in_flight": 0, "gap": 0, "missing_in_systems": 0, "doubled": 0, "wrong_values": 0}"#;

    #[test]
    fn a_day_with_only_planted_records_parked_agrees() {
        assert_eq!(figures(AGREED).disagreements(), [""; 0]);
    }

    #[test]
    fn a_figure_that_is_absent_proves_nothing() {
        for name in ["gap", "doubled", "parked_planned", "parked"] {
            let mut without = figures(AGREED);
            without.0.remove(name);
            assert_eq!(without.disagreements().len(), 1, "{name}");
            assert_eq!(Figures::parse(without.to_json().unwrap().as_bytes()).unwrap(), without);
        }
    }

    #[test]
    fn a_gap_does_not_agree_whatever_its_sign() {
        for gap in ["-1", "1"] {
            let open = AGREED.replace("\"gap\": 0", &format!("\"gap\": {gap}"));
            assert_eq!(figures(&open).disagreements(), [format!("gap is {gap}")]);
        }
    }

    #[test]
    fn a_figure_that_is_no_number_is_refused() {
        assert!(Figures::parse(br#"{"gap": "none"}"#).is_err());
    }
}
