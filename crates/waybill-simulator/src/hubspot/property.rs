//! The definition of a property.

use serde_json::{Value, json};

use super::record::iso;

/// A property's data type, as far as values are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataType {
    Text,
    /// A contact's e-mail: a text with rules of its own.
    Email,
    /// A contact's other e-mails, with semicolons between them.
    Emails,
    Number,
    Date,
    DateTime,
    Bool,
    Enumeration,
    PhoneNumber,
}

impl DataType {
    /// The document's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Text | Self::Email => "string",
            Self::Number => "number",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Bool => "bool",
            Self::Emails | Self::Enumeration => "enumeration",
            Self::PhoneNumber => "phone_number",
        }
    }

    /// Reads the document's word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Text, Self::Number, Self::Date, Self::DateTime, Self::Bool, Self::Enumeration, Self::PhoneNumber]
            .into_iter()
            .find(|data_type| data_type.word() == word)
    }

    /// Which inputs can hold it (properties guide, "Property type and fieldType values").
    pub(super) fn field_types(self) -> &'static [&'static str] {
        match self {
            Self::Bool => &["booleancheckbox", "calculation_equation"],
            Self::Enumeration => &["booleancheckbox", "checkbox", "radio", "select", "calculation_equation"],
            Self::Date | Self::DateTime => &["date"],
            Self::Emails => &["checkbox"],
            Self::Text | Self::Email => &["file", "text", "textarea", "calculation_equation", "html", "phonenumber"],
            Self::Number => &["number", "calculation_equation"],
            Self::PhoneNumber => &["phonenumber", "text"],
        }
    }
}

/// An allowed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) hidden: bool,
}

/// A property.
#[derive(Debug, Clone)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) description: String,
    pub(super) group: String,
    pub(super) data_type: DataType,
    pub(super) field_type: String,
    pub(super) choices: Vec<Choice>,
    pub(super) unique: bool,
    pub(super) read_only: bool,
    pub(super) hubspot_defined: bool,
    pub(super) created_ms: i64,
    pub(super) archived_ms: Option<i64>,
}

impl Property {
    /// The definition as the properties API shows it.
    pub(super) fn render(&self) -> Value {
        let options: Vec<Value> = self
            .choices
            .iter()
            .enumerate()
            .map(|(order, choice)| {
                json!({
                    "label": choice.label,
                    "value": choice.value,
                    "displayOrder": order,
                    "hidden": choice.hidden,
                })
            })
            .collect();
        let mut shown = json!({
            "name": self.name,
            "label": self.label,
            "description": self.description,
            "groupName": self.group,
            "type": self.data_type.word(),
            "fieldType": self.field_type,
            "options": options,
            "displayOrder": -1,
            "calculated": false,
            "externalOptions": false,
            "hasUniqueValue": self.unique,
            "hidden": false,
            "hubspotDefined": self.hubspot_defined,
            "formField": !self.read_only,
            "archived": self.archived_ms.is_some(),
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.created_ms),
            "modificationMetadata": {
                "archivable": !self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
        });
        if let Some(archived_ms) = self.archived_ms {
            shown["archivedAt"] = iso(archived_ms).into();
        }
        shown
    }
}
