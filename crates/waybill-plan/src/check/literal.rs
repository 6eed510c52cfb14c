//! TOML's texts as they are written: where each byte of a value stands.

/// For each byte of a text's value, and for its end, the byte of the literal that it comes from; `None` if the literal
/// is not understood, or gives another value.
pub(super) fn positions(literal: &str, value: &str) -> Option<Vec<usize>> {
    let (quotes, escapes) = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quotes| literal.starts_with(quotes))
        .map(|quotes| (quotes, quotes.starts_with('"')))?;
    let end = literal.len().checked_sub(quotes.len()).filter(|end| *end >= quotes.len())?;
    let mut reader = Reader { literal, at: quotes.len(), end, read: String::new(), from: Vec::new() };
    if quotes.len() == 3 {
        // A line break right behind the quotes is no part of the text.
        let rest = reader.rest();
        reader.at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    while let Some(letter) = reader.rest().chars().next() {
        if escapes && letter == '\\' {
            reader.escape()?;
        } else {
            reader.push(letter, letter.len_utf8());
        }
    }
    reader.from.push(end);
    // Readers of TOML may give line breaks as they are, or as one character.
    (reader.read == value).then_some(reader.from)
}

struct Reader<'t> {
    literal: &'t str,
    at: usize,
    end: usize,
    read: String,
    from: Vec<usize>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.literal.get(self.at..self.end).unwrap_or_default()
    }

    fn push(&mut self, letter: char, written: usize) {
        self.from.extend(std::iter::repeat_n(self.at, letter.len_utf8()));
        self.read.push(letter);
        self.at += written;
    }

    fn escape(&mut self) -> Option<()> {
        let kind = self.rest().chars().nth(1)?;
        let short = match kind {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            '"' => '"',
            '\\' => '\\',
            'x' => return self.code(2),
            'u' => return self.code(4),
            'U' => return self.code(8),
            // What follows up to the next letter is left out.
            ' ' | '\t' | '\r' | '\n' => {
                let rest = &self.rest()[1..];
                self.at += 1 + (rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len());
                return Some(());
            }
            _ => return None,
        };
        self.push(short, 2);
        Some(())
    }

    fn code(&mut self, digits: usize) -> Option<()> {
        let code = u32::from_str_radix(self.rest().get(2..2 + digits)?, 16).ok()?;
        self.push(char::from_u32(code)?, 2 + digits);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::positions;

    #[track_caller]
    fn stands(literal: &str, value: &str, part: &str, written: &str) {
        let map = positions(literal, value).unwrap_or_else(|| panic!("{literal} is not understood"));
        let from = value.find(part).unwrap();
        assert_eq!(&literal[map[from]..map[from + part.len()]], written);
    }

    #[test]
    fn the_place_of_a_part_is_known_in_every_kind_of_text() {
        stands("'order.note'", "order.note", "note", "note");
        stands(r#""a == \"ä\" and b""#, "a == \"ä\" and b", "b", "b");
        stands(r#""a == \"ä\" and b""#, "a == \"ä\" and b", "\"ä\"", "\\\"ä\\\"");
        stands(r#""\u00e4 + x""#, "ä + x", "x", "x");
        stands("\"\"\"\norder.total >\n  1\"\"\"", "order.total >\n  1", "1", "1");
        stands("\"\"\"a and \\\n   b\"\"\"", "a and b", "b", "b");
        stands("'''\r\na\n b'''", "a\n b", "b", "b");
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        assert_eq!(positions("env", "env"), None);
        assert_eq!(positions("\"a\"", "b"), None);
        assert_eq!(positions("\"", ""), None);
        assert_eq!(positions("\"\\q\"", "q"), None);
    }
}
