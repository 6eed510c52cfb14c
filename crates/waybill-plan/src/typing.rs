//! Typing expressions before they run: names that are not there, comparisons that cannot hold, amounts that would be
//! taken for inexact numbers. What it does not know it lets pass; what could loop, grow or do IO it does not.

pub(crate) mod walk;

use std::collections::BTreeMap;

use minijinja::{
    machinery::ast::{BinOpKind, CompareOpKind, Expr, UnaryOpKind},
    value::ValueKind,
};

use self::walk::{children, extent};
use crate::{diagnostic::nearest, schema::Type};

/// A problem within an expression, by its bytes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) what: String,
    pub(crate) mend: String,
}

/// What an expression may name.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    names: BTreeMap<String, Type>,
    /// The plan's tables.
    tables: Vec<String>,
}

impl Scope {
    pub(crate) fn new(names: impl IntoIterator<Item = (String, Type)>, tables: Vec<String>) -> Self {
        Self { names: names.into_iter().collect(), tables }
    }

    /// The same with one more name.
    pub(crate) fn with(&self, name: &str, of: Type) -> Self {
        let mut scope = self.clone();
        scope.names.insert(name.to_owned(), of);
        scope
    }
}

/// The type of an expression, and what is wrong with it.
pub(crate) fn type_of(expression: &Expr<'_>, scope: &Scope) -> (Type, Vec<Finding>) {
    let mut typing = Typing { scope, findings: Vec::new() };
    let of = typing.of(expression);
    (of, typing.findings)
}

/// Whether an expression is the same for every record, and `false`.
pub(crate) fn never(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::BinOp(op) => match op.op {
            BinOpKind::ScAnd => never(&op.left) || never(&op.right),
            BinOpKind::ScOr => never(&op.left) && never(&op.right),
            _ => false,
        },
        Expr::Const(value) => !value.value.is_true(),
        _ => false,
    }
}

/// A text that is written out. Nothing is computed for it: that could grow without limit.
fn constant(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Const(value) => value.value.as_str().map(str::to_owned),
        _ => None,
    }
}

const fn compares(op: BinOpKind) -> Option<CompareOpKind> {
    Some(match op {
        BinOpKind::Eq => CompareOpKind::Eq,
        BinOpKind::Ne => CompareOpKind::Ne,
        BinOpKind::Lt => CompareOpKind::Lt,
        BinOpKind::Lte => CompareOpKind::Lte,
        BinOpKind::Gt => CompareOpKind::Gt,
        BinOpKind::Gte => CompareOpKind::Gte,
        BinOpKind::In => CompareOpKind::In,
        _ => return None,
    })
}

struct Typing<'a> {
    scope: &'a Scope,
    findings: Vec<Finding>,
}

/// Filter → what it makes of its input; `None` leaves the type as it is.
const FILTERS: &[(&str, Option<Type>)] = &[
    ("capitalize", Some(Type::Text)),
    ("default", None),
    ("first", Some(Type::Unknown)),
    ("join", Some(Type::Text)),
    ("last", Some(Type::Unknown)),
    ("length", Some(Type::Whole)),
    ("lower", Some(Type::Text)),
    ("replace", Some(Type::Text)),
    ("string", Some(Type::Text)),
    ("title", Some(Type::Text)),
    ("trim", Some(Type::Text)),
    ("upper", Some(Type::Text)),
];
const TESTS: &[&str] = &["defined", "undefined", "none", "in", "true", "false", "startingwith", "endingwith"];
const FUNCTIONS: &[&str] = &["lookup", "decimal", "plus", "minus", "times", "round"];

