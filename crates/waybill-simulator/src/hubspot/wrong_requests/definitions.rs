//! Definitions of properties.

use serde_json::{Value, json};

use super::{Case, INVALID};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case(
            "a property that is there",
            "POST",
            "/crm/properties/2026-03/contacts",
            json!({"name": "our_key", "label": "Key", "groupName": "contactinformation", "type": "string", "fieldType": "text"}),
            409,
            "OBJECT_ALREADY_EXISTS",
            "A property named 'our_key' already exists.",
        ),
        Case(
            "a property name in capitals",
            "POST",
            "/crm/properties/2026-03/contacts",
            json!({"name": "Key", "label": "Key", "groupName": "contactinformation", "type": "string", "fieldType": "text"}),
            400,
            INVALID,
            "is not a property name",
        ),
        Case(
            "a field that cannot hold the type",
            "POST",
            "/crm/properties/2026-03/contacts",
            json!({"name": "key", "label": "Key", "groupName": "contactinformation", "type": "number", "fieldType": "text"}),
            400,
            INVALID,
            "fieldType text is not valid for type number",
        ),
        Case(
            "a type that is none",
            "POST",
            "/crm/properties/2026-03/contacts",
            json!({"name": "key", "label": "Key", "groupName": "contactinformation", "type": "money", "fieldType": "text"}),
            400,
            INVALID,
            "is not one of [bool",
        ),
        Case(
            "a group that is not there",
            "POST",
            "/crm/properties/2026-03/contacts",
            json!({"name": "key", "label": "Key", "groupName": "mine", "type": "string", "fieldType": "text"}),
            400,
            INVALID,
            "Property group 'mine' does not exist",
        ),
        Case(
            "choices without any",
            "POST",
            "/crm/properties/2026-03/contacts",
            json!({"name": "key", "label": "Key", "groupName": "contactinformation", "type": "enumeration", "fieldType": "select"}),
            400,
            INVALID,
            "needs options",
        ),
        Case(
            "a property that is not there",
            "GET",
            "/crm/properties/2026-03/contacts/nothing",
            Value::Null,
            404,
            "OBJECT_NOT_FOUND",
            "does not exist",
        ),
    ]
}
