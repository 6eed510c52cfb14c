//! The connector on a simulated ShipStation, and against the vendor's own document.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod addresses;
mod bench;
mod contract;
mod documents;
mod orders;
mod parcels;
mod prism;
mod warehouse_edits;
