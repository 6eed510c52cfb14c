//! The tables on a terminal.

use super::{FlowShown, KindShown, Shown, Table, words};

/// So many flows stand beside each other.
const BESIDE: usize = 3;
/// The narrowest column that is still read.
const NARROWEST: usize = 8;
const GAP: usize = 2;

pub(super) fn render(shown: &Shown, columns: usize) -> String {
    let mut lines = vec![format!("Plan {}", shown.hash)];
    for kind in &shown.kinds {
        lines.extend(["".to_owned(), plural(&kind.kind).to_uppercase()]);
        of_kind(kind, columns, &mut lines);
    }
    if !shown.unmoved.is_empty() {
        let unmoved: Vec<String> = shown.unmoved.iter().map(|kind| plural(kind)).collect();
        lines.push(String::new());
        lines.extend(wrap(&format!("No flow moves {}.", words::list(&unmoved)), columns));
    }
    for section in &shown.sections {
        lines.extend(["".to_owned(), section.title.to_uppercase()]);
        for shown in &section.tables {
            table(shown, columns, &mut lines);
        }
    }
    lines.into_iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// `orders`, `stock levels`.
fn plural(kind: &str) -> String {
    format!("{}s", kind.replace('-', " "))
}

fn of_kind(kind: &KindShown, columns: usize, lines: &mut Vec<String>) {
    for rule in &kind.rules {
        lines.extend(wrap(rule, columns));
    }
    for flows in kind.flows.chunks(BESIDE) {
        sheet(flows, columns, lines);
    }
    for flow in kind.flows.iter().filter(|flow| !flow.maps.is_empty()) {
        lines.extend(["".to_owned(), format!("{}:", flow.name)]);
        for map in &flow.maps {
            table(map, columns, lines);
        }
    }
}

/// Flows beside each other, a row per answer.
fn sheet(flows: &[FlowShown], columns: usize, lines: &mut Vec<String>) {
    let answers = flows.first().map(|flow| flow.answers.as_slice()).unwrap_or_default();
    let about = answers.iter().map(|answer| answer.about.chars().count() + GAP).max().unwrap_or(0);
    let each = columns.saturating_sub(about + GAP * flows.len()) / flows.len().max(1);
    let widths: Vec<usize> = [about].into_iter().chain(flows.iter().map(|_| each.max(NARROWEST))).collect();
    lines.push(String::new());
    let names = flows.iter().map(|flow| flow.name.clone());
    row(&[String::new()].into_iter().chain(names).collect::<Vec<_>>(), &widths, lines);
    let mut asked = None;
    for (index, answer) in answers.iter().enumerate() {
        if asked != Some(answer.question) {
            lines.push(answer.question.heading().to_owned());
            asked = Some(answer.question);
        }
        let told = flows.iter().map(|flow| flow.answers[index].text.clone());
        let cells: Vec<String> = [format!("  {}", answer.about)].into_iter().chain(told).collect();
        row(&cells, &widths, lines);
    }
}

fn table(table: &Table, columns: usize, lines: &mut Vec<String>) {
    if !table.title.is_empty() {
        lines.extend(wrap(&table.title, columns.saturating_sub(GAP)).into_iter().map(|line| format!("  {line}")));
    }
    let headings: Vec<String> = table.headings.iter().map(|heading| heading.to_uppercase()).collect();
    let mut rows: Vec<&[String]> = Vec::new();
    if !headings.is_empty() {
        rows.push(&headings);
    }
    rows.extend(table.rows.iter().map(Vec::as_slice));
    let widths = fitting(&rows, columns.saturating_sub(2 * GAP));
    let mut body = Vec::new();
    for cells in rows {
        row(cells, &widths, &mut body);
    }
    lines.extend(body.into_iter().map(|line| format!("    {line}")));
}

/// Widths that fit into so many columns: the widest give way.
fn fitting(rows: &[&[String]], columns: usize) -> Vec<usize> {
    let count = rows.iter().map(|cells| cells.len()).max().unwrap_or(0);
    let longest =
        |column: usize| rows.iter().filter_map(|cells| cells.get(column)).map(|cell| cell.chars().count()).max();
    let mut widths: Vec<usize> = (0..count).map(|column| longest(column).unwrap_or(0)).collect();
    while widths.iter().sum::<usize>() + GAP * count.saturating_sub(1) > columns {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
    widths
}

/// One row, over as many lines as its longest cell needs.
fn row(cells: &[String], widths: &[usize], lines: &mut Vec<String>) {
    let cells: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        let part = |(cell, width): (&Vec<String>, &usize)| {
            let text = cell.get(line).map(String::as_str).unwrap_or_default();
            format!("{text:<width$}")
        };
        let text: Vec<String> = cells.iter().zip(widths).map(part).collect();
        lines.push(text.join(&" ".repeat(GAP)).trim_end().to_owned());
    }
}

/// A text in lines of so many signs. What steers a terminal is a space; a word that is longer is broken. Spaces at the
/// beginning stay.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let text: String = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    let indent = text.chars().take_while(|sign| *sign == ' ').count().min(width.saturating_sub(1));
    let (mut lines, mut line) = (Vec::new(), " ".repeat(indent));
    let mut is_begun = false;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if is_begun && line.chars().count() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            is_begun = false;
        }
        if is_begun {
            line.push(' ');
        }
        while line.chars().count() + word.len() > width.max(1) {
            let fits = width.max(1).saturating_sub(line.chars().count()).max(1);
            line.extend(word.drain(..fits));
            lines.push(std::mem::take(&mut line));
        }
        line.extend(word);
        is_begun = true;
    }
    if is_begun || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{fitting, wrap};

    #[test]
    fn lines_break_between_words_and_within_those_that_are_too_long() {
        assert_eq!(wrap("a rule keeps it away", 8), ["a rule", "keeps it", "away"]);
        assert_eq!(wrap("lookup('tax',tax.title) x", 10), ["lookup('ta", "x',tax.tit", "le) x"]);
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(wrap("  after", 9), ["  after"]);
        assert_eq!(wrap("a \u{1b}[2Jb", 9), ["a [2Jb"]);
        assert_eq!(wrap("12345678", 8), ["12345678"]);
        assert_eq!(wrap("keeps its", 8), ["keeps", "its"]);
    }

    #[test]
    fn the_widest_column_gives_way() {
        let rows = [vec!["a".repeat(10), "b".repeat(100), "c".repeat(20)]];
        let rows: Vec<&[String]> = rows.iter().map(Vec::as_slice).collect();
        assert_eq!(fitting(&rows, 74), [10, 40, 20]);
        assert_eq!(fitting(&rows, 200), [10, 100, 20]);
    }
}
