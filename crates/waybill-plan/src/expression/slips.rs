//! What people write who know another language, and how it is said here.

use std::ops::Range;

use minijinja::Error;

/// What is wrong with an expression that cannot be read, where, and how to mend it.
pub(super) fn explain(source: &str, error: &Error) -> (String, Range<usize>, String) {
    let at = error.range().unwrap_or(0..source.len());
    let at = at.start.min(source.len())..at.end.min(source.len());
    let detail = error.detail().unwrap_or("this is no expression");
    if source.trim().is_empty() {
        return ("there is no expression".to_owned(), 0..source.len(), "write one, or leave the key out".to_owned());
    }
    if let Some((what, at, mend)) = slip(source, &at) {
        return (what.to_owned(), at, mend.to_owned());
    }
    if let (true, Some(open)) = (detail.starts_with("unexpected end of input"), open_bracket(source)) {
        let close = match &source[open..=open] {
            "(" => "close it with )",
            "[" => "close it with ]",
            _ => "close it with }",
        };
        return ("this bracket is not closed".to_owned(), open..open + 1, close.to_owned());
    }
    let (what, mend) = match detail {
        "unexpected end of string" => {
            let begin = source.rfind(['"', '\'']).unwrap_or(0);
            return ("this text does not end".to_owned(), begin..source.len(), "close its quotes".to_owned());
        }
        "template exceeds maximum recursion limits" => return too_deep(source),
        "unexpected input after expression" if source[..at.start].ends_with(['"', '\'']) => {
            ("the text ends before this", "write double quotes around a text with a single one in it: \"Ann's\"")
        }
        "unexpected input after expression" => {
            ("the expression ends before this", "join conditions by and, or; a text stands in quotes: 'AT'")
        }
        "unexpected character" => ("this has no meaning in an expression", EXAMPLE),
        "invalid integer (too large)" => ("this number is too large", "write an amount as decimal(\"…\")"),
        _ if detail.starts_with("unexpected end of input") => ("something is missing behind this", EXAMPLE),
        _ => return (detail.to_owned(), at, EXAMPLE.to_owned()),
    };
    (what.to_owned(), at, mend.to_owned())
}

/// The innermost bracket that is not closed.
fn open_bracket(source: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut quote = None;
    for (at, letter) in source.char_indices() {
        match (quote, letter) {
            (Some(begun), letter) if begun == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '(' | '[' | '{') => open.push(at),
            (None, ')' | ']' | '}') => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

const EXAMPLE: &str = "expressions are Jinja's: order.captured and order.country == 'AT'";

/// What an expression is told that is nested too deeply.
pub(super) fn too_deep(source: &str) -> (String, Range<usize>, String) {
    let mend = "ask with a list, order.country in ['AT', 'DE'], or use a table and lookup";
    let begin = source.char_indices().nth(20).map_or(source.len(), |(at, _)| at);
    ("the expression is nested too deeply".to_owned(), 0..begin, mend.to_owned())
}

/// Operators of other languages: as they are written, what is wrong, how to mend it.
const OPERATORS: [(&str, &str, &str); 14] = [
    ("&&", "conditions are not joined by &&", "write and"),
    ("&", "conditions are not joined by &", "write and"),
    ("||", "conditions are not joined by ||", "write or"),
    ("===", "values are compared with two signs", "write =="),
    ("!==", "values are compared with two signs", "write !="),
    ("<>", "values are not compared with <>", "write !="),
    ("=>", "values are not compared with =>", "write >="),
    ("=<", "values are not compared with =<", "write <="),
    ("=~", "there are no patterns", "write … is startingwith('…'), or '…' in …"),
    ("=", "one = compares nothing", "write =="),
    ("?.", "a point follows the name at once", "write order.customer and order.customer.email"),
    ("??", "there is no ??", "write … | default('…')"),
    ("?", "a choice is not written with ?", "write 'a' if order.captured else 'b'"),
    ("!", "a condition is not turned by !", "write not"),
];

const CAPITALS: &str = "the words between conditions have small letters";

/// Words of other languages.
const WORDS: [(&str, &str, &str); 7] = [
    ("and", CAPITALS, "write and, in small letters"),
    ("or", CAPITALS, "write or, in small letters"),
    ("not", CAPITALS, "write not, in small letters"),
    ("in", CAPITALS, "write in, in small letters"),
    ("like", "there are no patterns", "write … is startingwith('…'), or '…' in …"),
    ("contains", "what contains it stands behind", "write 'vip' in order.tags"),
    ("equals", "values are compared with ==", "write =="),
];

type Slip = (&'static str, Range<usize>, &'static str);

fn slip(source: &str, at: &Range<usize>) -> Option<Slip> {
    for (brackets, mend) in [("{{", "write it without {{ }}"), ("{%", "write it without {% %}")] {
        if source.trim_start().starts_with(brackets) {
            let begin = source.find(brackets)?;
            return Some(("an expression stands by itself", begin..begin + 2, mend));
        }
    }
    let rest = source.get(at.start..)?;
    if let Some(quote) = rest.chars().next().filter(|letter| "“”„‘’«»´`".contains(*letter)) {
        let what = "these are no quotes of an expression";
        return Some((what, at.start..at.start + quote.len_utf8(), "write straight ones: 'AT'"));
    }
    // The error may stand at an operator's last sign.
    let begins = |sign: &str| {
        let mut from = (0..sign.len()).filter_map(|back| at.start.checked_sub(back));
        let from = from.find(|from| source.get(*from..).is_some_and(|rest| rest.starts_with(sign)))?;
        Some(from..from + sign.len())
    };
    let operator = OPERATORS.iter().find_map(|(sign, what, mend)| Some((*what, begins(sign)?, *mend)));
    operator.or_else(|| {
        let word: String = rest.chars().take_while(|letter| letter.is_alphanumeric()).collect();
        let (known, what, mend) = WORDS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(&word))?;
        let is_right = *what == CAPITALS && *known == word;
        (!is_right).then_some((*what, at.start..at.start + word.len(), *mend))
    })
}

#[cfg(test)]
mod tests {
    use minijinja::machinery::parse_expr;

    use super::explain;

    #[track_caller]
    fn told(source: &str, part: &str, mend: &str) {
        let Err(error) = parse_expr(source) else { panic!("{source} can be read") };
        let (_, at, told) = explain(source, &error);
        assert_eq!((&source[at], told.as_str()), (part, mend));
    }

    #[test]
    fn operators_of_other_languages_are_told_in_ours() {
        told("order.captured && order.test", "&&", "write and");
        told("order.captured || order.test", "||", "write or");
        told("order.note = 'x'", "=", "write ==");
        told("order.note === 'x'", "===", "write ==");
        told("order.note <> 'x'", "<>", "write !=");
        told("!order.captured", "!", "write not");
        told("order.captured AND order.test", "AND", "write and, in small letters");
        told("order.tags contains 'vip'", "contains", "write 'vip' in order.tags");
        told("order.customer?.email", "?.", "write order.customer and order.customer.email");
        told("order.note == “x”", "“", "write straight ones: 'AT'");
        told("{{ order.note }}", "{{", "write it without {{ }}");
    }

    #[test]
    fn what_is_not_whole_is_told_as_such() {
        told("(order.captured", "(", "close it with )");
        told("order.country in ['AT', 'DE'", "[", "close it with ]");
        told("order.note == 'x", "'x", "close its quotes");
        told("  ", "  ", "write one, or leave the key out");
        told("order.note == 'it's'", "s", "write double quotes around a text with a single one in it: \"Ann's\"");
    }
}
