//! The result of a bulk query of orders, read as a read by API is: a merchant's whole history in one file.
//!
//! The file is JSON Lines: an order, then its shipping lines, lines and agreements, each naming its parent by
//! `__parentId`. [`request`] gives what has to be run in the shop to get such a file.
//!
//! Source: <https://shopify.dev/docs/api/usage/bulk-operations/queries>.

mod assembling;
mod query;

use std::io::{self, BufRead};

use jiff::Timestamp;
use serde_json::error::Category;
use thiserror::Error;
use waybill_domain::{Body, RecordId};

pub use query::{query, request};

use assembling::{Assembling, Line};

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

/// An order as the file tells it: its id, its state, and when it last changed.
pub type Told = (RecordId, Body, Timestamp);

/// Reads the orders of a file, one at a time: no more than one is held, with its parts.
pub fn orders<R: BufRead>(from: R) -> Orders<R> {
    Orders { from, line: 0, text: Vec::new(), open: None, ended: false }
}

/// The orders of a file.
#[derive(Debug)]
pub struct Orders<R> {
    from: R,
    line: usize,
    text: Vec<u8>,
    /// The order whose parts are being read.
    open: Option<Assembling>,
    ended: bool,
}

impl<R: BufRead> Orders<R> {
    /// The next line that is not empty; `None` after the last.
    fn next_line(&mut self) -> Result<Option<Line>, BulkError> {
        loop {
            self.text.clear();
            self.line += 1;
            let read = self.from.read_until(b'\n', &mut self.text);
            if read.map_err(|source| BulkError::Read { line: self.line, source })? == 0 {
                return Ok(None);
            }
            if !self.text.trim_ascii().is_empty() {
                let line = assembling::line(&self.text).map_err(|error| self.wrong(&error))?;
                return Ok(Some(line));
            }
        }
    }

    fn wrong(&self, error: &serde_json::Error) -> BulkError {
        self.problem(problem(error))
    }

    fn problem(&self, problem: impl Into<String>) -> BulkError {
        BulkError::Line { line: self.line, problem: problem.into() }
    }

    /// Reads up to the end of an order.
    fn next_order(&mut self) -> Result<Option<Assembling>, BulkError> {
        loop {
            match self.next_line()? {
                None => {
                    self.ended = true;
                    return Ok(self.open.take());
                }
                Some(Line { id, parent: None, .. }) => {
                    if !id.as_deref().unwrap_or_default().starts_with("gid://shopify/Order/") {
                        return Err(self.problem("it is neither an order nor a part of one"));
                    }
                    let next = Assembling::begin(&self.text, self.line).map_err(|error| self.wrong(&error))?;
                    if let Some(whole) = self.open.replace(next) {
                        return Ok(Some(whole));
                    }
                }
                Some(Line { parent: Some(parent), kind, .. }) => {
                    let Some(order) = &mut self.open else {
                        return Err(self.problem("it is a part of an order, and no order stands above it"));
                    };
                    order.add(&parent, kind.as_deref(), &self.text).map_err(|stop| match stop {
                        assembling::Stop::Json(error) => self.wrong(&error),
                        assembling::Stop::Misplaced(problem) => self.problem(problem),
                    })?;
                }
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
        match self.next_order() {
            Ok(whole) => whole.map(Assembling::finish),
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
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
