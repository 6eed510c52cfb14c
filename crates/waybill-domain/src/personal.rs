//! What identifies a person.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that identifies a person (name, address, e-mail, phone). Prints `[redacted]`, so that it
/// cannot reach a log by accident; `expose` is the one way out.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for a payload that the plan maps.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Personal {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Personal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Personal;

    #[test]
    fn a_personal_text_never_prints() {
        let email = Personal::new("jo@example.com");
        assert_eq!(format!("{email} {email:?}"), "[redacted] [redacted]");
        assert_eq!(email.expose(), "jo@example.com");
    }
}
