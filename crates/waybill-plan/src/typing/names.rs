//! Names and the parts behind them.

use std::sync::Arc;

use minijinja::machinery::ast::Expr;

use super::{Typing, walk::path};
use crate::{
    diagnostic::{close, nearest_or},
    schema::{self, Fields, Type, Why},
};

/// Where a name is not there and none is near it.
const FIELDS: &str = "`waybill plan explain WB-P021` lists what there is";

impl Typing<'_> {
    pub(super) fn no_such_name(&mut self, expression: &Expr<'_>, name: &str) -> Type {
        let mend = self.meant(name);
        self.find("WB-P021", expression, format!("there is no '{name}' here"), mend)
    }

    /// What a name that is not there may have been meant to be.
    fn meant(&self, name: &str) -> String {
        let names: Vec<&str> = self.scope.names.keys().map(String::as_str).filter(|name| *name != "tables").collect();
        match name {
            "null" | "nil" | "undefined" => return "write none".to_owned(),
            "yes" | "no" => return "write true or false".to_owned(),
            "line" | "tax" => return format!("'{name}' is known within [flows.lines] only"),
            "customer" if names.contains(&"order") => {
                return "write order.customer; within customer_fields 'customer' is the buyer".to_owned();
            }
            _ => {}
        }
        let is_record = crate::check::MOVED.into_iter().any(|kind| schema::variable(kind) == name);
        if is_record {
            return format!("expressions of this flow see: {}", names.join(", "));
        }
        if let Some(near) = close(name, names.iter().copied().chain(["none", "true", "false"])) {
            return format!("did you mean '{near}'?");
        }
        // A field without its record in front.
        for (record, of) in &self.scope.names {
            if let Type::Record(fields) = of
                && fields.contains_key(name)
            {
                return format!("did you mean '{record}.{name}'?");
            }
        }
        format!("write '{name}' in quotes if it is a text; there are: {}", names.join(", "))
    }

    /// A field of what an expression gives.
    pub(super) fn part(&mut self, expression: &Expr<'_>, parent: &Expr<'_>, name: &str) -> Type {
        // Behind what does not exist is nothing.
        let of = self.used_raw(parent);
        let (of, lacks) = match of {
            Type::Maybe(of) => (*of, !self.is_present(parent)),
            of => (of, false),
        };
        let field = self.field(expression, parent, &of, name);
        if lacks && field != Type::Unknown {
            let part = path(parent).unwrap_or_else(|| self.written(parent).to_owned());
            return if self.is_present(expression) {
                field.certain()
            } else {
                Self::void(field, Why::Part(part), expression)
            };
        }
        if self.is_present(expression) { field.certain() } else { field }
    }

    fn is_present(&self, expression: &Expr<'_>) -> bool {
        path(expression).is_some_and(|path| self.present.contains(&path))
    }

    fn field(&mut self, expression: &Expr<'_>, parent: &Expr<'_>, of: &Type, name: &str) -> Type {
        let what = |typing: &Self| match path(parent) {
            Some(path) => format!("'{path}'"),
            None => typing.written(parent).to_owned(),
        };
        match of {
            Type::Unknown => Type::Unknown,
            Type::Record(fields) => match fields.get(name) {
                Some(of) => of.clone(),
                None => {
                    let what = format!("{} has no field '{name}'", what(self));
                    let mend = field_meant(fields, name);
                    self.find_name("WB-P021", expression, name, what, mend)
                }
            },
            Type::Tables => {
                self.find("WB-P021", expression, "tables are not read by name", "write lookup(\"table\", key)")
            }
            Type::List(_) => {
                let what = format!("{} is a list, which has no field '{name}'", what(self));
                let list = self.written(parent).to_owned();
                let mend = format!("write ({list} | first).{name}, or {list} | length for how many there are");
                self.find("WB-P022", expression, what, mend)
            }
            other => {
                let what = format!("{} is {}, which has no fields", what(self), other.describe());
                self.find("WB-P022", expression, what, format!("leave '.{name}' out"))
            }
        }
    }

    /// One of a list, or a letter of a text.
    pub(super) fn item(&mut self, expression: &Expr<'_>, list: &Expr<'_>, which: &Expr<'_>) -> Type {
        let at = self.used(which);
        match self.sure(list, "has no parts") {
            Type::List(of) if matches!(at, Type::Whole | Type::Unknown) => {
                // An order has lines; other lists may be empty.
                let is_lines = path(list).is_some_and(|path| path.ends_with(".lines"));
                if is_lines { *of } else { Self::void(*of, Why::Item, expression) }
            }
            Type::List(_) => self.find("WB-P022", expression, "lists are counted: the first is [0]", "write [0]"),
            of if of.is_text() => Self::void(Type::Text, Why::Item, expression),
            Type::Record(_) if matches!(at, Type::Text | Type::Word(_) | Type::Unknown) => Type::Unknown,
            Type::Unknown | Type::Tables => Type::Unknown,
            of => {
                let what = format!("{} has no parts", of.describe());
                self.find("WB-P022", expression, what, "leave the brackets out")
            }
        }
    }
}

/// Shopify's own names of what is called otherwise here.
const SHOPIFYS: [(&str, &str); 6] = [
    ("line_items", "lines"),
    ("order_number", "name"),
    ("total_price", "total"),
    ("subtotal_price", "subtotal"),
    ("total_tax", "tax_total"),
    ("total_discounts", "discount_total"),
];

/// The field that a wrong name may have been meant to be: one near it, or one of a part.
fn field_meant(fields: &Arc<Fields>, name: &str) -> String {
    let ours = SHOPIFYS.iter().find(|(theirs, ours)| *theirs == name && fields.contains_key(ours));
    if let Some((_, ours)) = ours {
        return format!("it is called '{ours}' here");
    }
    if close(name, fields.keys().copied()).is_none() {
        let mut behind: Vec<String> = Vec::new();
        for (part, of) in fields.iter() {
            if let Type::Record(inner) = of.clone().certain() {
                let rest = name.strip_prefix(part).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name);
                let found = inner.keys().find(|field| **field == rest);
                behind.extend(found.map(|field| format!("{part}.{field}")));
            }
        }
        // A name that says its part means that one.
        let prefixed = behind.iter().find(|path| path.replace('.', "_") == name).cloned();
        match (prefixed, &behind[..]) {
            (Some(path), _) => return format!("did you mean '{path}'?"),
            (None, [one]) => return format!("did you mean '{one}'?"),
            (None, [one, other, ..]) => return format!("did you mean '{one}' or '{other}'?"),
            (None, []) => {}
        }
    }
    nearest_or(name, fields.keys().copied(), FIELDS)
}
