//! Tables, asked key by key.

use std::{collections::BTreeSet, time::Duration};

use toml::de::DeTable;

use super::{At, Node};
use crate::diagnostic::{Collector, Place, close, nearest};

/// A table that is asked for its keys. What was not asked for by the end is unknown.
pub(crate) struct Table<'a, 't> {
    table: &'a DeTable<'t>,
    pub(crate) place: Place,
    asked: BTreeSet<&'static str>,
    /// Keys that were taken for one that was asked for, and said to be misspelt.
    misspelt: BTreeSet<String>,
}

impl<'a, 't> Table<'a, 't> {
    pub(crate) const fn new(table: &'a DeTable<'t>, place: Place) -> Self {
        Self { table, place, asked: BTreeSet::new(), misspelt: BTreeSet::new() }
    }

    fn path(&self, key: &str) -> String {
        if self.place.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place.path) }
    }

    /// The table by another name: a flow is known by its name, not by its number.
    pub(crate) fn called(mut self, path: String) -> Self {
        self.place.path = path;
        self
    }

    pub(crate) fn get(&mut self, key: &'static str) -> Option<Node<'a, 't>> {
        self.asked.insert(key);
        let value = self.table.get(key)?;
        Some(Node { value, place: Place::new(self.path(key), value.span()) })
    }

    /// Every key with its value, for tables whose keys are names.
    pub(crate) fn entries(&self) -> Vec<(At<String>, Node<'a, 't>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| {
                let path = self.path(key.get_ref());
                let name = At { value: key.get_ref().to_string(), place: Place::new(path.clone(), key.span()) };
                (name, Node { value, place: Place::new(path, value.span()) })
            })
            .collect();
        entries.sort_by_key(|(name, _)| name.place.span.start);
        entries
    }

    /// Every key.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.table.iter().map(|(key, _)| key.get_ref().to_string()).collect()
    }

    /// Entries whose keys nobody asked for.
    pub(crate) fn others(&self) -> Vec<(At<String>, Node<'a, 't>)> {
        let is_other =
            |name: &At<String>| !self.asked.contains(name.as_deref()) && !self.misspelt.contains(name.as_deref());
        self.entries().into_iter().filter(|(name, _)| is_other(name)).collect()
    }

    /// Says which keys nobody asked for.
    pub(crate) fn finish(self, problems: &mut Collector<'_>) {
        self.finish_within(&[], "", problems);
    }

    /// The same for a table below another one, whose keys are easily written behind its header.
    pub(crate) fn finish_within(self, outer: &[&str], header: &str, problems: &mut Collector<'_>) {
        for (name, _) in self.others() {
            let mend = if outer.contains(&name.value.as_str()) {
                format!("write it above {header}: what stands below belongs to that")
            } else if name.value == "since" && !self.place.path.is_empty() {
                "write it at the top of the file, above the first [table], or in a flow".to_owned()
            } else {
                nearest(&name.value, self.asked.iter().copied())
            };
            problems.error("WB-P019", &name.place, format!("there is no key '{}' here", name.value), mend);
        }
    }

    /// A key that has to be there. One that is misspelt is said to be, and taken for it.
    pub(crate) fn needed(
        &mut self,
        key: &'static str,
        about: &str,
        problems: &mut Collector<'_>,
    ) -> Option<Node<'a, 't>> {
        if let Some(node) = self.get(key) {
            return Some(node);
        }
        let is_slip =
            |name: &str| close(name, std::iter::once(key)).is_some() || (name.len() > 2 && key.starts_with(name));
        let slip = self.others().into_iter().find(|(name, _)| is_slip(&name.value));
        let Some((name, node)) = slip else {
            let path = if self.place.path.is_empty() { String::new() } else { self.path(key) };
            let place = Place::new(path, self.place.span.clone());
            problems.error("WB-P012", &place, format!("'{key}' is missing"), format!("add it: {about}"));
            return None;
        };
        let mend = format!("did you mean '{key}'?");
        problems.error("WB-P019", &name.place, format!("there is no key '{}' here", name.value), mend);
        self.misspelt.insert(name.value);
        Some(node)
    }

    pub(crate) fn required(
        &mut self,
        key: &'static str,
        about: &str,
        problems: &mut Collector<'_>,
    ) -> Option<At<String>> {
        self.needed(key, about, problems)?.text(problems)
    }

    pub(crate) fn text(&mut self, key: &'static str, problems: &mut Collector<'_>) -> Option<At<String>> {
        self.get(key)?.text(problems)
    }

    pub(crate) fn texts(&mut self, key: &'static str, problems: &mut Collector<'_>) -> Vec<At<String>> {
        self.get(key).map(|node| node.texts(problems)).unwrap_or_default()
    }

    pub(crate) fn flag(&mut self, key: &'static str, problems: &mut Collector<'_>) -> Option<bool> {
        self.get(key)?.flag(problems)
    }

    pub(crate) fn number(
        &mut self,
        key: &'static str,
        least: i64,
        most: i64,
        problems: &mut Collector<'_>,
    ) -> Option<i64> {
        self.get(key)?.number(least, most, problems)
    }

    pub(crate) fn seconds(
        &mut self,
        key: &'static str,
        least: i64,
        most: i64,
        problems: &mut Collector<'_>,
    ) -> Option<Duration> {
        let seconds = self.number(key, least, most, problems)?;
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    pub(crate) fn table(&mut self, key: &'static str, problems: &mut Collector<'_>) -> Option<Table<'a, 't>> {
        self.get(key)?.table(problems)
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        problems: &mut Collector<'_>,
    ) -> Option<T> {
        let text = self.text(key, problems)?;
        choose(&text, words, problems)
    }
}

/// One of several words.
pub(crate) fn choose<T: Copy>(text: &At<String>, words: &[(&str, T)], problems: &mut Collector<'_>) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, choice)| *choice);
    if found.is_none() {
        let mend = nearest(&text.value, words.iter().map(|(word, _)| *word));
        problems.error("WB-P008", &text.place, format!("'{}' is not one of the choices", text.value), mend);
    }
    found
}
