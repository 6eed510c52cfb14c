//! Each service has its own schema under its own role.

use std::{
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool, Postgres, Transaction,
    migrate::{MigrateError, Migrator},
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

/// A server that takes longer for an empty question is gone, whatever its connection says. Asked before a connection is
/// used, so that there is time to try another, and after.
const WELL_WITHIN: Duration = Duration::from_secs(1);
const STILL_WELL_WITHIN: Duration = Duration::from_secs(5);

/// Of so many times that a pool's connection comes back, it forgets once how its statements are planned. By itself PostgreSQL
/// keeps a plan until it analyses a table again, a minute or more: what was planned in an empty schema would read all of
/// a table that a sale or an import has filled since, for each batch. Each statement is then planned once more. A prime:
/// connections take turns, and each has to come to be the one.
const PLANS_LAST: u32 = 127;

/// What the server does with a connection whose other end is gone, so that it holds no locks: it asks after 20 s of
/// silence, gives up what is not acknowledged in 30 s, and ends a transaction in which nothing happens for a minute.
const WHEN_GONE: [(&str, &str); 5] = [
    ("tcp_keepalives_idle", "20"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "60s"),
];

/// A pool as the service's own role, whose `search_path` is its schema.
///
/// A connection that is half-open does not keep its place in it. By itself sqlx would wait for ever for a word from one
/// that comes back, and for as long as an acquisition may take from one that is to be used.
///
/// # Errors
/// If the URL cannot be read. Connections are made when they are needed.
pub fn pool(url: &str, connections: u32) -> anyhow::Result<PgPool> {
    let options = PgConnectOptions::from_str(url).context("DATABASE_URL is not a PostgreSQL URL")?;
    let released = AtomicU32::new(0);
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(is_well(connection, WELL_WITHIN)))
        .after_release(move |connection, _| {
            let plans_are_old = released.fetch_add(1, Ordering::Relaxed) % PLANS_LAST == PLANS_LAST - 1;
            Box::pin(async move {
                if plans_are_old {
                    let discarded = connection.execute("discard plans");
                    return within(STILL_WELL_WITHIN, discarded).await.map(|_| true);
                }
                is_well(connection, STILL_WELL_WITHIN).await
            })
        })
        .connect_lazy_with(options.options(WHEN_GONE)))
}

async fn is_well(connection: &mut PgConnection, time: Duration) -> sqlx::Result<bool> {
    within(time, connection.ping()).await.map(|()| true)
}

/// Waits for the database for no longer than this: a connection whose other end has vanished says nothing, for ever.
///
/// # Errors
/// The database's, and [`sqlx::Error::Io`] after the time.
pub async fn within<T, E: From<sqlx::Error>>(
    time: Duration,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let silent = |_| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database is silent"));
    tokio::time::timeout(time, asked).await.map_err(silent)?
}

/// Begins a transaction, also where whoever waits for it gives up meanwhile.
///
/// In sqlx 0.9.0 a `Pool::begin` that is dropped half-way puts its connection back into the pool with the transaction
/// open: what the next one writes there is never committed (<https://github.com/transact-rs/sqlx/issues/4385>). So it
/// runs in a task of its own, which nobody drops.
///
/// # Errors
/// If there is no connection.
pub async fn begin(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let begun = tokio::spawn(async move { pool.begin().await });
    begun.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?
}

/// How often a transaction that met another one's work is begun again.
const DEADLOCK_TRIES: u32 = 5;

