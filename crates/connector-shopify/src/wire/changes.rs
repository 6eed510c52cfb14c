//! What changed since a time: ids and times only.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Page, Ref};

/// The one connection of the answer, whichever it is.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangedData {
    #[serde(alias = "orders", alias = "customers", alias = "products")]
    pub(crate) changed: Page<ChangedRecord>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangedRecord {
    pub(crate) id: String,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ChangedLevelsData {
    pub(crate) location: Option<ChangedLevels>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangedLevels {
    pub(crate) inventory_levels: Page<ChangedLevel>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangedLevel {
    pub(crate) updated_at: Timestamp,
    pub(crate) item: Ref,
}

/// A node for each id that was asked for, none for what is not there.
#[derive(Debug, Deserialize)]
pub(crate) struct PresentData {
    pub(crate) nodes: Vec<Option<Ref>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LocationsData {
    pub(crate) locations: Page<Ref>,
}
