//! What Shopify refuses in a document, in its own words.
//!
//! The words are those of recorded answers; they are graphql-ruby's. What is not found here is found by the compiler.

use std::collections::BTreeSet;

use apollo_compiler::{
    ExecutableDocument, Node,
    ast::{Definition, Document, Field, OperationDefinition, Selection, Type, Value as Literal},
    executable,
    parser::SourceMap,
    schema::{Component, ExtendedType, FieldDefinition, InputValueDefinition},
    validation::Valid,
};
use serde_json::{Map, Value, json};

use super::{document::SCHEMA, execute::arguments, variables};

/// The most items that an input array may have.
const MOST_ITEMS: usize = 250;

struct Checker<'a> {
    sources: &'a SourceMap,
    path: Vec<String>,
    used: BTreeSet<String>,
    errors: Vec<Value>,
}

/// Checks a whole document; the errors that Shopify would answer.
pub(crate) fn document(document: &Document) -> Vec<Value> {
    let mut checker =
        Checker { sources: &document.sources, path: Vec::new(), used: BTreeSet::new(), errors: Vec::new() };
    let mut fragments = BTreeSet::new();
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            checker.path = vec![format!("fragment {}", fragment.name)];
            checker.selections(fragment.type_condition.as_str(), &fragment.selection_set);
            fragments.append(&mut checker.used);
        }
    }
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            checker.used = fragments.clone();
            checker.operation(operation);
        }
    }
    checker.errors
}

impl Checker<'_> {
    fn operation(&mut self, operation: &Node<OperationDefinition>) {
        let root = if operation.operation_type.to_string() == "mutation" { "Mutation" } else { "QueryRoot" };
        let name = operation.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
        self.path = vec![format!("{}{name}", operation.operation_type)];
        self.selections(root, &operation.selection_set);
        for variable in &operation.variables {
            if !self.used.contains(variable.name.as_str()) {
                let name = operation.name.as_ref().map_or("anonymous query", |name| name.as_str());
                let text = format!("Variable ${} is declared by {name} but not used", variable.name);
                let more = json!({"code": "variableNotUsed", "variableName": variable.name.as_str()});
                self.error(operation, text, more, None);
            }
        }
    }

    fn error<T: ?Sized>(&mut self, node: &Node<T>, message: String, extensions: Value, last: Option<&str>) {
        let at = node.line_column_range(self.sources).map_or((1, 1), |range| (range.start.line, range.start.column));
        let mut path = self.path.clone();
        path.extend(last.map(str::to_owned));
        self.errors.push(json!({
            "message": message,
            "locations": [{"line": at.0, "column": at.1}],
            "path": path,
            "extensions": extensions,
        }));
    }

    fn selections(&mut self, parent: &str, selections: &[Selection]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.field(parent, field),
                Selection::FragmentSpread(_) => {}
                Selection::InlineFragment(inline) => {
                    let on = inline.type_condition.as_ref().map_or(parent, |name| name.as_str());
                    self.path.push(format!("... on {on}"));
                    if SCHEMA.types.contains_key(on) {
                        self.selections(on, &inline.selection_set);
                    } else {
                        let text = format!("No such type {on}, so it can't be a fragment condition");
                        self.error(inline, text, json!({"code": "undefinedType", "typeName": on}), None);
                    }
                    self.path.pop();
                }
            }
        }
    }

    fn field(&mut self, parent: &str, field: &Node<Field>) {
        let name = field.name.as_str();
        for directive in field.directives.iter() {
            for argument in &directive.arguments {
                self.collect(&argument.value);
            }
        }
        if name.starts_with("__") {
            return;
        }
        let key = field.alias.as_ref().unwrap_or(&field.name).to_string();
        let Ok(definition) = SCHEMA.type_field(parent, name) else {
            let text = format!("Field '{name}' doesn't exist on type '{parent}'");
            let more = json!({"code": "undefinedField", "typeName": parent, "fieldName": name});
            self.error(field, text, more, Some(&key));
            return;
        };
        let definition: Component<FieldDefinition> = definition.clone();
        self.path.push(key);
        self.arguments(field, &definition);
        let inner = definition.ty.inner_named_type().as_str();
        let leaf = matches!(SCHEMA.types.get(inner), Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)));
        if leaf && !field.selection_set.is_empty() {
            let text =
                format!("Selections can't be made on scalars (field '{name}' returns {inner} but has selections)");
            let more = json!({"code": "selectionMismatch", "nodeName": format!("field '{name}'"), "typeName": inner});
            self.error(field, text, more, None);
        } else if !leaf && field.selection_set.is_empty() {
            let text = format!(
                "Field must have selections (field '{name}' returns {inner} but has no selections. Did you mean '{name} {{ ... }}'?)"
            );
            let more = json!({"code": "selectionMismatch", "nodeName": format!("field '{name}'"), "typeName": inner});
            self.error(field, text, more, None);
        } else {
            self.selections(inner, &field.selection_set);
        }
        self.path.pop();
    }

    fn arguments(&mut self, field: &Node<Field>, definition: &FieldDefinition) {
        let name = field.name.as_str();
        for argument in &field.arguments {
            let given = argument.name.as_str();
            self.collect(&argument.value);
            match definition.argument_by_name(given) {
                None => {
                    let text = format!("Field '{name}' doesn't accept argument '{given}'");
                    let more = json!({
                        "code": "argumentNotAccepted", "name": name, "typeName": "Field", "argumentName": given,
                    });
                    self.error(argument, text, more, Some(given));
                }
                Some(known) => {
                    self.path.push(given.to_owned());
                    self.literal(field, ("Field", name, given), known, &argument.value);
                    self.path.pop();
                }
            }
        }
        let missing: Vec<&str> = definition
            .arguments
            .iter()
            .filter(|known| known.is_required() && !field.arguments.iter().any(|given| given.name == known.name))
            .map(|known| known.name.as_str())
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let text = format!("Field '{name}' is missing required arguments: {missing}");
            let more = json!({
                "code": "missingRequiredArguments", "className": "Field", "name": name, "arguments": missing,
            });
            self.error(field, text, more, None);
        }
    }

    fn collect(&mut self, literal: &Literal) {
        match literal {
            Literal::Variable(name) => {
                self.used.insert(name.to_string());
            }
            Literal::List(items) => items.iter().for_each(|item| self.collect(item)),
            Literal::Object(fields) => fields.iter().for_each(|(_, value)| self.collect(value)),
            _ => {}
        }
    }

    /// A literal argument of a field or attribute of an input object: kind of owner, owner, its own name.
    fn literal(
        &mut self,
        at: &Node<Field>,
        owner: (&str, &str, &str),
        known: &InputValueDefinition,
        literal: &Literal,
    ) {
        let (kind, of, name) = owner;
        let refuse = |checker: &mut Self| {
            let text = format!(
                "Argument '{name}' on {kind} '{of}' has an invalid value ({}). Expected type '{}'.",
                literal_text(literal),
                known.ty
            );
            let more = json!({"code": "argumentLiteralsIncompatible", "typeName": kind, "argumentName": name});
            checker.error(at, text, more, None);
        };
        if matches!(literal, Literal::Variable(_)) {
            return;
        }
        if matches!(literal, Literal::Null) {
            if known.ty.is_non_null() {
                refuse(self);
            }
            return;
        }
        let inner = known.ty.inner_named_type().as_str();
        let items: Vec<&Literal> = match (literal, &*known.ty) {
            (Literal::List(items), Type::List(_) | Type::NonNullList(_)) => items.iter().map(|item| &**item).collect(),
            (one, _) => vec![one],
        };
        for item in items {
            match (SCHEMA.types.get(inner), item) {
                (_, Literal::Variable(_)) => {}
                (Some(ExtendedType::Enum(words)), Literal::Enum(word)) if words.values.contains_key(word) => {}
                (Some(ExtendedType::InputObject(input)), Literal::Object(fields)) => {
                    for (field, value) in fields {
                        let Some(known) = input.fields.get(field) else {
                            let text = format!("InputObject '{inner}' doesn't accept argument '{field}'");
                            let more = json!({
                                "code": "argumentNotAccepted",
                                "name": inner,
                                "typeName": "InputObject",
                                "argumentName": field.as_str(),
                            });
                            self.error(at, text, more, Some(field.as_str()));
                            continue;
                        };
                        self.path.push(field.to_string());
                        self.literal(at, ("InputObject", inner, field.as_str()), known, value);
                        self.path.pop();
                    }
                    for (field, known) in &input.fields {
                        if known.is_required() && !fields.iter().any(|(given, _)| given == field) {
                            let text = format!(
                                "Argument '{field}' on InputObject '{inner}' is required. Expected type {}",
                                known.ty
                            );
                            let more = json!({
                                "code": "missingRequiredInputObjectAttribute",
                                "argumentName": field.as_str(),
                                "argumentType": known.ty.to_string(),
                                "inputObjectType": inner,
                            });
                            self.error(at, text, more, Some(field.as_str()));
                        }
                    }
                }
                (Some(ExtendedType::Scalar(_)), item) => {
                    let value = super::literals::json(item, &Map::new()).unwrap_or(Value::Null);
                    match variables::scalar(inner, &value) {
                        Ok(()) => {}
                        Err((text, true)) => {
                            let more = json!({"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"});
                            self.error(at, text, more, None);
                        }
                        Err(_) => refuse(self),
                    }
                }
                _ => refuse(self),
            }
        }
    }
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".into(),
        Literal::Enum(word) => word.to_string(),
        Literal::List(items) => {
            format!("[{}]", items.iter().map(|item| literal_text(item)).collect::<Vec<_>>().join(", "))
        }
        other => super::literals::json(other, &Map::new()).unwrap_or(Value::Null).to_string(),
    }
}

