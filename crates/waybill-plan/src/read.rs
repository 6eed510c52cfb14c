//! Reading TOML with the place of everything: each value is asked for by key and kind, each wrong one is a problem,
//! and what nobody asked for is an unknown key.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use jiff::Timestamp;
use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Collector, Place, nearest};

type Value<'t> = Spanned<DeValue<'t>>;

/// Something with its place.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

impl<T: std::ops::Deref> At<T> {
    pub(crate) fn as_deref(&self) -> &T::Target {
        &self.value
    }
}

/// One value of a table or a list.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a, 't> {
    value: &'a Value<'t>,
    pub(crate) place: Place,
}

fn wrong(problems: &mut Collector<'_>, node: &Node<'_, '_>, expected: &str) {
    let what = format!("this is {}, not {expected}", article(node.value.get_ref().type_str()));
    problems.error("WB-P009", &node.place, what, format!("write {expected}"));
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

impl<'a, 't> Node<'a, 't> {
    fn at<T>(&self, value: T) -> At<T> {
        At { value, place: self.place.clone() }
    }

    pub(crate) fn text(&self, problems: &mut Collector<'_>) -> Option<At<String>> {
        match self.value.get_ref().as_str() {
            Some(text) => Some(self.at(text.to_owned())),
            None => {
                wrong(problems, self, "a text in quotes");
                None
            }
        }
    }

    pub(crate) fn flag(&self, problems: &mut Collector<'_>) -> Option<bool> {
        let flag = self.value.get_ref().as_bool();
        if flag.is_none() {
            wrong(problems, self, "true or false");
        }
        flag
    }

    /// A whole number within limits, both included.
    pub(crate) fn number(&self, least: i64, most: i64, problems: &mut Collector<'_>) -> Option<i64> {
        let Some(number) = self.value.get_ref().as_integer() else {
            wrong(problems, self, "a whole number");
            return None;
        };
        let value = i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok();
        let value = value.filter(|value| (least..=most).contains(value));
        if value.is_none() {
            let what = format!("{} is not from {least} to {most}", number.as_str());
            problems.error("WB-P030", &self.place, what, "give a number within these limits");
        }
        value
    }

    /// An exact number with or without a point, above 0.
    pub(crate) fn fraction(&self, problems: &mut Collector<'_>) -> Option<At<Decimal>> {
        let text = match self.value.get_ref() {
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            _ => {
                wrong(problems, self, "a number such as 0.5");
                return None;
            }
        };
        let number = Decimal::from_str_exact(&text.replace('_', "")).ok().filter(|number| *number > Decimal::ZERO);
        if number.is_none() {
            problems.error("WB-P030", &self.place, format!("{text} is no share"), "give a number above 0, such as 0.5");
        }
        number.map(|number| self.at(number))
    }

    /// An instant: a TOML date-time with an offset, or a date, which begins at midnight UTC.
    pub(crate) fn instant(&self, problems: &mut Collector<'_>) -> Option<Timestamp> {
        let Some(datetime) = self.value.get_ref().as_datetime() else {
            wrong(problems, self, "a date such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z");
            return None;
        };
        let text = datetime.to_string();
        let whole = if datetime.time.is_none() { format!("{text}T00:00:00Z") } else { text.clone() };
        let instant = whole.parse().ok();
        if instant.is_none() {
            let mend = "write it with its offset: 2026-11-01T08:00:00Z or …T09:00:00+01:00";
            problems.error("WB-P031", &self.place, format!("{text} names no instant"), mend);
        }
        instant
    }

    /// A setting's value as text: a text, a whole number, or true or false.
    pub(crate) fn plain(&self, problems: &mut Collector<'_>) -> Option<At<String>> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(self.at(text.to_string())),
            DeValue::Integer(number) => Some(self.at(number.to_string())),
            DeValue::Boolean(flag) => Some(self.at(flag.to_string())),
            _ => {
                wrong(problems, self, "one value: a text, a whole number, true or false");
                None
            }
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        self.value.get_ref().is_str()
    }

    pub(crate) fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub(crate) fn list(&self, problems: &mut Collector<'_>) -> Vec<Node<'a, 't>> {
        let Some(list) = self.value.get_ref().as_array() else {
            wrong(problems, self, "a list in brackets");
            return Vec::new();
        };
        let node = |(index, value): (usize, &'a Value<'t>)| Node {
            value,
            place: Place::new(format!("{}[{index}]", self.place.path), value.span()),
        };
        list.iter().enumerate().map(node).collect()
    }

    pub(crate) fn texts(&self, problems: &mut Collector<'_>) -> Vec<At<String>> {
        self.list(problems).iter().filter_map(|node| node.text(problems)).collect()
    }

    pub(crate) fn table(&self, problems: &mut Collector<'_>) -> Option<Table<'a, 't>> {
        match self.value.get_ref().as_table() {
            Some(table) => Some(Table::new(table, self.place.clone())),
            None => {
                wrong(problems, self, "a table");
                None
            }
        }
    }
}

/// A table that is asked for its keys. What was not asked for by the end is unknown.
pub(crate) struct Table<'a, 't> {
    table: &'a DeTable<'t>,
    pub(crate) place: Place,
    asked: BTreeSet<&'static str>,
}

impl<'a, 't> Table<'a, 't> {
    pub(crate) const fn new(table: &'a DeTable<'t>, place: Place) -> Self {
        Self { table, place, asked: BTreeSet::new() }
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

    /// Entries whose keys nobody asked for.
    pub(crate) fn others(&self) -> Vec<(At<String>, Node<'a, 't>)> {
        self.entries().into_iter().filter(|(name, _)| !self.asked.contains(name.as_deref())).collect()
    }

    /// Says which keys nobody asked for.
    pub(crate) fn finish(self, problems: &mut Collector<'_>) {
        for (name, _) in self.others() {
            let mend = nearest(&name.value, self.asked.iter().copied());
            problems.error("WB-P019", &name.place, format!("there is no key '{}' here", name.value), mend);
        }
    }

    fn missing(&self, key: &str, about: &str, problems: &mut Collector<'_>) {
        let place = Place::new(self.path(key), self.head());
        problems.error("WB-P012", &place, format!("'{key}' is missing"), format!("give {about}"));
    }

    /// Where the table begins: its header, or its brace.
    fn head(&self) -> Range<usize> {
        self.place.span.clone()
    }

    pub(crate) fn required(
        &mut self,
        key: &'static str,
        about: &str,
        problems: &mut Collector<'_>,
    ) -> Option<At<String>> {
        match self.get(key) {
            Some(node) => node.text(problems),
            None => {
                self.missing(key, about, problems);
                None
            }
        }
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
        problems.error("WB-P008", &text.place, format!("'{}' is none of the words for this", text.value), mend);
    }
    found
}
