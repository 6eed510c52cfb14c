//! A service's settings: its defaults, then a TOML file, then `WAYBILL_*` variables.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use thiserror::Error;

use crate::secret;

/// Why settings are refused. A bad value stops the start.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("settings file {path}: {problem}")]
    File {
        /// Which.
        path: String,
        /// Why.
        problem: String,
    },
    /// A key is unknown, missing or of the wrong form.
    #[error("settings: {0}")]
    Value(String),
    /// A secret does not resolve.
    #[error("setting '{name}': {source}")]
    Secret {
        /// The setting.
        name: &'static str,
        /// Why.
        source: secret::SecretError,
    },
}

/// The settings that every service has. Each service's `config.default.toml` lists them with comments.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// The plan's file.
    pub plan: PathBuf,
    /// PostgreSQL, as the service's own role.
    pub database_url: SecretText,
    /// NATS; of a cluster, each node's URL, with commas.
    pub nats_url: String,
    /// The service's user's password at NATS.
    #[serde(default)]
    pub nats_password: SecretText,
    /// Where health endpoints (and webhooks, pages) listen.
    pub http: SocketAddr,
    /// Where gRPC listens.
    pub grpc: SocketAddr,
    /// What every gRPC call must carry.
    pub grpc_token: SecretText,
    /// Only these systems of the plan are served by this process; none means all.
    #[serde(default)]
    pub systems: Vec<String>,
    /// Whether systems' first runs create as many records as they will, without asking a person.
    #[serde(default)]
    pub yes: bool,
    /// The other services' gRPC addresses.
    #[serde(default)]
    pub peers: BTreeMap<String, String>,
    /// Database connections, at most.
    #[serde(default = "connections")]
    pub connections: u32,
    /// For how many days revisions and decisions are kept.
    #[serde(default = "history_days")]
    pub history_days: u32,
    /// After how many days without a change a settled delivery gives up its body and its steps.
    #[serde(default = "body_days")]
    pub body_days: u32,
    /// The service's own settings.
    #[serde(default)]
    pub service: toml::Table,
}

const fn connections() -> u32 {
    8
}

const fn history_days() -> u32 {
    30
}

const fn body_days() -> u32 {
    90
}

