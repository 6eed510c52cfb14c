//! The properties API: groups of properties.

use http::StatusCode;
use serde_json::{Value, json};

use super::{account::Group, answers::Refusal, batch::Answer, body, hub::Hub, record::Kind};

/// `GET /crm/properties/2026-03/{type}/groups`
pub(super) fn list(hub: &Hub, kind: Kind) -> Answer {
    let account = hub.account();
    let results: Vec<Value> = account.table(kind).groups.values().map(shown).collect();
    (StatusCode::OK, Some(json!({"results": results})))
}

/// `GET /crm/properties/2026-03/{type}/groups/{name}`
pub(super) fn get(hub: &Hub, kind: Kind, name: &str) -> Result<Answer, Refusal> {
    let account = hub.account();
    let group = account.table(kind).groups.get(name).ok_or_else(Refusal::not_found)?;
    Ok((StatusCode::OK, Some(shown(group))))
}

/// `POST /crm/properties/2026-03/{type}/groups`
pub(super) fn create(hub: &Hub, kind: Kind, value: &Value) -> Result<Answer, Refusal> {
    let object = body::object(value, &["label", "name"])?;
    let group = Group {
        name: body::required_text(object, "name")?,
        label: body::required_text(object, "label")?,
        display_order: body::integer(object, "displayOrder")?.unwrap_or(-1),
    };
    let mut account = hub.account();
    let groups = &mut account.table_mut(kind).groups;
    if groups.contains_key(&group.name) {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "OBJECT_ALREADY_EXISTS",
            format!("A property group named '{}' already exists.", group.name),
        ));
    }
    let shown = shown(&group);
    hub.journal.write(
        "create",
        "property_group",
        format!("{}.{}", kind.plural(), group.name),
        &group.name,
        shown.clone(),
    );
    groups.insert(group.name.clone(), group);
    Ok((StatusCode::CREATED, Some(shown)))
}

/// `PATCH /crm/properties/2026-03/{type}/groups/{name}`
pub(super) fn update(hub: &Hub, kind: Kind, name: &str, value: &Value) -> Result<Answer, Refusal> {
    let object = body::object(value, &[])?;
    let mut account = hub.account();
    let group = account.table_mut(kind).groups.get_mut(name).ok_or_else(Refusal::not_found)?;
    if let Some(label) = body::text(object, "label")? {
        group.label = label;
    }
    if let Some(order) = body::integer(object, "displayOrder")? {
        group.display_order = order;
    }
    Ok((StatusCode::OK, Some(shown(group))))
}

/// `DELETE /crm/properties/2026-03/{type}/groups/{name}`
pub(super) fn archive(hub: &Hub, kind: Kind, name: &str) -> Result<Answer, Refusal> {
    let mut account = hub.account();
    let table = account.table_mut(kind);
    if table.properties.values().any(|property| property.group == name && property.archived_ms.is_none()) {
        // Seen.
        return Err(Refusal::validation("Can't delete or purge a group with active properties"));
    }
    table.groups.remove(name);
    Ok((StatusCode::NO_CONTENT, None))
}

fn shown(group: &Group) -> Value {
    json!({"name": group.name, "label": group.label, "displayOrder": group.display_order, "archived": false})
}
