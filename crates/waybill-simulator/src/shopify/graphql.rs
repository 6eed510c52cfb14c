//! `POST /admin/api/2026-07/graphql.json`.

mod bulk;
mod catalog;
mod check;
mod cost;
mod document;
mod execute;
mod failure;
mod literals;
mod mutations;
mod node;
mod orders;
mod page;
mod people;
mod prices;
mod refunds;
mod roots;
mod search;
mod sending;
mod subscriptions;
mod variables;

use std::{cell::RefCell, sync::PoisonError};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::{state::State, store::Store};
use failure::Failure;

#[cfg(test)]
pub(crate) use document::SCHEMA;

/// What resolvers see.
pub(crate) struct Context<'a> {
    pub(crate) state: RefCell<&'a mut State>,
    pub(crate) store: &'a Store,
    /// The key of the mutation's `@idempotent`, while it runs.
    pub(crate) idempotency_key: RefCell<Option<String>>,
}

/// Shopify's answer to a missing or wrong token.
pub(crate) fn unauthorized() -> Response {
    let text = "[API] Invalid API key or access token (unrecognized login or wrong password)";
    (StatusCode::UNAUTHORIZED, axum::Json(json!({"errors": text}))).into_response()
}

/// The most points that one query may cost.
const MAX_COST: u64 = 1000;

/// Answers a request.
pub(crate) fn answer(store: &Store, headers: &HeaderMap, body: &Bytes) -> Response {
    let token = headers.get("x-shopify-access-token").and_then(|value| value.to_str().ok());
    if token != Some(store.0.settings.token.as_str()) {
        return unauthorized();
    }
    if let Some(host) = headers.get(http::header::HOST).and_then(|host| host.to_str().ok()) {
        store.reached_at(host);
    }
    let missing = || {
        let text = json!({"errors": {"query": "Required parameter missing or invalid"}});
        (StatusCode::BAD_REQUEST, axum::Json(text)).into_response()
    };
    let Ok(Value::Object(request)) = serde_json::from_slice::<Value>(body) else { return missing() };
    let Some(query) = request.get("query").and_then(Value::as_str).filter(|query| !query.trim().is_empty()) else {
        return missing();
    };
    let given = match request.get("variables") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables.clone(),
        Some(_) => return missing(),
    };
    let name = request.get("operationName").and_then(Value::as_str).filter(|name| !name.is_empty());
    axum::Json(run(store, query, name, &given)).into_response()
}

fn run(store: &Store, query: &str, name: Option<&str>, given: &Map<String, Value>) -> Value {
    let document = match document::parse(query) {
        Ok(document) => document,
        Err(errors) => return json!({"errors": errors}),
    };
    let operation = match document.operations.get(name) {
        Ok(operation) => operation,
        Err(_) => {
            let text =
                name.map_or("An operation name is required".into(), |name| format!("No operation named \"{name}\""));
            return json!({"errors": [{"message": text}]});
        }
    };
    let variables = match variables::coerce(&document, operation, given) {
        Ok(variables) => variables,
        Err(errors) => return json!({"errors": errors}),
    };
    if let Err(error) = check::sizes(&document, operation, &variables) {
        return json!({"errors": [error]});
    }
    let requested = cost::requested(&document, operation, &variables);
    if requested > MAX_COST {
        let text = format!(
            "Query cost is {requested}, which exceeds the single query max cost limit ({MAX_COST}).\n\nSee https://shopify.dev/concepts/about-apis/rate-limits for more information on how the\ncost of a query is calculated.\n\nTo query larger amounts of data with fewer limits, bulk operations should be used instead.\nSee https://shopify.dev/api/usage/bulk-operations/queries for usage details.\n"
        );
        return json!({"errors": [{"message": text, "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": requested,
            "maxCost": MAX_COST,
            "documentation": "https://shopify.dev/api/usage/rate-limits",
        }}]});
    }
    {
        let mut bucket = store.0.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if !bucket.allows(requested, now_ms()) {
            return json!({
                "errors": [{"message": "Throttled", "extensions": {
                    "code": "THROTTLED",
                    "documentation": "https://shopify.dev/api/usage/rate-limits",
                }}],
                "extensions": {"cost": bucket.cost(requested, None)},
            });
        }
    }
    let outcome = store.change(|state| {
        let context = Context { state: RefCell::new(state), store, idempotency_key: RefCell::new(None) };
        execute::run(&context, &document, operation, &variables)
    });
    if let Some(unanswered) = outcome.unanswered {
        // Shopify's own form of an internal error, with the reason in it: a gap of the simulator is never an answer.
        let text = format!("Internal error. Looks like something went wrong on our end.\n{unanswered}");
        return json!({"errors": [{"message": text, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]});
    }
    let mut bucket = store.0.bucket.lock().unwrap_or_else(PoisonError::into_inner);
    bucket.charge(outcome.cost);
    let mut answer = json!({"data": outcome.data});
    if !outcome.errors.is_empty() {
        answer["errors"] = Value::Array(outcome.errors);
    }
    answer["extensions"] = json!({"cost": bucket.cost(requested, Some(outcome.cost))});
    answer
}

fn now_ms() -> i64 {
    crate::kit::now_ms()
}

/// The number in a global id of a type.
///
/// # Errors
/// `RESOURCE_NOT_FOUND` if it is the id of something else, as recorded.
pub(crate) fn id_of(kind: &str, gid: &Value) -> Result<u64, Failure> {
    let text = gid.as_str().unwrap_or_default();
    text.strip_prefix("gid://shopify/")
        .and_then(|rest| rest.strip_prefix(kind)?.strip_prefix('/'))
        .map(|rest| rest.split('?').next().unwrap_or_default())
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Failure::invalid_id(text))
}

#[cfg(test)]
pub(crate) fn cost_of(query: &str, variables: &Value) -> Option<u64> {
    let document = document::parse(query).ok()?;
    let operation = document.operations.get(None).ok()?;
    let given = variables.as_object().cloned().unwrap_or_default();
    let variables = variables::coerce(&document, operation, &given).ok()?;
    Some(cost::requested(&document, operation, &variables))
}
