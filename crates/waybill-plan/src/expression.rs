//! Expressions over snapshots: Jinja's, with exact amounts.

use std::{cmp::Ordering, fmt, sync::Arc, sync::LazyLock};

use minijinja::{
    Environment, Error, ErrorKind, Expression as Compiled, State, UndefinedBehavior, Value,
    machinery::parse_expr,
    value::{DynObject, Object},
};
use rust_decimal::{Decimal, RoundingStrategy};
use thiserror::Error as ThisError;
use waybill_domain::document::FieldValue;

use crate::{
    diagnostic::Severity,
    schema::Type,
    typing::{self, Finding, Never, Scope, Wanted},
};

mod depth;
mod slips;

/// Why an expression fails.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum ExpressionError {
    /// A key is not in a table of the plan.
    #[error("'{key}' is not in the plan's table '{table}'")]
    Unmapped {
        /// The table.
        table: String,
        /// What was looked for.
        key: String,
    },
    /// Anything else.
    #[error("{source_text}: {problem}")]
    Failed {
        /// The expression.
        source_text: String,
        /// What is wrong.
        problem: String,
    },
}

/// An exact decimal within expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amount(pub(crate) Decimal);

impl Object for Amount {
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Self>().map(|other| self.0.cmp(&other.0))
    }

    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn to_decimal(value: &Value) -> Result<Decimal, Error> {
    if let Some(amount) = value.downcast_object_ref::<Amount>() {
        return Ok(amount.0);
    }
    let text = value.to_string();
    Decimal::from_str_exact(&text)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "not an exact decimal: write it as decimal(\"12.50\")"))
}

#[derive(Debug)]
struct UnmappedKey {
    table: String,
    key: String,
}

impl fmt::Display for UnmappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not in the plan's table '{}'", self.key, self.table)
    }
}

impl std::error::Error for UnmappedKey {}

fn lookup(state: &State<'_, '_>, table: &str, key: &Value, default: Option<Value>) -> Result<Value, Error> {
    let tables = state.lookup("tables").unwrap_or_default();
    let rows = tables.get_attr(table)?;
    if rows.is_undefined() {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("the plan has no table '{table}'")));
    }
    let key = key.to_string();
    let found = rows.get_item(&Value::from(key.as_str()))?;
    if found.is_undefined() {
        if let Some(default) = default {
            return Ok(default);
        }
        let problem = UnmappedKey { table: table.to_owned(), key };
        return Err(Error::new(ErrorKind::InvalidOperation, problem.to_string()).with_source(problem));
    }
    Ok(found)
}

/// A longer text than this is no expression's result: filters could make one grow without limit.
const LONGEST_TEXT: usize = 64 * 1024;
/// A longer expression than this is not read.
const LONGEST_SOURCE: usize = 4 * 1024;

fn amount(value: Option<Decimal>) -> Result<Value, Error> {
    let value = value.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "more than can be held exactly"))?;
    Ok(Value::from_object(Amount(value)))
}

fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let found = if from.is_empty() { text.chars().count() + 1 } else { text.matches(from).count() };
    if found.saturating_mul(to.len()).saturating_add(text.len()) > LONGEST_TEXT {
        return Err(Error::new(ErrorKind::InvalidOperation, "the text would become longer than 64 KiB"));
    }
    Ok(text.replace(from, to))
}

/// What stands for a value that does not exist or is none; with `true` behind it, for an empty one too.
fn default(value: &Value, other: Option<Value>, lax: Option<bool>) -> Value {
    let is_nothing = value.is_undefined() || value.is_none() || (lax == Some(true) && !value.is_true());
    if is_nothing { other.unwrap_or_else(|| Value::from("")) } else { value.clone() }
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(100_000));
    environment.add_function("lookup", lookup);
    environment.add_function("decimal", |value: Value| amount(Some(to_decimal(&value)?)));
    environment.add_function("plus", |a: Value, b: Value| amount(to_decimal(&a)?.checked_add(to_decimal(&b)?)));
    environment.add_function("minus", |a: Value, b: Value| amount(to_decimal(&a)?.checked_sub(to_decimal(&b)?)));
    environment.add_function("times", |a: Value, b: Value| amount(to_decimal(&a)?.checked_mul(to_decimal(&b)?)));
    environment.add_function("round", |a: Value, digits: u32| {
        let rounded = to_decimal(&a)?.round_dp_with_strategy(digits.min(20), RoundingStrategy::MidpointAwayFromZero);
        amount(Some(rounded))
    });
    environment.add_filter("replace", |text: String, from: String, to: String| replace(&text, &from, &to));
    environment.add_filter("default", default);
    environment
});

/// A compiled expression.
pub(crate) struct Expression {
    source: String,
    /// What it reads: `order.customer.email`.
    paths: Vec<String>,
    compiled: Compiled<'static, 'static>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.source)
    }
}

/// An expression that was read, with what its type is and what is wrong with it. Compiled only if nothing is: the
/// compiler computes constants, which could grow without limit.
pub(crate) struct Read {
    pub(crate) of: Type,
    /// Why it holds for no record, if it does not.
    pub(crate) never: Option<Never>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) compiled: Option<Expression>,
}

impl Read {
    fn refused(what: String, at: std::ops::Range<usize>, mend: String) -> Self {
        let (severity, code, parks) = (Severity::Error, "WB-P002", false);
        let finding = Finding { severity, code, parks, from: at.start, to: at.end, what, mend };
        Self { of: Type::Unknown, never: None, findings: vec![finding], compiled: None }
    }
}

