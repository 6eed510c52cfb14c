//! Bulk operations: begun, asked after, and their files fetched.
//!
//! Source: <https://shopify.dev/docs/api/usage/bulk-operations/queries>, the schema of 2026-07 and recorded answers. Five
//! may run at once for an app and shop since 2026-01; a sixth is refused with `OPERATION_IN_PROGRESS`. Files are kept for
//! seven days.

use std::time::Duration;

use http::{Method, StatusCode, header};
use jiff::Timestamp;
use serde_json::json;
use waybill_connector::{Effect, Failure, HttpClient};
use waybill_domain::{Kind, RecordId};

use super::query::query_since;
use crate::{
    Shopify,
    client::{document, redacted},
    gid, reads, wire,
};

/// So much of a file is fetched at once.
const PIECE_BYTES: u64 = 4 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(25);

/// How an operation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Shopify is at it.
    GoesOn,
    /// The file is there; `None` if nothing was found.
    Done {
        /// Where the file is.
        url: Option<String>,
    },
    /// It ended without its whole file.
    Failed {
        /// Shopify's code, such as `ACCESS_DENIED`, `TIMEOUT`, `CANCELED`, `EXPIRED`.
        code: String,
        /// Whether a part of the file is there. It is not read: what it leaves out cannot be told.
        partial: bool,
    },
}

/// A bulk operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Shopify's number of it.
    pub id: RecordId,
    /// How it stands.
    pub standing: Standing,
    /// So many objects have been found so far.
    pub objects: i64,
}

/// What came of the wish to begin one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It runs.
    Running(Operation),
    /// Others of the app are running: later.
    Full,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it holds, from where it was asked for.
    pub bytes: Vec<u8>,
    /// Whether the file ends here.
    pub last: bool,
}

impl Shopify {
    /// Has Shopify write a file of all orders, customers or products that changed at `since` or later.
    ///
    /// It may be sent again after a cut: an operation that nobody asks after reads, and changes nothing.
    ///
    /// # Errors
    /// Those of a write; [`Failure::Rejected`] with code `kind` for other kinds, and with Shopify's code if it refuses
    /// the query.
    pub async fn bulk_begin(&self, kind: Kind, since: Timestamp) -> Result<Begun, Failure> {
        let query = query_since(kind, since)
            .ok_or_else(|| Failure::rejected("kind", "", format!("a {kind} is not read in bulk")))?;
        let data: wire::BulkRunData =
            self.client.run(Effect::IdempotentWrite, document::BULK_RUN, json!({ "query": query })).await?;
        let run = data
            .bulk_operation_run_query
            .ok_or_else(|| Failure::malformed("the answer about a bulk operation has no payload", b""))?;
        if let Some(error) = run.user_errors.first() {
            return match error.code.as_deref() {
                Some("OPERATION_IN_PROGRESS" | "LIMIT_REACHED") => Ok(Begun::Full),
                code => Err(Failure::rejected(code.unwrap_or("INVALID"), "query", redacted(&error.message))),
            };
        }
        let operation = run
            .bulk_operation
            .ok_or_else(|| Failure::malformed("the answer has neither a bulk operation nor an error", b""))?;
        Ok(Begun::Running(operation_of(operation)?))
    }

    /// How a bulk operation stands; `None` if there is none such.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn bulk_operation(&self, id: &RecordId) -> Result<Option<Operation>, Failure> {
        let variables = json!({ "id": gid::gid("BulkOperation", id) });
        let data: wire::BulkOperationData = self.client.read(document::BULK_OPERATION, variables).await?;
        data.bulk_operation.map(operation_of).transpose()
    }

    /// Ends a bulk operation. One that has ended already stays as it is.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn bulk_cancel(&self, id: &RecordId) -> Result<(), Failure> {
        let variables = json!({ "id": gid::gid("BulkOperation", id) });
        // What Shopify refuses is to end what has ended.
        let _: wire::BulkCancelData =
            self.client.run(Effect::IdempotentWrite, document::BULK_CANCEL, variables).await?;
        Ok(())
    }

    /// A piece of an operation's file, from a place on. The address carries its own permission and leads to another host:
    /// the token is not sent along.
    ///
    /// # Errors
    /// Those of a read; [`Failure::Rejected`] with code `file` if the address leads to no file any more.
    pub async fn bulk_piece(&self, url: &str, from: u64) -> Result<Piece, Failure> {
        let address: http::Uri = url.parse().map_err(|_| Failure::malformed("a file's address is none", b""))?;
        let (Some(scheme), Some(host), Some(path)) =
            (address.scheme_str(), address.authority(), address.path_and_query())
        else {
            return Err(Failure::malformed("a file's address is none", b""));
        };
        let http = HttpClient::new(&format!("{scheme}://{host}"), TIMEOUT)?;
        let range = format!("bytes={from}-{}", from + PIECE_BYTES - 1);
        let request = http.request(Method::GET, path.as_str()).header(header::RANGE, range);
        let answer = http.send(Effect::Read, request).await?;
        match answer.status {
            StatusCode::PARTIAL_CONTENT => {
                let told = answer.headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
                let total = told.and_then(|range| range.rsplit_once('/')?.1.parse::<u64>().ok());
                let total = total.ok_or_else(|| answer.unreadable("a part of a file that does not say of how much"))?;
                let last = from + answer.body.len() as u64 >= total;
                Ok(Piece { bytes: answer.body.to_vec(), last })
            }
            // The whole file, whatever was asked for.
            StatusCode::OK => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(answer.body.len());
                Ok(Piece { bytes: answer.body[from..].to_vec(), last: true })
            }
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(Piece { bytes: Vec::new(), last: true }),
            status => Err(Failure::rejected("file", "", format!("HTTP {}: the file is not there", status.as_u16()))),
        }
    }
}

fn operation_of(answer: wire::BulkOperation) -> Result<Operation, Failure> {
    let standing = match answer.status.as_str() {
        "CREATED" | "RUNNING" => Standing::GoesOn,
        "COMPLETED" => Standing::Done { url: answer.url },
        ended => {
            let code = answer.error_code.filter(|_| ended == "FAILED").unwrap_or_else(|| ended.to_owned());
            Standing::Failed { code, partial: answer.partial_data_url.is_some() }
        }
    };
    let objects = answer.object_count.parse().map_err(|_| Failure::malformed("a count of objects is none", b""))?;
    Ok(Operation { id: reads::id("BulkOperation", &answer.id)?, standing, objects })
}
