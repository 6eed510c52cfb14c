//! A product and its variants, put together again.

use serde_json::{Map, Value, json};

use super::{BulkError, Told, assembling::Stop};
use crate::{reads, wire};

/// A product of which all, some or no variants are there.
#[derive(Debug)]
pub(super) struct Product {
    line: usize,
    product: wire::Product,
}

impl Product {
    /// The product's own line.
    pub(super) fn begin(text: &[u8], line: usize) -> serde_json::Result<Self> {
        let mut product: Map<String, Value> = serde_json::from_slice(text)?;
        product.insert("variants".to_owned(), json!({"nodes": [], "pageInfo": {"hasNextPage": false}}));
        Ok(Self { line, product: serde_json::from_value(Value::Object(product))? })
    }

    /// One of its variants.
    pub(super) fn add(&mut self, parent: &str, kind: Option<&str>, text: &[u8]) -> Result<(), Stop> {
        if parent != self.product.id {
            return Err(Stop::Misplaced(
                "its parent is not the product above it: run the query with groupObjects: true",
            ));
        }
        if kind != Some("ProductVariant") {
            return Err(Stop::Misplaced("it is no part of a product that is asked for"));
        }
        self.product.variants.nodes.push(serde_json::from_slice(text)?);
        Ok(())
    }

    /// The product, read as an answer is.
    pub(super) fn finish(self) -> Result<Told, BulkError> {
        let Self { line, product } = self;
        let wrong = |failure: waybill_connector::Failure| BulkError::Line { line, problem: failure.to_string() };
        let id = reads::id("Product", &product.id).map_err(wrong)?;
        let fetched = reads::product(product).map_err(wrong)?;
        Ok((id, fetched.body, fetched.source_updated_at))
    }
}
