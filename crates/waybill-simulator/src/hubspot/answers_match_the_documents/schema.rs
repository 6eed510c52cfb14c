//! A walker of the schemas that HubSpot's documents use.

use serde_json::Value;

/// A document, or a part of it with the document that its references are in.
#[derive(Clone, Copy)]
pub(super) struct Schema<'a> {
    pub(super) document: &'a Value,
    pub(super) schema: &'a Value,
}

impl<'a> Schema<'a> {
    /// The same document's other part.
    pub(super) fn at(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }

    /// Every place where a value is not as the schema says.
    pub(super) fn problems(self, value: &Value, place: &str, found: &mut Vec<String>) {
        if let Some(reference) = self.schema["$ref"].as_str() {
            let schema = self.document.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere");
            return self.at(schema).problems(value, place, found);
        }
        let right_type = match self.schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("boolean") => value.is_boolean(),
            Some(other) => panic!("the walker does not know the type {other}"),
            None => true,
        };
        if !right_type {
            found.push(format!("{place}: {value} is not of type {}", self.schema["type"]));
            return;
        }
        if let Some(allowed) = self.schema["enum"].as_array()
            && !allowed.contains(value)
        {
            found.push(format!("{place}: {value} is none of {allowed:?}"));
        }
        let text = value.as_str().unwrap_or_default();
        match self.schema["format"].as_str() {
            Some("date-time") if text.parse::<jiff::Timestamp>().is_err() => {
                found.push(format!("{place}: {value} is no time"));
            }
            Some("uuid") if text.len() != 36 || text.split('-').count() != 5 => {
                found.push(format!("{place}: {value} is no UUID"));
            }
            Some("int32") if value.as_i64().is_none_or(|number| i32::try_from(number).is_err()) => {
                found.push(format!("{place}: {value} does not fit 32 bits"));
            }
            _ => {}
        }
        for name in self.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                found.push(format!("{place}: {name} is missing"));
            }
        }
        for (at, item) in value.as_array().into_iter().flatten().enumerate() {
            self.at(&self.schema["items"]).problems(item, &format!("{place}[{at}]"), found);
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            let place = format!("{place}.{name}");
            match (&self.schema["properties"][name], &self.schema["additionalProperties"]) {
                (Value::Null, Value::Object(_)) => {
                    self.at(&self.schema["additionalProperties"]).problems(member, &place, found);
                }
                (Value::Null, _) if self.schema["properties"].is_object() => {
                    found.push(format!("{place} is not in the document"));
                }
                (Value::Null, _) => {}
                (schema, _) => self.at(schema).problems(member, &place, found),
            }
        }
    }
}