/// Refuses input arrays of more than 250 items.
///
/// # Errors
/// Shopify's top-level error, as recorded.
pub(crate) fn sizes(
    document: &Valid<ExecutableDocument>,
    operation: &executable::Operation,
    variables: &Map<String, Value>,
) -> Result<(), Value> {
    for field in operation.root_fields(document) {
        let mut path = vec![json!(field.response_key().as_str())];
        for (name, value) in arguments(field, variables) {
            path.push(json!(name));
            if let Some((length, path)) = too_long(&value, &mut path) {
                let at =
                    field.line_column_range(&document.sources).map_or((1, 1), |at| (at.start.line, at.start.column));
                return Err(json!({
                    "message": format!(
                        "The input array size of {length} is greater than the maximum allowed of {MOST_ITEMS}."
                    ),
                    "locations": [{"line": at.0, "column": at.1}],
                    "path": path,
                    "extensions": {"code": "MAX_INPUT_SIZE_EXCEEDED"},
                }));
            }
            path.pop();
        }
    }
    Ok(())
}

fn too_long(value: &Value, path: &mut Vec<Value>) -> Option<(usize, Vec<Value>)> {
    match value {
        Value::Array(items) if items.len() > MOST_ITEMS => Some((items.len(), path.clone())),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            path.push(json!(index));
            let found = too_long(item, path);
            path.pop();
            found
        }),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            path.push(json!(name));
            let found = too_long(value, path);
            path.pop();
            found
        }),
        _ => None,
    }
}
