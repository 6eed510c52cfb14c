//! A system's first run, and how it starts.

use std::time::Duration;

use tonic::{Code, Request, Status};
use waybill_connector::Failure;
use waybill_domain::Snapshot;
use waybill_proto::wire::{
    ReleaseRequest, SystemReport, SystemsRequest, deliveries_server::Deliveries as _, system_report::Condition,
};
use waybill_testkit::{records::order, wait_for_async};

use super::bench::{Answer, Bench};
use crate::store::systems;

const AT_MOST_3: &str = "ask_above = 3";

/// An order of a person of its own.
fn bought(number: u64, revision: i64) -> Snapshot {
    let email = format!("{number}@example.com");
    order(number).paid().by(&email).with_line("TEE", revision, "24.00").at_revision(revision)
}

impl Bench {
    async fn hear_orders(&self, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            self.hear(bought(number, 1)).await;
        }
    }

    async fn report(&self) -> SystemReport {
        let systems = self.people().systems(Request::new(SystemsRequest {})).await.unwrap().into_inner().systems;
        systems.into_iter().find(|report| report.system == "erp").unwrap()
    }

    async fn release(&self, system: &str) -> Result<(), Status> {
        let request =
            ReleaseRequest { system: system.to_owned(), actor: "ada".to_owned(), reason: "counted".to_owned() };
        self.people().release(Request::new(request)).await.map(drop)
    }

    async fn is_paused(&self) -> bool {
        systems::one(self.pool(), "erp").await.unwrap().unwrap().paused
    }
}

#[tokio::test]
async fn as_many_records_as_the_plan_allows_are_created_without_a_question() {
    let bench = bench!();
    bench.obey("", AT_MOST_3);
    bench.hear_orders(1..=3).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied", "applied", "applied"]);
    assert_eq!(bench.report().await.condition(), Condition::Serving);
}

#[tokio::test]
async fn more_are_asked_for_while_updates_go_on_and_the_release_lets_all_go() {
    let bench = bench!();
    bench.obey("", AT_MOST_3);
    bench.hear_orders(1..=2).await;
    bench.round().await;
    bench.hear_orders(3..=4).await;
    bench.hear(bought(1, 2)).await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied", "applied", "waiting asking", "waiting asking"]);
    assert_eq!(bench.calls(), 3, "two orders, and the update of the first");
    let report = bench.report().await;
    assert_eq!(report.condition(), Condition::Asking);
    let message = "would create 2 records more (2 so far); `waybill release erp` lets them go";
    assert_eq!(report.message, message);
    bench.hear(bought(2, 2)).await;
    bench.round().await;
    assert_eq!(bench.calls(), 4, "what the system holds goes on being written while it asks");

    assert_eq!(bench.release("nope").await.unwrap_err().code(), Code::NotFound);
    bench.release("erp").await.unwrap();
    bench.round().await;
    bench.hear_orders(5..=9).await;
    bench.round().await;
    assert!(bench.states().await.iter().all(|state| state == "applied"), "{:?}", bench.states().await);
    assert_eq!(
        (bench.report().await.condition(), bench.audited().await),
        (Condition::Serving, vec!["release".to_owned()])
    );
}

#[tokio::test]
async fn a_release_while_a_record_is_about_to_be_held_lets_that_one_go_too() {
    let bench = bench!();
    bench.obey("", "ask_above = 0");
    bench.late_when("exists (select from erp_sync.system_state where asking is not null)").await;
    bench.hear(bought(1, 1)).await;
    tokio::join!(bench.round(), async {
        wait_for_async("the system to ask", Duration::from_secs(20), async || {
            (bench.report().await.condition() == Condition::Asking).then_some(())
        })
        .await;
        assert_eq!(bench.states().await, ["applying"]);
        bench.release("erp").await.unwrap();
    });
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
}

