//! Mapped fields.

use std::collections::BTreeMap;

use waybill_domain::document::{FieldValue, Fields};

use super::{Edits, Unfit};
use crate::{
    expression::ExpressionError,
    plan::{Map, Missing},
};

/// The fields of one object, those of `maps` with the places of edits beginning with `at`.
pub(super) fn fields(
    maps: &BTreeMap<String, Map>,
    view: &minijinja::Value,
    edits: &Edits<'_>,
    at: &str,
) -> Result<Fields, Unfit> {
    let mut fields = Fields::new();
    for (name, map) in maps {
        if let Some(value) = edits.value(format_args!("{at}{name}"), mapped(name, map, view))? {
            fields.insert(name.clone(), value);
        }
    }
    Ok(fields)
}

/// A field as its map has it; `None` if it leaves it out.
fn mapped(name: &str, map: &Map, view: &minijinja::Value) -> Result<Option<FieldValue>, Unfit> {
    let value = match map.value.field(view) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => {
            let message = format!("{}: there is no such value in this record", map.value.source());
            Err(Unfit::new("map_error", name, message))
        }
        Err(error @ ExpressionError::Unmapped { .. }) => return Err(Unfit::expression(name, &error)),
        Err(error) => Err(Unfit::expression(name, &error)),
    };
    let is_nothing = matches!(value, Ok(FieldValue::Null)) || value.is_err();
    match (&map.default, map.missing) {
        (Some(default), _) if is_nothing => Ok(Some(default.clone())),
        (_, Missing::Skip) if is_nothing => Ok(None),
        (_, Missing::Clear) if is_nothing => Ok(Some(FieldValue::Null)),
        _ => value.map(Some),
    }
}
