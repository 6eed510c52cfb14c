//! Typing expressions before they run: names that are not there, comparisons that cannot hold, amounts that would be
//! taken for inexact numbers, parts that a record need not have. What it does not know it lets pass; what could loop,
//! grow or do IO it does not.

mod calls;
mod comparing;
mod names;
mod never;
mod present;
pub(crate) mod walk;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{
    machinery::ast::{BinOpKind, Expr, Slice, UnaryOpKind},
    value::ValueKind,
};

use self::walk::{children, extent, path};
use crate::{
    diagnostic::Severity,
    schema::{Lack, Type, Why},
};

pub(crate) use self::never::{Never, never};

/// A problem within an expression, by its bytes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    /// Whether all that follows is that some record's expression cannot be computed.
    pub(crate) parks: bool,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) what: String,
    pub(crate) mend: String,
}

/// What an expression may name.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    names: BTreeMap<String, Type>,
    /// The plan's tables; `None` if nobody knows.
    tables: Option<Vec<String>>,
}

impl Scope {
    pub(crate) fn new(names: impl IntoIterator<Item = (String, Type)>, tables: Option<Vec<String>>) -> Self {
        Self { names: names.into_iter().collect(), tables }
    }

    /// The same with one more name.
    pub(crate) fn with(&self, name: &str, of: Type) -> Self {
        let mut scope = self.clone();
        scope.names.insert(name.to_owned(), of);
        scope
    }
}

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Yes or no; nothing is no.
    Condition,
    /// A value; where there is none, the record is parked.
    Value,
}

/// The type of an expression, and what is wrong with it.
pub(crate) fn type_of(expression: &Expr<'_>, source: &str, scope: &Scope, wanted: Wanted) -> (Type, Vec<Finding>) {
    let mut typing = Typing { scope, source, present: Vec::new(), told: BTreeSet::new(), findings: Vec::new() };
    let mut of = typing.of(expression);
    if wanted == Wanted::Value {
        of = typing.there(of);
    }
    (of.certain(), typing.findings)
}

/// A text that is written out. Nothing is computed for it: that could grow without limit.
fn constant(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Const(value) => value.value.as_str().map(str::to_owned),
        _ => None,
    }
}

/// A whole number up to a million, written out, perhaps with a minus.
fn is_small_number(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(value) => u32::try_from(value.value.clone()).is_ok_and(|number| number <= 1_000_000),
        Expr::UnaryOp(op) => matches!(op.op, UnaryOpKind::Neg) && is_small_number(&op.expr),
        _ => false,
    }
}

struct Typing<'a> {
    scope: &'a Scope,
    source: &'a str,
    /// Parts that are known to be there where the walk is.
    present: Vec<String>,
    /// Parts whose absence was told already.
    told: BTreeSet<String>,
    findings: Vec<Finding>,
}

