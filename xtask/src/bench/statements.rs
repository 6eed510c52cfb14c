//! Where PostgreSQL's time goes, by statement: `pg_stat_statements`.

use waybill_testkit::{PostgresUrl, PrivatePostgres};

/// So many are told, and of each so much of its text.
const TOLD: usize = 40;
const TEXT: usize = 110;

/// Has the server count them from its next start on, and starts it again.
pub(super) fn count(postgres: &mut PrivatePostgres) -> anyhow::Result<()> {
    postgres.url().run("alter system set shared_preload_libraries = 'pg_stat_statements'")?;
    postgres.restart()
}

/// Those that took most since the server's start, a line each: milliseconds of all clocks for each order, calls and rows
/// of each order, and the text's beginning.
pub(super) fn told(database: &PostgresUrl, orders: usize) -> anyhow::Result<String> {
    database.run("create extension if not exists pg_stat_statements with schema public")?;
    let orders = orders.max(1);
    let table = database.run(&format!(
        "select to_char(total_exec_time / {orders}, '990.0000') || to_char(calls::numeric / {orders}, '990.0000')
                || to_char(rows::numeric / {orders}, '9990.00') || '  '
                || left(regexp_replace(query, '\\s+', ' ', 'g'), {TEXT})
         from public.pg_stat_statements s join pg_database d on d.oid = s.dbid
         where d.datname = current_database() and toplevel
         order by total_exec_time desc limit {TOLD}"
    ))?;
    Ok(format!("  ms/order   calls     rows  statement\n{table}\n"))
}
