//! Comparisons.

use minijinja::machinery::ast::{BinOpKind, CompareOpKind, Expr};

use super::{
    Typing, constant,
    walk::{extent, path},
};
use crate::{diagnostic::nearest, schema::Type};

pub(super) const fn operator(op: BinOpKind) -> Option<CompareOpKind> {
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

/// A side of a comparison.
type Side<'e, 's> = (&'e Expr<'s>, Type);

impl Typing<'_> {
    pub(super) fn comparison(&mut self, left: Side<'_, '_>, right: Side<'_, '_>, op: CompareOpKind) {
        let is_order = !matches!(op, CompareOpKind::Eq | CompareOpKind::Ne | CompareOpKind::In | CompareOpKind::NotIn);
        let is_within = matches!(op, CompareOpKind::In | CompareOpKind::NotIn);
        let l = self.side(left.0, left.1, is_order);
        let r = if is_within { self.within_what(right.0, right.1) } else { self.side(right.0, right.1, is_order) };
        if is_within {
            self.membership(left.0, right.0, &l, &r);
        } else {
            self.compared((left.0, l), (right.0, r), is_order);
        }
    }

    fn side(&mut self, expression: &Expr<'_>, of: Type, is_order: bool) -> Type {
        let of = self.there(of);
        if is_order { self.ordered(expression, of) } else { of.certain() }
    }

    /// What something is looked for in: nothing is in none.
    fn within_what(&mut self, expression: &Expr<'_>, of: Type) -> Type {
        let of = self.there(of);
        if matches!(of, Type::Maybe(_)) {
            let part = path(expression).unwrap_or_else(|| self.written(expression).to_owned());
            if self.told.insert(part.clone()) {
                let what =
                    format!("there is not always '{part}', and nothing is in none: such a record would be parked");
                self.warn(extent(expression), true, what, format!("say what stands for it: {part} | default('')"));
            }
        }
        of.certain()
    }

    /// A side of `<`: none is less than everything.
    fn ordered(&mut self, expression: &Expr<'_>, of: Type) -> Type {
        if matches!(of, Type::Maybe(_)) {
            let part = path(expression).unwrap_or_else(|| self.written(expression).to_owned());
            if self.told.insert(part.clone()) {
                let what = format!("there is not always '{part}', and none is less than everything");
                self.warn(extent(expression), false, what, format!("ask for it first: {part} and …"));
            }
        }
        of.certain()
    }

    fn compared(&mut self, (left, l): Side<'_, '_>, (right, r): Side<'_, '_>, is_order: bool) {
        use Type::{Amount, Flag, Float, List, Nothing, NumberText, Record, Text, Time, Unknown, Whole, Word};
        match (&l, &r) {
            (Unknown | Nothing, _) | (_, Unknown | Nothing) => {}
            (Amount, Amount) | (Whole, Whole) | (Text, Text) | (Time, Time | Text) | (Text, Time) => {}
            (Flag, Flag) | (List(_), List(_)) | (Record(_), Record(_)) if !is_order => {}
            (Word(words), Text) => self.word(right, left, words),
            (Text, Word(words)) => self.word(left, right, words),
            (Word(_), Word(_)) => {}
            (Amount, Whole | Float | NumberText | Text | Word(_)) => self.inexact_amount(right, &r),
            (Whole | Float | NumberText | Text | Word(_), Amount) => self.inexact_amount(left, &l),
            (NumberText, _) => self.number_text(left),
            (_, NumberText) => self.number_text(right),
            (Float, _) => drop(self.inexact(left)),
            (_, Float) => drop(self.inexact(right)),
            (List(_), _) | (_, List(_)) => {
                let (list, one) = if matches!(l, List(_)) { (left, right) } else { (right, left) };
                let mend = format!("write {} in {}", self.written(one), self.written(list));
                let what = format!("a list is never {}", if matches!(l, List(_)) { &r } else { &l }.describe());
                self.find("WB-P022", one, what, mend);
            }
            (Flag, _) | (_, Flag) => {
                let (flag, other) = if l == Flag { (left, right) } else { (right, left) };
                let flag = self.written(flag).to_owned();
                let what = format!("yes or no is never {}", if l == Flag { &r } else { &l }.describe());
                self.find("WB-P022", other, what, format!("write {flag}, or not {flag}"));
            }
            (Time, _) | (_, Time) => {
                let other = if l == Time { right } else { left };
                let what = format!("a time is never {}", if l == Time { &r } else { &l }.describe());
                self.find("WB-P022", other, what, "write it as a text: '2026-11-01T08:00:00Z'");
            }
            _ => self.unlike((left, l), (right, r)),
        }
    }

    /// Values of two kinds, of which one may be written as the other.
    fn unlike(&mut self, (left, l): Side<'_, '_>, (right, r): Side<'_, '_>) {
        let what = format!("{} is never {}", l.describe(), r.describe());
        let (constant, of) = if matches!(left, Expr::Const(_)) { (left, &r) } else { (right, &l) };
        let written = self.written(constant).trim_matches(['"', '\'']).to_owned();
        let mend = match (constant, of) {
            (Expr::Const(_), of) if of.is_text() => format!("write it in quotes: '{written}'"),
            (Expr::Const(_), Type::Whole) if written.parse::<i64>().is_ok() => {
                format!("write it without quotes: {written}")
            }
            _ => "compare with a value of the same kind".to_owned(),
        };
        self.find("WB-P022", constant, what, mend);
    }

    fn number_text(&mut self, number: &Expr<'_>) {
        let mend =
            format!("write decimal({}), or use the amounts beside it, such as order.total", self.written(number));
        self.find("WB-P022", number, "numbers that stand as text compare letter by letter", mend);
    }

    fn inexact_amount(&mut self, number: &Expr<'_>, of: &Type) {
        let written = self.written(number).trim_matches(['"', '\'']).to_owned();
        let mend = match (number, of) {
            (Expr::Const(_), _) => format!("write decimal(\"{written}\")"),
            _ => format!("write decimal({written})"),
        };
        let what = format!("an exact amount is compared with {}", of.describe());
        self.find("WB-P022", number, what, mend);
    }

    /// `left in right`.
    fn membership(&mut self, left: &Expr<'_>, right: &Expr<'_>, l: &Type, r: &Type) {
        let items = match right {
            Expr::List(list) => &list.items[..],
            Expr::Tuple(tuple) => &tuple.items[..],
            _ => &[],
        };
        match (l, r) {
            (Type::List(_), Type::List(_)) => {
                let list = self.written(left);
                let mend = match items {
                    [one] => format!("write {} in {list}", self.written(one)),
                    _ => format!("ask for each: 'a' in {list} or 'b' in {list}"),
                };
                self.find("WB-P022", left, "a list is never one of a list", mend);
            }
            (_, Type::List(of)) if items.is_empty() => {
                if let Type::Word(words) = &**of {
                    self.word(left, right, words);
                } else if **of != Type::Unknown && !matches!(l, Type::Nothing) {
                    self.compared((left, l.clone()), (right, (**of).clone()), false);
                }
            }
            (_, Type::List(_)) => {
                for item in items {
                    let of = self.of(item).certain();
                    self.compared((left, l.clone()), (item, of), false);
                }
            }
            (l, r) if r.is_text() && (l.is_text() || matches!(l, Type::Unknown)) => {}
            (_, Type::Unknown) => {}
            (l, r) if r.is_text() => {
                let what = format!("{} is never within a text", l.describe());
                self.find("WB-P022", left, what, "write a text in quotes");
            }
            (_, other) => {
                let mend = format!("give a list in brackets: in [{}]", self.written(right));
                self.find("WB-P022", right, format!("nothing is within {}", other.describe()), mend);
            }
        }
    }

    /// A text that is written out, against the words that the other side can be.
    fn word(&mut self, expression: &Expr<'_>, other: &Expr<'_>, words: &[String]) {
        let Some(text) = constant(expression).filter(|text| !words.contains(text)) else { return };
        let what = match path(other) {
            Some(path) => format!("'{path}' is never '{text}'"),
            None => format!("this is never '{text}'"),
        };
        let mend = if words.iter().any(String::is_empty) {
            let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
            format!("it is '' while there is none, else one of: {}", words.join(", "))
        } else {
            nearest(&text, words.iter().map(String::as_str))
        };
        self.find("WB-P024", expression, what, mend);
    }
}
