#![doc = include_str!("../README.md")]

mod batch;
mod client;
mod contacts;
mod descriptor;
mod fields;
mod looks;
mod lookup;
mod mapping;
mod matching;
mod orders;
mod pace;
mod phones;
mod records;
mod refusal;
mod setup;
mod shipments;
mod wire;

#[cfg(test)]
mod against_the_documents;

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use waybill_connector::{Failure, SystemSettings, settings::SettingsError, sink::Check};

pub use descriptor::descriptor;
pub use setup::{NewProperty, PropertyKind, PropertyOwner};

use crate::{
    client::Client,
    wire::{Definition, Kind},
};

/// The unique property that holds our key on contacts.
pub const CONTACT_KEY_PROPERTY: &str = "waybill_key";
/// The unique property that holds our key on orders, unless the setting `order_key_property` names another.
pub const ORDER_KEY_PROPERTY: &str = "waybill_key";

/// The property of contacts and orders that were adopted to have only some of their fields written.
pub const ADOPTED_PROPERTY: &str = "waybill_adopted";

/// One HubSpot account.
#[derive(Debug)]
pub struct HubSpot {
    client: Client,
    order_key_property: String,
    /// The definitions of properties that records are matched by.
    definitions: Mutex<BTreeMap<(Kind, String), Definition>>,
}

impl HubSpot {
    /// An account for checked settings. Nothing is sent.
    ///
    /// # Errors
    /// If `token` is missing or has characters that a header cannot carry, if `url` is no URL, or if
    /// `order_key_property` is no property name.
    pub fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        let order_key_property = settings.get("order_key_property").unwrap_or(ORDER_KEY_PROPERTY);
        if !setup::is_property_name(order_key_property) {
            return Err(settings.invalid(
                "order_key_property",
                format!(
                    "'{order_key_property}' is no property name: use lower-case letters, digits and underscores, \
                     beginning with a letter"
                ),
            ));
        }
        Ok(Self {
            client: Client::new(settings)?,
            order_key_property: order_key_property.to_owned(),
            definitions: Mutex::default(),
        })
    }

    /// The property that holds our key on a kind of record.
    fn key_property(&self, kind: Kind) -> &str {
        match kind {
            Kind::Contacts => CONTACT_KEY_PROPERTY,
            Kind::Orders => &self.order_key_property,
        }
    }
}

#[async_trait]
impl Check for HubSpot {
    /// Reads one contact and one order: a token that may not read either is not enough.
    async fn check(&self) -> Result<(), Failure> {
        for kind in Kind::ALL {
            self.client.first(kind).await?;
        }
        Ok(())
    }
}
