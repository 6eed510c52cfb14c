//! What is wrong with a plan, where, and how to mend it.

mod excerpt;
mod nearest;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
    ops::{Bound, Range},
};

use serde::Serialize;

use self::excerpt::{Excerpts, plain, width};
use crate::codes;

pub(crate) use self::nearest::{close, distance, nearest, nearest_or};

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
    /// Where in the plan: `flows.orders-to-erp.to`; empty for the file as a whole.
    pub at: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the line, in characters, from 1.
    pub column: usize,
    /// How many characters of that line are meant; at least 1.
    pub length: usize,
    /// The line as it is written: secrets are covered, and a very long line is cut around what is meant.
    pub text: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
    /// How many characters of `text` stand before what is meant.
    #[serde(skip)]
    lead: usize,
    /// The reference that does not resolve.
    #[serde(skip)]
    reference: Option<String>,
}

impl Problem {
    /// The problem as `plan check` shows it: code, place, the line with a caret, how to mend it.
    pub fn render(&self, file: &str) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let mut shown = format!("{}[{}]: {}\n{margin}--> {file}", self.severity.word(), self.code, self.what);
        if !self.at.is_empty() || self.line > 1 || !self.text.is_empty() {
            let _ = write!(shown, ":{}:{}", self.line, self.column);
        }
        if !self.at.is_empty() {
            let _ = write!(shown, " ({})", self.at);
        }
        shown.push('\n');
        if !self.text.is_empty() {
            // Tabs stay, so that the caret stands below its text; wide characters take two columns.
            let before = self.text.chars().take(self.lead);
            let lead: String =
                before.map(|letter| if letter == '\t' { "\t".to_owned() } else { " ".repeat(width(letter)) }).collect();
            let meant = self.text.chars().skip(self.lead).take(self.length).map(width).sum::<usize>().max(1);
            let carets = "^".repeat(meant);
            let _ = write!(shown, "{margin} |\n{number} | {}\n{margin} | {lead}{carets}\n", self.text);
        }
        let _ = writeln!(shown, "{margin} = {}", self.mend);
        shown
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

    /// How many there are of a severity, as they are shown: references that do not resolve are one warning.
    pub fn count(&self, severity: Severity) -> usize {
        let alone =
            self.problems.iter().filter(|problem| problem.severity == severity && !problem.is_grouped()).count();
        alone + usize::from(severity == Severity::Warning && self.problems.iter().any(Problem::is_grouped))
    }

    /// All of them as `plan check` shows them: each by itself, and last the references that do not resolve, together.
    pub fn render(&self, file: &str) -> String {
        let alone: Vec<&Problem> = self.problems.iter().filter(|problem| !problem.is_grouped()).collect();
        let mut blocks: Vec<String> = alone.iter().take(MOST_SHOWN).map(|problem| problem.render(file)).collect();
        if alone.len() > MOST_SHOWN {
            blocks.push(format!("… and {} more; mend these first\n", alone.len() - MOST_SHOWN));
        }
        blocks.extend(self.unresolved(file));
        blocks.join("\n")
    }

