//! An order and its parts, put together again.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{BulkError, Told};
use crate::{reads, wire};

/// What tells where a line belongs.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) id: Option<String>,
    #[serde(rename = "__typename")]
    pub(super) kind: Option<String>,
    #[serde(rename = "__parentId")]
    pub(super) parent: Option<String>,
}

pub(super) fn line(text: &[u8]) -> serde_json::Result<Line> {
    serde_json::from_slice(text)
}

/// Why a part cannot be taken.
#[derive(Debug)]
pub(super) enum Stop {
    Json(serde_json::Error),
    Misplaced(&'static str),
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

#[derive(Debug, Deserialize)]
struct RefundAgreement {
    id: String,
    refund: wire::Ref,
}

/// An order of which all, some or no parts are there.
#[derive(Debug)]
pub(super) struct Assembling {
    line: usize,
    order: wire::Order,
    /// Refunds as their agreements name them. An agreement's refund is the one place where a bulk query may ask for
    /// what came back: a connection within the list of refunds is refused.
    agreements: Vec<RefundAgreement>,
}

impl Assembling {
    /// The order's own line.
    pub(super) fn begin(text: &[u8], line: usize) -> serde_json::Result<Self> {
        let mut order: Map<String, Value> = serde_json::from_slice(text)?;
        for connection in ["lineItems", "shippingLines"] {
            let empty = json!({"nodes": [], "pageInfo": {"hasNextPage": false}});
            order.insert(connection.to_owned(), empty);
        }
        let order = serde_json::from_value(Value::Object(order))?;
        Ok(Self { line, order, agreements: Vec::new() })
    }

    /// One of its parts.
    pub(super) fn add(&mut self, parent: &str, kind: Option<&str>, text: &[u8]) -> Result<(), Stop> {
        const ELSEWHERE: &str = "its parent is not the order above it: run the query with groupObjects: true";
        let Some(kind) = kind else {
            return Err(Stop::Misplaced(
                "missing field `__typename`: run the query of `waybill plan bulk-query`, unchanged",
            ));
        };
        if kind == "RefundLineItem" {
            let refund = self.refund(parent).ok_or(Stop::Misplaced(ELSEWHERE))?;
            refund.lines.push(serde_json::from_slice(text)?);
            return Ok(());
        }
        if parent != self.order.id {
            return Err(Stop::Misplaced(ELSEWHERE));
        }
        match kind {
            "LineItem" => self.order.line_items.nodes.push(serde_json::from_slice(text)?),
            "ShippingLine" => self.order.shipping_lines.nodes.push(serde_json::from_slice(text)?),
            "RefundAgreement" => self.agreements.push(serde_json::from_slice(text)?),
            // The order itself, its edits, returns.
            agreement if agreement.ends_with("Agreement") => {}
            _ => return Err(Stop::Misplaced("it is no part of an order that `waybill plan bulk-query` asks for")),
        }
        Ok(())
    }

    /// The refund that a line is of. Its parent is the agreement, as the connection's nearest node; the refund's own
    /// id is as clear.
    fn refund(&mut self, parent: &str) -> Option<&mut wire::Refund> {
        let agreement =
            self.agreements.iter().find(|agreement| agreement.id == parent || agreement.refund.id == parent);
        let id = &agreement?.refund.id;
        self.order.refunds.iter_mut().find(|refund| refund.id == *id)
    }

    /// The order, read as an answer is.
    pub(super) fn finish(self) -> Result<Told, BulkError> {
        let Self { line, order, agreements } = self;
        let wrong = |failure: waybill_connector::Failure| BulkError::Line { line, problem: failure.to_string() };
        let id = reads::id("Order", &order.id).map_err(wrong)?;
        let told = |refund: &wire::Refund| agreements.iter().any(|agreement| agreement.refund.id == refund.id);
        if !order.refunds.iter().all(told) {
            return Err(BulkError::RefundUntold { line, id });
        }
        let fetched = reads::order(order).map_err(wrong)?;
        Ok((id, fetched.body, fetched.source_updated_at))
    }
}
