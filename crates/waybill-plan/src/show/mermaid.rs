//! The drawing as a Mermaid flowchart.

use std::fmt::Write as _;

use super::drawing::{Drawing, Node, Role};

/// Signs that mean nothing to Mermaid within quotes, nor to the Markdown that it reads there.
const HARMLESS: &str = " ,/+=!?@%'-";

impl Drawing {
    /// As Mermaid reads it.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let _ = writeln!(text, "  {}", box_of(at, node));
        }
        for arrow in &self.arrows {
            join(&mut text, &arrow.from, &arrow.to, "-->", &arrow.label);
        }
        for wait in &self.waits {
            join(&mut text, &wait.from, &wait.to, "-.->", &wait.label);
        }
        text.push_str("  classDef shadow stroke-dasharray: 4 4\n  classDef paused opacity: 0.6\n");
        for (at, node) in self.nodes.iter().enumerate() {
            for mark in &node.marks {
                let _ = writeln!(text, "  class {} {mark}", id(at));
            }
        }
        text
    }
}

fn id(at: usize) -> String {
    format!("n{at}")
}

fn box_of(at: usize, node: &Node) -> String {
    let marks: String = node.marks.iter().map(|mark| format!("<br/>{}", escaped(mark))).collect();
    let label = format!("\"{}<br/>{}{marks}\"", escaped(&node.name), escaped(&node.about));
    let (open, close) = match node.role {
        Role::Store => ("[(", ")]"),
        Role::System => ("[", "]"),
        Role::Watch => ("{{", "}}"),
        Role::Pager => ("([", "])"),
    };
    format!("{}{open}{label}{close}", id(at))
}

fn join(text: &mut String, from: &[usize], to: &[usize], arrow: &str, label: &str) {
    let all = |ends: &[usize]| ends.iter().map(|at| id(*at)).collect::<Vec<_>>().join(" & ");
    if !from.is_empty() && !to.is_empty() {
        let _ = writeln!(text, "  {} {arrow}|\"{}\"| {}", all(from), escaped(label), all(to));
    }
}

/// A text within quotes: every sign that could mean something there, or begin a list, as its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let is_harmless = match sign {
            // Not an icon, "fa:fa-car".
            ':' => signs.peek().is_some_and(char::is_ascii_digit),
            '.' => signs.peek().is_some_and(|next| !next.is_whitespace()),
            sign if HARMLESS.contains(sign) => !escaped.is_empty(),
            sign => sign.is_alphanumeric() || "–…".contains(sign),
        };
        if sign.is_control() {
            escaped.push(' ');
        } else if is_harmless {
            escaped.push(sign);
        } else {
            let _ = write!(escaped, "#{};", u32::from(sign));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Drawing, Node, Role, escaped};
    use crate::show::Arrow;

    #[test]
    fn what_means_something_to_mermaid_is_written_as_its_number() {
        assert_eq!(escaped("order.total > decimal(\"500\")"), "order.total #62; decimal#40;#34;500#34;#41;");
        assert_eq!(
            escaped("a|b;c#d`e*f_g~[h]{i}<br>\\&"),
            "a#124;b#59;c#35;d#96;e#42;f#95;g#126;#91;h#93;#123;i#125;#60;br#62;#92;#38;"
        );
        assert_eq!(escaped("line\nbreak\tand\u{1b}"), "line break and ");
        assert_eq!(escaped("Österreich – ‘x’"), "Österreich – #8216;x#8217;");
        assert_eq!(
            [escaped("1. first"), escaped("- one"), escaped("a-b.c.")],
            ["1#46; first", "#45; one", "a-b.c#46;"]
        );
    }

    #[test]
    fn a_label_cannot_end_its_own_quotes() {
        let node = |name: &str, role| Node {
            role,
            name: name.to_owned(),
            about: "x\"]; click n0 \"".to_owned(),
            marks: vec![],
        };
        let drawing = Drawing {
            nodes: vec![node("main", Role::Store), node("erp", Role::System)],
            arrows: vec![Arrow {
                flow: "f".to_owned(),
                kind: waybill_domain::Kind::Order,
                label: "order if \"|end".to_owned(),
                from: vec![0],
                to: vec![1],
            }],
            waits: Vec::new(),
        };
        for line in drawing.to_mermaid().lines() {
            assert!([0, 2].contains(&line.matches('"').count()), "{line}");
        }
    }
}
