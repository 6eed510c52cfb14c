//! What is wrong with a plan, where, and how to mend it.

use std::{fmt, ops::Range};

use serde::Serialize;

use crate::codes;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The plan can be used; somebody should look.
    Warning,
    /// The plan is refused.
    Error,
}

impl Severity {
    const fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable: `WB-P004`. `waybill plan explain` tells about it at length.
    pub code: &'static str,
    /// Whether the plan is refused for it.
    pub severity: Severity,
    /// Where in the plan: `flows.orders-to-erp.to`.
    pub at: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the line, in characters, from 1.
    pub column: usize,
    /// How many characters of that line are meant; at least 1.
    pub length: usize,
    /// The line as it is written.
    pub text: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl Problem {
    /// The problem as `plan check` shows it: code, place, the line with a caret, how to mend it.
    pub fn render(&self, file: &str) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let carets = "^".repeat(self.length);
        // Tabs stay, so that the caret stands below its text.
        let lead: String =
            self.text.chars().take(self.column - 1).map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
        format!(
            "{}[{}]: {}\n{margin}--> {file}:{}:{} ({})\n{margin} |\n{number} | {}\n{margin} | {lead}{carets}\n{margin} = {}\n",
            self.severity.word(),
            self.code,
            self.what,
            self.line,
            self.column,
            self.at,
            self.text,
            self.mend,
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}, {}: {}; {}", self.code, self.line, self.at, self.what, self.mend)
    }
}

/// A plan's problems, by their place in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// Ordered by line and column.
    pub problems: Vec<Problem>,
}

impl Problems {
    /// Whether the plan is refused.
    pub fn refuse(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// How many there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    /// All of them as `plan check` shows them.
    pub fn render(&self, file: &str) -> String {
        self.problems.iter().map(|problem| problem.render(file)).collect::<Vec<_>>().join("\n")
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Where something stands: its path in the plan and its bytes in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
}

impl Place {
    pub(crate) fn new(path: impl Into<String>, span: Range<usize>) -> Self {
        Self { path: path.into(), span }
    }
}

/// Collects what is wrong while a plan is read.
pub(crate) struct Collector<'t> {
    text: &'t str,
    /// Whether a reference that does not resolve refuses the plan.
    resolves: bool,
    found: Vec<(Range<usize>, Problem)>,
}

impl<'t> Collector<'t> {
    pub(crate) const fn new(text: &'t str, resolves: bool) -> Self {
        Self { text, resolves, found: Vec::new() }
    }

    pub(crate) const fn text(&self) -> &'t str {
        self.text
    }

    pub(crate) fn error(
        &mut self,
        code: &'static str,
        place: &Place,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(Severity::Error, code, place, what.into(), mend.into());
    }

    fn add(&mut self, severity: Severity, code: &'static str, place: &Place, what: String, mend: String) {
        debug_assert!(codes::of(code).is_some(), "{code} is not in the catalogue");
        let (line, column, length, text) = locate(self.text, &place.span);
        let at = place.path.clone();
        let problem = Problem { code, severity, at, line, column, length, text, what, mend };
        self.found.push((place.span.clone(), problem));
    }

    /// A reference that does not resolve here: an error where services start, a warning elsewhere.
    pub(crate) fn unresolved(&mut self, place: &Place, what: String, mend: &str) {
        let severity = if self.resolves { Severity::Error } else { Severity::Warning };
        self.add(severity, "WB-P029", place, what, mend.to_owned());
    }

    /// Whether something was said already about a place or what is in it.
    pub(crate) fn at(&self, path: &str) -> bool {
        let inside =
            |at: &str| at.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.found.iter().any(|(_, problem)| inside(&problem.at))
    }

    /// The problems by place, each once.
    pub(crate) fn finish(self) -> Problems {
        let mut found = self.found;
        found.sort_by(|(a, x), (b, y)| (a.start, x.code, &x.what).cmp(&(b.start, y.code, &y.what)));
        let mut problems: Vec<Problem> = found.into_iter().map(|(_, problem)| problem).collect();
        problems.dedup();
        Problems { problems }
    }
}

/// Line, column, length in characters and the line itself of some bytes of a text. What goes beyond the line is cut.
fn locate(text: &str, span: &Range<usize>) -> (usize, usize, usize, String) {
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (start, end) = (floor(span.start), floor(span.end.max(span.start)));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = text[..start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let length = text[start..end.clamp(start, line_end)].chars().count().max(1);
    (line, column, length, text[line_start..line_end].trim_end_matches('\r').to_owned())
}

/// The name that a wrong one may have been meant to be, as a mending.
pub(crate) fn nearest<'a>(wanted: &str, there: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = there.collect();
    let close = names.iter().map(|name| (distance(wanted, name), *name)).min();
    match close {
        Some((0..=2, name)) => format!("did you mean '{name}'?"),
        _ if names.is_empty() => "there is none to name".to_owned(),
        _ if names.len() <= 12 => format!("there are: {}", names.join(", ")),
        _ => "name one that there is".to_owned(),
    }
}

/// How many letters have to be added, left out or changed to make one word of the other.
fn distance(wanted: &str, other: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (wanted.chars().collect(), other.chars().collect());
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{Collector, Place, distance, nearest};

    #[test]
    fn a_problem_shows_its_line_with_a_caret_below_what_is_meant() {
        let text = "a = 1\n\tto = \"ärp\"\n";
        let start = text.find("\"ä").unwrap();
        let mut problems = Collector::new(text, false);
        let place = Place::new("flows.x.to", start..start + "\"ärp\"".len());
        problems.error("WB-P003", &place, "there is no system 'ärp'", "did you mean 'erp'?");
        let problem = problems.finish().problems.remove(0);
        assert_eq!((problem.line, problem.column, problem.length), (2, 7, 5));
        let shown = problem.render("plan.toml");
        assert_eq!(
            shown,
            "error[WB-P003]: there is no system 'ärp'\n --> plan.toml:2:7 (flows.x.to)\n  |\n2 | \tto = \"ärp\"\n  | \t     ^^^^^\n  = did you mean 'erp'?\n"
        );
    }

    #[test]
    fn the_nearest_name_is_told() {
        assert_eq!(distance("erb", "erp"), 1);
        assert_eq!(nearest("shiping", ["shipping", "shop"].into_iter()), "did you mean 'shipping'?");
        assert_eq!(nearest("x", std::iter::empty()), "there is none to name");
    }
}
