//! Calls of which nobody knows what became.

use std::time::Duration;

use waybill_connector::Failure;
use waybill_testkit::records::order;

use super::bench::{Answer, Bench};

#[tokio::test]
async fn a_cut_after_acting_is_looked_up_and_not_sent_again() {
    let bench = bench!();
    bench.answer(Answer::ActThen(Failure::Ambiguous { message: "cut".to_owned() }));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["pending ambiguous"]);
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!((bench.created(), bench.calls(), bench.looks()), (vec!["#1".to_owned()], 1, 1));
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn a_call_that_may_still_be_at_work_is_not_looked_up_whatever_is_heard() {
    let mut bench = bench!();
    bench.take_up_to(Duration::from_secs(30));
    bench.answer(Answer::Fail(Failure::Ambiguous { message: "cut".to_owned() }));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").at_revision(2)).await;
    bench.round().await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!((bench.calls(), bench.looks()), (1, 0), "what it makes would not be found yet");
    assert_eq!(bench.states().await, ["pending ambiguous"]);
    sqlx::query("update step set started_at = started_at - interval '30 seconds'").execute(bench.pool()).await.unwrap();
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!((bench.held(1), bench.looks()), ((1, 2), 1));
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn what_an_earlier_revision_made_is_brought_to_the_newest_and_not_taken_for_it() {
    let bench = bench!();
    bench.answer(Answer::ActThen(Failure::Ambiguous { message: "cut".to_owned() }));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").at_revision(2)).await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
    assert_eq!((bench.held(1), bench.looks()), ((1, 2), 1));
}

#[tokio::test]
async fn a_cut_before_acting_is_looked_up_and_sent_again() {
    let bench = bench!();
    bench.answer(Answer::Fail(Failure::Ambiguous { message: "cut".to_owned() }));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!((bench.created(), bench.calls(), bench.looks()), (vec!["#1".to_owned()], 2, 1));
}

#[tokio::test]
async fn an_order_that_may_be_there_is_written_though_it_was_cancelled_before_it_was_known_to_be() {
    let bench = bench!();
    bench.answer(Answer::ActThen(Failure::Ambiguous { message: "cut".to_owned() }));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").cancelled().at_revision(2)).await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"], "it is there, and has to be told of its end");
    assert_eq!(bench.receipts().await, ["1..2 applied"]);
}

#[tokio::test]
async fn an_order_that_may_be_there_is_told_of_its_end_though_a_later_revision_was_refused() {
    let bench = bench!();
    bench.answer(Answer::ActThen(Failure::Ambiguous { message: "cut".to_owned() }));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.answer(Answer::Fail(Failure::rejected("unknown_item", "lines.0.item", "no such item")));
    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").at_revision(2)).await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!(bench.states().await, ["parked unknown_item"]);
    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").cancelled().at_revision(3)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn an_order_that_was_refused_and_then_cancelled_is_nothing_to_the_system() {
    let bench = bench!();
    bench.answer(Answer::Fail(Failure::rejected("unknown_item", "lines.0.item", "no such item")));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").cancelled().at_revision(2)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["ignored cancelled-before-applied"]);
}

#[tokio::test]
async fn a_replica_that_died_in_a_call_is_taken_over_and_the_call_looked_up() {
    let bench = bench!();
    bench.answer(Answer::ActThenHang);
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round_that_dies().await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applying"], "the lease still holds");
    bench.let_leases_run_out().await;
    bench.round().await;
    assert_eq!((bench.created(), bench.looks()), (vec!["#1".to_owned()], 1));
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn a_look_is_said_to_be_of_the_same_call_only_if_no_other_was_begun() {
    let bench = bench!();
    let revision = |units, number| order(1).paid().with_line("TEE", units, "24.00").at_revision(number);
    let cut = || Answer::Fail(Failure::Ambiguous { message: "cut".to_owned() });
    for answer in [cut(), cut(), cut()] {
        bench.answer(answer);
    }
    bench.hear(revision(1, 1)).await;
    bench.round().await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!(bench.looked_again(), [true], "it is the first revision's, if it is there");
    bench.hear(revision(2, 2)).await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!(bench.looked_again(), [true, false], "it may be the first revision's");
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!(bench.looked_again(), [true, false, false], "the first revision's may have come late");
    assert_eq!(bench.states().await, ["applied"]);
}