impl Typing<'_> {
    fn find(&mut self, code: &'static str, at: &Expr<'_>, what: impl Into<String>, mend: impl Into<String>) -> Type {
        let (from, to) = extent(at);
        self.findings.push(Finding { code, from, to, what: what.into(), mend: mend.into() });
        Type::Unknown
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
                None => {
                    let mend = nearest(var.id, self.scope.names.keys().map(String::as_str));
                    self.find("WB-P021", expression, format!("there is no '{}' here", var.id), mend)
                }
            },
            Expr::GetAttr(attr) => {
                let of = self.of(&attr.expr);
                self.field(expression, &of, attr.name)
            }
            Expr::GetItem(item) => {
                let of = self.of(&item.expr);
                self.of(&item.subscript_expr);
                match (of, constant(&item.subscript_expr)) {
                    (Type::List(of), _) => *of,
                    (of @ Type::Record(_), Some(name)) => self.field(expression, &of, &name),
                    _ => Type::Unknown,
                }
            }
            Expr::Slice(slice) => {
                let of = self.of(&slice.expr);
                match of {
                    Type::List(_) => of,
                    _ => Type::Text,
                }
            }
            Expr::UnaryOp(op) => match (&op.op, self.of(&op.expr)) {
                (UnaryOpKind::Not, _) => Type::Flag,
                (UnaryOpKind::Neg, of @ (Type::Whole | Type::Float | Type::Unknown)) => of,
                (UnaryOpKind::Neg, of) => {
                    let what = format!("{} cannot be negated", of.describe());
                    self.find("WB-P022", expression, what, "write minus(\"0\", …)")
                }
            },
            Expr::BinOp(op) => {
                let (left, right) = (self.of(&op.left), self.of(&op.right));
                match compares(op.op) {
                    Some(compares) => {
                        self.comparison(&op.left, &op.right, compares, &left, &right);
                        Type::Flag
                    }
                    None => self.operation(expression, op.op, left, right),
                }
            }
            Expr::Compare(compare) => {
                let mut left = self.of(&compare.expr);
                let mut before = &compare.expr;
                for op in &compare.ops {
                    let right = self.of(&op.expr);
                    self.comparison(before, &op.expr, op.op, &left, &right);
                    (left, before) = (right, &op.expr);
                }
                Type::Flag
            }
            Expr::IfExpr(choice) => {
                self.of(&choice.test_expr);
                let (yes, no) = (self.of(&choice.true_expr), choice.false_expr.as_ref().map(|no| self.of(no)));
                match no {
                    Some(no) if no == yes => yes,
                    Some(Type::Nothing) | None => yes,
                    Some(no) if yes == Type::Nothing => no,
                    Some(_) => Type::Unknown,
                }
            }
            Expr::Filter(filter) => {
                let of = filter.expr.as_ref().map_or(Type::Unknown, |input| self.of(input));
                for argument in children(expression).into_iter().skip(1) {
                    self.of(argument);
                }
                match FILTERS.iter().find(|(name, _)| *name == filter.name) {
                    Some((_, Some(result))) => result.clone(),
                    Some((_, None)) => of,
                    None => {
                        let mend = nearest(filter.name, FILTERS.iter().map(|(name, _)| *name));
                        self.find("WB-P021", expression, format!("there is no filter '{}'", filter.name), mend)
                    }
                }
            }
            Expr::Test(test) => {
                for part in children(expression) {
                    self.of(part);
                }
                if !TESTS.contains(&test.name) {
                    let mend = nearest(test.name, TESTS.iter().copied());
                    self.find("WB-P021", expression, format!("there is no test '{}'", test.name), mend);
                }
                Type::Flag
            }
            Expr::Call(call) => self.call(expression, &call.expr),
            Expr::List(_) | Expr::Tuple(_) => {
                let of = children(expression).into_iter().map(|item| self.of(item)).last();
                Type::List(Box::new(of.unwrap_or(Type::Unknown)))
            }
            Expr::Map(_) => {
                for part in children(expression) {
                    self.of(part);
                }
                Type::Record(BTreeMap::new())
            }
        }
    }

    fn field(&mut self, expression: &Expr<'_>, of: &Type, name: &str) -> Type {
        match of {
            Type::Unknown => Type::Unknown,
            Type::Record(fields) => match fields.get(name) {
                Some(of) => of.clone(),
                None => {
                    let mend = nearest(name, fields.keys().copied());
                    self.find("WB-P021", expression, format!("there is no field '{name}'"), mend)
                }
            },
            Type::Tables => {
                self.find("WB-P021", expression, "tables are not read by name", "write lookup(\"table\", key)")
            }
            Type::List(_) => {
                let mend = "write | first, | length, or [0] for one of them";
                self.find("WB-P022", expression, format!("a list has no field '{name}'"), mend)
            }
            other => {
                let what = format!("{} has no fields, so no '{name}' either", other.describe());
                self.find("WB-P022", expression, what, "leave it out")
            }
        }
    }

    fn operation(&mut self, expression: &Expr<'_>, op: BinOpKind, left: Type, right: Type) -> Type {
        use BinOpKind::{Add, Concat, Div, FloorDiv, Mul, Pow, Rem, ScAnd, ScOr, Sub};
        match op {
            ScAnd | ScOr if left == right => left,
            ScAnd | ScOr => Type::Unknown,
            Concat => Type::Text,
            Add | Sub | Mul | FloorDiv | Rem => match (&left, &right) {
                (Type::Amount, _) | (_, Type::Amount) => {
                    let function = match op {
                        Add => "plus(a, b)",
                        Sub => "minus(a, b)",
                        _ => "times(a, b)",
                    };
                    self.find(
                        "WB-P022",
                        expression,
                        "amounts are added by functions, which stay exact",
                        format!("write {function}"),
                    );
                    Type::Amount
                }
                (Type::Whole, Type::Whole) => Type::Whole,
                // A text or a list times a number grows without limit.
                (Type::Whole | Type::Unknown, Type::Whole | Type::Unknown) if !matches!(op, Mul) => Type::Whole,
                (Type::Text | Type::Word(_), Type::Text | Type::Word(_)) if matches!(op, Add) => Type::Text,
                (Type::Float, _) | (_, Type::Float) => self.inexact(expression),
                _ => {
                    let what = format!("{} and {} do not go together here", left.describe(), right.describe());
                    self.find(
                        "WB-P022",
                        expression,
                        what,
                        "join texts with ~; count with whole numbers; add amounts with plus",
                    )
                }
            },
            Div | Pow => self.inexact(expression),
            // Those that compare are taken before.
            _ => Type::Flag,
        }
    }

    fn inexact(&mut self, expression: &Expr<'_>) -> Type {
        let mend = "write amounts as decimal(\"12.50\") and reckon with plus, minus and times";
        self.find("WB-P022", expression, "this would be an inexact number", mend)
    }

    fn comparison(&mut self, left: &Expr<'_>, right: &Expr<'_>, op: CompareOpKind, l: &Type, r: &Type) {
        use Type::{Amount, Flag, Float, List, Nothing, NumberText, Text, Time, Unknown, Whole, Word};
        if matches!(op, CompareOpKind::In | CompareOpKind::NotIn) {
            match r {
                List(_) | Text | Word(_) | Unknown => self.membership(right, l),
                other => {
                    let what = format!("nothing is in {}", other.describe());
                    self.find("WB-P022", right, what, "give a list in brackets");
                }
            }
            return;
        }
        let is_order = !matches!(op, CompareOpKind::Eq | CompareOpKind::Ne);
        match (l, r) {
            (Unknown | Nothing, _) | (_, Unknown | Nothing) => {}
            (Amount, Amount) | (Whole, Whole) | (Text, Text) | (Time, Time | Text) | (Text, Time) => {}
            (Flag, Flag) if !is_order => {}
            (Word(words), Text) => self.word(right, words),
            (Text, Word(words)) => self.word(left, words),
            (Word(_), Word(_)) => {}
            (Amount, Whole | Float | NumberText | Text | Word(_)) => self.amount(right),
            (Whole | Float | NumberText | Text | Word(_), Amount) => self.amount(left),
            (NumberText, _) | (_, NumberText) => {
                let mend = "write decimal(…) around it, or use the amounts beside it, such as order.total";
                self.find("WB-P022", left, "numbers that stand as text compare letter by letter", mend);
            }
            (Float, _) | (_, Float) => {
                self.inexact(if *l == Float { left } else { right });
            }
            _ => {
                let what = format!("{} is never {}", l.describe(), r.describe());
                self.find("WB-P022", right, what, "compare with a value of the same kind");
            }
        }
    }

    fn amount(&mut self, number: &Expr<'_>) {
        let mend = "write decimal(\"12.50\")";
        self.find("WB-P022", number, "an exact amount is compared with what is none", mend);
    }

    /// Each word of a list against the words that there are.
    fn membership(&mut self, list: &Expr<'_>, of: &Type) {
        let (Type::Word(words), Expr::List(items)) = (of, list) else { return };
        for item in &items.items {
            self.word(item, words);
        }
    }

    fn word(&mut self, expression: &Expr<'_>, words: &[String]) {
        let Some(text) = constant(expression) else { return };
        if !words.contains(&text) {
            let mend = nearest(&text, words.iter().map(String::as_str).filter(|word| !word.is_empty()));
            self.find("WB-P024", expression, format!("it is never '{text}'"), mend);
        }
    }

    fn call(&mut self, expression: &Expr<'_>, function: &Expr<'_>) -> Type {
        let arguments = children(expression);
        let types: Vec<Type> = arguments.iter().skip(1).map(|argument| self.of(argument)).collect();
        let Expr::Var(name) = function else {
            return self.find("WB-P021", expression, "values have no functions here", "use a filter, such as | upper");
        };
        let count = types.len();
        let fits = match name.id {
            "lookup" => (2..=3).contains(&count),
            "decimal" => count == 1,
            "plus" | "minus" | "times" | "round" => count == 2,
            other => {
                let mend = nearest(other, FUNCTIONS.iter().copied());
                return self.find("WB-P021", expression, format!("there is no function '{other}'"), mend);
            }
        };
        if !fits {
            let forms = "lookup(\"table\", key), lookup(\"table\", key, default), decimal(\"1.50\"), plus(a, b), minus(a, b), times(a, b), round(amount, digits)";
            return self.find("WB-P022", expression, format!("'{}' does not take {count} values", name.id), forms);
        }
        if name.id != "lookup" {
            for (argument, of) in arguments.iter().skip(1).zip(&types) {
                if matches!(of, Type::Float) {
                    self.find("WB-P022", argument, "this would be an inexact number", "write it in quotes: \"12.50\"");
                }
            }
            return Type::Amount;
        }
        if let Some(table) = arguments.get(1).and_then(|table| constant(table))
            && !self.scope.tables.contains(&table)
        {
            let mend = nearest(&table, self.scope.tables.iter().map(String::as_str));
            self.find("WB-P033", arguments[1], format!("the plan has no table '{table}'"), mend);
        }
        Type::Text
    }
}
