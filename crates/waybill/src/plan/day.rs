//! What plans are run on: a recorded day, a store's orders from a bulk query, or webhook bodies.

mod states;
#[cfg(test)]
mod tests;
mod told;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use waybill_plan::{
    Plan,
    recorded::{self, Line},
};

use told::Told;

/// What was read, and what had to be left out.
#[derive(Debug, Default)]
pub(super) struct Day {
    pub(super) lines: Vec<Line>,
    /// Such as "3 webhook bodies tell of a change without telling it".
    pub(super) notes: Vec<String>,
}

/// Reads a recorded day, the file of a bulk query of orders, webhook bodies as JSON Lines, a body's file, or a folder of
/// these.
///
/// # Errors
/// If it is none of these; says which line or file, and what is expected.
pub(super) fn read(path: &Path, plan: &Plan, store: Option<&str>) -> anyhow::Result<Day> {
    if path.is_dir() {
        return Told::new(plan, store)?.folder(path);
    }
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let start = String::from_utf8_lossy(reader.fill_buf()?).into_owned();
    let first = start.trim_start();
    let is_topic = |text: &str| text.starts_with("{\"topic\"") || text.starts_with("{ \"topic\"");
    if first.starts_with("{\"day\"") {
        recorded_day(reader).with_context(|| path.display().to_string())
    } else if is_topic(first) {
        Told::new(plan, store)?.lines(reader).with_context(|| path.display().to_string())
    } else if is_bulk(first) {
        Told::new(plan, store)?.bulk(reader).with_context(|| path.display().to_string())
    } else if told::topic_of(path).is_some() {
        let mut told = Told::new(plan, store)?;
        told.file(path)?;
        Ok(told.finish())
    } else {
        bail!(
            "{} is neither a recorded day (`waybill export` writes one), nor the file of a bulk query of orders (`waybill \
             plan bulk-query` prints the query), nor JSON Lines of {{\"topic\": \"orders/create\", \"body\": {{…}}}}, nor a \
             webhook body in a file named by its topic, such as orders__create.json",
            path.display()
        )
    }
}

fn recorded_day(reader: impl BufRead) -> anyhow::Result<Day> {
    let lines = recorded::read(reader).collect::<Result<Vec<Line>, _>>()?;
    Ok(Day { lines, notes: Vec::new() })
}

/// Whether the first line is a record of Shopify's by its global id, as bulk files have them. That it is an order is
/// for the reader to say.
fn is_bulk(start: &str) -> bool {
    #[derive(Deserialize)]
    struct Node {
        id: String,
    }
    let line = start.lines().next().unwrap_or_default();
    serde_json::from_str::<Node>(line).is_ok_and(|node| node.id.starts_with("gid://shopify/"))
}
