//! Filters, tests and functions.

use minijinja::machinery::ast::{Call, CallArg, Expr, Filter, Test};
use rust_decimal::Decimal;

use super::{
    Typing, constant,
    walk::{children, extent},
};
use crate::{
    diagnostic::nearest,
    schema::{Type, Why},
};

/// What a filter takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    /// One value.
    One,
    /// A list.
    Several,
    /// A list or a text.
    Countable,
}

/// What a filter gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Text,
    Whole,
    /// One of its input.
    Item,
    /// Its input, or something instead.
    Same,
}

/// Filter, fewest and most values in its brackets, what it takes, what it gives.
const FILTERS: &[(&str, usize, usize, Input, Output)] = &[
    ("capitalize", 0, 0, Input::One, Output::Text),
    ("default", 1, 2, Input::One, Output::Same),
    ("first", 0, 0, Input::Countable, Output::Item),
    ("join", 0, 2, Input::Several, Output::Text),
    ("last", 0, 0, Input::Countable, Output::Item),
    ("length", 0, 0, Input::Countable, Output::Whole),
    ("lower", 0, 0, Input::One, Output::Text),
    ("replace", 2, 2, Input::One, Output::Text),
    ("string", 0, 0, Input::One, Output::Text),
    ("title", 0, 0, Input::One, Output::Text),
    ("trim", 0, 1, Input::One, Output::Text),
    ("upper", 0, 0, Input::One, Output::Text),
];
/// Names that filters have in other languages.
const OTHER_FILTERS: &[(&str, &str)] = &[
    ("capitalise", "capitalize"),
    ("count", "length"),
    ("downcase", "lower"),
    ("lowercase", "lower"),
    ("size", "length"),
    ("strip", "trim"),
    ("upcase", "upper"),
    ("uppercase", "upper"),
];
/// Test, and how many values it takes.
const TESTS: &[(&str, usize)] = &[
    ("defined", 0),
    ("endingwith", 1),
    ("false", 0),
    ("in", 1),
    ("none", 0),
    ("startingwith", 1),
    ("true", 0),
    ("undefined", 0),
];
/// Function, fewest and most values, how it is written.
const FUNCTIONS: &[(&str, usize, usize, &str)] = &[
    ("decimal", 1, 1, "decimal(\"12.50\")"),
    ("lookup", 2, 3, "lookup(\"table\", key), or lookup(\"table\", key, default)"),
    ("minus", 2, 2, "minus(a, b)"),
    ("plus", 2, 2, "plus(a, b)"),
    ("round", 2, 2, "round(amount, 2)"),
    ("times", 2, 2, "times(a, b)"),
];

