//! Documents as Tryton's records: pure.

pub(crate) mod address;
pub(crate) mod fields;
pub(crate) mod lines;
pub(crate) mod party;
pub(crate) mod recognised;
pub(crate) mod sale;
pub(crate) mod scope;

/// One line of text as `fields.Char` takes it: no tabs or line ends, no blanks at the ends.
pub(crate) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The same text, where Tryton writes nothing as null or as an empty text.
pub(crate) fn same_text(ours: &str, theirs: Option<&str>) -> bool {
    ours == theirs.unwrap_or_default()
}
