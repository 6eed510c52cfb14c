//! `waybill restored`: what a person does after PostgreSQL was restored from a backup.

use std::{io::Write as _, process::ExitCode, str::FromStr as _};

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use waybill_bus::topology;
use waybill_runtime::database;

use crate::{
    layout::Secrets,
    migrate::{self, MigrateArguments},
    operator,
};

/// What `restored` needs.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoredArguments {
    #[command(flatten)]
    migrate: MigrateArguments,
    /// Without it nothing is done but to say how the backup stands.
    #[arg(long)]
    confirm: bool,
}

/// Nothing was done, as it was not confirmed.
const NOT_CONFIRMED: u8 = 1;

pub(crate) async fn run(arguments: RestoredArguments) -> anyhow::Result<ExitCode> {
    let MigrateArguments { state, database_url, nats_url, replicas } = arguments.migrate;
    let mut out = std::io::stdout();
    let options = PgConnectOptions::from_str(&database_url).context("DATABASE_URL is not a PostgreSQL URL")?;
    let mut connection = PgConnection::connect_with(&options).await.context("cannot connect to PostgreSQL")?;
    refuse_running(&mut connection).await?;
    if !arguments.confirm {
        let newest = newest(&mut connection).await.context("the newest change cannot be told: is it restored?")?;
        writeln!(out, "The newest change that this database knows is of {}.", newest.as_deref().unwrap_or("never"))?;
        writeln!(out, "Nothing is done yet. If it was restored from a backup: waybill restored --confirm")?;
        return Ok(NOT_CONFIRMED.into());
    }
    let secrets = Secrets::given_or_open(&state.state)?;
    migrate::migrate(&database_url, &nats_url, replicas, &secrets).await?;
    // The streams first: nobody may hear what the database does not know any more. Done twice it does no harm.
    let gone = topology::empty(migrate::admin(&nats_url, &secrets).await?.context()).await.context("the streams")?;
    writeln!(out, "nats: {gone} messages removed from {} streams", topology::STREAMS.len())?;
    let mut transaction = connection.begin().await?;
    for service in topology::SERVICES {
        let schema = database::schema(service);
        transaction.execute(AssertSqlSafe(format!("set local search_path = {schema}"))).await?;
        let epoch = waybill_delivery::begin_epoch(&mut transaction, &operator::actor())
            .await
            .with_context(|| format!("schema {schema}; nothing has changed in any"))?;
        writeln!(out, "postgres: schema {schema} begins epoch {epoch}")?;
    }
    transaction.commit().await?;
    writeln!(out, "Now start the services, then: waybill reconcile, and waybill accounting once that is done.")?;
    Ok(ExitCode::SUCCESS)
}

/// A service that runs meanwhile would say, and write, what the old epoch knows.
async fn refuse_running(connection: &mut PgConnection) -> anyhow::Result<()> {
    let roles: Vec<String> = topology::SERVICES.iter().map(|service| database::role(service)).collect();
    let running: Vec<String> = sqlx::query_scalar(
        "select distinct usename::text from pg_stat_activity
         where datname = current_database() and usename = any($1) order by 1",
    )
    .bind(roles)
    .fetch_all(connection)
    .await?;
    anyhow::ensure!(running.is_empty(), "stop the services first; connected are: {}", running.join(", "));
    Ok(())
}

/// When a source's record changed last.
async fn newest(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
    let sources = ["shopify-ingest", "fulfilment-sync", "inventory-router", "erp-sync"];
    let of = |service: &&str| format!("select max(changed_at) as at from {}.record", database::schema(service));
    let all = sources.iter().map(of).collect::<Vec<_>>().join(" union all ");
    sqlx::query_scalar(AssertSqlSafe(format!("select date_trunc('second', max(at))::text from ({all}) s")))
        .fetch_one(connection)
        .await
}
