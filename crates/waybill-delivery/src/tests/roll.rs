//! Settled deliveries decided anew.

use tonic::{Code, Request, Status};
use waybill_connector::Failure;
use waybill_domain::{Kind, RecordKey, Snapshot};
use waybill_proto::wire::{RollRequest, RollResponse, State, deliveries_server::Deliveries as _};
use waybill_testkit::records::order;

use super::bench::{Answer, Bench};

const BY_NAME: &str = "fields = { description = \"order.name\" }";
const IN_WORDS: &str = "fields = { description = \"'Order ' ~ order.name\" }";

fn bought(number: u64) -> Snapshot {
    let email = format!("{number}@example.com");
    order(number).paid().by(&email).with_line("TEE", 1, "24.00").at_revision(1)
}

fn dry() -> RollRequest {
    RollRequest { flow: "orders".to_owned(), examples: 10, ..RollRequest::default() }
}

fn for_good() -> RollRequest {
    RollRequest { change: true, actor: "ada".to_owned(), ..dry() }
}

/// unchanged, written, ignored, parked, waiting
fn counts(answer: &RollResponse) -> [i64; 5] {
    [answer.unchanged, answer.written, answer.ignored, answer.parked, answer.waiting]
}

impl Bench {
    async fn roll(&self, request: RollRequest) -> Result<RollResponse, Status> {
        self.people().roll(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    /// What waits for a time has waited for an hour.
    async fn let_an_hour_pass(&self) {
        sqlx::query("update delivery set first_unapplied_at = first_unapplied_at - interval '1 hour', due_at = now()")
            .execute(self.pool())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_dry_run_tells_which_fields_would_change_and_changes_nothing() {
    let bench = bench!();
    bench.obey(BY_NAME, "");
    bench.hear(bought(1)).await;
    bench.hear(bought(2)).await;
    bench.round().await;
    assert_eq!(counts(&bench.roll(dry()).await.unwrap()), [2, 0, 0, 0, 0]);

    bench.obey(IN_WORDS, "");
    let answer = bench.roll(dry()).await.unwrap();
    assert!(answer.ours && !answer.more);
    assert_eq!(counts(&answer), [0, 2, 0, 0, 0]);
    let example = &answer.examples[0];
    assert_eq!((example.delivery.as_ref().unwrap().name.as_str(), example.would_be()), ("#1", State::Applied));
    let [field] = &example.fields[..] else { panic!("{example:?}") };
    assert_eq!((field.role.as_str(), field.field.as_str()), ("order", "description"));
    assert_eq!((field.was.as_deref(), field.would_be.as_str()), (Some("#1"), "Order #1"));
    bench.round().await;
    assert_eq!((bench.calls(), bench.states().await), (2, vec!["applied".to_owned(); 2]));
    assert_eq!(bench.audited().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_roll_writes_what_has_changed_a_few_at_a_time_and_then_nothing_is_left() {
    let bench = bench!();
    bench.obey(BY_NAME, "");
    for number in 1..=3 {
        bench.hear(bought(number)).await;
    }
    bench.round().await;
    bench.obey(IN_WORDS, "");
    let first = bench.roll(RollRequest { most: 2, ..for_good() }).await.unwrap();
    assert_eq!((first.changed, first.more), (2, true));
    assert_eq!(bench.states().await, ["pending", "pending", "applied"]);
    let second = bench.roll(RollRequest { most: 2, after: first.cursor, ..for_good() }).await.unwrap();
    assert_eq!((second.changed, second.more), (1, false));
    bench.round().await;
    assert_eq!((bench.calls(), bench.audited().await), (6, vec!["roll".to_owned(); 3]));
    assert_eq!(counts(&bench.roll(dry()).await.unwrap()), [3, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_system_leaves_its_shadow_by_a_roll() {
    let bench = bench!();
    bench.obey("", "shadow = true");
    bench.hear(bought(1)).await;
    bench.round().await;
    assert_eq!(counts(&bench.roll(dry()).await.unwrap()), [1, 0, 0, 0, 0], "it is still in shadow");
    bench.obey("", "");
    assert_eq!(counts(&bench.roll(for_good()).await.unwrap()), [0, 1, 0, 0, 0]);
    bench.round().await;
    assert_eq!((bench.created(), bench.states().await), (vec!["#1".to_owned()], vec!["applied".to_owned()]));
}

#[tokio::test]
async fn what_a_rule_kept_away_comes_and_what_a_person_ended_stays_away() {
    let bench = bench!();
    bench.obey("when = \"order.cancelled\"\napproval = \"true\"", "");
    bench.hear(bought(1)).await;
    bench.hear(bought(2)).await;
    bench.round().await;
    sqlx::query("update delivery set code = 'refused' where record_id = '2'").execute(bench.pool()).await.unwrap();
    assert_eq!(counts(&bench.roll(dry()).await.unwrap()), [1, 0, 0, 0, 0], "still kept away");
    bench.obey("approval = \"true\"", "");
    assert_eq!(counts(&bench.roll(dry()).await.unwrap()), [0, 0, 0, 0, 1], "it would wait for a person");
    bench.obey("", "");
    assert_eq!(bench.roll(for_good()).await.unwrap().changed, 1);
    bench.round().await;
    assert_eq!(bench.states().await, ["applied", "ignored refused"]);
}

#[tokio::test]
async fn what_would_be_parked_is_told_with_the_reason() {
    let bench = bench!();
    bench.hear(bought(1)).await;
    bench.round().await;
    bench.obey("fields = { description = \"lookup('names', order.name)\" }", "[tables.names]\n\"#2\" = \"two\"");
    let answer = bench.roll(dry()).await.unwrap();
    assert_eq!(counts(&answer), [0, 0, 0, 1, 0]);
    let example = &answer.examples[0];
    assert_eq!((example.would_be(), example.code.as_str()), (State::Parked, "unmapped"));
    assert!(example.message.starts_with("description: "), "{}", example.message);
}

#[tokio::test]
async fn only_the_service_in_charge_rolls_and_only_under_the_plan_that_is_meant() {
    let bench = bench!();
    bench.hear(bought(1)).await;
    bench.round().await;
    let unknown = RollRequest { flow: "nope".to_owned(), ..dry() };
    assert_eq!(bench.roll(unknown).await.unwrap_err().code(), Code::NotFound);
    let others = RollRequest { flow: "orders-to-books".to_owned(), ..dry() };
    assert_eq!(bench.roll(others).await.unwrap(), RollResponse::default());
    let stale = RollRequest { plan_hash: "b1946ac92492".to_owned(), ..for_good() };
    assert_eq!(bench.roll(stale).await.unwrap_err().code(), Code::FailedPrecondition);
    let nobody = RollRequest { actor: String::new(), ..for_good() };
    assert_eq!(bench.roll(nobody).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn what_is_decided_anew_is_written_at_the_flows_time() {
    const HELD: &str = "timing = { hold_minutes = 10 }\n";
    let bench = bench!();
    bench.obey(BY_NAME, "");
    bench.hear(bought(1)).await;
    bench.round().await;
    // Rolled.
    bench.obey(&format!("{HELD}{IN_WORDS}"), "");
    assert_eq!(counts(&bench.roll(for_good()).await.unwrap()), [0, 0, 0, 0, 1]);
    bench.round().await;
    assert_eq!(bench.states().await, ["waiting time"]);
    bench.let_an_hour_pass().await;
    bench.round().await;
    assert_eq!((bench.states().await, bench.calls()), (vec!["applied".to_owned()], 2));
    // Woken by something else that decides it.
    bench.obey(&format!("{HELD}{BY_NAME}"), "");
    let key = RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: "1".parse().unwrap() };
    let mut connection = bench.pool().acquire().await.unwrap();
    crate::decide_anew(&mut connection, &[key], &["erp".to_owned()]).await.unwrap();
    drop(connection);
    bench.round().await;
    assert_eq!(bench.states().await, ["waiting time"]);
    bench.let_an_hour_pass().await;
    bench.round().await;
    assert_eq!((bench.states().await, bench.calls()), (vec!["applied".to_owned()], 3));
}

#[tokio::test]
async fn what_may_be_in_a_system_and_leaves_its_flow_is_shown_as_the_cancellation_that_it_will_be() {
    let bench = bench!();
    bench.answer(Answer::ActThen(Failure::Ambiguous { message: "cut".to_owned() }));
    bench.hear(bought(1)).await;
    bench.round().await;
    // It was claimed once, and gave up.
    sqlx::query("update delivery set state = 'parked', code = 'gave_up'").execute(bench.pool()).await.unwrap();
    bench.obey("when = \"order.cancelled\"\non_leave = \"cancel\"", "");
    assert_eq!(counts(&bench.roll(dry()).await.unwrap()), [0, 1, 0, 0, 0]);
}