impl Typing<'_> {
    pub(super) fn filter(&mut self, expression: &Expr<'_>, filter: &Filter<'_>) -> Type {
        let known = FILTERS.iter().find(|(name, ..)| *name == filter.name);
        let Some((_, least, most, takes, gives)) = known else { return self.no_such_filter(expression, filter.name) };
        if !self.values(expression, &filter.args, *least, *most, &format!("| {}", filter.name)) {
            return Type::Unknown;
        }
        let arguments: Vec<Type> = positional(&filter.args).map(|argument| self.used(argument)).collect();
        let Some(input) = &filter.expr else { return Type::Unknown };
        if *gives == Output::Same {
            return match self.of(input) {
                of @ (Type::Maybe(_) | Type::Void(..) | Type::Nothing | Type::Unknown) => {
                    of.certain().join(arguments.into_iter().next().unwrap_or(Type::Text))
                }
                // With a second value it stands for an empty one too.
                of if arguments.len() > 1 => of.join(arguments.into_iter().next().unwrap_or(Type::Text)),
                of => of,
            };
        }
        let of = self.sure(input, "is taken for the text \"none\"");
        let fits = match (takes, &of) {
            (_, Type::Unknown) => true,
            (Input::One, of) => !matches!(of, Type::List(_) | Type::Record(_) | Type::Tables | Type::Nothing),
            (Input::Several, of) => matches!(of, Type::List(_)),
            (Input::Countable, of) => of.is_text() || matches!(of, Type::List(_)),
        };
        if !fits {
            let what = format!("{} is nothing for {}", of.describe(), filter.name);
            let mend = match (takes, &of) {
                (Input::One, Type::List(_)) => format!("join it first: {} | join(', ')", self.written(input)),
                (Input::One, _) => "name one of its fields".to_owned(),
                _ => format!("leave '| {}' out", filter.name),
            };
            return self.find("WB-P022", expression, what, mend);
        }
        match (gives, of) {
            (Output::Whole, _) => Type::Whole,
            (Output::Item, Type::List(of)) => {
                let is_lines = super::path(input).is_some_and(|path| path.ends_with(".lines"));
                if is_lines { *of } else { Self::void(*of, Why::Item, expression) }
            }
            (Output::Item, Type::Unknown) => Type::Unknown,
            (Output::Item, _) => Self::void(Type::Text, Why::Item, expression),
            (Output::Text, Type::List(of)) if matches!(*of, Type::Record(_)) && arguments.len() < 2 => {
                let mend = format!("say which field: {} | join(', ', 'sku')", self.written(input));
                self.find("WB-P022", expression, "records cannot be joined as they are", mend)
            }
            _ => Type::Text,
        }
    }

    fn no_such_filter(&mut self, expression: &Expr<'_>, name: &str) -> Type {
        for part in children(expression) {
            self.of(part);
        }
        let function = FUNCTIONS.iter().find(|(function, ..)| *function == name);
        let ours = OTHER_FILTERS.iter().find(|(theirs, _)| *theirs == name);
        let is_name = name.split('.').next().is_some_and(|name| self.scope.names.contains_key(name));
        let mend = match (function, ours) {
            (Some((.., form)), _) => format!("it is a function: write {form}"),
            (None, Some((_, ours))) => format!("it is called '{ours}' here"),
            _ if is_name => "write or: | is for filters, such as | upper".to_owned(),
            _ => nearest(name, FILTERS.iter().map(|(name, ..)| *name)),
        };
        self.find_name("WB-P021", expression, name, format!("there is no filter '{name}'"), mend)
    }

    pub(super) fn test(&mut self, expression: &Expr<'_>, test: &Test<'_>) -> Type {
        let of = self.of(&test.expr);
        let Some((_, count)) = TESTS.iter().find(|(name, _)| *name == test.name) else {
            let mend = match test.name {
                "null" | "nil" => "write is none".to_owned(),
                "empty" | "blank" => format!("write {} == ''", self.written(&test.expr)),
                name => nearest(name, TESTS.iter().map(|(name, _)| *name)),
            };
            self.find_name("WB-P021", expression, test.name, format!("there is no test '{}'", test.name), mend);
            return Type::Flag;
        };
        if !self.values(expression, &test.args, *count, *count, &format!("is {}", test.name)) {
            return Type::Flag;
        }
        for argument in positional(&test.args) {
            self.used(argument);
        }
        match (test.name, of) {
            ("defined" | "undefined", Type::Maybe(_)) => {
                let written = self.written(&test.expr).to_owned();
                let what = format!("'{written}' is always defined: where there is none, it is none");
                let mend = format!("write {written} is not none, or {written} is none");
                self.told.insert(written);
                self.warn(extent(expression), false, what, mend);
            }
            ("defined" | "undefined" | "none", _) => {}
            (_, of) => {
                let of = self.there(of).certain();
                let takes_text = matches!(test.name, "startingwith" | "endingwith");
                if takes_text && !of.is_text() && of != Type::Unknown {
                    let what = format!("{} has no beginning and no end", of.describe());
                    self.find("WB-P022", &test.expr, what, "name a text");
                }
            }
        }
        Type::Flag
    }

    pub(super) fn call(&mut self, expression: &Expr<'_>, call: &Call<'_>) -> Type {
        let Expr::Var(name) = &call.expr else {
            return self.method(expression, call);
        };
        let Some((_, least, most, form)) = FUNCTIONS.iter().find(|(function, ..)| *function == name.id) else {
            return self.no_such_function(expression, &call.expr, name.id);
        };
        if !self.values(expression, &call.args, *least, *most, form) {
            return if name.id == "lookup" { Type::Text } else { Type::Amount };
        }
        let arguments: Vec<&Expr<'_>> = positional(&call.args).collect();
        if name.id == "lookup" {
            return self.lookup(&arguments);
        }
        for (index, argument) in arguments.iter().enumerate() {
            let of = self.sure(argument, "is no amount");
            if name.id == "round" && index == 1 {
                self.digits(argument, &of);
            } else {
                self.number(argument, &of);
            }
        }
        Type::Amount
    }

    /// A function behind a value, as other languages have them.
    fn method(&mut self, expression: &Expr<'_>, call: &Call<'_>) -> Type {
        let Expr::GetAttr(attr) = &call.expr else {
            self.of(&call.expr);
            return self.find("WB-P022", expression, "this is no function", "leave the brackets behind it out");
        };
        self.of(&attr.expr);
        let is_filter = FILTERS.iter().any(|(name, ..)| *name == attr.name);
        let filter = if is_filter { attr.name } else { "upper" };
        let values = if is_filter && !call.args.is_empty() { "(…)" } else { "" };
        let mend = format!("use a filter: {} | {filter}{values}", self.written(&attr.expr));
        self.find_name("WB-P021", &call.expr, attr.name, format!("values have no function '{}'", attr.name), mend)
    }

    fn no_such_function(&mut self, expression: &Expr<'_>, function: &Expr<'_>, name: &str) -> Type {
        for part in children(expression).into_iter().skip(1) {
            self.of(part);
        }
        let mend = if FILTERS.iter().any(|(filter, ..)| *filter == name) {
            format!("it is a filter: write … | {name}")
        } else {
            nearest(name, FUNCTIONS.iter().map(|(name, ..)| *name))
        };
        self.find("WB-P021", function, format!("there is no function '{name}'"), mend)
    }

    /// Whether as many values stand in brackets as there have to be, one by one.
    fn values(&mut self, expression: &Expr<'_>, given: &[CallArg<'_>], least: usize, most: usize, form: &str) -> bool {
        let form = match form {
            "| replace" => "| replace('-', '')",
            "| default" => "| default('')",
            "is startingwith" => "is startingwith('A')",
            "is endingwith" => "is endingwith('A')",
            form => form,
        };
        if !given.iter().all(|argument| matches!(argument, CallArg::Pos(_))) {
            self.find(
                "WB-P022",
                expression,
                "values are given one by one here, without names",
                format!("write {form}"),
            );
            return false;
        }
        if (least..=most).contains(&given.len()) {
            return true;
        }
        let what = match (given.len(), least) {
            (0, 1) => "a value in brackets is missing".to_owned(),
            (count, least) if count < least => "values in brackets are missing".to_owned(),
            (_, _) if most == 0 => "this takes no values in brackets".to_owned(),
            (_, _) => "there are too many values in brackets".to_owned(),
        };
        self.find("WB-P022", expression, what, format!("write {form}"));
        false
    }

    fn lookup(&mut self, arguments: &[&Expr<'_>]) -> Type {
        let table = constant(arguments[0]);
        if table.is_none() {
            self.used(arguments[0]);
        }
        let key = self.sure(arguments[1], "is no key");
        if matches!(key, Type::List(_) | Type::Record(_) | Type::Tables) {
            let what = format!("{} is no key of a table", key.describe());
            self.find("WB-P022", arguments[1], what, "name one of its fields, such as tax.title");
        }
        let default = arguments.get(2).map(|default| self.of(default));
        if let (Some(table), Some(tables)) = (table, &self.scope.tables)
            && !tables.contains(&table)
        {
            let mend = nearest(&table, tables.iter().map(String::as_str));
            self.find("WB-P033", arguments[0], format!("the plan has no table '{table}'"), mend);
        }
        default.map_or(Type::Text, |default| Type::Text.join(default))
    }

    /// A value that is reckoned with.
    fn number(&mut self, argument: &Expr<'_>, of: &Type) {
        match of {
            Type::Float => {
                let mend = format!("write it in quotes: \"{}\"", self.written(argument));
                self.find("WB-P022", argument, "this would be an inexact number", mend);
            }
            Type::List(_)
            | Type::Record(_)
            | Type::Tables
            | Type::Flag
            | Type::Time
            | Type::Word(_)
            | Type::Nothing => {
                let what = format!("{} is no amount", of.describe());
                self.find("WB-P022", argument, what, "give an amount, or a number in quotes");
            }
            _ => {
                let Some(text) = constant(argument) else { return };
                if Decimal::from_str_exact(&text).is_err() {
                    let mend = if Decimal::from_str_exact(&text.replace(',', ".")).is_ok() {
                        format!("write a point: \"{}\"", text.replace(',', "."))
                    } else {
                        "write digits with a point: \"12.50\"".to_owned()
                    };
                    self.find("WB-P022", argument, format!("'{text}' is no exact number"), mend);
                }
            }
        }
    }

    /// How many digits an amount is rounded to.
    fn digits(&mut self, argument: &Expr<'_>, of: &Type) {
        let is_small = match argument {
            Expr::Const(digits) => u32::try_from(digits.value.clone()).is_ok_and(|digits| digits <= 20),
            _ => matches!(of, Type::Whole | Type::Unknown) && !matches!(argument, Expr::UnaryOp(_)),
        };
        if !is_small {
            self.find("WB-P022", argument, "an amount is rounded to 0 to 20 digits", "write round(amount, 2)");
        }
    }
}

fn positional<'a, 's>(arguments: &'a [CallArg<'s>]) -> impl Iterator<Item = &'a Expr<'s>> {
    arguments.iter().filter_map(|argument| match argument {
        CallArg::Pos(expression) => Some(expression),
        _ => None,
    })
}
