//! What is known to be there once a condition was looked at.

use minijinja::machinery::ast::{BinOpKind, Expr, UnaryOpKind};

use super::walk::path;

/// The parts that are there wherever a condition holds, or where it does not.
pub(super) fn known(condition: &Expr<'_>, holds: bool) -> Vec<String> {
    let mut found = Vec::new();
    collect(condition, holds, &mut found);
    found
}

fn collect(condition: &Expr<'_>, holds: bool, found: &mut Vec<String>) {
    match condition {
        Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => collect(&op.expr, !holds, found),
        Expr::BinOp(op) => match op.op {
            BinOpKind::ScAnd if holds => both(&op.left, &op.right, holds, found),
            BinOpKind::ScOr if !holds => both(&op.left, &op.right, holds, found),
            BinOpKind::Eq => compared(&op.left, &op.right, holds, found),
            BinOpKind::Ne => compared(&op.left, &op.right, !holds, found),
            BinOpKind::In if holds => whole(&op.left, found),
            _ => {}
        },
        Expr::Test(test) => match (test.name, holds) {
            ("none", false) => whole(&test.expr, found),
            // `none` is defined: that something is defined says of what is before it that it is there.
            ("defined", true) | ("undefined", false) => {
                if let Expr::GetAttr(attr) = &test.expr {
                    whole(&attr.expr, found);
                }
            }
            _ => {}
        },
        other if holds => whole(other, found),
        _ => {}
    }
}

fn both(left: &Expr<'_>, right: &Expr<'_>, holds: bool, found: &mut Vec<String>) {
    collect(left, holds, found);
    collect(right, holds, found);
}

/// Two values that are equal, or are not.
fn compared(left: &Expr<'_>, right: &Expr<'_>, equal: bool, found: &mut Vec<String>) {
    let is_none = |part: &Expr<'_>| matches!(part, Expr::Const(value) if value.value.is_none());
    for (part, other) in [(left, right), (right, left)] {
        if is_none(other) != equal {
            whole(part, found);
        }
    }
}

/// A part and all that it is a part of.
fn whole(part: &Expr<'_>, found: &mut Vec<String>) {
    let Some(path) = path(part) else { return };
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    found.extend(ends.map(|end| path[..end].to_owned()));
}
