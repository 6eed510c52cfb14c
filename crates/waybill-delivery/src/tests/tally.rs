//! Sums that are kept as a table changes.

use futures::future::join_all;
use sqlx::{AssertSqlSafe, PgPool};
use waybill_runtime::database;

use super::bench::Bench;
use crate::tally::RECORDS;

type Sums = Vec<(String, String, i64, i64)>;

/// A row of its own for each revision, as a source writes them.
fn observe(number: i64, kind: &str, revision: i64) -> String {
    format!(
        "insert into record (store, kind, record_id, number, content_hash, snapshot)
         values ('main', '{kind}', '{number}', {revision}, '', '')
         on conflict (store, kind, record_id) do update set number = record.number + 1"
    )
}

async fn run(pool: &PgPool, statement: &str) {
    sqlx::query(AssertSqlSafe(statement)).execute(pool).await.unwrap();
}

async fn kept(pool: &PgPool) -> Sums {
    let mut kept: Sums = sqlx::query_as(AssertSqlSafe(RECORDS.question())).fetch_all(pool).await.unwrap();
    kept.retain(|(_, _, records, revisions)| (*records, *revisions) != (0, 0));
    kept
}

async fn counted(pool: &PgPool) -> Sums {
    sqlx::query_as(
        "select store, kind, count(*), sum(number)::bigint from record where number > 0 group by 1, 2 order by 1, 2",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn the_sums_are_the_tables_whoever_writes_folds_and_fails_beside() {
    let bench = bench!();
    let pool = bench.pool();
    let writer = async |writer: i64| {
        for turn in 0..60 {
            let number = (writer * 7 + turn * 5) % 23;
            match turn % 6 {
                // What is not committed counts nowhere.
                1 => {
                    let mut transaction = database::begin(pool).await.unwrap();
                    sqlx::query(AssertSqlSafe(observe(number, "order", 9))).execute(&mut *transaction).await.unwrap();
                    transaction.rollback().await.unwrap();
                }
                3 => run(pool, &format!("delete from record where record_id = '{number}'")).await,
                // A record that is only looked for has no revision yet.
                4 => run(pool, &observe(number, "customer", 0)).await,
                5 => RECORDS.fold(pool).await.unwrap(),
                _ => run(pool, &observe(number, "order", 2)).await,
            }
        }
    };
    join_all((0..4).map(writer)).await;
    let counted = counted(pool).await;
    assert_eq!(counted.len(), 2, "{counted:?}");
    assert_eq!(kept(pool).await, counted);
    assert_eq!(RECORDS.recount(pool).await.unwrap(), 0);
}

#[tokio::test]
async fn many_rows_become_one_of_each_place_and_the_sums_stay() {
    let bench = bench!();
    let pool = bench.pool();
    for number in 0..501 {
        run(pool, &observe(number, "order", 1)).await;
    }
    let rows =
        async || sqlx::query_scalar::<_, i64>("select count(*) from record_tally").fetch_one(pool).await.unwrap();
    assert_eq!(rows().await, 501);
    let (one, other) = futures::join!(RECORDS.fold(pool), RECORDS.fold(pool));
    one.and(other).unwrap();
    assert_eq!((rows().await, kept(pool).await), (1, counted(pool).await));
}

#[tokio::test]
async fn sums_that_drifted_are_set_right_once() {
    let bench = bench!();
    let pool = bench.pool();
    run(pool, &observe(1, "order", 1)).await;
    // As rows that are loaded without triggers leave them.
    run(pool, "insert into record_tally values ('main', 'order', -1, -5), ('main', 'price', 2, 2)").await;
    assert_ne!(kept(pool).await, counted(pool).await);
    let (one, other) = futures::join!(RECORDS.recount(pool), RECORDS.recount(pool));
    assert_eq!(one.unwrap() + other.unwrap(), 2);
    assert_eq!(kept(pool).await, counted(pool).await);
}
