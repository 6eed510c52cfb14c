//! The properties API: definitions and their groups.
//!
//! Rules: properties guide (developers.hubspot.com/docs/api-reference/latest/crm/properties/guide). The words of its
//! refusals are not documented and are made up, except for a definition that exists (seen).

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    account::Table,
    answers::Refusal,
    batch::{self, Answer},
    body,
    hub::Hub,
    property::{Choice, DataType, Property},
    record::Kind,
    routes::Query,
};
use crate::kit::now_ms;

/// Unique properties per kind of record ("You can have up to ten unique ID properties per object").
const MOST_UNIQUE: usize = 10;
const TYPES: &[&str] = &["bool", "date", "datetime", "enumeration", "number", "phone_number", "string"];
const FIELD_TYPES: &[&str] = &[
    "booleancheckbox",
    "calculation_equation",
    "checkbox",
    "date",
    "file",
    "html",
    "number",
    "phonenumber",
    "radio",
    "select",
    "text",
    "textarea",
];
const NUMBER_HINTS: &[&str] = &["currency", "duration", "formatted", "percentage", "probability", "unformatted"];
const TEXT_HINTS: &[&str] = &[
    "domain_name",
    "email",
    "ip_address",
    "multi_line",
    "phone_number",
    "physical_address",
    "postal_code",
    "unformatted_single_line",
];
const SENSITIVITIES: &[&str] = &["highly_sensitive", "non_sensitive", "sensitive"];

/// `GET /crm/properties/2026-03/{type}`
pub(super) fn list(hub: &Hub, kind: Kind, query: &Query) -> Result<Answer, Refusal> {
    let archived = query.flag("archived")?.unwrap_or_default();
    let account = hub.account();
    let results: Vec<Value> = account
        .table(kind)
        .properties
        .values()
        .filter(|property| property.archived_ms.is_some() == archived)
        .map(Property::render)
        .collect();
    Ok((StatusCode::OK, Some(json!({"results": results}))))
}

/// `GET /crm/properties/2026-03/{type}/{name}`
pub(super) fn get(hub: &Hub, kind: Kind, name: &str) -> Result<Answer, Refusal> {
    let account = hub.account();
    let property = account.table(kind).property(name).ok_or_else(|| missing(name))?;
    Ok((StatusCode::OK, Some(property.render())))
}

fn missing(name: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", format!("Property '{name}' does not exist"))
}

/// `POST /crm/properties/2026-03/{type}`
pub(super) fn create(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let property = requested(value)?;
    let shown = add(hub.account().table_mut(kind), property)?;
    note(hub, kind, &shown);
    Ok((StatusCode::CREATED, Some(shown)))
}

/// `POST /crm/properties/2026-03/{type}/batch/create`
pub(super) fn create_all(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let inputs = body::list(body::object(value, &["inputs"])?, "inputs")?;
    batch::at_most(100, inputs.len())?;
    let wanted: Vec<Property> = inputs.iter().map(requested).collect::<Result<_, _>>()?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for property in wanted {
        let added = add(hub.account().table_mut(kind), property);
        match added {
            Ok(shown) => {
                note(hub, kind, &shown);
                results.push(shown);
            }
            Err(refusal) => errors.push(refusal.entry(None)),
        }
    }
    Ok(batch::answer(StatusCode::CREATED, results, errors))
}

fn note(hub: &Hub, kind: Kind, shown: &Value) {
    let name = shown["name"].as_str().unwrap_or_default();
    hub.journal.write("create", "property", format!("{}.{name}", kind.plural()), name, shown.clone());
}

/// Reads a `PropertyCreate`.
fn requested(value: &Value) -> Result<Property, Refusal> {
    let object = body::object(value, &["fieldType", "groupName", "label", "name", "type"])?;
    let data_type = body::word(object, "type", TYPES)?.unwrap_or_default();
    let data_type = DataType::from_word(&data_type).unwrap_or(DataType::Text);
    let field_type = body::word(object, "fieldType", FIELD_TYPES)?.unwrap_or_default();
    body::word(object, "dataSensitivity", SENSITIVITIES)?;
    check_display(object)?;
    Ok(Property {
        name: body::required_text(object, "name")?,
        label: body::required_text(object, "label")?,
        description: body::text(object, "description")?.unwrap_or_default(),
        group: body::required_text(object, "groupName")?,
        data_type,
        field_type,
        choices: choices(object)?,
        unique: body::flag(object, "hasUniqueValue")?.unwrap_or_default(),
        read_only: false,
        hubspot_defined: false,
        created_ms: now_ms(),
        archived_ms: None,
    })
}

/// Checks the members that nothing here depends on.
fn check_display(object: &Map<String, Value>) -> Result<(), Refusal> {
    body::integer(object, "displayOrder")?;
    for name in ["externalOptions", "formField", "hidden", "showCurrencySymbol"] {
        body::flag(object, name)?;
    }
    for name in ["calculationFormula", "currencyPropertyName", "referencedObjectType"] {
        body::text(object, name)?;
    }
    body::word(object, "numberDisplayHint", NUMBER_HINTS)?;
    body::word(object, "textDisplayHint", TEXT_HINTS)?;
    Ok(())
}

fn choices(object: &Map<String, Value>) -> Result<Vec<Choice>, Refusal> {
    body::list(object, "options")?
        .iter()
        .map(|value| {
            let option = body::object(value, &["displayOrder", "hidden", "label", "value"])?;
            body::integer(option, "displayOrder")?;
            body::text(option, "description")?;
            Ok(Choice {
                label: body::required_text(option, "label")?,
                value: body::required_text(option, "value")?,
                hidden: body::flag(option, "hidden")?.unwrap_or_default(),
            })
        })
        .collect()
}

