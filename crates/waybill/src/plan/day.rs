//! What plans are run on: a recorded day, or webhook bodies.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use connector_shopify::{
    body::{self, Parsed},
    webhook::Topic,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use waybill_domain::{Body, Kind, RecordId, RecordKey, Revision, Snapshot, StoreName};
use waybill_plan::{
    Plan,
    recorded::{self, Line},
};

/// What was read, and what had to be left out.
#[derive(Debug, Default)]
pub(super) struct Day {
    pub(super) lines: Vec<Line>,
    /// Such as "3 webhook bodies tell of a change without telling it".
    pub(super) notes: Vec<String>,
}

/// Reads a recorded day, webhook bodies as JSON Lines, a body's file, or a folder of these.
///
/// # Errors
/// If it is none of these; says which line or file, and what is expected.
pub(super) fn read(path: &Path, plan: &Plan, store: Option<&str>) -> anyhow::Result<Day> {
    if path.is_dir() {
        return Bodies::new(plan, store)?.folder(path);
    }
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let start = String::from_utf8_lossy(reader.fill_buf()?).into_owned();
    let first = start.trim_start();
    let is_topic = |text: &str| text.starts_with("{\"topic\"") || text.starts_with("{ \"topic\"");
    if first.starts_with("{\"day\"") {
        recorded_day(reader).with_context(|| path.display().to_string())
    } else if is_topic(first) {
        Bodies::new(plan, store)?.lines(reader).with_context(|| path.display().to_string())
    } else if topic_of(path).is_some() {
        let mut bodies = Bodies::new(plan, store)?;
        bodies.file(path)?;
        Ok(bodies.finish())
    } else {
        bail!(
            "{} is neither a recorded day (`waybill export` writes one), nor JSON Lines of {{\"topic\": \"orders/create\", \
             \"body\": {{…}}}}, nor a webhook body in a file named by its topic, such as orders__create.json",
            path.display()
        )
    }
}

fn recorded_day(reader: impl BufRead) -> anyhow::Result<Day> {
    let lines = recorded::read(reader).collect::<Result<Vec<Line>, _>>()?;
    Ok(Day { lines, notes: Vec::new() })
}

/// The topic that a file is named by: `orders__create.json`, `orders__create__17.json`.
fn topic_of(path: &Path) -> Option<Topic> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    let mut parts = name.split("__");
    let topic = format!("{}/{}", parts.next()?, parts.next()?);
    Some(Topic::parse(&topic)).filter(|topic| *topic != Topic::Unknown)
}

/// Bodies become snapshots, numbered per record as they come.
struct Bodies {
    store: StoreName,
    numbers: BTreeMap<RecordKey, (i64, Body)>,
    lines: Vec<Line>,
    to_read: usize,
    others: usize,
    last: Timestamp,
}

/// One line of webhook bodies.
#[derive(Deserialize)]
struct Webhook<'a> {
    topic: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Bodies {
    fn new(plan: &Plan, store: Option<&str>) -> anyhow::Result<Self> {
        let named: Vec<&StoreName> = plan.stores.keys().collect();
        let store = match (store, &named[..]) {
            (Some(name), _) => {
                let found = named.iter().find(|known| known.as_str() == name);
                (*found.with_context(|| format!("the plan has no store '{name}'"))?).clone()
            }
            (None, [only]) => (*only).clone(),
            (None, _) => bail!("the plan has several stores, and webhook bodies do not say theirs: give --store"),
        };
        Ok(Self {
            store,
            numbers: BTreeMap::new(),
            lines: Vec::new(),
            to_read: 0,
            others: 0,
            last: Timestamp::UNIX_EPOCH,
        })
    }

    fn folder(mut self, path: &Path) -> anyhow::Result<Day> {
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
            !self.lines.is_empty(),
            "{} has no webhook bodies in files named by their topic, such as orders__create.json",
            path.display()
        );
        Ok(self.finish())
    }

    fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let topic = topic_of(path).with_context(|| format!("{} is not named by a topic", path.display()))?;
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        self.take(topic, &bytes).with_context(|| path.display().to_string())
    }

    fn lines(mut self, reader: impl BufRead) -> anyhow::Result<Day> {
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

    fn take(&mut self, topic: Topic, bytes: &[u8]) -> anyhow::Result<()> {
        let parsed = body::parse(topic, bytes)?;
        self.parsed(parsed);
        Ok(())
    }

    fn parsed(&mut self, parsed: Parsed) {
        match parsed {
            Parsed::Whole(mut whole) => {
                let kind = whole.body.kind();
                let key = RecordKey { store: self.store.clone(), kind, id: whole.id.clone() };
                if let Some((_, before)) = self.numbers.get(&key) {
                    whole.carry_over(before);
                }
                self.add(key, Some(whole.body), whole.source_updated_at);
            }
            Parsed::Deleted { kind, id } => self.deleted(kind, id),
            Parsed::Refetch { .. } => self.to_read += 1,
            Parsed::Several(parts) => parts.into_iter().for_each(|part| self.parsed(part)),
            Parsed::Privacy(_) | Parsed::Unknown => self.others += 1,
        }
    }

    fn deleted(&mut self, kind: Kind, id: RecordId) {
        let key = RecordKey { store: self.store.clone(), kind, id };
        self.add(key, None, None);
    }

    fn add(&mut self, key: RecordKey, body: Option<Body>, updated_at: Option<Timestamp>) {
        // A body without a time comes after those before it.
        let observed_at = updated_at.unwrap_or(self.last);
        self.last = self.last.max(observed_at);
        let known = self.numbers.get(&key);
        if known.is_some_and(|(_, before)| Some(before) == body.as_ref()) {
            return;
        }
        let number = known.map_or(1, |(number, _)| number + 1);
        if let Some(body) = &body {
            self.numbers.insert(key.clone(), (number, body.clone()));
        }
        let snapshot = Snapshot { key, revision: Revision { epoch: 1, number }, observed_at, body };
        self.lines.push(Line::Snapshot(Box::new(snapshot)));
    }

    fn finish(self) -> Day {
        let mut notes = Vec::new();
        if self.to_read > 0 {
            notes.push(format!(
                "{} webhook bodies only tell that a record changed, not how: what would be read by API is not here",
                self.to_read
            ));
        }
        if self.others > 0 {
            notes.push(format!("{} bodies or files are of no record that a plan moves", self.others));
        }
        let mut lines = self.lines;
        lines.sort_by_key(|line| match line {
            Line::Snapshot(snapshot) => snapshot.observed_at,
            Line::Day(_) | Line::Decision(_) => Timestamp::MIN,
        });
        Day { lines, notes }
    }
}
