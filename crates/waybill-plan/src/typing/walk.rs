//! Walking over an expression's parts.

use minijinja::machinery::ast::{CallArg, Expr};

/// A name with the fields behind it: `order.customer.email`, `order['customer']` too.
pub(super) fn path(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Var(var) => Some(var.id.to_owned()),
        Expr::GetAttr(attr) => path(&attr.expr).map(|parent| format!("{parent}.{}", attr.name)),
        Expr::GetItem(item) => match &item.subscript_expr {
            Expr::Const(name) => {
                path(&item.expr).and_then(|parent| name.value.as_str().map(|name| format!("{parent}.{name}")))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Every name with the fields behind it that an expression reads.
pub(crate) fn paths(expression: &Expr<'_>, found: &mut Vec<String>) {
    if let Some(path) = path(expression) {
        found.push(path);
        return;
    }
    for part in children(expression) {
        paths(part, found);
    }
}

/// The parts of an expression.
pub(super) fn children<'a, 's>(expression: &'a Expr<'s>) -> Vec<&'a Expr<'s>> {
    fn arguments<'a, 's>(arguments: &'a [CallArg<'s>]) -> impl Iterator<Item = &'a Expr<'s>> {
        arguments.iter().map(|argument| match argument {
            CallArg::Pos(expression)
            | CallArg::Kwarg(_, expression)
            | CallArg::PosSplat(expression)
            | CallArg::KwargSplat(expression) => expression,
        })
    }
    match expression {
        Expr::Var(_) | Expr::Const(_) => Vec::new(),
        Expr::Slice(slice) => [Some(&slice.expr), slice.start.as_ref(), slice.stop.as_ref(), slice.step.as_ref()]
            .into_iter()
            .flatten()
            .collect(),
        Expr::UnaryOp(op) => vec![&op.expr],
        Expr::BinOp(op) => vec![&op.left, &op.right],
        Expr::Compare(compare) => std::iter::once(&compare.expr).chain(compare.ops.iter().map(|op| &op.expr)).collect(),
        Expr::IfExpr(choice) => [Some(&choice.test_expr), Some(&choice.true_expr), choice.false_expr.as_ref()]
            .into_iter()
            .flatten()
            .collect(),
        Expr::Filter(filter) => filter.expr.iter().chain(arguments(&filter.args)).collect(),
        Expr::Test(test) => std::iter::once(&test.expr).chain(arguments(&test.args)).collect(),
        Expr::GetAttr(attr) => vec![&attr.expr],
        Expr::GetItem(item) => vec![&item.expr, &item.subscript_expr],
        Expr::Call(call) => std::iter::once(&call.expr).chain(arguments(&call.args)).collect(),
        Expr::List(list) => list.items.iter().collect(),
        Expr::Tuple(tuple) => tuple.items.iter().collect(),
        Expr::Map(map) => map.keys.iter().chain(&map.values).collect(),
    }
}

/// The bytes of an expression. minijinja's span of an operation begins behind its first part.
pub(super) fn extent(expression: &Expr<'_>) -> (usize, usize) {
    let span = expression.span();
    let own = (span.start_offset as usize, span.end_offset as usize);
    children(expression).into_iter().map(extent).fold(own, |(from, to), (start, end)| (from.min(start), to.max(end)))
}