    /// The references that do not resolve, by name, each with its lines.
    fn unresolved(&self, file: &str) -> Option<String> {
        let grouped: Vec<&Problem> = self.problems.iter().filter(|problem| problem.is_grouped()).collect();
        let first = grouped.first()?;
        let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut names: Vec<&str> = Vec::new();
        for problem in &grouped {
            let name = problem.reference.as_deref().unwrap_or_default();
            let name = name.strip_prefix("env:").unwrap_or(name);
            lines.entry(name).or_default().push(problem.line.to_string());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let told = names.iter().map(|name| {
            let at = &lines[name];
            format!("{name} ({} {})", if at.len() == 1 { "line" } else { "lines" }, at.join(", "))
        });
        let is_one = names.len() == 1;
        let what = if is_one { "reference does" } else { "references do" };
        let mut shown = format!("warning[{}]: {} {what} not resolve here:", first.code, names.len());
        let mut column = shown.len();
        for (index, name) in told.enumerate() {
            let name = if index + 1 == names.len() { name } else { format!("{name},") };
            if column + 1 + name.len() > LONGEST_LINE {
                shown.push_str("\n   ");
                column = 3;
            }
            column += 1 + name.len();
            shown.push(' ');
            shown.push_str(&name);
        }
        let it = if is_one { "it" } else { "them" };
        let _ = write!(shown, "\n --> {file}\n  = set {it} where the services run; --resolve makes an error of it\n");
        Some(shown)
    }
}

/// Nobody reads more problems at once.
const MOST_SHOWN: usize = 100;
/// Longer lists go on in the next line.
const LONGEST_LINE: usize = 118;

impl Problem {
    /// Whether it is told together with others of its kind: who checks a plan seldom has its secrets.
    const fn is_grouped(&self) -> bool {
        matches!(self.severity, Severity::Warning) && self.reference.is_some()
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

/// A problem before its line is cut out of the file.
struct Found {
    code: &'static str,
    severity: Severity,
    place: Place,
    what: String,
    mend: String,
    reference: Option<String>,
}

/// Collects what is wrong while a plan is read.
pub(crate) struct Collector<'t> {
    text: &'t str,
    /// Whether a reference that does not resolve refuses the plan.
    resolves: bool,
    found: Vec<Found>,
    /// The places that something was said about.
    paths: BTreeSet<String>,
    /// Bytes that nobody is to read: secrets.
    hidden: Vec<Range<usize>>,
}

impl<'t> Collector<'t> {
    pub(crate) const fn new(text: &'t str, resolves: bool) -> Self {
        Self { text, resolves, found: Vec::new(), paths: BTreeSet::new(), hidden: Vec::new() }
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

    pub(crate) fn add(&mut self, severity: Severity, code: &'static str, place: &Place, what: String, mend: String) {
        debug_assert!(codes::of(code).is_some(), "{code} is not in the catalogue");
        self.paths.insert(place.path.clone());
        self.found.push(Found { code, severity, place: place.clone(), what, mend, reference: None });
    }

    /// A reference that does not resolve here: an error where services start, a warning elsewhere.
    pub(crate) fn unresolved(&mut self, place: &Place, reference: &str, what: String, mend: &str) {
        let severity = if self.resolves { Severity::Error } else { Severity::Warning };
        self.add(severity, "WB-P029", place, what, mend.to_owned());
        if let Some(found) = self.found.last_mut() {
            found.reference = Some(plain(reference));
        }
    }

    /// Covers what stands there wherever its line is shown.
    pub(crate) fn hide(&mut self, place: &Place) {
        self.hidden.push(place.span.clone());
    }

    /// Whether what stands there is covered, or a part of it.
    pub(crate) fn hides(&self, place: &Place) -> bool {
        self.hidden.iter().any(|hidden| hidden.start < place.span.end && place.span.start < hidden.end)
    }

    /// Whether something was said already about a place or what is in it.
    pub(crate) fn at(&self, path: &str) -> bool {
        let begin =
            self.paths.range::<str, _>((Bound::Included(path), Bound::Unbounded)).take_while(|at| at.starts_with(path));
        begin.map(|at| &at[path.len()..]).any(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }

    /// The problems by place, each once.
    pub(crate) fn finish(self) -> Problems {
        let mut found = self.found;
        found.sort_by(|x, y| (x.place.span.start, x.code, &x.what).cmp(&(y.place.span.start, y.code, &y.what)));
        let excerpts = Excerpts::new(self.text, self.hidden);
        let problem = |found: Found| {
            let Found { code, severity, place, what, mend, reference } = found;
            let (at, what, mend) = (plain(&place.path), plain(&what), plain(&mend));
            let (line, column, length, mut text, mut lead) = excerpts.of(&place.span);
            if at.is_empty() && place.span.is_empty() && code != "WB-P020" {
                // It is about the file as a whole.
                (text, lead) = (String::new(), 0);
            }
            Problem { code, severity, at, line, column, length, text, what, mend, lead, reference }
        };
        let mut problems: Vec<Problem> = found.into_iter().map(problem).collect();
        problems.dedup();
        Problems { problems }
    }
}

#[cfg(test)]
mod tests {
    use super::{Collector, Place, Problem};

    /// A problem about a part of a text.
    fn about(text: &str, part: &str) -> Problem {
        let start = text.find(part).unwrap();
        let mut problems = Collector::new(text, false);
        let place = Place::new("flows.x.to", start..start + part.len());
        problems.error("WB-P003", &place, "there is no such system", "did you mean 'erp'?");
        problems.finish().problems.remove(0)
    }

    #[test]
    fn a_problem_shows_its_line_with_a_caret_below_what_is_meant() {
        let problem = about("a = 1\n\tto = \"ärp\"\n", "\"ärp\"");
        assert_eq!((problem.line, problem.column, problem.length), (2, 7, 5));
        assert_eq!(
            problem.render("plan.toml"),
            "error[WB-P003]: there is no such system\n --> plan.toml:2:7 (flows.x.to)\n  |\n2 | \tto = \"ärp\"\n  | \t     ^^^^^\n  = did you mean 'erp'?\n"
        );
    }

    #[test]
    fn the_caret_stands_right_behind_wide_and_combining_characters() {
        let shown = about("名 = \"e\u{301}\" # x", "# x").render("p");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[4], "  |          ^^^", "{shown}");
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_meant_and_control_characters_are_not_shown() {
        let text = format!("to = \"{}\u{1b}[31mhere{}\"", "x".repeat(5000), "y".repeat(5000));
        let problem = about(&text, "here");
        assert_eq!((problem.column, problem.length), (5012, 4));
        assert!(problem.text.chars().count() < 400 && !problem.text.contains('\u{1b}'), "{}", problem.text);
        let (caret, shown) = (problem.render("p"), problem.text.chars().skip(problem.lead).collect::<String>());
        assert!(caret.contains("^^^^") && shown.starts_with("hereyy"), "{caret}");
    }

    #[test]
    fn a_secret_is_covered_in_every_line_that_is_shown() {
        let text = "token = \"s3cret\" # mine\n";
        let mut problems = Collector::new(text, false);
        let place = Place::new("systems.x.token", 8..16);
        problems.error("WB-P013", &place, "a secret stands in the plan", "write env:NAME");
        problems.hide(&place);
        let shown = problems.finish().render("p");
        assert!(shown.contains("1 | token = ******** # mine\n  |         ^^^^^^^^\n"), "{shown}");
    }

    #[test]
    fn references_that_do_not_resolve_are_one_warning_by_name() {
        let text = "a = \"env:A\"\nb = \"env:B\"\nc = \"env:A\"\n";
        let said = |resolves| {
            let mut problems = Collector::new(text, resolves);
            for (at, name) in [(4, "env:A"), (16, "env:B"), (28, "env:A")] {
                problems.unresolved(&Place::new("x", at..at + 7), name, format!("{name} is not set"), "set it");
            }
            problems.finish().render("p")
        };
        let warned = "warning[WB-P029]: 2 references do not resolve here: A (lines 1, 3), B (line 2)\n --> p\n  = set them where the services run; --resolve makes an error of it\n";
        assert_eq!(said(false), warned);
        assert_eq!(said(true).matches("error[WB-P029]: env:").count(), 3);
    }

    #[test]
    fn whether_something_was_said_about_a_place_goes_by_whole_names() {
        let mut problems = Collector::new("", false);
        problems.error("WB-P003", &Place::new("flows.ab.to", 0..0), "", "");
        problems.error("WB-P003", &Place::new("flows.a-b", 0..0), "", "");
        assert!(problems.at("flows.ab") && problems.at("flows.ab.to") && problems.at("flows"));
        assert!(!problems.at("flows.a") && !problems.at("flows.ab.t"));
    }
}
