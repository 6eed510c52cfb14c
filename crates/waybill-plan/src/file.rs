//! The plan's file as it is written. Unknown keys are errors.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) stores: BTreeMap<String, StoreFile>,
    pub(crate) systems: BTreeMap<String, SystemFile>,
    #[serde(default)]
    pub(crate) locations: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) tables: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) customers: CustomersFile,
    #[serde(default)]
    pub(crate) stock: Option<StockFile>,
    #[serde(default)]
    pub(crate) alerts: AlertsFile,
    #[serde(default)]
    pub(crate) flows: Vec<FlowFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreFile {
    pub(crate) shop: String,
    pub(crate) system: String,
    pub(crate) webhook_secrets: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SystemFile {
    pub(crate) connector: String,
    #[serde(default)]
    pub(crate) budget: Option<BudgetFile>,
    #[serde(default = "concurrency")]
    pub(crate) concurrency: usize,
    /// What the connector's descriptor asks for.
    #[serde(flatten)]
    pub(crate) settings: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetFile {
    pub(crate) requests: u32,
    pub(crate) per_seconds: u32,
}

const fn concurrency() -> usize {
    4
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomersFile {
    #[serde(default = "counts")]
    pub(crate) counts: String,
}

impl Default for CustomersFile {
    fn default() -> Self {
        Self { counts: counts() }
    }
}

fn counts() -> String {
    "order.captured and not order.cancelled".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StockFile {
    pub(crate) from: String,
    #[serde(default = "on_hand")]
    pub(crate) quantity: String,
    #[serde(default)]
    pub(crate) safety: i64,
    #[serde(default = "every_seconds")]
    pub(crate) every_seconds: u64,
}

fn on_hand() -> String {
    "on_hand".to_owned()
}

const fn every_seconds() -> u64 {
    60
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertsFile {
    #[serde(default)]
    pub(crate) pagers: Vec<String>,
    #[serde(default = "late_after")]
    pub(crate) late_after_seconds: u64,
}

impl Default for AlertsFile {
    fn default() -> Self {
        Self { pagers: Vec::new(), late_after_seconds: late_after() }
    }
}

const fn late_after() -> u64 {
    600
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowFile {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) from: Option<String>,
    #[serde(default)]
    pub(crate) stores: Vec<String>,
    #[serde(default)]
    pub(crate) when: Option<String>,
    #[serde(default)]
    pub(crate) after: Vec<String>,
    #[serde(default)]
    pub(crate) late_after_seconds: Option<u64>,
    #[serde(default)]
    pub(crate) lines: Option<LinesFile>,
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, MapFile>,
    #[serde(default)]
    pub(crate) customer_fields: BTreeMap<String, MapFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinesFile {
    pub(crate) item: String,
    #[serde(default)]
    pub(crate) tax: Option<String>,
    #[serde(default)]
    pub(crate) charges: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum MapFile {
    Expression(String),
    Full(MapTable),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapTable {
    pub(crate) value: String,
    #[serde(default)]
    pub(crate) missing: Missing,
}

/// What to do where an expression gives nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Missing {
    /// `none` clears the field; a value that does not exist is an error.
    #[default]
    Error,
    /// The field is left as it is.
    Skip,
    /// The field is cleared.
    Clear,
}
