//! How claims' ends are recorded, many at once.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};
use waybill_connector::Failure;
use waybill_testkit::{records::order, wait_for_async};

use super::bench::{Answer, Bench};
use crate::{
    deciding::ended,
    settling::End,
    store::{
        claim::{self, Claim},
        settle, steps,
    },
};

/// Three orders of three buyers, claimed, in the order of their names.
async fn claimed(bench: &Bench) -> Vec<Claim> {
    let by_one = |number| order(number).by(&format!("{number}@example.com")).paid().with_line("TEE", 1, "24.00");
    bench.hear_all([1, 2, 3].map(|number| by_one(number).at_revision(1)).into()).await;
    let mut claims = claim::claim(bench.pool(), "erp", 10, 60.0).await.unwrap();
    claims.sort_by(|a, b| a.record_id.cmp(&b.record_id));
    claims
}

fn parked(claim: Claim, message: &str) -> End {
    End { ended: ended("", &claim, "parked", "odd", "", message), claim, sent: Vec::new() }
}

#[tokio::test]
async fn an_end_that_cannot_be_stored_is_parked_and_keeps_no_other_from_its_own() {
    let bench = bench!();
    let mut ends: Vec<End> = claimed(&bench).await.into_iter().map(|claim| parked(claim, "why")).collect();
    ends[1].ended.external_id = "not a text: \0".to_owned();
    bench.engine().settle("erp", ends).await.unwrap();
    assert_eq!(bench.states().await, ["parked odd", "parked malformed", "parked odd"]);
    assert_eq!(bench.receipts().await.len(), 3);
}

#[tokio::test]
async fn a_nul_in_what_a_system_says_is_in_nobodys_way() {
    let bench = bench!();
    bench.answer(Answer::Fail(Failure::rejected("odd", "", "not a text: \0")));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["parked odd"]);
    bench.answer(Answer::Fail(Failure::Transient { message: "nor this: \0".to_owned() }));
    bench.hear(order(2).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["parked odd", "pending transient"]);
}

/// Somebody else's transaction has the second row and comes to the first.
#[tokio::test]
async fn ends_that_deadlock_with_other_work_are_recorded_all_the_same() {
    let bench = bench!();
    let claims = claimed(&bench).await;
    let (first, second) = (claims[0].id, claims[1].id);
    let ends = claims.into_iter().map(|claim| parked(claim, "why")).collect();
    let mut other = PgConnection::connect(&bench.admin()).await.unwrap();
    other.execute("set search_path = erp_sync; begin").await.unwrap();
    // PostgreSQL ends the one that looks for a deadlock first: not this one.
    other.execute("set deadlock_timeout = '1min'").await.unwrap();
    let lock = "select id from delivery where id = $1 for update";
    sqlx::query(lock).bind(second).execute(&mut other).await.unwrap();
    let meets = async {
        let waiting = async || {
            let waits = "select count(*) > 0 from pg_locks where not granted";
            sqlx::query_scalar::<_, bool>(waits).fetch_one(bench.pool()).await.unwrap().then_some(())
        };
        wait_for_async("the ends to wait", Duration::from_secs(20), waiting).await;
        sqlx::query(lock).bind(first).execute(&mut other).await.unwrap();
        other.execute("commit").await.unwrap();
    };
    let engine = bench.engine();
    let (settled, ()) = futures::future::join(engine.settle("erp", ends), meets).await;
    settled.unwrap();
    assert_eq!(bench.states().await, ["parked odd", "parked odd", "parked odd"]);
}

#[tokio::test]
async fn a_replica_that_is_told_to_stop_gives_back_what_it_has_not_begun() {
    let bench = bench!();
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.engine().stop_signal().cancel();
    bench.round().await;
    assert_eq!((bench.states().await, bench.calls()), (vec!["pending".to_owned()], 0));
    let claims = claim::claim(bench.pool(), "erp", 10, 60.0).await.unwrap();
    assert_eq!(claims.len(), 1, "another replica takes it at once");
}

/// Each delivery that was claimed has an entry in the index of claimed ones until the next vacuum, and a plan may have been
/// made before there were any.
#[tokio::test]
async fn claims_are_found_one_by_one_however_few_there_were_when_it_was_planned() {
    let Some(bench) = Bench::start().await else { return };
    let mut owner = PgConnection::connect(&bench.admin()).await.unwrap();
    let fill = "insert into delivery (system, store, kind, record_id, name, target_key, desired_epoch, desired_number,
            desired, state)
        select 'erp', 'main', 'order', n::text, n::text, n::text, 1, 1, '', 'pending' from generate_series(1, 3000) n";
    let once_for_all = "set plan_cache_mode = force_generic_plan";
    for statement in ["set search_path = erp_sync", fill, "analyze delivery", once_for_all] {
        owner.execute(statement).await.unwrap();
    }
    for (name, statement, parameters) in [("settle", settle::SETTLE, 22), ("write", steps::WRITE, 10)] {
        owner.execute(sqlx::AssertSqlSafe(format!("prepare {name} as {statement}"))).await.unwrap();
        let explain = format!("explain execute {name} ({})", vec!["null"; parameters].join(", "));
        let plan: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).persistent(false).fetch_all(&mut owner).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("delivery_pkey") && !plan.contains("delivery_target"), "{plan}");
    }
}