fn add(table: &mut Table, property: Property) -> Result<Value, Refusal> {
    check(table, &property)?;
    if table.properties.contains_key(&property.name) {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "OBJECT_ALREADY_EXISTS",
            format!("A property named '{}' already exists.", property.name),
        ));
    }
    let own_unique = |property: &&Property| property.unique && !property.hubspot_defined;
    if property.unique && table.properties.values().filter(own_unique).count() >= MOST_UNIQUE {
        return Err(Refusal::validation(format!("You can have up to {MOST_UNIQUE} unique ID properties per object.")));
    }
    let shown = property.render();
    table.properties.insert(property.name.clone(), property);
    Ok(shown)
}

fn check(table: &Table, property: &Property) -> Result<(), Refusal> {
    let name = &property.name;
    let mut letters = name.chars();
    let proper = letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !proper {
        return Err(Refusal::validation(format!(
            "'{name}' is not a property name: lower-case letters, digits and underscores, beginning with a letter"
        )));
    }
    if property.label.is_empty() {
        return Err(Refusal::validation("label must not be empty"));
    }
    if !table.groups.contains_key(&property.group) {
        return Err(Refusal::validation(format!("Property group '{}' does not exist", property.group)));
    }
    if !property.data_type.field_types().contains(&property.field_type.as_str()) {
        return Err(Refusal::validation(format!(
            "fieldType {} is not valid for type {}",
            property.field_type,
            property.data_type.word()
        )));
    }
    let wants_choices = property.data_type == DataType::Enumeration && property.field_type != "calculation_equation";
    if wants_choices && property.choices.is_empty() {
        return Err(Refusal::validation("An enumeration property needs options"));
    }
    if property.unique && !matches!(property.data_type, DataType::Text | DataType::Number) {
        return Err(Refusal::validation("Only string and number properties can have unique values"));
    }
    Ok(())
}

/// `PATCH /crm/properties/2026-03/{type}/{name}`
pub(super) fn update(hub: &Hub, kind: Kind, name: &str, value: &Value) -> Result<Answer, Refusal> {
    let object = body::object(value, &[])?;
    check_display(object)?;
    let mut account = hub.account();
    let table = account.table_mut(kind);
    let mut property = table.property(name).cloned().ok_or_else(|| missing(name))?;
    if property.hubspot_defined {
        return Err(Refusal::validation(format!("Property '{name}' is HubSpot's own: its definition is read only")));
    }
    if let Some(label) = body::text(object, "label")? {
        property.label = label;
    }
    if let Some(description) = body::text(object, "description")? {
        property.description = description;
    }
    if let Some(group) = body::text(object, "groupName")? {
        property.group = group;
    }
    if let Some(word) = body::word(object, "type", TYPES)? {
        property.data_type = DataType::from_word(&word).unwrap_or(property.data_type);
    }
    if let Some(field_type) = body::word(object, "fieldType", FIELD_TYPES)? {
        property.field_type = field_type;
    }
    if object.contains_key("options") {
        property.choices = choices(object)?;
    }
    check(table, &property)?;
    let shown = property.render();
    table.properties.insert(name.to_owned(), property);
    hub.journal.write("update", "property", format!("{}.{name}", kind.plural()), name, value.clone());
    Ok((StatusCode::OK, Some(shown)))
}

/// `DELETE /crm/properties/2026-03/{type}/{name}`
pub(super) fn archive(hub: &Hub, kind: Kind, name: &str) -> Result<Answer, Refusal> {
    let mut account = hub.account();
    let property = account.table_mut(kind).properties.get_mut(name).ok_or_else(|| missing(name))?;
    if property.hubspot_defined {
        return Err(Refusal::validation(format!("Property '{name}' is HubSpot's own and cannot be archived")));
    }
    property.archived_ms.get_or_insert(now_ms());
    hub.journal.write("delete", "property", format!("{}.{name}", kind.plural()), name, Value::Null);
    Ok((StatusCode::NO_CONTENT, None))
}

/// `POST /crm/properties/2026-03/{type}/batch/archive`
pub(super) fn archive_all(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    for name in names(value, &["inputs"])? {
        // "204 … regardless of the initial state of the property".
        if let Err(refusal) = archive(hub, kind, &name)
            && !refusal.is_missing_record()
        {
            return Err(refusal);
        }
    }
    Ok((StatusCode::NO_CONTENT, None))
}

/// `POST /crm/properties/2026-03/{type}/batch/read`
pub(super) fn read(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let names = names(value, &["archived", "dataSensitivity", "inputs"])?;
    let object = body::object(value, &[])?;
    let archived = body::flag(object, "archived")?.unwrap_or_default();
    body::word(object, "dataSensitivity", SENSITIVITIES)?;
    let account = hub.account();
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for name in names {
        let found = account.table(kind).properties.get(&name);
        match found.filter(|property| property.archived_ms.is_some() == archived) {
            Some(property) => results.push(property.render()),
            None => errors.push(missing(&name).entry(None)),
        }
    }
    Ok(batch::answer(StatusCode::OK, results, errors))
}

fn names(value: &Value, required: &[&str]) -> Result<Vec<String>, Refusal> {
    let inputs = body::list(body::object(value, required)?, "inputs")?;
    inputs.iter().map(|input| body::required_text(body::object(input, &["name"])?, "name")).collect()
}
