//! Conditions that hold for no record at all.

use std::collections::BTreeMap;

use minijinja::machinery::ast::{BinOpKind, Expr, UnaryOpKind};

use super::{constant, walk::path};

/// Why a condition holds for no record, if it does not.
pub(crate) fn never(condition: &Expr<'_>) -> Option<String> {
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
    fn add(&mut self, condition: &Expr<'_>, holds: bool) -> Option<String> {
        match condition {
            Expr::Const(value) if value.value.is_true() != holds => {
                Some(format!("'{}' is the same for every record", value.value))
            }
            Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => self.add(&op.expr, !holds),
            Expr::BinOp(op) => match op.op {
                BinOpKind::ScAnd if holds => self.add(&op.left, true).or_else(|| self.add(&op.right, true)),
                BinOpKind::ScOr if !holds => self.add(&op.left, false).or_else(|| self.add(&op.right, false)),
                BinOpKind::ScOr => {
                    let (left, right) = (never(&op.left)?, never(&op.right)?);
                    Some(if left == right { left } else { format!("{left}, and {right}") })
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
                (before != holds).then(|| format!("'{part}' cannot be both yes and no"))
            }
        }
    }

    fn demand(&mut self, part: String, texts: Vec<String>) -> Option<String> {
        let Some(before) = self.texts.get_mut(&part) else {
            self.texts.insert(part, texts);
            return None;
        };
        let left: Vec<String> = before.iter().filter(|text| texts.contains(text)).cloned().collect();
        if left.is_empty() {
            let all = |texts: &[String]| format!("'{}'", texts.join("' or '"));
            return Some(format!("'{part}' cannot be {} and {} at once", all(before), all(&texts)));
        }
        *before = left;
        None
    }
}
