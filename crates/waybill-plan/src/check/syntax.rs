//! What TOML's reader says, in the words of people who write plans.

use std::ops::Range;

use toml::de::Error;

use crate::diagnostic::{Collector, Place};

/// After so many the file is hardly a plan.
const MOST: usize = 50;
/// Parts of the names of keys whose values nobody is to read.
const SECRET: [&str; 4] = ["token", "secret", "password", "_key"];

/// Says each line's first error.
pub(super) fn say(errors: &[Error], problems: &mut Collector<'_>) {
    let text = problems.text();
    let mut errors: Vec<(Range<usize>, &str)> =
        errors.iter().map(|error| (error.span().unwrap_or(text.len()..text.len()), error.message())).collect();
    errors.sort_by_key(|(span, _)| span.start);
    if let Some(open) = errors.iter().any(|(_, message)| is_unclosed(message)).then(|| open_bracket(text)).flatten() {
        // All that follows stands within it.
        errors.retain(|(span, _)| span.start < open);
        let close = if text[open..].starts_with('[') { ("list", ']') } else { ("table", '}') };
        let (what, mend) = (format!("this {} does not end", close.0), format!("close it with {}", close.1));
        problems.error("WB-P020", &Place::new("", open..open + 1), what, mend);
    }
    let mut said = 0..0;
    let mut count = 0;
    for (span, message) in errors {
        if count > 0 && said.contains(&span.start) {
            continue;
        }
        let line = line_of(text, span.start);
        let secret = secret_in(text, &line);
        let (what, mend) = match &secret {
            // What is wrong with it cannot be said without saying it.
            Some(secret) if secret.contains(&span.start) => {
                ("this value cannot be read".to_owned(), "write a reference in quotes: \"env:NAME\"".to_owned())
            }
            _ => explain(message, text, &span, &line),
        };
        if let Some(secret) = secret {
            problems.hide(&Place::new("", secret));
        }
        problems.error("WB-P020", &Place::new("", span), what, mend);
        count += 1;
        let is_header = text[line.clone()].trim_start().starts_with('[');
        // All that stands below a header that is there twice is said to be there twice too.
        if count == MOST || (is_header && message.starts_with("duplicate key")) {
            break;
        }
        said = line.start..line.end.max(line.start + 1);
    }
}

fn is_unclosed(message: &str) -> bool {
    message.starts_with("unclosed array, ") || message.starts_with("unclosed inline table")
}

/// The first bracket of a value that is not closed.
fn open_bracket(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut is_value = false;
    let mut at = 0;
    while let Some(letter) = text.as_bytes().get(at) {
        match letter {
            b'#' => at += text.as_bytes()[at..].iter().position(|letter| *letter == b'\n').unwrap_or(1) - 1,
            b'"' | b'\'' => at += text_length(&text.as_bytes()[at..]) - 1,
            b'=' => is_value = true,
            b'\n' => is_value = !open.is_empty(),
            b'[' | b'{' if is_value => open.push(at),
            b']' | b'}' if is_value => drop(open.pop()),
            _ => {}
        }
        at += 1;
    }
    open.first().copied()
}

/// How many bytes a text in quotes takes, at least 1.
fn text_length(written: &[u8]) -> usize {
    let quote = written[0];
    let is_long = written.len() > 2 && written[1] == quote && written[2] == quote;
    if is_long {
        let end = written[3..].windows(3).position(|end| end == [quote; 3]);
        return end.map_or(written.len(), |end| end + 6);
    }
    let mut is_escaped = false;
    for (index, letter) in written.iter().enumerate().skip(1) {
        match letter {
            b'\n' => return index,
            letter if *letter == quote && !is_escaped => return index + 1,
            letter => is_escaped = *letter == b'\\' && quote == b'"' && !is_escaped,
        }
    }
    written.len()
}

/// The line that a byte stands in, without its end.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

/// What stands where a secret belongs: one is written without its quotes as easily as anything else.
fn secret_in(text: &str, line: &Range<usize>) -> Option<Range<usize>> {
    let (key, value) = text[line.clone()].split_once('=')?;
    let key = key.to_lowercase();
    let is_reference = value.contains("env:") || value.contains("file:");
    let is_secret = !is_reference && SECRET.iter().any(|word| key.contains(word));
    is_secret.then(|| line.end - value.trim_start().len()..line.end)
}

fn explain(message: &str, text: &str, span: &Range<usize>, line: &Range<usize>) -> (String, String) {
    let part = text.get(span.clone()).unwrap_or_default();
    let before = text.get(line.start..span.start).unwrap_or_default().trim();
    let key = before.split('=').next().unwrap_or_default().trim();
    let description = message.split(", expected").next().unwrap_or(message);
    let (what, mend): (&str, &str) = match description {
        "duplicate key" => return twice(part, text, line),
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
        "unexpected key or value" if text[line.start..span.start].ends_with('"') => {
            ("the text ends before this", "within double quotes write single ones: \"order.country == 'AT'\"")
        }
        "unexpected key or value" => (
            "the value ends before this",
            "one line holds one key and its value; a condition stands in quotes as a whole",
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

fn twice(part: &str, text: &str, line: &Range<usize>) -> (String, String) {
    let written = text[line.clone()].trim();
    let number = |at: usize| text[..at].matches('\n').count() + 1;
    let header = |line: &str| line.split(']').next().unwrap_or_default().trim().to_owned();
    if let Some(name) = written.strip_prefix("[[") {
        let name = header(name);
        let what = format!("'{name}' is a table already, and becomes a list here");
        return (what, format!("write [[{name}]], in double brackets, above the first one too"));
    }
    let before = &text[..line.start];
    if written.starts_with('[') {
        let first = before.lines().position(|line| line.starts_with('[') && header(line) == header(written));
        let first = first.map(|line| format!("; the first is in line {}", line + 1)).unwrap_or_default();
        let mend = match header(written).as_str() {
            "[flows" => "write [[flows]], in double brackets, above each of them",
            _ => "join the two, or rename one",
        };
        return (format!("{}] stands here a second time{first}", header(written)), mend.to_owned());
    }
    let same_table = before.rfind("\n[").map_or(0, |at| at + 1);
    let is_key = |line: &str| line.split('=').next().is_some_and(|key| key.trim() == part);
    let first = before[same_table..].lines().position(is_key).map(|line| number(same_table) + line);
    let first = first.map(|line| format!("; the first is in line {line}")).unwrap_or_default();
    (format!("'{part}' stands here a second time{first}"), "keep one of the two".to_owned())
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
    ("this text has no quotes".to_owned(), mend)
}
