//! Tables on a terminal.

use std::io::{self, Write};

/// On which side a column's cells begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Aligned columns under headings.
#[derive(Debug)]
pub(super) struct Table {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns by heading. Those of numbers begin with `#`, which is not shown.
    pub(super) fn new(headings: &[&str]) -> Self {
        let side = |heading: &&str| if heading.starts_with('#') { Side::Right } else { Side::Left };
        let shown = |heading: &&str| heading.trim_start_matches('#').to_uppercase();
        Self { sides: headings.iter().map(side).collect(), rows: vec![headings.iter().map(shown).collect()] }
    }

    /// Adds a row of as many cells as there are headings. What is empty is shown as a dash.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.sides.len());
        let shown = |cell: String| if cell.is_empty() { "–".to_owned() } else { plain(&cell) };
        self.rows.push(cells.map(shown).into());
    }

    /// Writes the table, each line after `indent`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(&self, out: &mut dyn Write, indent: &str) -> io::Result<()> {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.sides.len()).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).zip(&self.sides).map(|((cell, &width), side)| match side {
                Side::Left => format!("{cell:<width$}"),
                Side::Right => format!("{cell:>width$}"),
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            writeln!(out, "{indent}{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A text without signs that steer a terminal: what a vendor said must not move the cursor.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_are_aligned_and_numbers_end_together() {
        let mut table = Table::new(&["system", "#gap"]);
        table.row(["erp".to_owned(), "+12".to_owned()]);
        table.row(["shipstation".to_owned(), "0".to_owned()]);
        let mut out = Vec::new();
        table.write(&mut out, "  ").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  SYSTEM       GAP\n  erp          +12\n  shipstation    0\n");
    }

    #[test]
    fn a_vendors_words_do_not_steer_the_terminal() {
        assert_eq!(super::plain("\u{1b}[2Jgone\r\n"), " [2Jgone  ");
    }
}
