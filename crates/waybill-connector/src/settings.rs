//! A system's settings from the plan, with its secrets resolved.

use std::{collections::BTreeMap, fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use waybill_domain::{SystemName, descriptor::Descriptor};

use crate::gate::Gate;

/// Why a system's settings are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// A required setting is absent.
    #[error("system {system}: setting '{name}' is missing: {about}")]
    Missing {
        /// The system.
        system: SystemName,
        /// The setting.
        name: String,
        /// What it is.
        about: String,
    },
    /// A setting that the connector does not know.
    #[error("system {system}: setting '{name}' is not one of {known}")]
    Unknown {
        /// The system.
        system: SystemName,
        /// The setting.
        name: String,
        /// What it could be.
        known: String,
    },
    /// A setting with an impossible value.
    #[error("system {system}: setting '{name}': {problem}")]
    Invalid {
        /// The system.
        system: SystemName,
        /// The setting.
        name: String,
        /// What is wrong and how to mend it.
        problem: String,
    },
}

/// One system's settings: plain values and resolved secrets.
#[derive(Clone)]
pub struct SystemSettings {
    /// The system's name in the plan.
    pub system: SystemName,
    values: BTreeMap<String, String>,
    secrets: BTreeMap<String, SecretString>,
    gate: Option<Arc<dyn Gate>>,
}

impl SystemSettings {
    /// Checks the settings against the connector's descriptor: none missing, none unknown.
    ///
    /// # Errors
    /// The first setting that is missing or unknown.
    pub fn new(
        system: SystemName,
        descriptor: &Descriptor,
        values: BTreeMap<String, String>,
        secrets: BTreeMap<String, SecretString>,
    ) -> Result<Self, SettingsError> {
        for setting in descriptor.settings {
            let there =
                if setting.secret { secrets.contains_key(setting.name) } else { values.contains_key(setting.name) };
            if setting.required && !there {
                return Err(SettingsError::Missing {
                    system,
                    name: setting.name.to_owned(),
                    about: setting.about.to_owned(),
                });
            }
        }
        let known = |name: &String| descriptor.settings.iter().any(|setting| setting.name == name);
        if let Some(name) = values.keys().chain(secrets.keys()).find(|name| !known(name)) {
            let known = descriptor.settings.iter().map(|setting| setting.name).collect::<Vec<_>>().join(", ");
            return Err(SettingsError::Unknown { system, name: name.clone(), known });
        }
        Ok(Self { system, values, secrets, gate: None })
    }

    /// Keeps requests within a budget; connectors hand the gate to their `HttpClient`.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// The gate that every request passes, if the engine gave one.
    pub fn gate(&self) -> Option<Arc<dyn Gate>> {
        self.gate.clone()
    }

    /// A plain value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A plain value that must be there.
    ///
    /// # Errors
    /// [`SettingsError::Missing`].
    pub fn required(&self, name: &str) -> Result<&str, SettingsError> {
        self.get(name).ok_or_else(|| self.missing(name))
    }

    /// A secret that must be there.
    ///
    /// # Errors
    /// [`SettingsError::Missing`].
    pub fn secret(&self, name: &str) -> Result<&SecretString, SettingsError> {
        self.secrets.get(name).ok_or_else(|| self.missing(name))
    }

    /// A secret that may be there.
    pub fn secret_opt(&self, name: &str) -> Option<&SecretString> {
        self.secrets.get(name)
    }

    /// A value that is there and wrong.
    pub fn invalid(&self, name: &str, problem: impl Into<String>) -> SettingsError {
        SettingsError::Invalid { system: self.system.clone(), name: name.to_owned(), problem: problem.into() }
    }

    fn missing(&self, name: &str) -> SettingsError {
        SettingsError::Missing { system: self.system.clone(), name: name.to_owned(), about: String::new() }
    }
}

impl fmt::Debug for SystemSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemSettings")
            .field("system", &self.system)
            .field("values", &self.values)
            .field("secrets", &self.secrets.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// The text of a secret, for the one place that sends it.
pub fn expose(secret: &SecretString) -> &str {
    secret.expose_secret()
}
