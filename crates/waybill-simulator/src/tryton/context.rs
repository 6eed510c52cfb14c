//! The dictionary at the end of a call's parameters.

use http::StatusCode;
use serde_json::Value as Json;

use super::{
    trouble::{Outcome, Trouble},
    value::Id,
};

/// The parts of a call's context that matter here.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    pub(super) company: Option<Id>,
    pub(super) warehouse: Option<Id>,
    /// The locations at which quantities are asked.
    pub(super) locations: Vec<Id>,
    /// Whether quantities include those of a location's children.
    pub(super) with_childs: Option<bool>,
    /// Whether inactive records are searched too.
    pub(super) inactive_too: bool,
}

impl Context {
    /// Takes the context off the parameters.
    pub(super) fn take(parameters: &mut Vec<Json>) -> Outcome<Self> {
        let Some(Json::Object(context)) = parameters.pop() else {
            return Err(Trouble::Page(StatusCode::UNPROCESSABLE_ENTITY, "Missing context argument"));
        };
        let id = |name: &str| context.get(name).and_then(Json::as_i64);
        let locations = context
            .get("locations")
            .and_then(Json::as_array)
            .map(|ids| ids.iter().filter_map(Json::as_i64).collect())
            .unwrap_or_default();
        Ok(Self {
            company: id("company"),
            warehouse: id("warehouse"),
            locations,
            with_childs: context.get("with_childs").and_then(Json::as_bool),
            inactive_too: context.get("active_test").and_then(Json::as_bool) == Some(false),
        })
    }
}
