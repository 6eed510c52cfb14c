//! What became of deliveries, and what there is of each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use waybill_domain::{RecordKey, SystemName};

use crate::decide::{Document, WaitFor};

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// The system holds it.
    Applied,
    /// A rule keeps it away.
    Ignored {
        /// Which.
        rule: String,
    },
    /// Not yet.
    Waiting {
        /// For what.
        on: WaitFor,
        /// The same in words.
        reason: String,
        /// Until when, where that is known.
        until: Option<Timestamp>,
    },
    /// A person is needed.
    Parked {
        /// The cause.
        code: String,
        /// The field concerned; may be empty.
        field: String,
        /// What is wrong.
        message: String,
    },
}

impl State {
    /// The state's word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Ignored { .. } => "ignored",
            Self::Waiting { .. } => "waiting",
            Self::Parked { .. } => "parked",
        }
    }

    /// The rule, the cause, or what is waited for; empty for what is applied.
    pub fn reason(&self) -> &str {
        match self {
            Self::Applied => "",
            Self::Ignored { rule } => rule,
            Self::Waiting { on, .. } => on.as_str(),
            Self::Parked { code, .. } => code,
        }
    }
}

/// What became of one record for one system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The system.
    pub system: SystemName,
    /// Which record.
    pub key: RecordKey,
    /// What people call it.
    pub name: String,
    /// The flow that brings it there.
    pub flow: String,
    /// The newest revision.
    pub revision: i64,
    /// Where it stands.
    #[serde(flatten)]
    pub state: State,
    /// How often it was written.
    pub writes: usize,
    /// What the system holds in the end (or, in shadow, would hold), field by field.
    pub fields: BTreeMap<String, String>,
    /// What was assumed because the system was not asked.
    pub assumed: Vec<String>,
}

/// How many of each, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Records.
    pub records: usize,
    /// Flow → state → deliveries.
    pub flows: BTreeMap<String, BTreeMap<&'static str, usize>>,
    /// Deliveries by state.
    pub states: BTreeMap<&'static str, usize>,
    /// State and reason with how many, the most frequent first; at most ten.
    pub reasons: Vec<(String, usize)>,
    /// Deliveries for which something was assumed.
    pub assumed: usize,
}

/// Counts outcomes.
pub fn summary(outcomes: &[Outcome]) -> Summary {
    let mut summary = Summary::default();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut last = None;
    for outcome in outcomes {
        if last != Some(&outcome.key) {
            summary.records += 1;
            last = Some(&outcome.key);
        }
        let word = outcome.state.word();
        *summary.flows.entry(outcome.flow.clone()).or_default().entry(word).or_default() += 1;
        *summary.states.entry(word).or_default() += 1;
        summary.assumed += usize::from(!outcome.assumed.is_empty());
        if outcome.state != State::Applied {
            *reasons.entry(format!("{word} {} {}", outcome.system, outcome.state.reason())).or_default() += 1;
        }
    }
    let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    reasons.truncate(10);
    summary.reasons = reasons;
    summary
}

/// A document field by field: names with points, values as text. Our keys and how it is written are left out.
pub(super) fn flat(document: &Document) -> BTreeMap<String, String> {
    let value = match document {
        Document::Order(order) => serde_json::to_value(order),
        Document::Customer(customer) => serde_json::to_value(customer),
        Document::Refund(refund) => serde_json::to_value(refund),
        Document::Shipment(shipment) => serde_json::to_value(shipment),
        Document::Stock(stock) => serde_json::to_value(stock),
        Document::Price(price) => serde_json::to_value(price),
        Document::Incident(incident) => serde_json::to_value(incident),
    };
    let mut fields = BTreeMap::new();
    flatten("", value.expect("documents have string keys only"), &mut fields);
    fields
}

fn flatten(path: &str, value: Value, fields: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(object) => {
            // A mapped field's value stands beside its type: {"text": "…"}.
            if path.rsplit('.').nth(1) == Some("fields")
                && let Some((_, value)) = object.iter().next()
            {
                fields.insert(path.to_owned(), plain(value));
                return;
            }
            for (name, value) in object {
                if !matches!(name.as_str(), "key" | "order_key" | "policy") {
                    flatten(&below(&name), value, fields);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                flatten(&below(&index.to_string()), item, fields);
            }
        }
        Value::Null => {}
        value => {
            let is_null_field = path.rsplit('.').nth(1) == Some("fields") && value == "null";
            fields.insert(path.to_owned(), if is_null_field { String::new() } else { plain(&value) });
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
