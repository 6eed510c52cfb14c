//! The migrations that a service runs: the engine's, then its own.

use sqlx::migrate::{Migration, Migrator};

static ENGINE: Migrator = sqlx::migrate!("./migrations");

/// The engine's migrations and the service's own (versions from 5000).
pub fn migrator(own: Option<&Migrator>) -> Migrator {
    let migrations: Vec<Migration> = ENGINE.iter().chain(own.into_iter().flat_map(Migrator::iter)).cloned().collect();
    Migrator::with_migrations(migrations)
}
