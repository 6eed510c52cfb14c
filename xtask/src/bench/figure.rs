//! Figures, what they should be, and how they are told.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// At least so much, and at least such a part of the limit.
    AtLeastOfLimit(f64, f64),
    /// Only told.
    None,
}

use Bound::{AtLeast, AtLeastOfLimit, AtMost};

/// Every figure: name, unit, what it should be. In the order of the table.
pub(super) const FIGURES: [(&str, &str, Bound); 23] = [
    ("ingest_rate", "orders/s", AtLeastOfLimit(3000.0, 0.6)),
    ("ingest_rate_1", "orders/s", Bound::None),
    ("ingest_rate_256", "orders/s", Bound::None),
    ("ingest_p99_ms", "ms", AtMost(50.0)),
    ("through_rate", "orders/s", AtLeast(1000.0)),
    ("cpu_ms", "ms/order", Bound::None),
    ("through_p99_s", "s", AtMost(2.0)),
    ("example_p99_s", "s", AtMost(5.0)),
    ("drain_use", "of the limit", AtLeast(0.95)),
    ("drain_429", "answers", AtMost(0.0)),
    ("growth", "of the rate", AtLeast(0.9)),
    ("replicas_1", "deliveries/s", Bound::None),
    ("replicas_2", "times", AtLeast(1.9)),
    ("replicas_4", "times", AtLeast(3.6)),
    ("idle_mb", "MB", AtMost(40.0)),
    ("peak_mb", "MB", AtMost(150.0)),
    ("growth_mb", "MB", AtMost(5.0)),
    ("simulate_s", "s", AtMost(10.0)),
    ("start_s", "s", AtMost(2.0)),
    ("limit_http", "orders/s", Bound::None),
    ("limit_inserts", "orders/s", Bound::None),
    ("limit_inserts_1", "orders/s", Bound::None),
    ("limit_inserts_256", "orders/s", Bound::None),
];

/// What was measured, run by run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    values: Vec<f64>,
    limits: Vec<f64>,
    /// What it is of, such as the service with the most memory.
    note: String,
}

/// What one run measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Measured(Vec<(&'static str, f64, Option<f64>, String)>);

impl Measured {
    pub(super) fn add(&mut self, name: &'static str, value: f64) {
        self.0.push((name, value, None, String::new()));
    }

    pub(super) fn add_with_limit(&mut self, name: &'static str, value: f64, limit: f64) {
        self.0.push((name, value, Some(limit), String::new()));
    }

    pub(super) fn add_with_note(&mut self, name: &'static str, value: f64, note: String) {
        self.0.push((name, value, None, note));
    }
}

/// All figures that were measured, in the order of [`FIGURES`].
pub(super) fn gather(runs: Vec<Measured>) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for (name, value, limit, note) in runs.into_iter().flat_map(|run| run.0) {
        let at = figures.iter().position(|figure| figure.name == name).unwrap_or_else(|| {
            figures.push(Figure { name, values: Vec::new(), limits: Vec::new(), note: String::new() });
            figures.len() - 1
        });
        figures[at].values.push(value);
        figures[at].limits.extend(limit);
        figures[at].note = note;
    }
    figures.sort_by_key(|figure| FIGURES.iter().position(|(name, ..)| *name == figure.name));
    figures
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (below, above) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(*below, *above))
}

/// To three digits and a few more before the point: what is measured is not more exact.
fn rounded(value: f64) -> f64 {
    let factor = if value.abs() < 10.0 { 1000.0 } else { 10.0 };
    (value * factor).round() / factor
}

impl Figure {
    fn value(&self) -> Option<f64> {
        median(&self.values)
    }

    fn spread(&self) -> Option<(f64, f64)> {
        let least = self.values.iter().copied().min_by(f64::total_cmp)?;
        Some((least, self.values.iter().copied().max_by(f64::total_cmp)?))
    }

    /// The median of each run's part of its own limit.
    fn ratio(&self) -> Option<f64> {
        let ratios: Vec<f64> = self.values.iter().zip(&self.limits).map(|(value, limit)| value / limit).collect();
        median(&ratios)
    }

