//! shopify-ingest
