//! HubSpot's JSON as it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// A record's values by the properties' internal names; every value is a text.
pub(crate) type Properties = BTreeMap<String, String>;

/// The kinds of record that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Contacts,
    Orders,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Contacts, Self::Orders];

    /// The word in paths.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Orders => "orders",
        }
    }
}

/// The body of every batch call.
#[derive(Debug, Serialize)]
pub(crate) struct Inputs<T> {
    pub(crate) inputs: Vec<T>,
}

/// One input of `batch/upsert` and `batch/update`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WriteInput<'a> {
    pub(crate) id: &'a str,
    /// Absent: `id` is the record's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_property: Option<&'a str>,
    /// Asks for an outcome per input (207); comes back in the `context` of the input's error.
    pub(crate) object_write_trace_id: String,
    pub(crate) properties: &'a Properties,
}

/// The body of `batch/read`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchRead<'a> {
    pub(crate) inputs: Vec<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_property: Option<&'a str>,
    pub(crate) properties: Vec<&'a str>,
    pub(crate) properties_with_history: Vec<&'a str>,
}

/// The body of `search`: records of which a property has one of the values, by one group or the other.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Search<'a> {
    /// "You must format the value as an integer" (search guide, "Paging through results").
    pub(crate) after: &'a str,
    pub(crate) filter_groups: Vec<FilterGroup<'a>>,
    pub(crate) limit: u16,
    pub(crate) properties: Vec<&'a str>,
    pub(crate) sorts: Vec<&'a str>,
}

/// Filters that must all hold.
#[derive(Debug, Serialize)]
pub(crate) struct FilterGroup<'a> {
    pub(crate) filters: Vec<Filter<'a>>,
}

/// One condition of a search.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter<'a> {
    pub(crate) property_name: &'a str,
    pub(crate) operator: &'static str,
    pub(crate) values: &'a [&'a str],
}

/// The answer of `search`: one page.
#[derive(Debug, Deserialize)]
pub(crate) struct SearchAnswer {
    pub(crate) results: Vec<Object>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
}

/// Whether there are more pages.
#[derive(Debug, Deserialize)]
pub(crate) struct Paging {
    #[serde(default)]
    pub(crate) next: Option<NextPage>,
}

/// Where the next page begins.
#[derive(Debug, Deserialize)]
pub(crate) struct NextPage {
    pub(crate) after: String,
}

/// An id in a request.
#[derive(Debug, Serialize)]
pub(crate) struct Id<'a> {
    pub(crate) id: &'a str,
}

/// The answer of a batch call on records: 200, 201 or 207.
#[derive(Debug, Deserialize)]
pub(crate) struct BatchAnswer {
    pub(crate) results: Vec<Object>,
    #[serde(default)]
    pub(crate) errors: Vec<ErrorBody>,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Object {
    pub(crate) id: String,
    /// A property that was asked for and has no value is null.
    #[serde(default)]
    pub(crate) properties: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub(crate) object_write_trace_id: Option<String>,
}

impl Object {
    /// What it shows of a property; empty if it has no value.
    pub(crate) fn value(&self, property: &str) -> &str {
        self.properties.get(property).and_then(Option::as_deref).unwrap_or_default()
    }
}

/// One pair of `batch/associate/default`.
#[derive(Debug, Serialize)]
pub(crate) struct Pair<'a> {
    pub(crate) from: Id<'a>,
    pub(crate) to: Id<'a>,
}

/// The answer of `batch/associate/default`: each pair in both directions.
#[derive(Debug, Deserialize)]
pub(crate) struct AssociateAnswer {
    pub(crate) results: Vec<Associated>,
    #[serde(default)]
    pub(crate) errors: Vec<ErrorBody>,
}

/// An association that is there now.
#[derive(Debug, Deserialize)]
pub(crate) struct Associated {
    pub(crate) from: ObjectId,
    pub(crate) to: ObjectId,
}

/// A record's id in an answer.
#[derive(Debug, Deserialize)]
pub(crate) struct ObjectId {
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) id: String,
}

/// The answer of the associations' `batch/read`.
#[derive(Debug, Deserialize)]
pub(crate) struct AssociationsAnswer {
    pub(crate) results: Vec<AssociationsOf>,
}

/// What one record is associated with. Records without associations are left out of the answer.
#[derive(Debug, Deserialize)]
pub(crate) struct AssociationsOf {
    pub(crate) from: ObjectId,
    pub(crate) to: Vec<AssociatedWith>,
}

/// One end of an association.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssociatedWith {
    /// A text by the OpenAPI document; a number in live answers.
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) to_object_id: String,
}

/// An error: the body of a 4xx, or an entry of a 207's `errors`. "The fields should all be treated as optional" (error
/// handling guide).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ErrorBody {
    pub(crate) message: String,
    pub(crate) category: String,
    pub(crate) correlation_id: String,
    /// On a 429: which limit it was.
    pub(crate) policy_name: String,
    pub(crate) errors: Vec<ErrorDetail>,
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

/// What is wrong with one value.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ErrorDetail {
    pub(crate) message: String,
    pub(crate) code: String,
    #[serde(rename = "in")]
    pub(crate) place: String,
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

/// An entry of the list within "Property values were not valid: […]".
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InvalidValue {
    pub(crate) message: String,
    pub(crate) error: String,
    pub(crate) name: String,
}

/// A property's definition, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    #[serde(default)]
    pub(crate) has_unique_value: bool,
}

/// A property to be made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewDefinition<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) description: &'a str,
    pub(crate) group_name: &'a str,
    #[serde(rename = "type")]
    pub(crate) data_type: &'a str,
    pub(crate) field_type: &'a str,
    pub(crate) has_unique_value: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<NewOption<'a>>,
}

/// A value that a property allows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewOption<'a> {
    pub(crate) label: &'a str,
    pub(crate) value: &'a str,
    pub(crate) display_order: i32,
    pub(crate) hidden: bool,
}

/// A group of properties to be made.
#[derive(Debug, Serialize)]
pub(crate) struct NewGroup<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum TextOrNumber {
        Text(String),
        Number(u64),
    }
    Ok(match TextOrNumber::deserialize(deserializer)? {
        TextOrNumber::Text(text) => text,
        TextOrNumber::Number(number) => number.to_string(),
    })
}
