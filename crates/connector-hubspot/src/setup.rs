//! What an account needs before the first record: properties.

use waybill_connector::Failure;

use crate::{
    ADOPTED_PROPERTY, HubSpot,
    client::Call,
    wire::{Kind, NewDefinition, NewGroup, NewOption},
};

/// The group that our properties are in (properties guide: "a custom property group will make it easy to identify that
/// data").
const GROUP: &str = "waybill";
const GROUP_LABEL: &str = "Waybill";
const LONGEST_NAME: usize = 100;

/// Whose property it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyOwner {
    /// Contacts.
    Contact,
    /// Orders.
    Order,
}

/// What a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyKind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// A day.
    Date,
    /// An instant.
    DateTime,
}

impl PropertyKind {
    /// HubSpot's `type` and `fieldType`.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("string", "text"),
            Self::Number => ("number", "number"),
            Self::Bool => ("bool", "booleancheckbox"),
            Self::Date => ("date", "date"),
            Self::DateTime => ("datetime", "date"),
        }
    }
}

/// A property of the merchant's own that a plan maps to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProperty {
    /// Whose it is.
    pub owner: PropertyOwner,
    /// HubSpot's internal name: lower-case letters, digits and underscores, beginning with a letter.
    pub name: String,
    /// What people see.
    pub label: String,
    /// What it holds.
    pub kind: PropertyKind,
}

/// Whether HubSpot takes it for a property's internal name.
pub(crate) fn is_property_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl HubSpot {
    /// Makes the unique properties that hold our keys, those that mark adopted records, and the properties given, checks the token and its scopes, and
    /// says what was done, a line each. It can be run again: what is there stays.
    ///
    /// # Errors
    /// - [`Failure::Unauthorized`] if the token is refused or lacks a scope, which the message names
    /// - [`Failure::Rejected`] with code `settings` if a property is there and does not fit: not unique, or of another type
    /// - whatever else a call fails with
    pub async fn setup(&self, properties: &[NewProperty]) -> Result<Vec<String>, Failure> {
        let mut lines = Vec::new();
        for kind in Kind::ALL {
            self.client.first(kind).await?;
            self.check_write(kind).await?;
            lines.push(format!("{}: the token may read and write", kind.as_str()));
        }
        for kind in Kind::ALL {
            let name = self.key_property(kind);
            let wanted = Wanted {
                kind,
                name,
                label: "Waybill key",
                description: "Waybill's key of the record. Do not change it.",
                holds: PropertyKind::Text,
                unique: true,
            };
            lines.push(self.provide(&wanted).await?);
        }
        for kind in Kind::ALL {
            let wanted = Wanted {
                kind,
                name: ADOPTED_PROPERTY,
                label: "Waybill adopted",
                description: "The record was here before Waybill, which writes only some of its fields.",
                holds: PropertyKind::Bool,
                unique: false,
            };
            lines.push(self.provide(&wanted).await?);
        }
        for property in properties {
            let wanted = Wanted {
                kind: match property.owner {
                    PropertyOwner::Contact => Kind::Contacts,
                    PropertyOwner::Order => Kind::Orders,
                },
                name: &property.name,
                label: &property.label,
                description: "",
                holds: property.kind,
                unique: false,
            };
            lines.push(self.provide(&wanted).await?);
        }
        Ok(lines)
    }

    /// Whether the token may write: HubSpot looks at scopes before it looks at an empty batch, which writes nothing.
    async fn check_write(&self, kind: Kind) -> Result<(), Failure> {
        match self.client.write(kind, Call::Update, Vec::new()).await {
            Ok(_) | Err(crate::client::Denial::Refused(_)) => Ok(()),
            Err(crate::client::Denial::Failed(failure)) => Err(failure),
        }
    }

    async fn provide(&self, wanted: &Wanted<'_>) -> Result<String, Failure> {
        let (kind, name) = (wanted.kind, wanted.name);
        let place = format!("property {}.{name}", kind.as_str());
        if let Some(found) = self.client.property(kind, name).await? {
            wanted.fits(&found, &place)?;
            return Ok(format!("{place}: already there"));
        }
        if !self.client.has_group(kind, GROUP).await? {
            self.client.create_group(kind, &NewGroup { name: GROUP, label: GROUP_LABEL }).await?;
        }
        let (data_type, field_type) = wanted.holds.words();
        let choices = [("Yes", "true"), ("No", "false")];
        let options = (0..).zip(choices).filter(|_| wanted.holds == PropertyKind::Bool);
        let definition = NewDefinition {
            name,
            label: wanted.label,
            description: wanted.description,
            group_name: GROUP,
            data_type,
            field_type,
            has_unique_value: wanted.unique,
            options: options
                .map(|(display_order, (label, value))| NewOption { label, value, display_order, hidden: false })
                .collect(),
        };
        if self.client.create_property(kind, &definition).await? {
            return Ok(format!("{place}: created"));
        }
        // Somebody else made it in between, or it lies in the recycling bin.
        match self.client.property(kind, name).await? {
            Some(found) => {
                wanted.fits(&found, &place)?;
                Ok(format!("{place}: already there"))
            }
            None => Err(Failure::rejected(
                "settings",
                name,
                format!("{place} is archived in HubSpot: restore it there, or name another property"),
            )),
        }
    }
}

struct Wanted<'a> {
    kind: Kind,
    name: &'a str,
    label: &'a str,
    description: &'a str,
    holds: PropertyKind,
    unique: bool,
}

impl Wanted<'_> {
    fn fits(&self, found: &crate::wire::Definition, place: &str) -> Result<(), Failure> {
        let (data_type, _) = self.holds.words();
        let problem = if self.unique && !found.has_unique_value {
            "is there, but its values need not be unique".to_owned()
        } else if found.data_type != data_type {
            format!("is there, but its type is {} and not {data_type}", found.data_type)
        } else {
            return Ok(());
        };
        Err(Failure::rejected("settings", self.name, format!("{place} {problem}: remove it, or name another property")))
    }
}

#[cfg(test)]
mod tests {
    use super::is_property_name;

    #[test]
    fn property_names_are_hubspots() {
        assert!(["waybill_key", "a", "a1_b"].iter().all(|name| is_property_name(name)));
        assert!(["", "Key", "1a", "_a", "a-b", "a.b", "ключ"].iter().all(|name| !is_property_name(name)));
    }
}
