//! Documents, parsed and validated against the trimmed schema.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use apollo_compiler::{ExecutableDocument, Schema, parser::Parser, validation::Valid};
use serde_json::{Value, json};

use super::check;

/// Shopify's public schema, trimmed to what this store answers.
pub(crate) const SCHEMA_TEXT: &str = include_str!("../../../schema/admin-2026-07-trimmed.graphql");

/// The trimmed schema, parsed.
pub(crate) static SCHEMA: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    Schema::parse_and_validate(SCHEMA_TEXT, "admin-2026-07-trimmed.graphql").expect("the committed schema is valid")
});

/// A valid document.
pub(crate) type Document = Arc<Valid<ExecutableDocument>>;

/// Documents seen before: clients send the same few again and again.
static SEEN: LazyLock<Mutex<HashMap<String, Document>>> = LazyLock::new(Mutex::default);

/// Parses and validates a document.
///
/// # Errors
/// Shopify's top-level errors.
pub(crate) fn parse(text: &str) -> Result<Document, Vec<Value>> {
    if let Some(document) = SEEN.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
        return Ok(document.clone());
    }
    let ast = Parser::new().parse_ast(text, "query").map_err(|broken| {
        let errors = broken.errors.iter().take(1);
        errors
            .map(|error| {
                let (line, column) = place(error.line_column_range());
                let text = format!("syntax error, {} at [{line}, {column}]", error.error);
                json!({"message": text, "locations": [{"line": line, "column": column}]})
            })
            .collect::<Vec<_>>()
    })?;
    let errors = check::document(&ast);
    if !errors.is_empty() {
        return Err(errors);
    }
    let document = ExecutableDocument::parse_and_validate(&SCHEMA, text, "query").map_err(|broken| {
        broken
            .errors
            .iter()
            .map(|error| {
                let (line, column) = place(error.line_column_range());
                let code = match error.error.unstable_error_name() {
                    Some("UndefinedVariable") => "variableNotDefined",
                    Some("DisallowedVariableUsage") => "variableMismatch",
                    Some("UndefinedFragment") => "useAndDefineFragment",
                    _ => "invalidDocument",
                };
                json!({
                    "message": error.error.to_string(),
                    "locations": [{"line": line, "column": column}],
                    "extensions": {"code": code},
                })
            })
            .collect::<Vec<_>>()
    })?;
    let document = Arc::new(document);
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned(), document.clone());
    Ok(document)
}

fn place(range: Option<std::ops::Range<apollo_compiler::parser::LineColumn>>) -> (usize, usize) {
    range.map_or((1, 1), |range| (range.start.line, range.start.column))
}