/// Reads an expression and types it.
pub(crate) fn read(source: &str, scope: &Scope, wanted: Wanted) -> Read {
    let refused = |(what, at, mend)| Read::refused(what, at, mend);
    if source.len() > LONGEST_SOURCE {
        let what = format!("the expression is longer than {LONGEST_SOURCE} bytes");
        return refused((what, 0..source.len(), "use a table and lookup".to_owned()));
    }
    if depth::is_too_deep(source) {
        return refused(slips::too_deep(source));
    }
    let parsed = match parse_expr(source) {
        Ok(parsed) => parsed,
        Err(error) => return refused(slips::explain(source, &error)),
    };
    let (of, findings) = typing::type_of(&parsed, source, scope, wanted);
    let never = typing::never(&parsed);
    let mut read = Read { of, never, findings, compiled: None };
    if read.findings.iter().all(|finding| finding.severity == Severity::Warning) {
        match Expression::new(source) {
            Ok(compiled) => read.compiled = Some(compiled),
            Err(error) => return refused((error.to_string(), 0..source.len(), "write it in another way".to_owned())),
        }
    }
    read
}

impl Expression {
    /// Compiles.
    ///
    /// # Errors
    /// If the text is no expression; the message says where.
    pub(crate) fn new(source: &str) -> Result<Self, ExpressionError> {
        let failed =
            |error: Error| ExpressionError::Failed { source_text: source.to_owned(), problem: error.to_string() };
        let mut paths = Vec::new();
        typing::walk::paths(&parse_expr(source).map_err(failed)?, &mut paths);
        let compiled = ENVIRONMENT.compile_expression_owned(source.to_owned()).map_err(failed)?;
        Ok(Self { source: source.to_owned(), paths, compiled })
    }

    /// The text.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// What it reads: `order.customer.email`.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Whether it reads a name or what is behind it.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.paths().any(|path| path.split('.').next() == Some(name))
    }

    fn evaluate(&self, view: &Value) -> Result<Value, ExpressionError> {
        self.compiled.eval(view).map_err(|error| {
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
            while let Some(inner) = cause {
                if let Some(unmapped) = inner.downcast_ref::<UnmappedKey>() {
                    return ExpressionError::Unmapped { table: unmapped.table.clone(), key: unmapped.key.clone() };
                }
                cause = inner.source();
            }
            ExpressionError::Failed { source_text: self.source.clone(), problem: error.to_string() }
        })
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// If it cannot be computed.
    pub(crate) fn holds(&self, view: &Value) -> Result<bool, ExpressionError> {
        self.evaluate(view).map(|value| value.is_true())
    }

    /// Its value as text; empty for `none`.
    ///
    /// # Errors
    /// If it cannot be computed.
    pub(crate) fn text(&self, view: &Value) -> Result<String, ExpressionError> {
        let value = self.evaluate(view)?;
        Ok(if value.is_none() || value.is_undefined() { String::new() } else { value.to_string() })
    }

    /// Its value as a field's; `None` for a value that does not exist.
    ///
    /// # Errors
    /// If it cannot be computed, or is a list or a map.
    pub(crate) fn field(&self, view: &Value) -> Result<Option<FieldValue>, ExpressionError> {
        use minijinja::value::ValueKind;
        let value = self.evaluate(view)?;
        if let Some(amount) = value.downcast_object_ref::<Amount>() {
            return Ok(Some(FieldValue::Number(amount.0)));
        }
        let failed =
            |problem: &str| ExpressionError::Failed { source_text: self.source.clone(), problem: problem.to_owned() };
        match value.kind() {
            ValueKind::Undefined => Ok(None),
            ValueKind::None => Ok(Some(FieldValue::Null)),
            ValueKind::Bool => Ok(Some(FieldValue::Bool(value.is_true()))),
            ValueKind::Number => Decimal::from_str_exact(&value.to_string())
                .map(|number| Some(FieldValue::Number(number)))
                .map_err(|_| failed("not an exact number: use amounts or decimal(\"…\")")),
            ValueKind::String => Ok(Some(FieldValue::Text(value.to_string().into()))),
            _ => Err(failed("gives a list or a map; a field takes a text, a number, true or false")),
        }
    }
}

#[cfg(test)]
mod tests {
    use minijinja::{Value, context};

    use super::{Amount, Expression, ExpressionError, FieldValue};

    fn view() -> Value {
        context! {
            order => context! { total => Value::from_object(Amount("500.10".parse().unwrap())), name => "#1" },
            tables => context! { tax => context! { VAT => "V19" } },
        }
    }

    #[test]
    fn amounts_compare_exactly() {
        let holds = |text: &str| Expression::new(text).unwrap().holds(&view()).unwrap();
        assert!(holds("order.total > decimal('500.09')"));
        assert!(!holds("order.total > decimal('500.10')"));
        assert!(holds("plus(order.total, '0.2') == decimal('500.30')"));
    }

    #[test]
    fn a_key_that_is_not_in_a_table_is_told_apart() {
        let expression = Expression::new("lookup('tax', 'GST')").unwrap();
        assert_eq!(
            expression.text(&view()),
            Err(ExpressionError::Unmapped { table: "tax".to_owned(), key: "GST".to_owned() })
        );
        assert_eq!(Expression::new("lookup('tax', 'VAT')").unwrap().text(&view()).unwrap(), "V19");
    }

    #[test]
    fn an_unknown_name_is_an_error_and_none_clears() {
        assert!(Expression::new("order.nmae.x").unwrap().text(&view()).is_err());
        assert_eq!(Expression::new("none").unwrap().field(&view()), Ok(Some(FieldValue::Null)));
        assert!(Expression::new("order.").is_err());
    }
}
