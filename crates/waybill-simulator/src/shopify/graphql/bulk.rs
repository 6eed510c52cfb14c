//! `BulkOperation`. Rules and texts are those of recorded answers.

use apollo_compiler::executable::{Field, Selection, SelectionSet};
use serde_json::{Map, Value};

use super::{
    Context, document, execute,
    failure::Failure,
    id_of,
    node::{Arguments, Out, gid, leaf, plain, text, texts},
    roots,
};
use crate::{
    kit::now_ms,
    shopify::{
        bulk::{BulkFailure, BulkOperation, File, Status},
        clock::Moment,
        shipping::Refusal,
    },
};

const MOST_CONNECTIONS: usize = 5;
const DEEPEST: usize = 2;

fn status(context: &Context<'_>, one: &BulkOperation) -> Status {
    let settings = &context.store.0.settings;
    let ms = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4);
    one.status(now_ms(), ms(settings.bulk_takes), ms(settings.bulk_kept))
}

/// `BulkOperation`.
fn body(context: &Context<'_>, one: &BulkOperation) -> Out {
    let status = status(context, one);
    let ended = !status.goes_on();
    let url = |there: bool| {
        let served = one.served();
        if there && !served.is_empty() { leaf(context.store.file_url(&one.file_name())) } else { Out::Null }
    };
    let count = |number: usize| leaf(if ended { number } else { 0 }.to_string());
    plain(
        "BulkOperation",
        vec![
            ("id", gid("BulkOperation", one.id)),
            ("status", leaf(status.word())),
            ("type", leaf("QUERY")),
            ("errorCode", leaf(one.failure.filter(|_| status == Status::Failed).map(BulkFailure::code))),
            ("createdAt", leaf(one.created_at.utc())),
            ("completedAt", leaf((status == Status::Completed).then(|| one.created_at.utc()))),
            ("objectCount", count(one.file.objects)),
            ("rootObjectCount", count(one.file.roots)),
            ("fileSize", leaf((status == Status::Completed).then(|| one.file.text.len().to_string()))),
            ("url", url(status == Status::Completed)),
            ("partialDataUrl", url(status == Status::Failed)),
            ("query", leaf(&one.query)),
        ],
    )
}

/// `bulkOperation`.
pub(crate) fn one(context: &Context<'_>, id: &Value) -> Result<Out, Failure> {
    let id = id_of("BulkOperation", id)?;
    let found = context.state.borrow().bulk.get(&id).cloned();
    Ok(found.map_or(Out::Null, |one| body(context, &one)))
}

/// `currentBulkOperation`: the newest of a type. There are no bulk mutations here.
pub(crate) fn current(context: &Context<'_>, given: &Arguments) -> Out {
    let newest = context.state.borrow().bulk.values().next_back().cloned();
    newest.filter(|_| text(given, "type") != Some("MUTATION")).map_or(Out::Null, |one| body(context, &one))
}

