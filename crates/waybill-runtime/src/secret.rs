//! Secrets are references, resolved once.

use secrecy::SecretString;
use thiserror::Error;

/// Why a secret does not resolve.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Not a reference: the secret itself may stand there, so the text is not shown.
    #[error("a secret must be a reference, env:NAME or file:/path; write the secret itself nowhere in a plan")]
    NotAReference,
    /// The variable is not set or empty.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// The file cannot be read.
    #[error("the file {path} cannot be read: {problem}")]
    File {
        /// Which.
        path: String,
        /// Why.
        problem: String,
    },
}

/// Resolves `env:NAME` or `file:/path` (without the file's last line break).
///
/// # Errors
/// If it is no reference or does not resolve.
pub fn resolve(reference: &str) -> Result<SecretString, SecretError> {
    if let Some(name) = reference.strip_prefix("env:") {
        return environment(name)
            .filter(|text| !text.is_empty())
            .map(SecretString::from)
            .ok_or_else(|| SecretError::Unset(name.to_owned()));
    }
    if let Some(path) = reference.strip_prefix("file:") {
        return std::fs::read_to_string(path)
            .map(|text| SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
            .map_err(|error| SecretError::File { path: path.to_owned(), problem: error.to_string() });
    }
    Err(SecretError::NotAReference)
}

/// A plain setting: itself, or what a reference resolves to.
///
/// # Errors
/// If it is a reference that does not resolve.
pub fn plain(setting: &str) -> Result<String, SecretError> {
    use secrecy::ExposeSecret as _;
    if setting.starts_with("env:") || setting.starts_with("file:") {
        resolve(setting).map(|text| text.expose_secret().to_owned())
    } else {
        Ok(setting.to_owned())
    }
}

/// An environment variable, read where settings enter.
#[expect(clippy::disallowed_methods, reason = "this is the edge where settings enter")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::{SecretError, resolve};

    #[test]
    fn a_plain_secret_is_refused_and_not_shown() {
        let error = resolve("hunter2").unwrap_err();
        assert_eq!(error, SecretError::NotAReference);
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn an_unset_variable_is_named() {
        assert_eq!(resolve("env:WAYBILL_NO_SUCH").unwrap_err(), SecretError::Unset("WAYBILL_NO_SUCH".to_owned()));
    }
}
