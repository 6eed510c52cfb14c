//! When a line is late, and when something else is the matter with it.

use std::time::Duration;

use prost::Message as _;
use waybill_bus::subjects;
use waybill_proto::wire::{SystemReport, system_report::Condition};
use waybill_testkit::wait_for_async;

use crate::{bench::Bench, orders::placed};

const DEADLINE: Duration = Duration::from_secs(30);

/// Two systems for orders; flows are late after ten minutes unless they say otherwise.
const SYSTEMS: &str = "[systems.erp]\nconnector = \"tryton\"\n[systems.parcels]\nconnector = \"shipstation\"\n";

fn plan(to_erp: &str, to_parcels: &str) -> String {
    format!(
        "{SYSTEMS}[[flows]]\nname = \"orders-to-erp\"\nkind = \"order\"\nto = \"erp\"\n{to_erp}\n\
         [[flows]]\nname = \"orders-to-parcels\"\nkind = \"order\"\nto = \"parcels\"\n{to_parcels}\n"
    )
}

impl Bench {
    /// Has the erp's service say how the system is.
    async fn say_condition(&self, condition: Condition, message: &str) {
        let report = SystemReport {
            service: "erp-sync".to_owned(),
            system: "erp".to_owned(),
            condition: condition.into(),
            message: message.to_owned(),
            ..SystemReport::default()
        };
        let subject = subjects::system_report(&"erp".parse().unwrap(), "erp-sync");
        self.road_of("erp-sync").announce(subject, report.encode_to_vec().into()).await.unwrap();
    }

    /// Waits until the watch knows, or no longer knows, of a record that waits for a person.
    async fn until_approvals_are_seen(&self, waiting: i64) {
        wait_for_async("the watch to have asked what waits for a person", DEADLINE, async || {
            let seen: i64 = sqlx::query_scalar("select count(*) from approval_seen where over_at is null")
                .fetch_one(self.db())
                .await
                .unwrap();
            (seen == waiting).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nightly_flow_is_not_late_all_day_but_when_its_night_has_passed() {
    let nightly = "timing = { at = \"02:00\", zone = \"Europe/Vienna\" }";
    let Some(bench) = Bench::with_plan(&plan(nightly, "")).await else { return };
    bench.hear_waiting(1, "2026-11-21T11:00:00Z").await;
    bench.until_swept().await;
    assert_eq!((bench.open_count("late", "parcels").await, bench.open_count("late", "erp").await), (Some(1), None));

    // Two o'clock in Vienna is one o'clock UTC; nine minutes past it is not late yet.
    bench.pass(13 * 3600 + 9 * 60);
    bench.hear_waiting(2, "2026-11-22T00:30:00Z").await;
    bench.until_swept().await;
    assert_eq!((bench.open_count("late", "parcels").await, bench.open_count("late", "erp").await), (Some(2), None));

    bench.pass(2 * 60);
    bench.until_swept().await;
    assert_eq!(bench.open_count("late", "erp").await, Some(2));
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_waits_for_a_person_too_long_is_told_as_that_and_its_own_time_begins_with_the_word() {
    let Some(bench) = Bench::with_plan(&plan("approval = \"true\"", "after = [\"erp\"]")).await else { return };
    bench.erp.asks_for(&placed(1, bench.now())).await;
    bench.until_approvals_are_seen(1).await;
    bench.hear_waiting(1, "2026-11-21T11:51:00Z").await;
    bench.until_swept().await;
    assert_eq!(bench.incidents("approval_waiting").await, [], "nine minutes are not too long");

    bench.pass(2 * 60);
    let incident = bench.until_open("approval_waiting").await;
    assert_eq!((incident.system.as_str(), incident.count), ("erp", 1));
    assert!(bench.until_page_is("approval_waiting", "triggered").await.contains("waybill approvals"));
    bench.pass(3600);
    bench.until_swept().await;
    assert_eq!(bench.incidents("late").await, [], "neither it nor the system that comes after it is late");

    bench.erp.lets_go().await;
    bench.until_approvals_are_seen(0).await;
    bench.until_resolved("approval_waiting").await;
    bench.pass(9 * 60);
    bench.until_swept().await;
    assert_eq!(bench.incidents("late").await, []);
    bench.pass(2 * 60);
    bench.until_swept().await;
    assert_eq!((bench.open_count("late", "erp").await, bench.open_count("late", "parcels").await), (Some(1), None));

    bench.hear_receipt(1, "erp").await;
    bench.until_swept().await;
    assert_eq!((bench.open_count("late", "erp").await, bench.open_count("late", "parcels").await), (None, None));
    bench.pass(11 * 60);
    bench.until_swept().await;
    assert_eq!(bench.open_count("late", "parcels").await, Some(1));
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_flow_that_a_person_paused_is_not_late() {
    let Some(bench) = Bench::with_plan(&plan("", "")).await else { return };
    let report = SystemReport {
        service: "erp-sync".to_owned(),
        system: "erp".to_owned(),
        condition: Condition::Serving.into(),
        paused_flows: vec!["orders-to-erp".to_owned()],
        ..SystemReport::default()
    };
    let subject = subjects::system_report(&"erp".parse().unwrap(), "erp-sync");
    bench.road_of("erp-sync").announce(subject, report.encode_to_vec().into()).await.unwrap();
    wait_for_async("the watch to know of the pause", DEADLINE, async || {
        let paused: i64 = sqlx::query_scalar("select count(*) from system_seen where cardinality(paused_flows) = 1")
            .fetch_one(bench.db())
            .await
            .unwrap();
        (paused == 1).then_some(())
    })
    .await;
    bench.hear_waiting(1, "2026-11-21T11:00:00Z").await;
    bench.until_swept().await;
    assert_eq!((bench.open_count("late", "erp").await, bench.open_count("late", "parcels").await), (None, Some(1)));
    bench.say_condition(Condition::Serving, "").await;
    wait_for_async("the flow to go on, and its records to be late", DEADLINE, async || {
        bench.open_count("late", "erp").await
    })
    .await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_that_asks_is_paged_until_it_is_released() {
    let Some(bench) = Bench::with_plan(&plan("", "")).await else { return };
    let message = "would create 2,431 records; `waybill release erp` lets them go";
    bench.say_condition(Condition::Asking, message).await;
    let incident = bench.until_open("first_run").await;
    assert_eq!((incident.system.as_str(), incident.detail.as_str()), ("erp", message));
    assert!(bench.until_page_is("first_run", "triggered").await.contains("2,431"));
    bench.hear_waiting(1, "2026-11-21T11:00:00Z").await;
    bench.until_swept().await;
    assert_eq!(bench.open_count("late", "erp").await, None, "what waits for the release is not late");

    bench.say_condition(Condition::Serving, "").await;
    bench.until_resolved("first_run").await;
    bench.until_page_is("first_run", "resolved").await;
    bench.close().await;
}