impl Typing<'_> {
    /// What may not exist, because of this.
    fn void(of: Type, why: Why, at: &Expr<'_>) -> Type {
        let (from, to) = extent(at);
        Type::Void(Box::new(of.certain()), Lack { why, from, to })
    }

    fn find(&mut self, code: &'static str, at: &Expr<'_>, what: impl Into<String>, mend: impl Into<String>) -> Type {
        let (from, to) = extent(at);
        let (what, mend) = (what.into(), mend.into());
        // What is wrong with a part is not told of the whole again, nor twice of one name.
        let is_inside = |told: &Finding| from <= told.from && told.to <= to;
        let is_told = |told: &Finding| told.code == code && told.what == what && (is_inside(told) || code == "WB-P021");
        if !self.findings.iter().any(is_told) {
            self.findings.push(Finding { severity: Severity::Error, code, parks: false, from, to, what, mend });
        }
        Type::Unknown
    }

    /// The same about a name within an expression, from a byte on.
    fn find_name(&mut self, code: &'static str, at: &Expr<'_>, name: &str, what: String, mend: String) -> Type {
        let (from, to) = extent(at);
        let before = children(at).first().map_or(from, |part| extent(part).1);
        let of = self.find(code, at, what, mend);
        let stands = self.source.get(before..to).and_then(|rest| rest.find(name)).map(|found| before + found);
        if let (Some(found), Some(stands)) = (self.findings.last_mut(), stands) {
            (found.from, found.to) = (stands, stands + name.len());
        }
        of
    }

    /// A part that a record need not have.
    fn warn(&mut self, (from, to): (usize, usize), parks: bool, what: String, mend: String) {
        let code = "WB-P041";
        self.findings.push(Finding { severity: Severity::Warning, code, parks, from, to, what, mend });
    }

    /// An expression as it is written.
    fn written(&self, expression: &Expr<'_>) -> &str {
        let (from, to) = extent(expression);
        self.source.get(from..to).unwrap_or_default()
    }

    /// The type of a value that has to exist; `none` exists.
    fn there(&mut self, of: Type) -> Type {
        let Type::Void(of, Lack { why, from, to }) = of else { return of };
        let written = self.source.get(from..to).unwrap_or_default().to_owned();
        let (what, mend) = match &why {
            Why::Part(part) => (
                format!("there is not always '{part}': a record without it would be parked"),
                format!("say what stands for it, {written} | default(''), or ask first: {part} and …"),
            ),
            Why::Item => (
                "it may be empty, and has none then: such a record would be parked".to_owned(),
                format!("say what stands for it: {written} | default('')"),
            ),
            Why::Choice => (
                "this gives nothing where its condition does not hold: such a record would be parked".to_owned(),
                format!("say what it gives then: {written} else '', or else none to clear the field"),
            ),
        };
        let key = if let Why::Part(part) = why { part } else { written };
        if self.told.insert(key) {
            self.warn((from, to), true, what, mend);
        }
        *of
    }

    /// The type of a value that is used: it has to exist.
    fn used(&mut self, expression: &Expr<'_>) -> Type {
        self.used_raw(expression).certain()
    }

    /// The type of a value that must not be `none` either, which `taken` says what for.
    fn sure(&mut self, expression: &Expr<'_>, taken: &str) -> Type {
        let of = self.used_raw(expression);
        if matches!(of, Type::Maybe(_)) {
            let part = path(expression).unwrap_or_else(|| self.written(expression).to_owned());
            if self.told.insert(part.clone()) {
                let what = format!("there is not always '{part}', and none {taken}");
                let mend = format!("say what stands for it, {part} | default(''), or ask first: {part} and …");
                self.warn(extent(expression), false, what, mend);
            }
        }
        of.certain()
    }

    /// The type of an expression where parts are known to be there.
    fn within(&mut self, known: Vec<String>, expression: &Expr<'_>) -> Type {
        let before = self.present.len();
        self.present.extend(known);
        let of = self.of(expression);
        self.present.truncate(before);
        of
    }

    fn of(&mut self, expression: &Expr<'_>) -> Type {
        match expression {
            Expr::Const(value) => match value.value.kind() {
                ValueKind::None => Type::Nothing,
                ValueKind::Bool => Type::Flag,
                ValueKind::Number if value.value.is_integer() => Type::Whole,
                ValueKind::Number => Type::Float,
                ValueKind::String => Type::Text,
                _ => Type::Unknown,
            },
            Expr::Var(var) => match self.scope.names.get(var.id) {
                Some(of) => of.clone(),
                None => self.no_such_name(expression, var.id),
            },
            Expr::GetAttr(attr) => self.part(expression, &attr.expr, attr.name),
            Expr::GetItem(item) => match constant(&item.subscript_expr) {
                Some(name) => self.part(expression, &item.expr, &name),
                None => self.item(expression, &item.expr, &item.subscript_expr),
            },
            Expr::Slice(slice) => self.slice(expression, slice),
            Expr::UnaryOp(op) => match (&op.op, self.used(&op.expr)) {
                (UnaryOpKind::Not, _) => Type::Flag,
                (UnaryOpKind::Neg, of @ (Type::Whole | Type::Float | Type::Unknown)) => of,
                (UnaryOpKind::Neg, of) => {
                    let what = format!("{} cannot be negated", of.describe());
                    let mend = format!("write minus(\"0\", {})", self.written(&op.expr));
                    self.find("WB-P022", expression, what, mend)
                }
            },
            Expr::BinOp(op) => self.binary(expression, op.op, &op.left, &op.right),
            Expr::Compare(compare) => {
                let mut before = &compare.expr;
                let mut left = self.of(before);
                for op in &compare.ops {
                    let right = self.of(&op.expr);
                    self.comparison((before, left), (&op.expr, right.clone()), op.op);
                    (left, before) = (right, &op.expr);
                }
                Type::Flag
            }
            Expr::IfExpr(choice) => {
                self.used(&choice.test_expr);
                let yes = self.within(present::known(&choice.test_expr, true), &choice.true_expr);
                match &choice.false_expr {
                    Some(no) => yes.join(self.within(present::known(&choice.test_expr, false), no)),
                    None => Self::void(yes, Why::Choice, expression),
                }
            }
            Expr::Filter(filter) => self.filter(expression, filter),
            Expr::Test(test) => self.test(expression, test),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(_) | Expr::Tuple(_) => {
                let items = children(expression).into_iter().map(|item| self.used(item));
                Type::List(Box::new(items.reduce(Type::join).unwrap_or(Type::Unknown)))
            }
            Expr::Map(_) => {
                for part in children(expression) {
                    self.used(part);
                }
                Type::Unknown
            }
        }
    }

    /// `order.created_at[0:10]`.
    fn slice(&mut self, expression: &Expr<'_>, slice: &Slice<'_>) -> Type {
        for part in children(expression).into_iter().skip(1) {
            // The engine computes with these as they are, and could go beyond what it can hold.
            if !is_small_number(part) {
                self.find("WB-P022", part, "where to cut is a whole number up to a million", "write [0:10]");
            }
        }
        match self.sure(&slice.expr, "has no parts") {
            of @ (Type::List(_) | Type::Unknown) => of,
            of if of.is_text() => Type::Text,
            of => {
                let what = format!("{} has no parts to cut out", of.describe());
                self.find("WB-P022", &slice.expr, what, "leave the brackets out")
            }
        }
    }

    fn binary(&mut self, expression: &Expr<'_>, op: BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> Type {
        match op {
            BinOpKind::ScAnd => {
                let first = self.used_raw(left);
                let second = self.within(present::known(left, true), right);
                match first {
                    // What is no yes is no, or none.
                    Type::Maybe(of) if matches!(*of, Type::Record(_)) => Type::Nothing.join(second),
                    Type::Record(_) => second,
                    first => first.either(second),
                }
            }
            BinOpKind::ScOr => {
                let first = self.used_raw(left).certain();
                first.either(self.within(present::known(left, false), right))
            }
            _ => match comparing::operator(op) {
                Some(compares) => {
                    let (l, r) = (self.of(left), self.of(right));
                    self.comparison((left, l), (right, r), compares);
                    Type::Flag
                }
                None => self.operation(expression, op, left, right),
            },
        }
    }

    /// The type of a value that has to exist, as it is.
    fn used_raw(&mut self, expression: &Expr<'_>) -> Type {
        let of = self.of(expression);
        self.there(of)
    }

    fn operation(&mut self, expression: &Expr<'_>, op: BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> Type {
        use BinOpKind::{Add, Concat, Div, Mul, Pow, Sub};
        let taken = if matches!(op, Concat) { "is taken for the text \"None\"" } else { "cannot be reckoned with" };
        let (l, r) = (self.sure(left, taken), self.sure(right, taken));
        if matches!(op, Concat) {
            return Type::Text;
        }
        let exact = |of: &Type| matches!(of, Type::Amount | Type::NumberText);
        if exact(&l) || exact(&r) {
            let (a, b) = (self.written(left), self.written(right));
            let mend = match op {
                Add => format!("write plus({a}, {b})"),
                Sub => format!("write minus({a}, {b})"),
                Mul => format!("write times({a}, {b})"),
                _ => format!("not every quotient is exact: write times({a}, \"0.5\") for a half"),
            };
            self.find("WB-P022", expression, "amounts are reckoned with by functions, which stay exact", mend);
            return Type::Amount;
        }
        match (&l, &r) {
            _ if matches!(op, Div | Pow) => self.inexact(expression),
            (Type::Whole, Type::Whole) => Type::Whole,
            // A text or a list times a number grows without limit.
            (Type::Whole | Type::Unknown, Type::Whole | Type::Unknown) if !matches!(op, Mul) => Type::Whole,
            (l, r) if l.is_text() && r.is_text() && matches!(op, Add) => Type::Text,
            (Type::Float, _) | (_, Type::Float) => self.inexact(expression),
            (l, r) => {
                let what = format!("{} and {} do not go together here", l.describe(), r.describe());
                let mend = "join texts with ~, count with whole numbers, add amounts with plus";
                self.find("WB-P022", expression, what, mend)
            }
        }
    }

    fn inexact(&mut self, expression: &Expr<'_>) -> Type {
        let mend = "write amounts as decimal(\"12.50\") and reckon with plus, minus and times";
        self.find("WB-P022", expression, "this would be an inexact number", mend)
    }
}
