//! What a store tells: webhook bodies, and the orders of a bulk file.

use std::{
    fs,
    io::BufRead,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use connector_shopify::{
    body::{self, Parsed},
    bulk::{self, BulkError},
    webhook::Topic,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use waybill_domain::StoreName;
use waybill_plan::Plan;

use super::{Day, states::States};

/// The topic that a file is named by: `orders__create.json`, `orders__create__17.json`.
pub(super) fn topic_of(path: &Path) -> Option<Topic> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    let mut parts = name.split("__");
    let topic = format!("{}/{}", parts.next()?, parts.next()?);
    Some(Topic::parse(&topic)).filter(|topic| *topic != Topic::Unknown)
}

/// States of records, and how much was told that is none.
#[derive(Debug)]
pub(super) struct Told {
    states: States,
    to_read: usize,
    untold_refunds: usize,
    others: usize,
}

/// One line of webhook bodies.
#[derive(Deserialize)]
struct Webhook<'a> {
    topic: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Told {
    /// Nothing yet, of the store of this name; of the only one if there is no name.
    ///
    /// # Errors
    /// If the plan has no such store, or several and none is named.
    pub(super) fn new(plan: &Plan, store: Option<&str>) -> anyhow::Result<Self> {
        let named: Vec<&StoreName> = plan.stores.keys().collect();
        let store = match (store, &named[..]) {
            (Some(name), _) => {
                let found = named.iter().find(|known| known.as_str() == name);
                (*found.with_context(|| format!("the plan has no store '{name}'"))?).clone()
            }
            (None, [only]) => (*only).clone(),
            (None, _) => bail!("the plan has several stores, and Shopify's records do not say theirs: give --store"),
        };
        Ok(Self { states: States::of(store), to_read: 0, untold_refunds: 0, others: 0 })
    }

    /// A folder of webhook bodies in files named by their topic.
    pub(super) fn folder(mut self, path: &Path) -> anyhow::Result<Day> {
        let mut files: Vec<PathBuf> = fs::read_dir(path)
            .with_context(|| format!("{} cannot be read", path.display()))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        for file in files {
            if topic_of(&file).is_some() {
                self.file(&file)?;
            } else {
                self.others += 1;
            }
        }
        ensure!(
            !self.states.is_empty(),
            "{} has no webhook bodies in files named by their topic, such as orders__create.json",
            path.display()
        );
        Ok(self.finish())
    }

    /// A webhook body in a file named by its topic.
    pub(super) fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let topic = topic_of(path).with_context(|| format!("{} is not named by a topic", path.display()))?;
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        self.take(topic, &bytes).with_context(|| path.display().to_string())
    }

    /// Webhook bodies, one a line, each with its topic.
    pub(super) fn lines(mut self, reader: impl BufRead) -> anyhow::Result<Day> {
        for (index, line) in reader.lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let at = || format!("line {}", index + 1);
            let webhook: Webhook<'_> = serde_json::from_str(&line)
                .with_context(|| format!("{}: not {{\"topic\": …, \"body\": {{…}}}}", at()))?;
            self.take(Topic::parse(&webhook.topic), webhook.body.get().as_bytes()).with_context(at)?;
        }
        Ok(self.finish())
    }

    /// The file of a bulk query of orders.
    pub(super) fn bulk(mut self, reader: impl BufRead) -> anyhow::Result<Day> {
        for order in bulk::orders(reader) {
            match order {
                Ok((id, body, updated_at)) => self.states.add(&id, body, Some(updated_at)),
                Err(BulkError::RefundUntold { .. }) => self.untold_refunds += 1,
                Err(error @ (BulkError::Line { .. } | BulkError::Read { .. })) => return Err(error.into()),
            }
        }
        Ok(self.finish())
    }

    fn take(&mut self, topic: Topic, bytes: &[u8]) -> anyhow::Result<()> {
        let parsed = body::parse(topic, bytes)?;
        self.parsed(parsed);
        Ok(())
    }

    fn parsed(&mut self, parsed: Parsed) {
        match parsed {
            Parsed::Whole(mut whole) => {
                if let Some(before) = self.states.newest(whole.body.kind(), &whole.id) {
                    whole.carry_over(before);
                }
                self.states.add(&whole.id, whole.body, whole.source_updated_at);
            }
            Parsed::Deleted { kind, id } => self.states.deleted(kind, &id),
            Parsed::Refetch { .. } => self.to_read += 1,
            Parsed::Several(parts) => parts.into_iter().for_each(|part| self.parsed(part)),
            Parsed::Privacy(_) | Parsed::Unknown => self.others += 1,
        }
    }

    /// What was told, as a day.
    pub(super) fn finish(self) -> Day {
        let mut notes = Vec::new();
        if self.to_read > 0 {
            notes.push(format!(
                "{} webhook bodies only tell that a record changed, not how: what would be read by API is not here",
                self.to_read
            ));
        }
        if self.untold_refunds > 0 {
            notes.push(format!(
                "{} orders of the file have a refund of which it does not tell what came back: they are not here",
                self.untold_refunds
            ));
        }
        if self.others > 0 {
            notes.push(format!("{} bodies or files are of no record that a plan moves", self.others));
        }
        Day { lines: self.states.finish(), notes }
    }
}
