//! A service's role reaches its own schema and no other.

use std::time::{Duration, Instant};

use sqlx::{
    Connection as _, Executor as _, PgConnection, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use waybill_bus::topology::SERVICES;
use waybill_runtime::database::{self, provision, schema};
use waybill_testkit::{Proxy, TestDatabase, wait_for_async};

use crate::deployment::{DEADLINE, Deployment, said};

/// PostgreSQL's code for what a role may not.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

#[tokio::test]
async fn a_services_role_is_refused_every_other_services_tables() {
    let Some(deployment) = Deployment::migrated() else { return };
    for service in SERVICES {
        let mut connection = PgConnection::connect(&deployment.variable(service, "DATABASE_URL")).await.unwrap();
        sqlx::query("select count(*) from outbox").execute(&mut connection).await.expect(service);
        for other in SERVICES.into_iter().filter(|other| *other != service) {
            for statement in ["select * from {}.outbox", "delete from {}.outbox", "create table {}.planted ()"] {
                let statement = statement.replace("{}", &schema(other));
                let error = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone())).execute(&mut connection).await;
                let code = error.as_ref().err().and_then(sqlx::Error::as_database_error).and_then(|e| e.code());
                assert_eq!(code.as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{service}: {statement}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_services_role_makes_neither_tables_nor_roles() {
    let Some(deployment) = Deployment::migrated() else { return };
    let mut connection = PgConnection::connect(&deployment.variable("crm-sync", "DATABASE_URL")).await.unwrap();
    for statement in ["create table planted ()", "drop table outbox", "create role planted", "create schema planted"] {
        let error = sqlx::raw_sql(statement).execute(&mut connection).await;
        let code = error.as_ref().err().and_then(sqlx::Error::as_database_error).and_then(|e| e.code());
        assert_eq!(code.as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{statement}: {error:?}");
    }
}

#[test]
fn migrating_twice_changes_nothing_and_keeps_what_is_there() {
    let Some(deployment) = Deployment::migrated() else { return };
    let database = deployment.database.url();
    let epoch = "select number from shopify_ingest.epoch";
    let before = database.run(epoch).unwrap();
    database.run("insert into shopify_ingest.outbox (subject, payload) values ('kept', '')").unwrap();
    let again = said(&deployment.run(&["migrate"]));
    assert!(again.contains("6 streams"), "{again}");
    assert_eq!(database.run(epoch).unwrap(), before);
    assert_eq!(database.run("select subject from shopify_ingest.outbox").unwrap(), "kept");
}

#[test]
fn two_migrations_at_once_both_succeed() {
    let Some(deployment) = Deployment::empty() else { return };
    std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| deployment.run(&["migrate"])));
        for one in both {
            said(&one.join().unwrap());
        }
    });
}

/// A service reads `second` and then `first`; the migration has changed `first` and comes to `second`.
#[tokio::test]
async fn a_migration_that_deadlocks_with_a_services_work_begins_again() {
    let Some(server) = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap() else { return };
    let url = server.url().expose();
    let before = migration(1, "create table first (); create table second ();");
    let change = "alter table first add column size integer; alter table second add column size integer;";
    let both = Migrator::with_migrations(vec![before.clone(), migration(2, change)]);
    provision(&url, "crm-sync", "a password", &Migrator::with_migrations(vec![before])).await.unwrap();

    let mut service = PgConnection::connect(&url).await.unwrap();
    // PostgreSQL ends the one that looks for a deadlock first: not this one.
    service.execute("set search_path = crm_sync; set deadlock_timeout = '1min'; begin").await.unwrap();
    service.execute("lock table second in access share mode").await.unwrap();
    let meets = async {
        let waits = "select count(*) > 0 from pg_locks where not granted";
        let waiting = async || (server.url().run(waits).unwrap() == "t").then_some(());
        wait_for_async("the migration to wait", DEADLINE, waiting).await;
        service.execute("lock table first in access share mode; commit").await.unwrap();
    };
    let (migrated, ()) = futures::join!(provision(&url, "crm-sync", "a password", &both), meets);
    migrated.unwrap();
    service.execute("select size from first union all select size from second").await.unwrap();
}

fn migration(version: i64, sql: &'static str) -> Migration {
    Migration::new(version, "".into(), MigrationType::Simple, sql.into_sql_str(), false)
}

#[tokio::test]
async fn databases_of_one_cluster_can_be_provisioned_at_once() {
    let Some(cluster) = TestDatabase::in_own_cluster() else { return };
    let service = shopify_ingest::SERVICE;
    let migrator = shopify_ingest::migrator();
    let urls: Vec<String> =
        (0..8).map(|n| cluster.url().create_database(&format!("shop_{n}")).unwrap().expose()).collect();
    let outcomes =
        futures::future::join_all(urls.iter().map(|url| provision(url, service, "the same", &migrator))).await;
    for outcome in outcomes {
        outcome.unwrap();
    }
}

/// A transaction that is given up while it begins must not be in the way of whoever has its connection next.
#[tokio::test]
async fn a_transaction_that_is_given_up_while_it_begins_is_not_left_open() {
    let Some(server) = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap() else { return };
    // One connection: whoever comes next has it.
    let pool = database::pool(&server.url().expose(), 1).unwrap();
    sqlx::query("create table kept (number integer)").execute(&pool).await.unwrap();
    for micros in (0..2000).step_by(20) {
        let (mut begun, from) = (Box::pin(database::begin(&pool)), Instant::now());
        // Tokio's timers know milliseconds only.
        while from.elapsed() < Duration::from_micros(micros) && futures::poll!(begun.as_mut()).is_pending() {
            tokio::task::yield_now().await;
        }
        drop(begun);
        sqlx::query("insert into kept values (1)").execute(&pool).await.unwrap();
    }
    // As others see it.
    assert_eq!(server.url().run("select count(*) from kept").unwrap().trim(), "100");
}

#[tokio::test]
async fn a_half_open_connection_loses_its_place_in_the_pool_used_or_idle() {
    let Some(server) = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap() else { return };
    let url = server.url();
    let road = Proxy::start(url.address().unwrap()).unwrap();
    let pool = database::pool(&url.through(road.address()).expose(), 2).unwrap();
    let used = pool.acquire().await.unwrap();
    drop(pool.acquire().await.unwrap());
    // What lies between forgets both; nobody hears of it.
    road.forget();
    let again = || async { sqlx::query("select 1").execute(&pool).await.ok() };
    wait_for_async("a connection in place of the idle one", DEADLINE, again).await;
    drop(used);
    let both = || async { Some((pool.acquire().await.ok()?, pool.acquire().await.ok()?)) };
    wait_for_async("a connection in place of the used one", DEADLINE, both).await;
}

/// PostgreSQL plans a statement for any parameters once it has run a few times, and by itself keeps that plan until the
/// table is analysed again.
#[tokio::test]
async fn what_was_planned_while_a_table_was_small_is_planned_anew_once_it_is_not() {
    let Some(server) = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap() else { return };
    let pool = database::pool(&server.url().expose(), 1).unwrap();
    sqlx::raw_sql(
        "create table kept (key text primary key) with (autovacuum_enabled = off);
         insert into kept select n::text from generate_series(1, 5) n;
         analyze kept",
    )
    .execute(&pool)
    .await
    .unwrap();
    let look = async || {
        let found: Vec<String> =
            sqlx::query_scalar("select key from kept where key = $1").bind("3").fetch_all(&pool).await.unwrap();
        assert_eq!(found, ["3"]);
    };
    let plan = async || {
        let mut connection = pool.acquire().await.unwrap();
        let name: String =
            sqlx::query_scalar("select name from pg_prepared_statements where statement like 'select key from kept%'")
                .fetch_one(&mut *connection)
                .await
                .unwrap();
        let explained = sqlx::AssertSqlSafe(format!("explain (costs off) execute {name} ('3')"));
        let lines: Vec<(String,)> =
            sqlx::query_as(explained).persistent(false).fetch_all(&mut *connection).await.unwrap();
        lines.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("\n")
    };
    for _ in 0..10 {
        look().await;
    }
    assert!(plan().await.contains("Seq Scan"), "{}", plan().await);
    sqlx::raw_sql("insert into kept select n::text from generate_series(6, 50000) n").execute(&pool).await.unwrap();
    assert!(plan().await.contains("Seq Scan"), "it is kept for a while");
    for _ in 0..200 {
        look().await;
    }
    assert!(plan().await.contains("Index"), "{}", plan().await);
}
