//! Runs a validated document.

use apollo_compiler::{
    ExecutableDocument, Node as Parsed,
    ast::Type,
    executable::{Field, Operation, Selection, SelectionSet},
    schema::ExtendedType,
    validation::Valid,
};
use serde_json::{Map, Value, json};

use super::{
    Context, cost,
    document::SCHEMA,
    failure::Failure,
    literals,
    node::{Arguments, Node, Out},
    page::{self, Page},
};

/// What came of a document.
pub(crate) struct Outcome {
    pub(crate) data: Value,
    pub(crate) errors: Vec<Value>,
    /// The points that it cost.
    pub(crate) cost: u64,
    /// A field that has no answer here; then nothing else counts.
    pub(crate) unanswered: Option<String>,
}

/// A value that must not be null is null: the object around it is null too.
struct Nulled;

/// How an object's field is resolved.
type Resolve<'r, R> = dyn Fn(&R, &Parsed<Field>, &Arguments) -> Result<Out, Failure> + 'r;

struct Run<'a, 'c> {
    context: &'a Context<'c>,
    document: &'a Valid<ExecutableDocument>,
    variables: &'a Map<String, Value>,
    errors: Vec<Value>,
    unanswered: Option<String>,
    path: Vec<Value>,
    /// Whether connections are read whole, as bulk operations read them.
    whole: bool,
}

/// The arguments of a field: as given, else by default.
pub(crate) fn arguments(field: &Field, variables: &Map<String, Value>) -> Arguments {
    let mut values = Map::new();
    for known in &field.definition.arguments {
        let given = field.specified_argument_by_name(&known.name).and_then(|value| literals::json(value, variables));
        let default = || known.default_value.as_ref().and_then(|value| literals::json(value, variables));
        if let Some(value) = given.or_else(default) {
            values.insert(known.name.to_string(), value);
        }
    }
    values
}

/// Runs an operation.
pub(crate) fn run<'a>(
    context: &'a Context<'_>,
    document: &'a Valid<ExecutableDocument>,
    operation: &'a Operation,
    variables: &'a Map<String, Value>,
) -> Outcome {
    answer(context, document, operation, variables, false)
}

/// Runs an operation with all of each connection instead of a page of it.
pub(crate) fn run_whole<'a>(
    context: &'a Context<'_>,
    document: &'a Valid<ExecutableDocument>,
    operation: &'a Operation,
    variables: &'a Map<String, Value>,
) -> Outcome {
    answer(context, document, operation, variables, true)
}

fn answer<'a>(
    context: &'a Context<'_>,
    document: &'a Valid<ExecutableDocument>,
    operation: &'a Operation,
    variables: &'a Map<String, Value>,
    whole: bool,
) -> Outcome {
    let root = if operation.is_mutation() { Node::Mutation } else { Node::QueryRoot };
    let mut run = Run { context, document, variables, errors: Vec::new(), unanswered: None, path: Vec::new(), whole };
    let (data, cost) = match run.object(&root, &[&operation.selection_set]) {
        Ok((data, cost)) => (data, cost),
        Err(Nulled) => (Value::Null, cost::MUTATION),
    };
    Outcome { data, errors: run.errors, cost: cost.max(1), unanswered: run.unanswered }
}

