//! The engine on a real PostgreSQL, with a system that can be told how to answer.

mod bench;

use std::time::Duration;

use waybill_connector::Failure;
use waybill_testkit::records::order;

use bench::{Answer, Bench};

/// A bench, or the end of the test where there is no PostgreSQL.
macro_rules! bench {
    () => {
        match Bench::start().await {
            Some(bench) => bench,
            None => return,
        }
    };
}

mod ambiguous;
mod approvals;
mod audit;
mod bodies;
mod budget;
mod bulk;
mod changes;
mod edits;
mod ends;
mod first_run;
mod history;
mod model;
mod receipts;
mod refunds;
mod restored;
mod revisions;
mod roll;
mod tally;
mod ways;

#[tokio::test]
async fn a_snapshot_is_applied_once_and_its_receipt_says_so() {
    let bench = bench!();
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.round().await;
    assert_eq!(bench.created(), ["#1"]);
    assert_eq!(bench.states().await, ["applied"]);
    assert_eq!(bench.receipts().await, ["1..1 applied"]);
}

#[tokio::test]
async fn edits_in_one_window_are_one_write_and_the_earlier_ones_are_superseded() {
    let bench = bench!();
    for revision in 1..=10 {
        bench.hear(order(1).paid().with_line("TEE", revision, "24.00").at_revision(revision)).await;
    }
    bench.round().await;
    assert_eq!(bench.calls(), 1);
    assert_eq!(bench.receipts().await, ["1..10 applied"]);
}

#[tokio::test]
async fn an_older_revision_and_an_echo_are_no_work() {
    let bench = bench!();
    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").at_revision(2)).await;
    bench.round().await;
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").at_revision(3)).await;
    bench.round().await;
    assert_eq!(bench.calls(), 1, "revision 3 asks for what is there");
    assert_eq!(bench.receipts().await, ["1..2 applied", "3..3 applied"]);
}

#[tokio::test]
async fn a_refusal_is_parked_with_a_dead_letter_and_a_newer_success_settles_it() {
    let bench = bench!();
    bench.answer(Answer::Fail(Failure::rejected("unknown_item", "lines.0.item", "no such item")));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["parked unknown_item"]);
    assert_eq!(bench.dead_letters().await, 1);
    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").at_revision(2)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
    assert_eq!(bench.receipts().await, ["1..1 parked", "2..2 applied"]);
}

#[tokio::test]
async fn tries_count_from_the_last_success_or_what_was_wanted_since() {
    let bench = bench!();
    let wear_out = "update delivery set attempts = 19";
    let records = [order(1).at_revision(1).key];
    let down = || Answer::Fail(Failure::Transient { message: "503".to_owned() });
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    sqlx::query(wear_out).execute(bench.pool()).await.unwrap();
    let mut connection = bench.pool().acquire().await.unwrap();
    crate::decide_anew(&mut connection, &records, &["erp".to_owned()]).await.unwrap();
    assert_eq!(bench.attempts().await, [0], "it was there");

    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").at_revision(2)).await;
    sqlx::query(wear_out).execute(bench.pool()).await.unwrap();
    bench.answer(Answer::ActAfter(Duration::from_millis(500)));
    bench.round_while(bench.hear(order(1).paid().with_line("TEE", 3, "24.00").at_revision(3))).await;
    bench.answer(down());
    bench.round().await;
    assert_eq!(bench.states().await, ["pending transient"]);
}

#[tokio::test]
async fn a_result_without_the_newest_fence_is_not_taken() {
    let bench = bench!();
    bench.answer(Answer::ActAfter(Duration::from_millis(300)));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round_while(async { bench.take_the_claim_away().await }).await;
    assert_eq!(bench.states().await, ["applying"]);
    assert!(bench.receipts().await.is_empty());
}

#[tokio::test]
async fn a_replica_that_lost_its_claim_sends_nothing_and_does_not_touch_the_intents() {
    let bench = bench!();
    bench.answer(Answer::Fail(Failure::Ambiguous { message: "cut".to_owned() }));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.let_time_pass().await;
    bench.look_slowly(Duration::from_millis(300));
    bench.round_while(async { bench.take_the_claim_away().await }).await;
    assert_eq!((bench.calls(), bench.looks()), (1, 1));
    assert_eq!(bench.steps().await, ["create ambiguous"], "whoever has the claim looks it up again");
}

#[tokio::test]
async fn a_result_that_comes_after_the_claim_was_lost_hides_no_intent() {
    let bench = bench!();
    bench.answer(Answer::ActAfter(Duration::from_millis(300)));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round_while(async { bench.take_the_claim_away().await }).await;
    assert_eq!(bench.steps().await, ["create intent"]);
}

#[tokio::test]
async fn a_change_that_comes_during_the_call_is_written_after_it() {
    let bench = bench!();
    bench.answer(Answer::ActAfter(Duration::from_millis(300)));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    let newer = order(1).paid().with_line("TEE", 2, "24.00").at_revision(2);
    bench.round_while(async { bench.hear(newer).await }).await;
    assert_eq!(bench.states().await, ["pending"]);
    bench.round().await;
    assert_eq!(bench.receipts().await, ["1..1 applied", "2..2 applied"]);
    assert_eq!(bench.calls(), 2);
}

