//! Files read line by line, as they come.

use waybill_domain::Kind;

use super::{
    BulkError, Told,
    assembling::{self, Assembling, Line, Stop},
    product::Product,
};
use crate::{reads, wire};

/// Reads the lines of a file, one record at a time: no more than one is held, with its parts.
#[derive(Debug)]
pub struct Reading {
    kind: Kind,
    line: usize,
    /// The record whose parts are being read.
    open: Option<Open>,
}

#[derive(Debug)]
enum Open {
    Order(Box<Assembling>),
    Customer(usize, Box<wire::Customer>),
    Product(Product),
}

impl Reading {
    /// Of a file of orders, customers or products, of which so many lines were read before.
    pub const fn of(kind: Kind, lines_before: usize) -> Self {
        Self { kind, line: lines_before, open: None }
    }

    /// How many lines were read.
    pub const fn lines(&self) -> usize {
        self.line
    }

    /// Reads a line. If a record begins with it, the one before is whole, and given.
    ///
    /// # Errors
    /// What is wrong with the line. Nothing can be read after it.
    pub fn line(&mut self, text: &[u8]) -> Result<Option<Result<Told, BulkError>>, BulkError> {
        self.line += 1;
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let Line { id, parent, kind } = assembling::line(text).map_err(|error| self.wrong(&error))?;
        match parent {
            None => {
                if !id.as_deref().unwrap_or_default().starts_with(self.prefix()) {
                    return Err(self.problem(format!("it is neither {} nor a part of one", self.noun())));
                }
                let next = self.begin(text).map_err(|error| self.wrong(&error))?;
                Ok(self.open.replace(next).map(Open::finish))
            }
            Some(parent) => {
                let added = match &mut self.open {
                    Some(Open::Order(order)) => order.add(&parent, kind.as_deref(), text),
                    Some(Open::Product(product)) => product.add(&parent, kind.as_deref(), text),
                    Some(Open::Customer(..)) => Err(Stop::Misplaced("a customer has no parts")),
                    None => {
                        let (noun, kind) = (self.noun(), self.kind);
                        return Err(self.problem(format!("it is a part of {noun}, and no {kind} stands above it")));
                    }
                };
                added.map(|()| None).map_err(|stop| match stop {
                    Stop::Json(error) => self.wrong(&error),
                    Stop::Misplaced(problem) => self.problem(problem),
                })
            }
        }
    }

    /// The last record of the file.
    pub fn end(&mut self) -> Option<Result<Told, BulkError>> {
        self.open.take().map(Open::finish)
    }

    fn begin(&self, text: &[u8]) -> serde_json::Result<Open> {
        Ok(match self.kind {
            Kind::Customer => Open::Customer(self.line, serde_json::from_slice(text)?),
            Kind::Product => Open::Product(Product::begin(text, self.line)?),
            _ => Open::Order(Box::new(Assembling::begin(text, self.line)?)),
        })
    }

    const fn prefix(&self) -> &'static str {
        match self.kind {
            Kind::Customer => "gid://shopify/Customer/",
            Kind::Product => "gid://shopify/Product/",
            _ => "gid://shopify/Order/",
        }
    }

    const fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Customer => "a customer",
            Kind::Product => "a product",
            _ => "an order",
        }
    }

    fn wrong(&self, error: &serde_json::Error) -> BulkError {
        self.problem(super::problem(error))
    }

    fn problem(&self, problem: impl Into<String>) -> BulkError {
        BulkError::Line { line: self.line, problem: problem.into() }
    }
}

impl Open {
    fn finish(self) -> Result<Told, BulkError> {
        match self {
            Self::Order(order) => order.finish(),
            Self::Product(product) => product.finish(),
            Self::Customer(line, customer) => {
                let wrong =
                    |failure: waybill_connector::Failure| BulkError::Line { line, problem: failure.to_string() };
                let id = reads::id("Customer", &customer.person.id).map_err(wrong)?;
                let fetched = reads::customer(*customer).map_err(wrong)?;
                Ok((id, fetched.body, fetched.source_updated_at))
            }
        }
    }
}
