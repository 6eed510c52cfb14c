//! Reading TOML with the place of everything: each value is asked for by key and kind, each wrong one is a problem,
//! and what nobody asked for is an unknown key.

mod table;

use jiff::Timestamp;
use rust_decimal::Decimal;
use toml::de::DeValue;
use toml::{Spanned, value::Datetime};

use crate::diagnostic::{Collector, Place};

pub(crate) use table::{Table, choose};

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

/// What people call a value of TOML.
fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

impl<'a, 't> Node<'a, 't> {
    fn at<T>(&self, value: T) -> At<T> {
        At { value, place: self.place.clone() }
    }

    fn wrong(&self, problems: &mut Collector<'_>, expected: &str, mend: impl Into<String>) {
        let what = format!("this is {}, not {expected}", describe(self.value.get_ref()));
        problems.error("WB-P009", &self.place, what, mend);
    }

    /// The value as it stands in the file.
    fn written<'p>(&self, problems: &Collector<'p>) -> &'p str {
        problems.text().get(self.place.span.clone()).unwrap_or_default()
    }

    pub(crate) fn text(&self, problems: &mut Collector<'_>) -> Option<At<String>> {
        if let Some(text) = self.value.get_ref().as_str() {
            return Some(self.at(text.to_owned()));
        }
        let mend = match self.value.get_ref() {
            _ if problems.hides(&self.place) => "write one text in quotes".to_owned(),
            DeValue::Array(list) => match &list.iter().map(|one| one.get_ref().as_str()).collect::<Vec<_>>()[..] {
                [Some(one)] => format!("write one text: \"{one}\""),
                _ => "write one text in quotes".to_owned(),
            },
            DeValue::Table(_) => "write one text in quotes".to_owned(),
            DeValue::Datetime(Datetime { date: None, time: Some(time), .. }) => {
                format!("write it in quotes: \"{:02}:{:02}\"", time.hour, time.minute)
            }
            _ => format!("write it in quotes: \"{}\"", self.written(problems)),
        };
        self.wrong(problems, "a text in quotes", mend);
        None
    }

    pub(crate) fn flag(&self, problems: &mut Collector<'_>) -> Option<bool> {
        let flag = self.value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(problems, "true or false", "write true or false, without quotes");
        }
        flag
    }

    fn whole(&self) -> Option<i64> {
        let number = self.value.get_ref().as_integer()?;
        i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
    }

    /// A whole number within limits, both included.
    pub(crate) fn number(&self, least: i64, most: i64, problems: &mut Collector<'_>) -> Option<i64> {
        if !self.value.get_ref().is_integer() {
            let mend = match self.value.get_ref().as_str() {
                Some(text) if text.parse::<i64>().is_ok() => format!("write it without quotes: {text}"),
                _ => format!("write a whole number from {least} to {most}"),
            };
            self.wrong(problems, "a whole number", mend);
            return None;
        }
        let value = self.whole().filter(|value| (least..=most).contains(value));
        if value.is_none() {
            let what = format!("{} is not from {least} to {most}", self.written(problems));
            problems.error("WB-P030", &self.place, what, "give a number within these limits");
        }
        value
    }

    /// An exact number with or without a point, above 0.
    pub(crate) fn fraction(&self, problems: &mut Collector<'_>) -> Option<At<Decimal>> {
        let text = match self.value.get_ref() {
            DeValue::Float(number) => number.as_str().replace('_', ""),
            DeValue::Integer(_) => self.whole().map(|number| number.to_string()).unwrap_or_default(),
            _ => {
                self.wrong(problems, "a number", "write a number without quotes, such as 0.5");
                return None;
            }
        };
        let number = Decimal::from_str_exact(&text).ok().filter(|number| *number > Decimal::ZERO);
        if number.is_none() {
            let what = format!("{} is no share", self.written(problems));
            problems.error("WB-P030", &self.place, what, "give a number above 0, such as 0.5");
        }
        number.map(|number| self.at(number))
    }

    /// An instant: a TOML date-time with an offset, or a date, which begins at midnight UTC.
    pub(crate) fn instant(&self, problems: &mut Collector<'_>) -> Option<Timestamp> {
        let Some(datetime) = self.value.get_ref().as_datetime() else {
            let mend = match self.value.get_ref().as_str() {
                Some(text) if text.parse::<Datetime>().is_ok() => {
                    format!("write it without quotes: {text}")
                }
                _ => "write a date such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z".to_owned(),
            };
            self.wrong(problems, "a date or a time", mend);
            return None;
        };
        let text = datetime.to_string();
        let whole = if datetime.time.is_none() { format!("{text}T00:00:00Z") } else { text.clone() };
        let instant = whole.parse().ok();
        if instant.is_none() {
            let mend = "write it with its date and offset: 2026-11-01T08:00:00Z or …T09:00:00+01:00";
            problems.error("WB-P031", &self.place, format!("{text} names no instant"), mend);
        }
        instant
    }

    /// A setting's value as text: a text, a whole number, or true or false.
    pub(crate) fn plain(&self, problems: &mut Collector<'_>) -> Option<At<String>> {
        match self.value.get_ref() {
            DeValue::String(text) => return Some(self.at(text.to_string())),
            DeValue::Boolean(flag) => return Some(self.at(flag.to_string())),
            DeValue::Integer(_) => {
                if let Some(number) = self.whole() {
                    return Some(self.at(number.to_string()));
                }
            }
            _ => {}
        }
        let mend = match self.value.get_ref() {
            DeValue::Float(_) | DeValue::Integer(_) if !problems.hides(&self.place) => {
                format!("write it in quotes: \"{}\"", self.written(problems))
            }
            _ => "write a text in quotes, a whole number, true or false".to_owned(),
        };
        self.wrong(problems, "one value", mend);
        None
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        self.value.get_ref().as_str()
    }

    /// What is in it, if it is a table.
    pub(crate) fn entries(&self) -> Vec<(At<String>, Node<'a, 't>)> {
        let table = self.value.get_ref().as_table();
        table.map(|table| Table::new(table, self.place.clone()).entries()).unwrap_or_default()
    }

    pub(crate) fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub(crate) fn list(&self, problems: &mut Collector<'_>) -> Vec<Node<'a, 't>> {
        let Some(list) = self.value.get_ref().as_array() else {
            let mend = match self.value.get_ref() {
                DeValue::String(_) if !problems.hides(&self.place) => {
                    format!("write it as a list: [{}]", self.written(problems))
                }
                DeValue::Table(_) if self.written(problems).starts_with('[') => {
                    format!("write [[{}]], in double brackets, above each of them", self.place.path)
                }
                _ => "write a list in brackets".to_owned(),
            };
            self.wrong(problems, "a list", mend);
            return Vec::new();
        };
        let node = |(index, value): (usize, &'a Value<'t>)| Node {
            value,
            place: Place::new(format!("{}[{index}]", self.place.path), value.span()),
        };
        list.iter().enumerate().map(node).collect()
    }

    /// The value, or if it is a list what is in it, lists within lists taken apart.
    pub(crate) fn leaves(&self) -> Vec<Node<'a, 't>> {
        match self.value.get_ref().as_array() {
            None => vec![self.clone()],
            Some(list) => {
                let node =
                    |value: &'a Value<'t>| Node { value, place: Place::new(self.place.path.clone(), value.span()) };
                list.iter().flat_map(|value| node(value).leaves()).collect()
            }
        }
    }

    pub(crate) fn texts(&self, problems: &mut Collector<'_>) -> Vec<At<String>> {
        self.list(problems).iter().filter_map(|node| node.text(problems)).collect()
    }

    pub(crate) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    pub(crate) fn table(&self, problems: &mut Collector<'_>) -> Option<Table<'a, 't>> {
        self.table_as("write a table: { key = value }, or [its.name] with its keys below", problems)
    }

    /// A table that is written so.
    pub(crate) fn table_as(&self, form: &str, problems: &mut Collector<'_>) -> Option<Table<'a, 't>> {
        match self.value.get_ref().as_table() {
            Some(table) => Some(Table::new(table, self.place.clone())),
            None => {
                let mend = if self.written(problems).starts_with("[[") {
                    format!("write [{}], in single brackets", self.place.path)
                } else {
                    form.to_owned()
                };
                self.wrong(problems, "a table", mend);
                None
            }
        }
    }
}
