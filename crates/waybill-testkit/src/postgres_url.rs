//! A PostgreSQL URL in its parts, to reach other databases of the same cluster.

use std::fmt;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::programs::Program;

/// `postgres://user:password@host:port/database`; names and passwords that need no escaping.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    user: String,
    password: String,
    host: String,
    port: u16,
    database: String,
}

impl PostgresUrl {
    /// From its parts.
    pub fn new(user: &str, password: &str, host: &str, port: u16, database: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            host: host.to_owned(),
            port,
            database: database.to_owned(),
        }
    }

    /// From its text. The port may be left out, and so may the database, which then is the user's
    /// name, as for `psql`.
    ///
    /// # Errors
    /// When it is none; the text itself is not repeated, as it has a password.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let split = || {
            let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))?;
            let (rest, _options) = rest.split_once('?').unwrap_or((rest, ""));
            let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
            let (login, place) = authority.rsplit_once('@')?;
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            let (host, port) = place.split_once(':').unwrap_or((place, "5432"));
            let database = if database.is_empty() { user } else { database };
            Some(Self::new(user, password, host, port.parse().ok()?, database))
        };
        split().context("not of the form postgres://user:password@host:port/database")
    }

    /// Another database of the same cluster, as the same user.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// The same database as another user.
    #[must_use]
    pub fn with_user(&self, user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned(), ..self.clone() }
    }

    /// Where the server listens, if that is told by an IP address.
    pub fn address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse().ok()?, self.port))
    }

    /// The same database by another way to its server, such as a proxy's.
    #[must_use]
    pub fn through(&self, way: SocketAddr) -> Self {
        Self { host: way.ip().to_string(), port: way.port(), ..self.clone() }
    }

    /// The whole URL, password included: for a client's settings, never for a log.
    pub fn expose(&self) -> String {
        let Self { user, password, host, port, database } = self;
        format!("postgres://{user}:{password}@{host}:{port}/{database}")
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Runs SQL through `psql` and returns the rows, fields separated by `|`.
    ///
    /// # Errors
    /// When `psql` is missing or the server refuses; with what it said.
    pub fn run(&self, sql: &str) -> anyhow::Result<String> {
        let output = Command::new(Program::Psql.require()?)
            .args(["--no-psqlrc", "--no-password", "--quiet"])
            .args(["--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"])
            .args(["--host", &self.host, "--port", &self.port.to_string()])
            .args(["--username", &self.user, "--dbname", &self.database])
            .args(["--command", sql])
            // Not as an argument, where every user of the machine could read it.
            .env("PGPASSWORD", &self.password)
            .stdin(Stdio::null())
            .output()
            .context("running psql")?;
        anyhow::ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Creates an empty database and returns its URL. The name must need no quoting.
    ///
    /// # Errors
    /// When it exists, or the server refuses.
    pub fn create_database(&self, name: &str) -> anyhow::Result<Self> {
        self.run(&format!("create database \"{name}\"")).with_context(|| format!("creating the database {name}"))?;
        Ok(self.with_database(name))
    }

    /// Drops a database with all connections to it.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        self.run(&format!("drop database if exists \"{name}\" with (force)")).map(drop)
    }
}

/// Without the password.
impl fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Self::expose(&self.with_user(&self.user, "[redacted]")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_survives_the_round_trip() -> anyhow::Result<()> {
        let text = "postgres://ann:secret@127.0.0.1:5433/shop";
        let url = PostgresUrl::parse(text)?;
        assert_eq!(url.expose(), text);
        assert_eq!(url.with_database("other").expose(), "postgres://ann:secret@127.0.0.1:5433/other");
        Ok(())
    }

    #[test]
    fn what_is_left_out_is_what_psql_would_take() -> anyhow::Result<()> {
        let url = PostgresUrl::parse("postgresql://ann:secret@localhost")?;
        assert_eq!(url.expose(), "postgres://ann:secret@localhost:5432/ann");
        Ok(())
    }

    #[test]
    fn a_password_is_not_printed() {
        let url = PostgresUrl::new("ann", "secret", "localhost", 5432, "shop");
        assert!(!format!("{url:?}").contains("secret"));
        let error = PostgresUrl::parse("mysql://ann:secret@localhost").unwrap_err();
        assert!(!format!("{error:?}").contains("secret"));
    }
}
