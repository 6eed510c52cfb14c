//! Lines of a file as people are shown them.

use std::ops::Range;

/// No more characters of a line are shown on either side of what is meant.
const AROUND: usize = 140;
/// No message is longer: it may quote what somebody wrote.
const LONGEST: usize = 600;

/// A file's lines.
pub(super) struct Excerpts<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    /// What is covered, in order.
    hidden: Vec<Range<usize>>,
}

impl<'t> Excerpts<'t> {
    pub(super) fn new(text: &'t str, mut hidden: Vec<Range<usize>>) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        hidden.sort_by_key(|span| span.start);
        Self { text, starts, hidden }
    }

    /// Line, column and length in characters of some bytes, the line as it is shown, and how many characters of that
    /// stand before what is meant. What goes beyond the line is cut.
    pub(super) fn of(&self, span: &Range<usize>) -> (usize, usize, usize, String, usize) {
        let (start, end) = (self.floor(span.start), self.floor(span.end.max(span.start)));
        let line = self.starts.partition_point(|begin| *begin <= start);
        let line_start = self.starts[line - 1];
        let line_end = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        let line_end = line_start + self.text[line_start..line_end].trim_end_matches('\r').len();
        let start = start.min(line_end);
        let column = self.text[line_start..start].chars().count() + 1;
        let length = self.text[start..end.clamp(start, line_end)].chars().count().max(1);
        let (shown, lead) = self.shown(line_start, start, line_end, length);
        (line, column, length, shown, lead)
    }

    fn floor(&self, at: usize) -> usize {
        (0..=at.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    /// The line around a place, and how many characters of it stand before.
    fn shown(&self, line_start: usize, start: usize, line_end: usize, length: usize) -> (String, usize) {
        let before: Vec<(usize, char)> = self.text[line_start..start].char_indices().rev().take(AROUND + 1).collect();
        let is_cut = before.len() > AROUND;
        let from = before.get(AROUND.saturating_sub(1)).map_or(line_start, |(at, _)| line_start + at);
        let mut shown = String::from(if is_cut { "…" } else { "" });
        shown.extend(self.letters(from, start));
        let lead = shown.chars().count();
        let mut behind = self.letters(start, line_end);
        shown.extend(behind.by_ref().take(length.min(AROUND) + AROUND));
        if behind.next().is_some() {
            shown.push('…');
        }
        (shown, lead)
    }

    /// Characters of the file, what is to be covered as stars, what would disturb a terminal as one sign.
    fn letters(&self, from: usize, to: usize) -> impl Iterator<Item = char> {
        let first = self.hidden.partition_point(|span| span.end <= from);
        let hidden = &self.hidden[first.min(self.hidden.len())..];
        self.text[from..to].char_indices().map(move |(at, letter)| {
            let is_hidden = hidden.iter().take_while(|span| span.start <= from + at).any(|span| span.end > from + at);
            if is_hidden {
                '*'
            } else if letter != '\t' && disturbs(letter) {
                char::REPLACEMENT_CHARACTER
            } else {
                letter
            }
        })
    }
}

/// Whether a character moves the cursor or turns the direction of what follows.
fn disturbs(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A message without what would disturb a terminal, and not without end.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(LONGEST));
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        if disturbs(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Columns that a character takes on a terminal, roughly: East Asian ones and pictures two, combining ones none.
pub(super) fn width(letter: char) -> usize {
    match u32::from(letter) {
        0x0300..=0x036f | 0x0483..=0x0489 | 0x0591..=0x05bd | 0x064b..=0x065f | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff => 0,
        0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xa960..=0xa97f | 0xac00..=0xd7a3 => 2,
        0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 => 2,
        0x1f300..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f900..=0x1f9ff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}
