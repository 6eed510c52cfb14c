//! Filters, sorting and pages of lists.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{answers::Problem, shape::is_id};

/// The parameters of a list request.
pub(super) struct Listing<'a> {
    parameters: &'a BTreeMap<String, String>,
    problems: Vec<Problem>,
}

/// One page.
pub(super) struct Page {
    pub(super) rows: Vec<Value>,
    total: usize,
    page: usize,
    page_size: usize,
}

impl<'a> Listing<'a> {
    pub(super) fn new(parameters: &'a BTreeMap<String, String>) -> Self {
        Self { parameters, problems: Vec::new() }
    }

    /// A free text.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A text of at least so many characters.
    pub(super) fn text_of(&mut self, name: &str, min: usize) -> Option<&'a str> {
        let text = self.text(name)?;
        if text.chars().count() >= min {
            return Some(text);
        }
        let message = format!("{name} must have at least {min} characters.");
        self.refuse(name, text, message);
        None
    }

    /// One of some words.
    pub(super) fn one_of(&mut self, name: &str, words: &[&str]) -> Option<&'a str> {
        let word = self.text(name)?;
        if words.contains(&word) {
            return Some(word);
        }
        self.refuse(name, word, format!("{name} must be one of {}.", words.join(", ")));
        None
    }

    /// An id.
    pub(super) fn id(&mut self, name: &str) -> Option<&'a str> {
        let id = self.text(name)?;
        if id.len() <= 25 && is_id(id) {
            return Some(id);
        }
        self.refuse(name, id, format!("{name} has an invalid format."));
        None
    }

    /// An instant, in milliseconds since the Unix epoch.
    pub(super) fn time(&mut self, name: &str) -> Option<i64> {
        let text = self.text(name)?;
        match text.parse::<Timestamp>() {
            Ok(at) => Some(at.as_millisecond()),
            Err(_) => {
                self.refuse(name, text, format!("{name} must be an ISO 8601 date and time."));
                None
            }
        }
    }

    fn positive(&mut self, name: &str, otherwise: usize) -> usize {
        let Some(text) = self.text(name) else {
            return otherwise;
        };
        match text.parse::<i32>() {
            Ok(number) if number >= 1 => usize::try_from(number).unwrap_or(otherwise),
            _ => {
                self.refuse(name, text, format!("{name} must be an integer from 1 on."));
                otherwise
            }
        }
    }

    fn refuse(&mut self, name: &str, value: &str, message: String) {
        self.problems.push(Problem::invalid(name, &value.into(), message));
    }

    /// Sorts the rows by the time that `sort_by` names and cuts the page out: newest first unless `sort_dir` is `asc`,
    /// 25 to a page unless `page_size` says otherwise; an empty page past the last one.
    ///
    /// # Errors
    /// Everything that is wrong with the parameters.
    pub(super) fn page<T>(
        mut self,
        mut rows: Vec<T>,
        times: impl Fn(&T) -> (i64, i64),
        json: impl Fn(&T) -> Value,
    ) -> Result<Page, Vec<Problem>> {
        let by_modified = self.one_of("sort_by", &["modified_at", "created_at"]) == Some("modified_at");
        let ascending = self.one_of("sort_dir", &["asc", "desc"]) == Some("asc");
        let page = self.positive("page", 1);
        let page_size = self.positive("page_size", 25);
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let time = |row: &T| {
            if by_modified { times(row).1 } else { times(row).0 }
        };
        rows.sort_by_key(|row| time(row));
        if !ascending {
            rows.reverse();
        }
        let total = rows.len();
        let rows = rows.iter().skip((page - 1).saturating_mul(page_size)).take(page_size).map(json).collect();
        Ok(Page { rows, total, page, page_size })
    }
}

impl Page {
    /// The page with its rows under `name`, and links as the vendor gives them.
    pub(super) fn json(self, name: &str, path: &str) -> Value {
        let pages = self.total.div_ceil(self.page_size);
        let link = |page: usize| {
            let href = format!("https://api.shipstation.com{path}?page={page}&page_size={}", self.page_size);
            json!({ "href": href })
        };
        let prev = if self.page > 1 { link(self.page - 1) } else { json!({}) };
        let next = if self.page < pages { link(self.page + 1) } else { json!({}) };
        json!({
            name: self.rows,
            "total": self.total,
            "page": self.page,
            "pages": pages,
            "links": { "first": link(1), "last": link(pages.max(1)), "prev": prev, "next": next },
        })
    }
}
