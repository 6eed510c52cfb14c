//! Records and the kinds of record.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answers::PORTAL;

/// How many values of a property are remembered (knowledge.hubspot.com: 20 for records other than contacts, 45 there).
const REMEMBERED: usize = 20;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Contacts,
    Orders,
    Companies,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Contacts, Self::Orders, Self::Companies];

    /// Reads a path's word for it: plural, singular or the object type id.
    pub(super) fn from_path(word: &str) -> Option<Self> {
        match word {
            "contacts" | "contact" | "0-1" => Some(Self::Contacts),
            "orders" | "order" | "0-123" => Some(Self::Orders),
            "companies" | "company" | "0-2" => Some(Self::Companies),
            _ => None,
        }
    }

    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Orders => "orders",
            Self::Companies => "companies",
        }
    }

    pub(super) fn singular(self) -> &'static str {
        match self {
            Self::Contacts => "contact",
            Self::Orders => "order",
            Self::Companies => "company",
        }
    }

    /// The word in error texts.
    pub(super) fn legacy_name(self) -> &'static str {
        match self {
            Self::Contacts => "CONTACT",
            Self::Orders => "ORDER",
            Self::Companies => "COMPANY",
        }
    }

    pub(super) fn type_id(self) -> &'static str {
        match self {
            Self::Contacts => "0-1",
            Self::Orders => "0-123",
            Self::Companies => "0-2",
        }
    }

    /// The property that holds the time of creation.
    pub(super) fn created_property(self) -> &'static str {
        match self {
            Self::Contacts | Self::Companies => "createdate",
            Self::Orders => "hs_createdate",
        }
    }

    /// The property that holds the time of the last change.
    pub(super) fn modified_property(self) -> &'static str {
        match self {
            Self::Contacts => "lastmodifieddate",
            Self::Orders | Self::Companies => "hs_lastmodifieddate",
        }
    }

    /// What a read returns when no property is asked for, beside the record's own.
    pub(super) fn returned_by_default(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &["email", "firstname", "lastname"],
            Self::Orders => &[],
            Self::Companies => &["domain", "name"],
        }
    }

    /// What a record cannot be created without (developers.hubspot.com/docs/api-reference/latest/crm/objects: "Required
    /// properties to create records"). A company needs one of two, see `account`.
    pub(super) fn required(self) -> &'static [&'static str] {
        match self {
            Self::Orders => &["hs_order_name"],
            Self::Contacts | Self::Companies => &[],
        }
    }
}

/// One value that a property had.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) at_ms: i64,
    pub(super) value: String,
}

/// A record with the history of its values.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: u64,
    history: BTreeMap<String, Vec<Change>>,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) archived_ms: Option<i64>,
    /// The record that this one was merged into.
    pub(super) merged_into: Option<u64>,
}

impl Record {
    pub(super) fn new(id: u64, now_ms: i64) -> Self {
        Self {
            id,
            history: BTreeMap::new(),
            created_ms: now_ms,
            updated_ms: now_ms,
            archived_ms: None,
            merged_into: None,
        }
    }

    /// The value that is stored now; `None` if it is empty.
    pub(super) fn stored(&self, property: &str) -> Option<&str> {
        self.history.get(property)?.last().map(|change| change.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value as of a time.
    fn stored_at(&self, property: &str, at_ms: i64) -> Option<&str> {
        let changes = self.history.get(property)?;
        let change = changes.iter().rev().find(|change| change.at_ms <= at_ms)?;
        Some(change.value.as_str()).filter(|value| !value.is_empty())
    }

    /// Sets a value; says whether that changed it.
    pub(super) fn set(&mut self, property: &str, value: String, now_ms: i64) -> bool {
        if self.stored(property).unwrap_or_default() == value {
            return false;
        }
        let changes = self.history.entry(property.to_owned()).or_default();
        changes.push(Change { at_ms: now_ms, value });
        if changes.len() > REMEMBERED {
            changes.remove(0);
        }
        self.updated_ms = now_ms;
        true
    }

    /// Everything stored now.
    pub(super) fn all_stored(&self) -> impl Iterator<Item = (&str, &str)> {
        self.history.keys().filter_map(|name| Some((name.as_str(), self.stored(name)?)))
    }

    /// A property's value as a read shows it, those that HubSpot keeps itself included.
    pub(super) fn shown(&self, kind: Kind, property: &str, at_ms: i64) -> Option<String> {
        match property {
            "hs_object_id" => Some(self.id.to_string()),
            "hs_object_source" | "hs_object_source_label" => Some("INTEGRATION".to_owned()),
            name if name == kind.created_property() => Some(iso(self.created_ms)),
            name if name == kind.modified_property() => Some(iso(self.updated_ms)),
            name => self.stored_at(name, at_ms).map(str::to_owned),
        }
    }

    /// The record as an answer shows it: `properties` and those that are always there. A property without a value is
    /// null, as the guides say.
    pub(super) fn render(&self, kind: Kind, properties: &[String], with_history: &[String]) -> Value {
        let own = [kind.created_property(), kind.modified_property(), "hs_object_id"];
        let wanted = own.into_iter().chain(properties.iter().map(String::as_str));
        let shown: Map<String, Value> =
            wanted.map(|name| (name.to_owned(), self.shown(kind, name, i64::MAX).into())).collect();
        let mut object = json!({
            "id": self.id.to_string(),
            "properties": shown,
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.updated_ms),
            "archived": self.archived_ms.is_some(),
            "url": format!(
                "https://app.hubspot.com/contacts/{PORTAL}/record/{}/{}", kind.type_id(), self.id
            ),
        });
        if let Some(archived_ms) = self.archived_ms {
            object["archivedAt"] = iso(archived_ms).into();
        }
        if !with_history.is_empty() {
            object["propertiesWithHistory"] =
                with_history.iter().map(|name| (name.clone(), self.render_history(name))).collect::<Map<_, _>>().into();
        }
        object
    }

    fn render_history(&self, property: &str) -> Value {
        let changes = self.history.get(property).map(Vec::as_slice).unwrap_or_default();
        changes
            .iter()
            .rev()
            .map(|change| json!({"value": change.value, "timestamp": iso(change.at_ms), "sourceType": "INTEGRATION"}))
            .collect()
    }
}

/// ISO 8601 in UTC with milliseconds, as HubSpot answers times.
pub(super) fn iso(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
