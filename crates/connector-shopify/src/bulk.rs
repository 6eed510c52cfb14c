//! The result of a bulk query, read as a read by API is: a merchant's whole history in one file.
//!
//! The file is JSON Lines: an order, then its shipping lines, lines and agreements, each naming its parent by
//! `__parentId`. [`request`] gives what has to be run in the shop to get such a file.
//!
//! Source: <https://shopify.dev/docs/api/usage/bulk-operations/queries>.

mod assembling;
pub mod operation;
mod product;
mod query;
mod reading;

use std::io::{self, BufRead};

use jiff::Timestamp;
use serde_json::error::Category;
use thiserror::Error;
use waybill_domain::{Body, Kind, RecordId};

pub use query::{query, request};
pub use reading::Reading;

/// Why a file, or one order of it, cannot be used. It carries places and kinds of mistakes, nothing of what stands
/// there.
#[derive(Debug, Error)]
pub enum BulkError {
    /// The file cannot be read on.
    #[error("line {line} cannot be read")]
    Read {
        /// Which, from 1.
        line: usize,
        /// Why.
        source: io::Error,
    },
    /// A line is not what [`query`] asks for. Nothing is read after it.
    #[error("line {line}: {problem}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The file names a refund and not what came back by it: the order must be read by API. The next orders are read.
    #[error("line {line}: the file does not tell what came back by a refund of order {id}")]
    RefundUntold {
        /// The order's, from 1.
        line: usize,
        /// The order.
        id: RecordId,
    },
}

/// A record as the file tells it: its id, its state, and when it last changed.
pub type Told = (RecordId, Body, Timestamp);

/// Reads the orders of a file, one at a time: no more than one is held, with its parts.
pub fn orders<R: BufRead>(from: R) -> Orders<R> {
    Orders { from, reading: Reading::of(Kind::Order, 0), text: Vec::new(), ended: false }
}

/// The orders of a file.
#[derive(Debug)]
pub struct Orders<R> {
    from: R,
    reading: Reading,
    text: Vec<u8>,
    ended: bool,
}

impl<R: BufRead> Orders<R> {
    /// Reads up to the end of an order.
    fn next_order(&mut self) -> Result<Option<Result<Told, BulkError>>, BulkError> {
        loop {
            self.text.clear();
            let read = self.from.read_until(b'\n', &mut self.text);
            if read.map_err(|source| BulkError::Read { line: self.reading.lines() + 1, source })? == 0 {
                self.ended = true;
                return Ok(self.reading.end());
            }
            if let Some(whole) = self.reading.line(&self.text)? {
                return Ok(Some(whole));
            }
        }
    }
}

impl<R: BufRead> Iterator for Orders<R> {
    type Item = Result<Told, BulkError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        self.next_order().unwrap_or_else(|error| {
            self.ended = true;
            Some(Err(error))
        })
    }
}

/// What is wrong with a line, without what it says: serde's own words quote the value.
fn problem(error: &serde_json::Error) -> String {
    const AGAIN: &str = "run the query of `waybill plan bulk-query`, unchanged";
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    match error.classify() {
        Category::Data if words.starts_with("missing field") => format!("{words}: {AGAIN}"),
        Category::Data => match words.rsplit_once(", expected ") {
            Some((_, expected)) => format!("a value is not {expected} (column {})", error.column()),
            None => format!("a value cannot be read (column {})", error.column()),
        },
        Category::Syntax | Category::Eof | Category::Io => {
            format!("it is not a line of JSON: reading stopped at column {}", error.column())
        }
    }
}