#[tokio::test]
async fn two_orders_of_one_person_are_not_worked_on_at_once() {
    let bench = bench!();
    bench.hear(order(1).paid().by("ada@example.com").with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.hear(order(2).paid().by("ADA@example.com ").with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.hear(order(3).paid().by("bob@example.com").with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.calls(), 2);
    bench.round().await;
    assert_eq!(bench.calls(), 3);
}

#[tokio::test]
async fn refused_credentials_pause_the_system_until_a_check_passes() {
    let bench = bench!();
    bench.answer(Answer::Fail(Failure::Unauthorized { message: "401".to_owned() }));
    bench.let_checks_pass(false);
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.round().await;
    assert_eq!((bench.calls(), bench.states().await), (1, vec!["pending unauthorized".to_owned()]));
    assert_eq!(bench.condition().await, "unauthorized");
    bench.let_checks_pass(true);
    bench.round().await;
    bench.round().await;
    assert_eq!((bench.condition().await, bench.states().await), ("serving".to_owned(), vec!["applied".to_owned()]));
}

#[tokio::test]
async fn a_system_that_no_worker_has_taken_up_yet_can_be_paused() {
    let bench = bench!();
    bench.no_worker_has_been_here().await;
    bench.ask_to_pause().await;
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.calls(), 0);
}

#[tokio::test]
async fn a_limit_holds_the_system_back_and_is_no_attempt() {
    let bench = bench!();
    bench.answer(Answer::Fail(Failure::RateLimited { retry_after: Duration::from_secs(30) }));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.hear(order(2).paid().by("b@example.com").with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.calls(), 1, "nothing is sent while the vendor asks us to wait");
    assert_eq!(bench.attempts().await, [0, 0]);
}

#[tokio::test]
async fn a_vendor_that_is_down_opens_the_breaker_and_parks_nothing() {
    let bench = bench!();
    bench.answer_always(Failure::Transient { message: "HTTP 503".to_owned() });
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    for _ in 0..40 {
        bench.let_time_pass().await;
        bench.round().await;
    }
    assert_eq!(bench.condition().await, "unavailable");
    assert_eq!(bench.states().await, ["pending transient"]);
    assert!(bench.attempts().await[0] <= 5, "only tries with a closed breaker count");
    bench.answer_well();
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!((bench.condition().await, bench.states().await), ("serving".to_owned(), vec!["applied".to_owned()]));
}

#[tokio::test]
async fn what_waited_for_days_is_not_parked_at_its_first_failure() {
    let bench = bench!();
    bench.wait_for_books();
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.let_changes_be_old().await;
    bench.receipt_of_books(1, "applied", 1).await;
    bench.answer(Answer::Fail(Failure::Transient { message: "HTTP 500".to_owned() }));
    bench.round().await;
    assert_eq!(bench.states().await, ["pending transient"]);
}

#[tokio::test]
async fn what_was_tried_for_as_long_as_the_plan_says_is_parked() {
    let bench = bench!();
    bench.obey("retry = { tries = 1000, hours = 1 }", "");
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    let mut tries = 0;
    while bench.states().await != ["parked exhausted"] {
        tries += 1;
        assert!(tries < 100, "{:?}", bench.states().await);
        bench.answer(Answer::Fail(Failure::Transient { message: "HTTP 500".to_owned() }));
        bench.let_time_pass().await;
        // Others go through: the system is well.
        sqlx::query("update system_state set failures = 0").execute(bench.pool()).await.unwrap();
        bench.round().await;
    }
    assert!(tries > 3, "the pauses between {tries} tries are no hour");
}

#[tokio::test]
async fn what_waits_for_another_system_is_woken_by_its_receipt() {
    let bench = bench!();
    bench.wait_for_books();
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["waiting after"]);
    bench.receipt_of_books(1, "applied", 1).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn receipts_are_kept_whatever_order_they_arrive_in() {
    let bench = bench!();
    bench.wait_for_books();
    bench.receipt_of_books(1, "applied", 2).await;
    bench.receipt_of_books(1, "parked", 1).await;
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn what_is_in_flight_is_counted_by_revisions() {
    let bench = bench!();
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(3)).await;
    bench.hear(order(2).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    assert_eq!(bench.in_flight().await, 4);
    bench.round().await;
    bench.round().await;
    assert_eq!(bench.in_flight().await, 0);
}

#[tokio::test]
async fn a_parked_delivery_is_retried_with_the_newest_state_and_discarded_with_a_reason() {
    let bench = bench!();
    bench.answer(Answer::Fail(Failure::rejected("x", "", "no")));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.retry().await, 1);
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
    bench.answer(Answer::Fail(Failure::rejected("x", "", "no")));
    bench.hear(order(2).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.discard().await, 1);
    assert_eq!(bench.states().await, ["applied", "ignored discarded"]);
    assert_eq!(bench.audited().await, ["retry", "discard"]);
}
