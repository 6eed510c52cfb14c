//! The console's own settings.

use anyhow::Context as _;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use waybill_runtime::{ServiceSettings, secret, settings::SecretText};

/// Shorter ones can be guessed at the pace that the sign-in allows.
const SHORTEST_PASSWORD: usize = 12;

/// `[service]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    password: String,
    session_hours: i64,
    public_url: String,
}

/// The console's own settings, checked.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) password: SecretText,
    pub(crate) session: SignedDuration,
    /// Whether people reach the console over TLS.
    pub(crate) https: bool,
}

impl Own {
    /// # Errors
    /// The first setting that cannot be used.
    pub(crate) fn read(settings: &ServiceSettings) -> anyhow::Result<Self> {
        let written: Written = settings.own()?;
        let password = secret::resolve(&written.password).context("setting 'service.password'")?;
        let password = password.expose_secret();
        anyhow::ensure!(
            password.chars().count() >= SHORTEST_PASSWORD,
            "setting 'service.password': use at least {SHORTEST_PASSWORD} characters"
        );
        anyhow::ensure!(
            (1..=168).contains(&written.session_hours),
            "setting 'service.session_hours': {} is not between 1 and 168",
            written.session_hours
        );
        Ok(Self {
            password: password.to_owned().into(),
            session: SignedDuration::from_hours(written.session_hours),
            https: is_https(&written.public_url)?,
        })
    }
}

fn is_https(public_url: &str) -> anyhow::Result<bool> {
    if public_url.is_empty() {
        return Ok(false);
    }
    let url = url::Url::parse(public_url)
        .with_context(|| format!("setting 'service.public_url': '{public_url}' is no URL"))?;
    match url.scheme() {
        "https" => Ok(true),
        "http" => Ok(false),
        other => anyhow::bail!("setting 'service.public_url': '{other}' is neither http nor https"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Own, is_https};
    use waybill_runtime::ServiceSettings;

    #[test]
    fn the_scheme_tells_whether_cookies_are_for_tls_only() {
        assert!(is_https("https://waybill.example").unwrap());
        assert!(!is_https("http://127.0.0.1:8085").unwrap());
        assert!(is_https("waybill.example").is_err());
    }

    #[test]
    fn a_password_in_the_settings_file_stops_the_start_and_is_not_shown() {
        let text = crate::DEFAULTS.replace("env:WAYBILL_CONSOLE_PASSWORD", "correct horse battery");
        let settings = ServiceSettings::load_from(&text, &|_| None).unwrap();
        let error = format!("{:#}", Own::read(&settings).unwrap_err());
        assert!(error.contains("service.password") && !error.contains("horse"), "{error}");
    }
}
