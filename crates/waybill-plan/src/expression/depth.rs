//! How deep an expression is nested, before anything is built of it. The parser, the compiler and what walks over an
//! expression go down with it, and a stack ends.

use minijinja::machinery::{Token, tokenize};

/// Deeper than anybody writes by hand, and far from the end of a thread's stack.
const DEEPEST: usize = 128;

/// What is between two brackets, or outside all of them.
#[derive(Default)]
struct Level {
    /// `and`, `or` and `if` since the last comma: each goes around what stands before it.
    joins: usize,
    /// The other operators since the last of those.
    operators: usize,
    /// The deepest brackets among them.
    brackets: usize,
    /// The deepest part between joins.
    part: usize,
    /// The deepest of what commas part.
    deepest: usize,
}

impl Level {
    fn end_part(&mut self) {
        self.part = self.part.max(self.operators + self.brackets);
        (self.operators, self.brackets) = (0, 0);
    }

    fn end(&mut self) {
        self.end_part();
        self.deepest = self.deepest.max(self.joins + self.part);
        (self.joins, self.part) = (0, 0);
    }
}

/// Whether an expression is too deeply nested to be read. What is no expression is for the parser to say.
pub(super) fn is_too_deep(source: &str) -> bool {
    let mut levels = vec![Level::default()];
    for token in tokenize(source, true, Default::default()).map_while(Result::ok) {
        if matches!(token.0, Token::ParenClose | Token::BracketClose | Token::BraceClose) {
            close(&mut levels);
            continue;
        }
        let Some(level) = levels.last_mut() else { return false };
        match token.0 {
            Token::Ident("and" | "or" | "if") => {
                level.end_part();
                level.joins += 1;
            }
            Token::Ident("else") => level.end_part(),
            Token::Comma | Token::Colon => level.end(),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                level.operators += 1;
                levels.push(Level::default());
                if levels.len() > DEEPEST {
                    return true;
                }
            }
            Token::Ident("not" | "in" | "is")
            | Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::FloorDiv
            | Token::Pow
            | Token::Mod
            | Token::Dot
            | Token::Tilde
            | Token::Pipe
            | Token::Eq
            | Token::Ne
            | Token::Gt
            | Token::Gte
            | Token::Lt
            | Token::Lte => level.operators += 1,
            _ => {}
        }
    }
    while levels.len() > 1 {
        close(&mut levels);
    }
    levels.pop().is_some_and(|mut level| {
        level.end();
        level.deepest > DEEPEST
    })
}

/// Ends the innermost brackets, if there are any.
fn close(levels: &mut Vec<Level>) {
    if levels.len() < 2 {
        return;
    }
    let Some(mut inner) = levels.pop() else { return };
    inner.end();
    if let Some(level) = levels.last_mut() {
        level.brackets = level.brackets.max(inner.deepest);
    }
}

#[cfg(test)]
mod tests {
    use super::is_too_deep;

    #[test]
    fn what_people_write_is_not_too_deep() {
        let countries = vec!["order.country == 'AT'"; 100].join(" or ");
        assert!(!is_too_deep(&countries));
        let list = vec!["'AT'"; 800].join(", ");
        assert!(!is_too_deep(&format!("order.country in [{list}]")));
        let choices = "'a' if order.country == 'AT' else ".repeat(100);
        assert!(!is_too_deep(&format!("{choices}'b'")));
        assert!(!is_too_deep("round(times(order.total, decimal('0.5')), 2) | string ~ ' EUR'"));
    }

    #[test]
    fn every_way_of_going_down_is_counted() {
        for part in ["-", "not ", "(", "[", "1+", "a or ", "'a'~", "plus(", "a if ", "{a:", "a[", "-(", "a.b[1]|"] {
            assert!(is_too_deep(&format!("{}1", part.repeat(1000))), "{part}");
        }
        assert!(is_too_deep(&format!("a{}", ".a".repeat(1000))));
        assert!(is_too_deep(&format!("a{}", "|trim".repeat(1000))));
        assert!(is_too_deep(&format!("a{}", "(1)".repeat(1000))));
        assert!(is_too_deep(&format!("{}1{}", "plus(".repeat(300), ",1)".repeat(300))));
    }

    #[test]
    fn brackets_that_do_not_fit_are_left_to_the_parser() {
        assert!(!is_too_deep(")))](("));
        assert!(!is_too_deep("'never ends"));
    }
}
