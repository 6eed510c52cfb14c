//! Bulk operations.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkRunData {
    pub(crate) bulk_operation_run_query: Option<BulkRun>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkRun {
    pub(crate) bulk_operation: Option<BulkOperation>,
    pub(crate) user_errors: Vec<BulkUserError>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct BulkUserError {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkOperationData {
    pub(crate) bulk_operation: Option<BulkOperation>,
}

/// Nothing of the answer is needed.
#[derive(Debug, Deserialize)]
pub(crate) struct BulkCancelData {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkOperation {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) error_code: Option<String>,
    /// Numbers of 64 bits are texts.
    pub(crate) object_count: String,
    pub(crate) url: Option<String>,
    pub(crate) partial_data_url: Option<String>,
}