/// A text that prints `[redacted]`. Values `env:NAME` and `file:/path` are resolved.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl SecretText {
    /// The text.
    pub fn expose(&self) -> &str {
        use secrecy::ExposeSecret as _;
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The variables that settings are read from, and the setting each one sets.
pub const VARIABLES: [(&str, &str); 17] = [
    ("WAYBILL_PLAN", "plan"),
    ("DATABASE_URL", "database_url"),
    ("NATS_URL", "nats_url"),
    ("WAYBILL_NATS_PASSWORD", "nats_password"),
    ("WAYBILL_HTTP", "http"),
    ("WAYBILL_GRPC", "grpc"),
    ("WAYBILL_GRPC_TOKEN", "grpc_token"),
    ("WAYBILL_SYSTEMS", "systems"),
    ("WAYBILL_YES", "yes"),
    ("WAYBILL_PEERS", "peers"),
    ("WAYBILL_CONNECTIONS", "connections"),
    ("WAYBILL_HISTORY_DAYS", "history_days"),
    ("WAYBILL_BODY_DAYS", "body_days"),
    ("WAYBILL_INBOX_DAYS", "service.inbox_days"),
    ("WAYBILL_PUBLIC_URL", "service.public_url"),
    ("WAYBILL_STREAM_REPLICAS", "service.stream_replicas"),
    ("WAYBILL_CALLBACK", "service.callback_url"),
];

impl ServiceSettings {
    /// Reads settings: `defaults` (the service's `config.default.toml`), then the file named by `WAYBILL_CONFIG`,
    /// then the variables in [`VARIABLES`], each of which may be given as `<NAME>_FILE` too.
    ///
    /// # Errors
    /// The first unreadable file or unusable value.
    pub fn load(defaults: &str) -> Result<Self, SettingsError> {
        Self::load_from(defaults, &secret::environment)
    }

    /// As [`ServiceSettings::load`], with the environment passed in.
    ///
    /// # Errors
    /// The first unreadable file or unusable value.
    pub fn load_from(defaults: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut table: toml::Table =
            defaults.parse().map_err(|error: toml::de::Error| SettingsError::Value(error.to_string()))?;
        if let Some(path) = env("WAYBILL_CONFIG") {
            let text = read(&path)?;
            let file: toml::Table = text
                .parse()
                .map_err(|error: toml::de::Error| SettingsError::File { path, problem: error.to_string() })?;
            merge(&mut table, file);
        }
        for (variable, setting) in VARIABLES {
            let value = match (env(variable), env(&format!("{variable}_FILE"))) {
                (Some(value), _) => value,
                (None, Some(path)) => read(&path)?.trim_end().to_owned(),
                (None, None) => continue,
            };
            let value = match setting {
                "systems" => toml::Value::Array(list(&value).map(toml::Value::from).collect()),
                "peers" => toml::Value::Table(
                    list(&value)
                        .map(|pair| match pair.split_once('=') {
                            Some((name, url)) => Ok((name.to_owned(), toml::Value::from(url))),
                            None => Err(SettingsError::Value(format!(
                                "WAYBILL_PEERS: '{pair}' is not name=url, such as erp-sync=http://erp-sync:9090"
                            ))),
                        })
                        .collect::<Result<_, _>>()?,
                ),
                "connections" | "history_days" | "body_days" | "service.inbox_days" | "service.stream_replicas" => {
                    let number = value.parse();
                    let number =
                        number.map_err(|_| SettingsError::Value(format!("{variable}: '{value}' is not a number")))?;
                    toml::Value::Integer(number)
                }
                "yes" => toml::Value::Boolean(
                    value
                        .parse()
                        .map_err(|_| SettingsError::Value(format!("{variable}: '{value}' is not true or false")))?,
                ),
                _ => toml::Value::from(value),
            };
            match setting.strip_prefix("service.") {
                Some(own) => {
                    let service = table.entry("service").or_insert_with(|| toml::Value::Table(toml::Table::new()));
                    if let Some(service) = service.as_table_mut() {
                        // Only a setting that the service has: one environment serves all services.
                        if service.contains_key(own) {
                            service.insert(own.to_owned(), value);
                        }
                    }
                }
                None => {
                    table.insert(setting.to_owned(), value);
                }
            }
        }
        for name in ["database_url", "nats_password", "grpc_token"] {
            if let Some(text) = table.get(name).and_then(toml::Value::as_str)
                && (text.starts_with("env:") || text.starts_with("file:"))
            {
                use secrecy::ExposeSecret as _;
                let resolved = secret::resolve(text).map_err(|source| SettingsError::Secret { name, source })?;
                table.insert(name.to_owned(), resolved.expose_secret().into());
            }
        }
        table.try_into().map_err(|error: toml::de::Error| SettingsError::Value(error.to_string()))
    }

    /// The service's own settings as a typed value.
    ///
    /// # Errors
    /// If a key is unknown, missing or of the wrong form.
    pub fn own<T: serde::de::DeserializeOwned>(&self) -> Result<T, SettingsError> {
        self.service
            .clone()
            .try_into()
            .map_err(|error: toml::de::Error| SettingsError::Value(format!("[service] {error}")))
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn read(path: &str) -> Result<String, SettingsError> {
    std::fs::read_to_string(path)
        .map_err(|error| SettingsError::File { path: path.to_owned(), problem: error.to_string() })
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceSettings;

    const DEFAULTS: &str = r#"
        plan = "plan.toml"
        database_url = "postgres://localhost/waybill"
        nats_url = "nats://localhost"
        http = "127.0.0.1:8080"
        grpc = "127.0.0.1:9090"
        grpc_token = ""
    "#;

    #[test]
    fn variables_win_over_defaults() {
        let env = |name: &str| match name {
            "WAYBILL_SYSTEMS" => Some("hubspot, erp".to_owned()),
            "WAYBILL_PEERS" => Some("erp-sync=http://erp:9090".to_owned()),
            "WAYBILL_GRPC_TOKEN" => Some("t0ken".to_owned()),
            _ => None,
        };
        let settings = ServiceSettings::load_from(DEFAULTS, &env).unwrap();
        assert_eq!(settings.systems, ["hubspot", "erp"]);
        assert_eq!(settings.peers["erp-sync"], "http://erp:9090");
        assert!(!format!("{settings:?}").contains("t0ken"));
    }

    #[test]
    fn a_switch_is_true_or_false() {
        let given = |value: &'static str| move |name: &str| (name == "WAYBILL_YES").then(|| value.to_owned());
        assert!(!ServiceSettings::load_from(DEFAULTS, &|_| None).unwrap().yes);
        assert!(ServiceSettings::load_from(DEFAULTS, &given("true")).unwrap().yes);
        let error = ServiceSettings::load_from(DEFAULTS, &given("ja")).unwrap_err();
        assert!(error.to_string().contains("WAYBILL_YES: 'ja'"), "{error}");
    }

    #[test]
    fn ages_are_days_and_only_who_has_an_inbox_takes_its_own() {
        let env = |name: &str| match name {
            "WAYBILL_BODY_DAYS" => Some("400".to_owned()),
            "WAYBILL_INBOX_DAYS" => Some("7".to_owned()),
            _ => None,
        };
        let settings = ServiceSettings::load_from(DEFAULTS, &env).unwrap();
        assert_eq!((settings.body_days, settings.service.get("inbox_days")), (400, None));
        let settings = ServiceSettings::load_from(&format!("{DEFAULTS}\n[service]\ninbox_days = 30"), &env).unwrap();
        assert_eq!(settings.service["inbox_days"].as_integer(), Some(7));
    }

    #[test]
    fn an_unknown_setting_stops_the_start() {
        let error = ServiceSettings::load_from(&format!("{DEFAULTS}\nretires = 3"), &|_| None).unwrap_err();
        assert!(error.to_string().contains("retires"), "{error}");
    }
}