/// Does a transaction's work, and again where PostgreSQL ended it in favour of another one that held what it needed:
/// nothing of it was done then.
///
/// # Errors
/// The work's.
pub async fn again_after_deadlock<T, Work>(mut work: impl FnMut() -> Work) -> sqlx::Result<T>
where
    Work: Future<Output = sqlx::Result<T>>,
{
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if tries < DEADLOCK_TRIES && is_deadlock(&error) => {
                tracing::info!(%error, tries, "another transaction was in the way; again");
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Whether PostgreSQL ended a transaction so that another one it had locked out could go on.
pub fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some("40P01")
}

/// A text as PostgreSQL can store it: it has no place for a NUL.
pub fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// PostgreSQL's code where it refuses what it is given, now and always: a NUL in a text, a time before its calendar,
/// an entry too long for an index.
pub fn refused_content(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    (code.starts_with("22") || code.starts_with("54")).then(|| code.into_owned())
}

/// Creates or repairs a service's role and schema and runs its migrations, as an administrator. Can be run again.
/// Gives the URL for the service's own role.
///
/// # Errors
/// If the administrator may not, or a migration fails.
pub async fn provision(admin_url: &str, service: &str, password: &str, migrator: &Migrator) -> anyhow::Result<String> {
    let options = PgConnectOptions::from_str(admin_url).context("DATABASE_URL is not a PostgreSQL URL")?;
    let mut connection = PgConnection::connect_with(&options).await.context("cannot connect to PostgreSQL")?;
    let (schema, role) = (schema(service), role(service));
    let database: String = sqlx::query_scalar("select current_database()").fetch_one(&mut connection).await?;
    // Two that provision this database at once must not meet anywhere here: the lock goes with the connection.
    connection.execute("select pg_advisory_lock(7729001)").await?;
    let created = async {
        log_in_with(&mut connection, &role, password).await?;
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
    created.with_context(|| format!("cannot provision {service}: the user in DATABASE_URL must own the database"))?;
    connection.execute(AssertSqlSafe(format!("set search_path = {schema}"))).await?;
    migrate(&mut connection, migrator).await.with_context(|| format!("migrations of {service}"))?;
    connection
        .execute(AssertSqlSafe(format!(
            "grant select, insert, update, delete on all tables in schema {schema} to {role}; \
             grant usage on all sequences in schema {schema} to {role}"
        )))
        .await?;
    connection.close().await?;
    service_url(admin_url, service, password)
}

/// What a migration waits for one lock: behind it everybody else waits for the same table.
const MIGRATION_LOCK: &str = "set lock_timeout = '3s'";

/// How often a migration that met the work of running services is tried again, a little later each time.
const MIGRATION_TRIES: u32 = 60;

/// Runs migrations beside services that work. Each one is a transaction that locks tables in its own order, so now and
/// then PostgreSQL ends it in favour of a service, or it gives way to one: then it begins again.
async fn migrate(connection: &mut PgConnection, migrator: &Migrator) -> anyhow::Result<()> {
    connection.execute(MIGRATION_LOCK).await?;
    let mut tries = 1;
    loop {
        match migrator.run(&mut *connection).await {
            Err(error) if tries < MIGRATION_TRIES && gave_way(&error) => {
                tracing::info!(%error, tries, "a migration gave way to a service, and begins again");
                tokio::time::sleep(Duration::from_millis(50) * tries).await;
                tries += 1;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// A deadlock or `lock_not_available`.
fn gave_way(error: &MigrateError) -> bool {
    let MigrateError::ExecuteMigration(error, _) = error else { return false };
    is_deadlock(error) || error.as_database_error().and_then(|error| error.code()).as_deref() == Some("55P03")
}

/// How often a role that another database's provisioning is at is tried again, 20 ms apart.
const ROLE_TRIES: u32 = 100;

/// Creates a role or sets its password. Roles belong to the whole cluster and an advisory lock to one database: where
/// two databases are provisioned at once, one of them is told that the other was faster, and looks again.
async fn log_in_with(connection: &mut PgConnection, role: &str, password: &str) -> sqlx::Result<()> {
    let password = password.replace('\'', "''");
    let mut tries = 1;
    loop {
        let exists: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
            .bind(role)
            .fetch_one(&mut *connection)
            .await?;
        let verb = if exists { "alter" } else { "create" };
        let statement = format!("{verb} role {role} login password '{password}'");
        match connection.execute(AssertSqlSafe(statement)).await {
            Err(error) if tries < ROLE_TRIES && another_was_faster(&error) => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return outcome.map(drop),
        }
    }
}

/// `duplicate_object` and `unique_violation` for a role made meanwhile; PostgreSQL gives a row of its own tables that
/// was changed meanwhile as an internal error, told by its text alone.
fn another_was_faster(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    match error.code().as_deref() {
        Some("42710" | "23505") => true,
        Some("XX000") => error.message().starts_with("tuple concurrently"),
        _ => false,
    }
}

/// The URL of a service's own role in the database that an administrator's URL names.
///
/// # Errors
/// If the URL cannot be read.
pub fn service_url(admin_url: &str, service: &str, password: &str) -> anyhow::Result<String> {
    let options = PgConnectOptions::from_str(admin_url).context("DATABASE_URL is not a PostgreSQL URL")?;
    Ok(options.username(&role(service)).password(password).to_url_lossy().to_string())
}
