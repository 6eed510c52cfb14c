//! A simulated HubSpot account: contacts, orders and companies with their properties and associations.
//!
//! Paths, bodies and their required members follow HubSpot's OpenAPI documents of version `2026-03` (contacts, orders,
//! companies, objects, properties) and `v4` (associations), which HubSpot publishes as `HubSpot-public-api-spec-collection`.
//! Rules and texts beyond them come from HubSpot's guides, named where they are applied; where only the words of an
//! answer are known from people who quote it, the module says so.
//!
//! What it keeps: records with each property's history, unique values (a contact's e-mails, and properties made with
//! `hasUniqueValue`), phone numbers in the forms that search compares, associations in both directions, and a search
//! index that lags. An accepted write goes to the
//! journal with `"changed"` in its body, which is false where the account held all values before.
//!
//! Not simulated: record merging beyond the merge call itself, property history before the last 20 values, automations,
//! lifecycle stages that only move forward, and the account's own validation rules.
//!
//! Beside HubSpot's paths it answers `GET /_control/state` (counts) and `PUT /_control/limit`
//! (`{"requests": 100, "window_ms": 10000}`).

mod account;
mod answers;
mod associations;
mod batch;
mod body;
mod catalogue;
mod emails;
mod gate;
mod hub;
mod limits;
mod objects;
mod phones;
mod property;
mod property_api;
mod property_groups;
mod record;
mod routes;
mod search;
mod values;

#[cfg(test)]
mod answers_match_the_documents;
#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod wrong_requests;

use std::{sync::Arc, time::Duration};

use crate::kit::{Faults, Journal, Simulated};

/// Every scope that the simulated paths ask for.
pub const ALL_SCOPES: &[&str] = &[
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.orders.read",
    "crm.objects.orders.write",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.schemas.orders.read",
    "crm.schemas.orders.write",
];

/// What an account allows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The private app's access token; another one is refused with 401.
    pub token: String,
    /// The scopes granted to the token; a call that needs another one is refused with 403.
    pub scopes: Vec<String>,
    /// How many requests a window takes. Private apps of free and starter accounts: 100.
    pub requests: usize,
    /// The rolling window's length. HubSpot's: 10 s.
    pub window: Duration,
    /// How many requests a day takes. Free and starter accounts: 250,000.
    pub daily: usize,
    /// How many searches a second takes. HubSpot's: 5.
    pub searches_per_second: usize,
    /// How long a write is not yet found by search.
    pub search_lag: Duration,
    /// The country code (`43`) of phone numbers that are written without one; unless given, HubSpot does not know it.
    pub country_code: Option<String>,
    /// Whether an upsert by e-mail answers per input when every input has an `objectWriteTraceId`. HubSpot's guide
    /// says that partial upserts are not supported by e-mail; accounts have been seen that answer 207 all the same.
    pub partial_by_email: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token: "pat-simulated".to_owned(),
            scopes: ALL_SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
            requests: 100,
            window: Duration::from_secs(10),
            daily: 250_000,
            searches_per_second: 5,
            search_lag: Duration::from_secs(5),
            country_code: None,
            partial_by_email: false,
        }
    }
}

/// An empty account with HubSpot's default properties.
pub fn simulated(settings: Settings) -> Simulated {
    let journal = Journal::new("hubspot");
    let hub = Arc::new(hub::Hub::new(settings, journal.clone()));
    Simulated {
        router: routes::router(hub),
        journal,
        faults: Faults::default(),
        too_many: answers::too_many,
        unauthorized: answers::unauthorized,
    }
}
