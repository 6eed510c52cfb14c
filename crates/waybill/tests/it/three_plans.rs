//! The three plans for businesses of different kinds, as they are written, beside simulated vendors.

mod audited;
mod before_us;
mod business;
mod colleagues;
mod echoes;
mod owned;
mod pruned;
mod restored;
mod simple;
mod two_channels;

use std::time::Duration;

use waybill_plan::{Connectors, Plan, Problems};

use crate::deployment::repository;

/// For hundreds of records.
const MINUTES: Duration = Duration::from_secs(180);

/// A plan of `examples/plans`, as written.
fn written(name: &str) -> String {
    std::fs::read_to_string(repository().join(format!("examples/plans/{name}.toml"))).unwrap()
}

/// A text with a part of it changed.
#[track_caller]
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the plan has no '{from}'");
    text.replace(from, to)
}

/// Reads a plan with every connector known.
fn read(text: &str) -> Result<Plan, Problems> {
    let connectors = [
        connector_shopify::descriptor(),
        connector_hubspot::descriptor().clone(),
        connector_tryton::descriptor(),
        connector_shipstation::descriptor(),
        connector_pagerduty::descriptor(),
        connector_slack::descriptor(),
    ];
    Plan::parse(text, Connectors::All(&connectors))
}
