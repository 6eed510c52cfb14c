//! Each service has its own schema under its own role.

use std::{str::FromStr, time::Duration};

use anyhow::Context as _;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The schema of a service: its name with `_`.
pub fn schema(service: &str) -> String {
    service.replace('-', "_")
}

/// The role of a service: `waybill_` and its schema.
pub fn role(service: &str) -> String {
    format!("waybill_{}", schema(service))
}

/// A pool as the service's own role, whose `search_path` is its schema.
///
/// # Errors
/// If the URL cannot be read. Connections are made when they are needed.
pub fn pool(url: &str, connections: u32) -> anyhow::Result<PgPool> {
    let options = PgConnectOptions::from_str(url).context("DATABASE_URL is not a PostgreSQL URL")?;
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options))
}

/// Creates or repairs a service's role and schema and runs its migrations, as an administrator. Can be run again.
/// Gives the URL for the service's own role.
///
/// # Errors
/// If the administrator may not, or a migration fails.
pub async fn provision(
    admin_url: &str,
    service: &str,
    password: &str,
    migrator: &Migrator,
) -> anyhow::Result<String> {
    let options = PgConnectOptions::from_str(admin_url).context("DATABASE_URL is not a PostgreSQL URL")?;
    let mut connection =
        PgConnection::connect_with(&options).await.context("cannot connect to PostgreSQL")?;
    let (schema, role) = (schema(service), role(service));
    let database: String = sqlx::query_scalar("select current_database()").fetch_one(&mut connection).await?;
    // Roles belong to the whole cluster: two databases being provisioned at once must not meet here.
    connection.execute("select pg_advisory_lock(7729001)").await?;
    let created = async {
        let exists: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
            .bind(&role)
            .fetch_one(&mut connection)
            .await?;
        let verb = if exists { "alter" } else { "create" };
        let password = password.replace('\'', "''");
        connection.execute(AssertSqlSafe(format!("{verb} role {role} login password '{password}'"))).await?;
        connection.execute(AssertSqlSafe(format!("create schema if not exists {schema}"))).await?;
        connection
            .execute(AssertSqlSafe(format!(
                "alter role {role} in database \"{database}\" set search_path = {schema}; \
                 revoke all on schema {schema} from public; \
                 grant usage on schema {schema} to {role}; \
                 alter default privileges in schema {schema} \
                 grant select, insert, update, delete on tables to {role}; \
                 alter default privileges in schema {schema} grant usage on sequences to {role}"
            )))
            .await?;
        anyhow::Ok(())
    }
    .await;
    connection.execute("select pg_advisory_unlock(7729001)").await?;
    created.with_context(|| format!("cannot provision {service}: the user in DATABASE_URL must own the database"))?;
    connection.execute(AssertSqlSafe(format!("set search_path = {schema}"))).await?;
    migrator.run(&mut connection).await.with_context(|| format!("migrations of {service}"))?;
    connection
        .execute(AssertSqlSafe(format!(
            "grant select, insert, update, delete on all tables in schema {schema} to {role}; \
             grant usage on all sequences in schema {schema} to {role}"
        )))
        .await?;
    connection.close().await?;
    service_url(admin_url, service, password)
}

/// The URL of a service's own role in the database that an administrator's URL names.
///
/// # Errors
/// If the URL cannot be read.
pub fn service_url(admin_url: &str, service: &str, password: &str) -> anyhow::Result<String> {
    let options = PgConnectOptions::from_str(admin_url).context("DATABASE_URL is not a PostgreSQL URL")?;
    Ok(options.username(&role(service)).password(password).to_url_lossy().to_string())
}