#[tokio::test]
async fn what_a_rule_keeps_away_is_not_asked_for() {
    let bench = bench!();
    bench.obey("when = 'order.total > decimal(\"100\")'", AT_MOST_3);
    bench.hear_orders(1..=5).await;
    bench.hear(order(6).paid().by("6@example.com").with_line("TENT", 1, "600.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.created(), ["#6"]);
    assert_eq!(bench.report().await.condition(), Condition::Serving);
}

#[tokio::test]
async fn what_was_held_goes_by_itself_when_it_is_no_longer_too_much() {
    let bench = bench!();
    bench.obey("", AT_MOST_3);
    bench.hear_orders(1..=4).await;
    bench.round().await;
    assert_eq!((bench.calls(), bench.report().await.condition()), (0, Condition::Asking));
    bench.hear(order(4).paid().cancelled().by("4@example.com").with_line("TEE", 1, "24.00").at_revision(2)).await;
    wait_for_async("the other three", Duration::from_secs(20), async || {
        bench.round().await;
        (bench.calls() == 3).then_some(())
    })
    .await;
    assert_eq!(bench.report().await.condition(), Condition::Serving);
}

#[tokio::test]
async fn what_was_begun_is_finished_while_the_system_asks() {
    let bench = bench!();
    bench.obey("", AT_MOST_3);
    bench.answer(Answer::Fail(Failure::Transient { message: "HTTP 503".to_owned() }));
    bench.hear_orders(1..=1).await;
    bench.round().await;
    bench.hear_orders(2..=4).await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!(bench.states().await, ["applied", "waiting asking", "waiting asking", "waiting asking"]);
}

#[tokio::test]
async fn a_day_after_its_first_write_a_system_that_does_not_ask_is_released() {
    let bench = bench!();
    bench.obey("", AT_MOST_3);
    bench.hear_orders(1..=1).await;
    bench.round().await;
    let first_write = async |ago: &str| {
        sqlx::query("update system_state set first_write_at = now() - $1::text::interval")
            .bind(ago)
            .execute(bench.pool())
            .await
            .unwrap();
    };
    first_write("23 hours").await;
    bench.hear_orders(2..=5).await;
    bench.round().await;
    assert_eq!((bench.calls(), bench.report().await.condition()), (1, Condition::Asking));
    first_write("25 hours").await;
    bench.let_time_pass().await;
    bench.round().await;
    assert_eq!(bench.calls(), 1, "what asks goes on asking");

    let other = bench!();
    other.obey("", AT_MOST_3);
    other.hear_orders(1..=1).await;
    other.round().await;
    sqlx::query("update system_state set first_write_at = now() - interval '25 hours'")
        .execute(other.pool())
        .await
        .unwrap();
    other.hear_orders(2..=5).await;
    other.round().await;
    assert_eq!(other.calls(), 5);
}

#[tokio::test]
async fn a_released_system_and_one_in_shadow_are_not_asked_about() {
    let bench = bench!();
    systems::enlist(bench.pool(), "erp", false, true).await.unwrap();
    bench.obey("", AT_MOST_3);
    bench.hear_orders(1..=5).await;
    bench.round().await;
    assert_eq!(bench.calls(), 5);

    let shadow = bench!();
    shadow.obey("", "ask_above = 3\nshadow = true");
    shadow.hear_orders(1..=5).await;
    shadow.round().await;
    assert_eq!((shadow.calls(), shadow.report().await.condition()), (0, Condition::Serving));
    assert!(shadow.states().await.iter().all(|state| state == "ignored shadow"));
}

#[tokio::test]
async fn a_system_that_starts_paused_is_resumed_by_a_person_only() {
    let bench = bench!();
    sqlx::query("delete from system_state").execute(bench.pool()).await.unwrap();
    // What reads it may be there first.
    systems::take_tokens(bench.pool(), "erp", 1.0, 1.0, 1.0).await.unwrap();
    systems::enlist(bench.pool(), "erp", true, false).await.unwrap();
    assert!(bench.is_paused().await);
    bench.hear_orders(1..=1).await;
    bench.round().await;
    assert_eq!(bench.calls(), 0);
    systems::pause(bench.pool(), "erp", false).await.unwrap();
    systems::enlist(bench.pool(), "erp", true, false).await.unwrap();
    assert!(!bench.is_paused().await, "a restart does not pause it again");
}