fn payload(operation: Out, errors: &[(Refusal, &'static str)]) -> Out {
    let error = |(refusal, code): &(Refusal, &'static str)| {
        let fields = if refusal.field.is_empty() { Out::Null } else { texts(&refusal.field) };
        let fields = vec![("field", fields), ("message", leaf(&refusal.message)), ("code", leaf(code))];
        plain("BulkOperationUserError", fields)
    };
    let errors = Out::List(errors.iter().map(error).collect());
    plain("BulkOperationRunQueryPayload", vec![("bulkOperation", operation), ("userErrors", errors)])
}

/// `bulkOperationRunQuery`.
pub(crate) fn run_query(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let query = text(given, "query").unwrap_or_default().to_owned();
    let refused = |errors: Vec<String>| {
        let errors: Vec<_> = errors.into_iter().map(|text| (Refusal::new(&["query"], text), "INVALID")).collect();
        Ok(payload(Out::Null, &errors))
    };
    let document = match document::parse(&query) {
        Ok(document) => document,
        Err(errors) => {
            let text = errors.first().and_then(|error| error["message"].as_str()).unwrap_or_default();
            return refused(vec![format!("Invalid bulk query: {text}")]);
        }
    };
    let Ok(operation) = document.operations.get(None) else {
        return refused(vec!["Invalid bulk query: exactly one operation is needed".to_owned()]);
    };
    if !operation.is_query() {
        return refused(vec!["Invalid operation type. Only `query` operations are supported.".to_owned()]);
    }
    let errors = check(&document, &operation.selection_set);
    if !errors.is_empty() {
        return refused(errors);
    }
    let going_on: Vec<String> = {
        let state = context.state.borrow();
        let going_on = state.bulk.values().filter(|one| status(context, one).goes_on());
        going_on.map(|one| format!("gid://shopify/BulkOperation/{}", one.id)).collect()
    };
    if going_on.len() >= context.store.0.settings.bulk_at_once {
        let text =
            format!("A bulk query operation for this app and shop is already in progress: {}.", going_on.join(", "));
        return Ok(payload(Out::Null, &[(Refusal::new(&[], text), "OPERATION_IN_PROGRESS")]));
    }
    let denied = operation.root_fields(&document).any(|field| roots::allowed(context, &field.name).is_err());
    let outcome = execute::run_whole(context, &document, operation, &Map::new());
    if let Some(unanswered) = outcome.unanswered {
        return Err(Failure::Unanswered(unanswered));
    }
    let grouped = given.get("groupObjects").and_then(Value::as_bool).unwrap_or(false);
    let mut state = context.state.borrow_mut();
    let failure = state.bulk_failure.take().or(denied.then_some(BulkFailure::AccessDenied));
    let id = state.ids.next("BulkOperation");
    let file = File::of(&outcome.data, grouped);
    let (created_at, created_ms) = (Moment::now(), now_ms());
    let one = BulkOperation { id, query, created_at, created_ms, cancelled: false, failure, file };
    state.bulk.insert(id, one.clone());
    drop(state);
    Ok(payload(body(context, &one), &[]))
}

/// `bulkOperationCancel`.
pub(crate) fn cancel(context: &Context<'_>, given: &Arguments) -> Result<Out, Failure> {
    let id = id_of("BulkOperation", &given["id"])?;
    let known = context.state.borrow().bulk.get(&id).cloned();
    let (operation, error) = match known {
        None => (None, Some("Bulk operation does not exist".to_owned())),
        Some(one) => {
            let status = status(context, &one);
            if status.goes_on() {
                if let Some(one) = context.state.borrow_mut().bulk.get_mut(&id) {
                    one.cancelled = true;
                }
                (Some(BulkOperation { cancelled: true, ..one }), None)
            } else {
                let text = format!("A bulk operation cannot be canceled when it is {}", status.word().to_lowercase());
                (Some(one), Some(text))
            }
        }
    };
    let errors: Vec<Refusal> = error.into_iter().map(|text| Refusal::new(&["id"], text)).collect();
    let operation = operation.map_or(Out::Null, |one| body(context, &one));
    Ok(super::mutations::payload("BulkOperationCancelPayload", vec![("bulkOperation", operation)], &errors))
}

/// What Shopify refuses in a bulk query.
///
/// Source: shopify.dev, "Perform bulk operations with the GraphQL Admin API", "Operation restrictions".
fn check(document: &document::Document, set: &SelectionSet) -> Vec<String> {
    let mut walk =
        Walk { document, connections: 0, deepest: 0, by_nodes: Vec::new(), without_id: Vec::new(), in_list: false };
    let mut errors = Vec::new();
    for field in fields(document, set) {
        if field.name == "node" || field.name == "nodes" {
            errors.push(format!("Bulk queries cannot contain a top level `{}` field.", field.name));
        }
        walk.field(field, None, 0, false);
    }
    if walk.connections == 0 {
        errors.push("Bulk queries must contain at least one connection.".to_owned());
    }
    if walk.connections > MOST_CONNECTIONS {
        errors.push(format!("Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."));
    }
    if walk.deepest > DEEPEST {
        errors.push(format!("Bulk queries cannot contain connections with a nesting depth greater than {DEEPEST}."));
    }
    if walk.in_list {
        errors.push(
            "Queries that contain a connection field within a list field are not currently supported.".to_owned(),
        );
    }
    if let Some(first) = walk.by_nodes.first() {
        errors.push(format!(
            "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: '{first} {{ \
             edges {{ node {{'. Selecting via 'nodes' is not supported. Invalid connection fields: '{}'.",
            walk.by_nodes.join("', '")
        ));
    }
    if !walk.without_id.is_empty() {
        errors.push(format!(
            "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of \
             'ID' return type. Connection fields without 'id': {}.",
            walk.without_id.join(", ")
        ));
    }
    errors
}

/// A connection around a field: its name, and whether its nodes tell their id.
#[derive(Clone, Copy)]
struct Around<'a> {
    name: &'a str,
    has_id: bool,
}

struct Walk<'a> {
    document: &'a document::Document,
    connections: usize,
    deepest: usize,
    by_nodes: Vec<String>,
    without_id: Vec<String>,
    in_list: bool,
}

impl<'a> Walk<'a> {
    fn field(&mut self, field: &'a Field, around: Option<Around<'a>>, depth: usize, in_list: bool) {
        let ty = field.definition.ty.inner_named_type();
        let inner = fields(self.document, &field.selection_set);
        if !ty.ends_with("Connection") {
            let in_list = in_list || field.definition.ty.is_list();
            inner.into_iter().for_each(|field| self.field(field, around, depth, in_list));
            return;
        }
        self.connections += 1;
        self.deepest = self.deepest.max(depth);
        self.in_list |= in_list;
        if let Some(around) = around.filter(|around| !around.has_id) {
            self.without_id.push(around.name.to_owned());
        }
        for below in inner {
            if below.name == "nodes" {
                self.by_nodes.push(field.name.to_string());
            }
            for node in fields(self.document, &below.selection_set).into_iter().filter(|one| one.name == "node") {
                let parts = fields(self.document, &node.selection_set);
                let has_id = parts.iter().any(|part| part.name == "id" && part.alias.is_none());
                let here = Around { name: field.name.as_str(), has_id };
                parts.into_iter().for_each(|part| self.field(part, Some(here), depth + 1, false));
            }
        }
    }
}

/// The fields of a selection, those of fragments among them.
fn fields<'a>(document: &'a document::Document, set: &'a SelectionSet) -> Vec<&'a Field> {
    let mut found = Vec::new();
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => found.push(&**field),
            Selection::InlineFragment(inline) => found.extend(fields(document, &inline.selection_set)),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                    found.extend(fields(document, &fragment.selection_set));
                }
            }
        }
    }
    found
}