impl<'a> Run<'a, '_> {
    fn collect(&self, type_name: &str, set: &'a SelectionSet, fields: &mut Vec<(String, Vec<&'a Parsed<Field>>)>) {
        for selection in &set.selections {
            let flag = |directive: &str, otherwise: bool| {
                let given = selection.directives().get(directive)?.specified_argument_by_name("if")?;
                literals::json(given, self.variables)?.as_bool().or(Some(otherwise))
            };
            if flag("skip", false).unwrap_or(false) || !flag("include", true).unwrap_or(true) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    match fields.iter_mut().find(|(known, _)| known == key) {
                        Some((_, same)) => same.push(field),
                        None => fields.push((key.to_owned(), vec![field])),
                    }
                }
                Selection::InlineFragment(inline) => {
                    if inline.type_condition.as_ref().is_none_or(|on| applies(type_name, on)) {
                        self.collect(type_name, &inline.selection_set, fields);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                        && applies(type_name, fragment.type_condition())
                    {
                        self.collect(type_name, &fragment.selection_set, fields);
                    }
                }
            }
        }
    }

    fn object(&mut self, node: &Node, sets: &[&'a SelectionSet]) -> Result<(Value, u64), Nulled> {
        self.fields(node.type_name(), sets, &|run, field, given| {
            if matches!(node, Node::Mutation) {
                *run.context.idempotency_key.borrow_mut() = idempotency_key(field, run.variables);
            }
            node.resolve(run.context, &field.name, given)
        })
    }

    fn fields(
        &mut self,
        type_name: &'static str,
        sets: &[&'a SelectionSet],
        resolve: &Resolve<'_, Self>,
    ) -> Result<(Value, u64), Nulled> {
        let mut fields = Vec::new();
        for set in sets {
            self.collect(type_name, set, &mut fields);
        }
        let mut object = Map::new();
        let mut cost = 0;
        for (key, same) in fields {
            let field = same[0];
            if field.name == "__typename" {
                object.insert(key, json!(type_name));
                continue;
            }
            if self.unanswered.is_some() {
                return Err(Nulled);
            }
            self.path.push(json!(key));
            let mut given = arguments(field, self.variables);
            if self.whole {
                given.insert(page::WHOLE.to_owned(), json!(true));
            }
            let out = resolve(self, field, &given);
            let sets: Vec<&SelectionSet> = same.iter().map(|field| &field.selection_set).collect();
            let completed = match out {
                Ok(out) => self.complete(&field.definition.ty, out, &sets),
                Err(failure) => {
                    self.fail(field, &failure);
                    Ok((Value::Null, 0))
                }
            };
            let completed = match completed {
                Ok((Value::Null, _)) | Err(Nulled) if field.definition.ty.is_non_null() => Err(Nulled),
                Err(Nulled) => Ok((Value::Null, 0)),
                completed => completed,
            };
            self.path.pop();
            let (value, points) = completed?;
            // A mutation's payload and its first object come with the mutation's points.
            cost += if type_name == "Mutation" { cost::MUTATION + points.saturating_sub(2) } else { points };
            object.insert(key, value);
        }
        Ok((Value::Object(object), cost))
    }

    fn fail(&mut self, field: &Parsed<Field>, failure: &Failure) {
        if let Failure::Unanswered(text) = failure {
            self.unanswered = Some(text.clone());
            return;
        }
        let at = field.line_column_range(&self.document.sources).map_or((1, 1), |at| (at.start.line, at.start.column));
        self.errors.push(json!({
            "message": failure.message(),
            "locations": [{"line": at.0, "column": at.1}],
            "extensions": failure.extensions(),
            "path": self.path,
        }));
    }

    fn complete(&mut self, ty: &Type, out: Out, sets: &[&'a SelectionSet]) -> Result<(Value, u64), Nulled> {
        match out {
            Out::Null => Ok((Value::Null, 0)),
            Out::Leaf(value) => Ok((value, 0)),
            Out::Object(node) => {
                let (value, cost) = self.object(&node, sets)?;
                Ok((value, cost + cost::of_object(node.type_name())))
            }
            Out::Page(page) => self.page(&page, sets),
            Out::List(items) => {
                let inner = ty.item_type();
                let mut values = Vec::with_capacity(items.len());
                let mut most = 0;
                for (index, item) in items.into_iter().enumerate() {
                    self.path.push(json!(index));
                    let completed = self.complete(inner, item, sets);
                    self.path.pop();
                    match completed {
                        Ok((Value::Null, _)) | Err(Nulled) if inner.is_non_null() => return Err(Nulled),
                        Ok((value, cost)) => {
                            most = most.max(cost);
                            values.push(value);
                        }
                        Err(Nulled) => values.push(Value::Null),
                    }
                }
                Ok((Value::Array(values), most))
            }
        }
    }

    fn page(&mut self, page: &Page, sets: &[&'a SelectionSet]) -> Result<(Value, u64), Nulled> {
        let (value, cost) = self.fields(page.type_name, sets, &|_, field, _| page.resolve(&field.name))?;
        Ok((value, 2 + cost::weight(page.entries.len() as u64) * cost))
    }
}

/// Whether a fragment on a type applies to an object of another.
fn applies(type_name: &str, on: &str) -> bool {
    type_name == on
        || match SCHEMA.types.get(on) {
            Some(ExtendedType::Interface(_)) => SCHEMA
                .get_object(type_name)
                .is_some_and(|object| object.implements_interfaces.iter().any(|interface| interface.name == on)),
            Some(ExtendedType::Union(union)) => union.members.iter().any(|member| member.name == type_name),
            _ => false,
        }
}

fn idempotency_key(field: &Field, variables: &Map<String, Value>) -> Option<String> {
    let key = field.directives.get("idempotent")?.specified_argument_by_name("key")?;
    literals::json(key, variables)?.as_str().map(str::to_owned)
}