    fn told(&self) -> (&'static str, Bound) {
        let own = FIGURES.iter().find(|(name, ..)| *name == self.name);
        own.map_or(("", Bound::None), |(_, unit, bound)| (unit, *bound))
    }

    /// Whether it is what it should be; none if nothing is asked of it, or what is asked was not measured.
    pub(super) fn met(&self) -> Option<bool> {
        let value = self.value()?;
        match self.told().1 {
            AtLeast(least) => Some(value >= least),
            AtMost(most) => Some(value <= most),
            AtLeastOfLimit(least, part) => Some(value >= least && self.ratio()? >= part),
            Bound::None => None,
        }
    }

    pub(super) fn json(&self) -> Value {
        let (unit, bound) = self.told();
        let target = match bound {
            AtLeast(bound) | AtMost(bound) | AtLeastOfLimit(bound, _) => Some(bound),
            Bound::None => None,
        };
        let mut json = json!({
            "name": self.name,
            "value": self.value().map(rounded),
            "unit": unit,
            "limit": median(&self.limits).map(rounded),
            "ratio": self.ratio().map(rounded),
            "target": target,
            "met": self.met(),
            "runs": self.values.len(),
            "note": self.note,
        });
        if let Some((least, most)) = self.spread() {
            json["spread"] = json!([rounded(least), rounded(most)]);
        }
        json
    }
}

/// The table for people.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<16} {:>10}  {:<13} {:>10} {:>6}  {:<22} {:<4}  spread",
        "figure", "value", "unit", "limit", "ratio", "target", "met"
    );
    for figure in figures {
        let (unit, bound) = figure.told();
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| rounded(value).to_string());
        let target = match bound {
            AtLeast(least) => format!("≥ {least}"),
            AtMost(most) => format!("≤ {most}"),
            AtLeastOfLimit(least, part) => format!("≥ {least}, ratio ≥ {part}"),
            Bound::None => String::new(),
        };
        let met = figure.met().map_or("", |met| if met { "yes" } else { "NO" });
        let spread = match figure.spread() {
            Some((least, most)) if figure.values.len() > 1 => format!("{} … {}", rounded(least), rounded(most)),
            _ => String::new(),
        };
        let row = format!(
            "{:<16} {:>10}  {unit:<13} {:>10} {:>6}  {target:<22} {met:<4}  {spread} {}",
            figure.name,
            number(figure.value()),
            number(median(&figure.limits)),
            number(figure.ratio()),
            figure.note
        );
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values: &[(&'static str, f64, Option<f64>)]) -> Measured {
        Measured(values.iter().map(|(name, value, limit)| (*name, *value, *limit, String::new())).collect())
    }

    #[test]
    fn the_median_of_runs_is_told_with_its_spread() {
        let runs = [900.0, 1100.0, 1000.0].map(|rate| run(&[("through_rate", rate, None)]));
        let json = gather(runs.to_vec())[0].json();
        assert_eq!((&json["value"], &json["spread"]), (&json!(1000.0), &json!([900.0, 1100.0])));
        assert_eq!((&json["target"], &json["met"], &json["runs"]), (&json!(1000.0), &json!(true), &json!(3)));
    }

    #[test]
    fn a_rate_of_its_limit_has_to_meet_both_and_a_ratio_is_of_its_own_run() {
        let figure = |value, limit| gather(vec![run(&[("ingest_rate", value, Some(limit))])]).remove(0);
        assert_eq!(figure(3100.0, 5000.0).met(), Some(true));
        assert_eq!(figure(3100.0, 6000.0).met(), Some(false));
        assert_eq!(figure(2900.0, 3000.0).met(), Some(false));
        assert_eq!(gather(vec![run(&[("ingest_rate", 3100.0, None)])])[0].met(), None);
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let figures = gather(vec![run(&[("start_s", 1.0, None)])]);
        assert_eq!(figures.iter().map(|figure| figure.name).collect::<Vec<_>>(), ["start_s"]);
        assert_eq!(figures[0].json()["limit"], Value::Null);
    }

    #[test]
    fn a_most_that_is_passed_is_not_met() {
        assert_eq!(gather(vec![run(&[("drain_429", 1.0, None)])])[0].met(), Some(false));
        assert!(table(&gather(vec![run(&[("drain_429", 1.0, None)])])).contains("NO"));
    }
}
