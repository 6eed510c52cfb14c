//! What TOML's reader says, in the words of people who write plans.

use std::ops::Range;

use toml::de::Error;

use crate::diagnostic::{Collector, Place};

/// After so many the file is hardly a plan.
const MOST: usize = 50;
/// Parts of the names of keys whose values nobody is to read.
const SECRET: [&str; 4] = ["token", "secret", "password", "key"];

/// Says each line's first error.
pub(super) fn say(errors: &[Error], problems: &mut Collector<'_>) {
    let text = problems.text();
    let mut said = 0..0;
    let mut count = 0;
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        if count > 0 && said.contains(&span.start) {
            continue;
        }
        let line = line_of(text, span.start);
        hide_secret(text, &line, problems);
        let (what, mend) = explain(error.message(), text, &span, &line);
        problems.error("WB-P020", &Place::new("", span), what, mend);
        count += 1;
        let is_header = text[line.clone()].trim_start().starts_with('[');
        // All that stands below a header that is there twice is said to be there twice too.
        if count == MOST || (is_header && error.message().starts_with("duplicate key")) {
            break;
        }
        said = line.start..line.end.max(line.start + 1);
    }
}

/// The line that a byte stands in, without its end.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

/// A secret is written without its quotes as easily as anything else.
fn hide_secret(text: &str, line: &Range<usize>, problems: &mut Collector<'_>) {
    let Some((key, value)) = text[line.clone()].split_once('=') else { return };
    let key = key.to_lowercase();
    let is_reference = value.contains("env:") || value.contains("file:");
    if !is_reference && SECRET.iter().any(|word| key.contains(word)) {
        let start = line.end - value.trim_start().len();
        problems.hide(&Place::new("", start..line.end));
    }
}

fn explain(message: &str, text: &str, span: &Range<usize>, line: &Range<usize>) -> (String, String) {
    let part = text.get(span.clone()).unwrap_or_default();
    let before = text.get(line.start..span.start).unwrap_or_default().trim();
    let key = before.split('=').next().unwrap_or_default().trim();
    let description = message.split(", expected").next().unwrap_or(message);
    let (what, mend): (&str, &str) = match description {
        "duplicate key" => return twice(part, text[line.clone()].trim()),
        "string values must be quoted" if !part.is_empty() => return unquoted(part, &text[line.clone()]),
        "string values must be quoted" | "missing value" | "missing value for key" => {
            return (format!("'{key}' has no value"), "write it behind the =".to_owned());
        }
        "invalid unquoted key" | "key with no value" if part.starts_with(':') || before.ends_with(':') => {
            ("a key and its value are joined by =, not by a colon", "write key = value")
        }
        "key with no value" => ("a key stands here without a value", "write key = value"),
        "invalid unquoted key" => {
            ("this cannot stand in a key", "write the key in quotes, or of letters, digits, - and _ only")
        }
        "unexpected key or value" => (
            "the value ends before this",
            "one line holds one key and its value; within a text in double quotes write single ones: \"order.country == 'AT'\"",
        ),
        "invalid basic string" if message.ends_with("expected `\"`") => (
            "the text does not end in its line",
            "close it with \"; a text of several lines stands between \"\"\" and \"\"\"",
        ),
        "invalid literal string" if message.ends_with("expected `'`") => {
            ("the text does not end in its line", "close it with '")
        }
        "invalid basic string" | "invalid literal string" => {
            ("the text has a character that cannot be seen", "take it out")
        }
        "missing escaped value" => (
            "\\ begins an escape such as \\n, and this is none",
            "write \\\\ for the character itself, or the text in single quotes",
        ),
        "unclosed table" => ("the table's header does not end", "close it with ]"),
        "unclosed array table" => ("the table's header does not end", "close it with ]]"),
        "unclosed array" => ("the list does not end", "close it with ]"),
        "unclosed inline table" => ("the table does not end", "close it with }"),
        "missing comma between array elements" | "missing comma between key-value pairs" => {
            ("there is no comma between two values", "write one")
        }
        "extra comma in array" | "extra comma in inline table" => ("there is a comma too many", "take it out"),
        "unexpected leading zero" => {
            ("a number does not begin with 0", "leave the 0 out, or write the number in quotes if it is a code")
        }
        "cannot recurse further; max recursion depth met" | "recursion limit" => {
            ("this is nested too deeply", "a plan needs a few levels only")
        }
        _ => {
            let what = message.lines().collect::<Vec<_>>().join(", ");
            return (what, "write it as TOML: key = value, tables as [name], texts in quotes".to_owned());
        }
    };
    (what.to_owned(), mend.to_owned())
}

fn twice(part: &str, line: &str) -> (String, String) {
    if let Some(header) = line.strip_prefix("[[") {
        let name = header.split(']').next().unwrap_or_default();
        let what = format!("'{name}' is a table already, and becomes a list here");
        return (what, format!("write [[{name}]], in double brackets, above the first one too"));
    }
    if line.starts_with('[') {
        let header = line.split(']').next().unwrap_or_default();
        return (format!("{header}] stands here a second time"), "join the two, or rename one".to_owned());
    }
    (format!("'{part}' stands here a second time"), "keep one of the two".to_owned())
}

fn unquoted(part: &str, line: &str) -> (String, String) {
    if part.starts_with(['“', '”', '„', '‘', '’', '«', '»', '`']) {
        let inner = part.trim_matches(['“', '”', '„', '‘', '’', '«', '»', '`']);
        let mend = format!("write straight ones: \"{inner}\"");
        return ("these are no quotes that TOML knows".to_owned(), mend);
    }
    if part.eq_ignore_ascii_case("true") || part.eq_ignore_ascii_case("false") {
        return (format!("'{part}' is no value"), format!("write {}, in small letters", part.to_lowercase()));
    }
    if matches!(part.to_lowercase().as_str(), "yes" | "no" | "on" | "off") {
        return (format!("'{part}' is no value"), "write true or false".to_owned());
    }
    // The whole value, not its first word.
    let value = line.split_once('=').map_or(part, |(_, value)| value.trim());
    let mend = if value.contains(['"', '#']) || !value.starts_with(part) {
        "write it in quotes".to_owned()
    } else {
        format!("write \"{value}\"")
    };
    ("a text stands in quotes".to_owned(), mend)
}
