//! Conditions that hold for no record at all.

use std::collections::BTreeMap;

use minijinja::machinery::ast::{BinOpKind, Expr, UnaryOpKind};

use super::{constant, walk::path};

/// Why a condition holds for no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Never {
    pub(crate) why: String,
    pub(crate) mend: String,
}

impl Never {
    fn new(why: String, mend: impl Into<String>) -> Self {
        Self { why, mend: mend.into() }
    }
}

/// Why a condition holds for no record, if it does not.
pub(crate) fn never(condition: &Expr<'_>) -> Option<Never> {
    let mut demands = Demands::default();
    demands.add(condition, true)
}

/// What a condition demands of each part.
#[derive(Default)]
struct Demands {
    /// The texts that a part may be.
    texts: BTreeMap<String, Vec<String>>,
    /// Whether a part has to be yes.
    flags: BTreeMap<String, bool>,
}

impl Demands {
    /// Adds a condition that has to hold, or must not; says why it cannot together with those before.
    fn add(&mut self, condition: &Expr<'_>, holds: bool) -> Option<Never> {
        match condition {
            Expr::Const(value) if value.value.is_true() != holds => {
                let why = format!("'{}' is the same for every record", value.value);
                Some(Never::new(why, "write a condition, or drop the flow"))
            }
            Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => self.add(&op.expr, !holds),
            Expr::BinOp(op) => match op.op {
                BinOpKind::ScAnd if holds => self.add(&op.left, true).or_else(|| self.add(&op.right, true)),
                BinOpKind::ScOr if !holds => self.add(&op.left, false).or_else(|| self.add(&op.right, false)),
                BinOpKind::ScOr => {
                    let (left, right) = (never(&op.left)?, never(&op.right)?);
                    Some(if left == right {
                        left
                    } else {
                        Never::new(format!("{}, and {}", left.why, right.why), "correct both sides of or")
                    })
                }
                BinOpKind::Eq if holds => {
                    let (part, text) = [(&op.left, &op.right), (&op.right, &op.left)]
                        .into_iter()
                        .find_map(|(part, text)| Some((path(part)?, constant(text)?)))?;
                    self.demand(part, vec![text])
                }
                BinOpKind::In if holds => {
                    let items = match &op.right {
                        Expr::List(list) => &list.items,
                        Expr::Tuple(tuple) => &tuple.items,
                        _ => return None,
                    };
                    let texts: Option<Vec<String>> = items.iter().map(constant).collect();
                    self.demand(path(&op.left)?, texts?)
                }
                _ => None,
            },
            other => {
                let part = path(other)?;
                let before = self.flags.insert(part.clone(), holds)?;
                let why = format!("'{part}' cannot be both yes and no");
                (before != holds).then(|| Never::new(why, "take one of the two out, or write or between them"))
            }
        }
    }

    fn demand(&mut self, part: String, texts: Vec<String>) -> Option<Never> {
        let Some(before) = self.texts.get_mut(&part) else {
            self.texts.insert(part, texts);
            return None;
        };
        let left: Vec<String> = before.iter().filter(|text| texts.contains(text)).cloned().collect();
        if left.is_empty() {
            let all = |texts: &[String]| format!("'{}'", texts.join("' or '"));
            let why = format!("'{part}' cannot be {} and {} at once", all(before), all(&texts));
            let every: Vec<&str> = before.iter().chain(&texts).map(String::as_str).collect();
            let mend = format!("if one of them is enough, write {part} in ['{}']", every.join("', '"));
            return Some(Never::new(why, mend));
        }
        *before = left;
        None
    }
}
