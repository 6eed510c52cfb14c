//! What is kept of every settlement, for how long, and how it is listed.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tonic::Request;
use waybill_connector::Failure;
use waybill_proto::{
    convert::to_timestamp,
    wire::{ListDecisionsRequest, ListDecisionsResponse, RecordedDecision, deliveries_server::Deliveries as _},
};
use waybill_testkit::records::order;

use super::bench::{Answer, Bench};
use waybill_runtime::Metrics;

use crate::{operations::DeliveriesService, pruning, store::history};

const A_DAY: Duration = Duration::from_secs(86_400);

fn all_of_time(after: &str, limit: i32) -> ListDecisionsRequest {
    ListDecisionsRequest {
        from: Some(to_timestamp(Timestamp::UNIX_EPOCH)),
        to: Some(to_timestamp("2999-01-01T00:00:00Z".parse().unwrap())),
        after: after.to_owned(),
        limit,
    }
}

impl Bench {
    async fn list_decisions(&self, request: ListDecisionsRequest) -> ListDecisionsResponse {
        let service = DeliveriesService::new(Arc::clone(self.engine()));
        service.list_decisions(Request::new(request)).await.unwrap().into_inner()
    }

    async fn decisions(&self) -> Vec<RecordedDecision> {
        self.list_decisions(all_of_time("", 0)).await.decisions
    }

    async fn complete_since_us(&self) -> i64 {
        history::complete_since(self.pool()).await.unwrap()
    }

    /// Removes history that is older; gives how many rows went.
    pub(super) async fn prune(&self, keep: Duration) -> i64 {
        let metrics = Metrics::default();
        pruning::run(self.pool(), &metrics, keep, 1000 * A_DAY).await.unwrap();
        let told = metrics.render();
        let counts = told.lines().filter_map(|line| line.strip_prefix("waybill_pruned_total"));
        counts.map(|count| count.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap()).sum()
    }

    /// As if everything kept so far had been kept so long ago.
    async fn let_days_pass(&self, days: i32) {
        let back = "set decided_at = decided_at - make_interval(days => $1)";
        sqlx::query(sqlx::AssertSqlSafe(format!("update decision {back}")))
            .bind(days)
            .execute(self.pool())
            .await
            .unwrap();
        sqlx::query("update history set complete_since = complete_since - make_interval(days => $1)")
            .bind(days)
            .execute(self.pool())
            .await
            .unwrap();
    }
}

/// Record, end, who said so, and whether there was a document.
fn told(decision: &RecordedDecision) -> String {
    let state = decision.state().as_str_name().trim_start_matches("STATE_").to_lowercase();
    let by = decision.by().as_str_name().trim_start_matches("BY_").to_lowercase();
    let document = if decision.document_hash.is_empty() { "" } else { " with a document" };
    let id = decision.key.as_ref().map(|key| key.id.as_str()).unwrap_or_default();
    format!("{id} r{} {state} {} by {by}{document}", decision.revision.unwrap_or_default().number, decision.code)
}

#[tokio::test]
async fn every_settlement_is_kept_with_who_said_so() {
    let bench = bench!();
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(3)).await;
    bench.round().await;
    bench.hear(order(2).paid().by("b@example.com").with_line("TEE", 1, "24.00").cancelled().at_revision(1)).await;
    bench.round().await;
    bench.hear(order(3).paid().by("c@example.com").with_line("TEE", 1, "24.00").off_by("0.01").at_revision(1)).await;
    bench.round().await;
    bench.answer(Answer::Fail(Failure::rejected("unknown_item", "lines.0.item", "no such item")));
    bench.hear(order(4).paid().by("d@example.com").with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    bench.discard().await;
    let mut told: Vec<String> = bench.decisions().await.iter().map(told).collect();
    // Both parked ones are discarded at once.
    told[4..].sort();
    assert_eq!(
        told,
        [
            "1 r3 applied  by plan with a document",
            "2 r1 ignored cancelled-before-applied by plan",
            "3 r1 parked totals by plan",
            "4 r1 parked unknown_item by system with a document",
            "3 r1 ignored discarded by person",
            "4 r1 ignored discarded by person",
        ]
    );
}

#[tokio::test]
async fn a_settlement_is_kept_with_what_decided_it() {
    let bench = bench!();
    bench.wait_for_books();
    bench.receipt_of_books(1, "applied", 1).await;
    let before = Timestamp::from_microsecond(bench.complete_since_us().await).unwrap();
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    let [kept] = &bench.decisions().await[..] else { panic!("one settlement") };
    let facts: waybill_plan::Facts = serde_json::from_str(&kept.facts).unwrap();
    assert_eq!(facts.receipts.keys().map(ToString::to_string).collect::<Vec<_>>(), ["books"]);
    assert!(facts.now > before, "{}", kept.facts);
    let delivery: waybill_plan::DeliveryFacts = serde_json::from_str(&kept.delivery).unwrap();
    assert!(!delivery.applied_once);
    assert_eq!((kept.system.as_str(), kept.settlement), ("erp", 1));
    let applied: (String, String) = sqlx::query_as("select encode(applied_hash, 'hex'), plan_hash from delivery")
        .fetch_one(bench.pool())
        .await
        .unwrap();
    assert_eq!((kept.document_hash.clone(), kept.plan_hash.clone()), applied);

    bench.hear(order(1).paid().with_line("TEE", 2, "24.00").at_revision(2)).await;
    bench.round().await;
    let [_, second] = &bench.decisions().await[..] else { panic!("two settlements") };
    let delivery: waybill_plan::DeliveryFacts = serde_json::from_str(&second.delivery).unwrap();
    assert!(delivery.applied_once);
    assert_eq!(second.settlement, 2);
}

#[tokio::test]
async fn a_result_that_is_not_taken_is_no_settlement() {
    let bench = bench!();
    bench.answer(Answer::ActAfter(Duration::from_millis(300)));
    bench.hear(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round_while(async { bench.take_the_claim_away().await }).await;
    assert_eq!(bench.decisions().await, []);
}

#[tokio::test]
async fn a_long_time_is_listed_page_by_page() {
    let bench = bench!();
    for number in 1..=5 {
        bench.hear(order(number).cancelled().with_line("TEE", 1, "24.00").at_revision(1)).await;
        bench.round().await;
    }
    let all = bench.decisions().await;
    assert_eq!(all.len(), 5);
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    for is_last in [false, false, true] {
        let page = bench.list_decisions(all_of_time(&cursor, 2)).await;
        assert_eq!((page.decisions.len(), page.more), (if is_last { 1 } else { 2 }, !is_last));
        listed.extend(page.decisions);
        cursor = page.cursor;
    }
    assert_eq!(listed, all);
    let third = all[2].decided_at;
    let until = ListDecisionsRequest { to: third, ..all_of_time("", 0) };
    assert_eq!(bench.list_decisions(until).await.decisions, all[..2], "`to` is not in it");
    let since = ListDecisionsRequest { from: third, ..all_of_time("", 0) };
    assert_eq!(bench.list_decisions(since).await.decisions, all[2..], "`from` is");
}

#[tokio::test]
async fn a_cursor_that_nobody_gave_is_refused() {
    let bench = bench!();
    let service = DeliveriesService::new(Arc::clone(bench.engine()));
    let status = service.list_decisions(Request::new(all_of_time("yesterday", 0))).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let without = ListDecisionsRequest { to: None, ..all_of_time("", 0) };
    let status = service.list_decisions(Request::new(without)).await.unwrap_err();
    assert_eq!(status.message(), "'to' is missing");
}

#[tokio::test]
async fn settlements_that_are_too_old_go_and_it_is_told_since_when_they_are_complete() {
    let bench = bench!();
    bench.hear(order(1).cancelled().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    let installed = bench.complete_since_us().await;
    assert_eq!(bench.prune(30 * A_DAY).await, 0);
    assert_eq!(bench.complete_since_us().await, installed, "nothing went");

    // More than go in one transaction.
    sqlx::query(
        "insert into decision (system, store, kind, record_id, epoch, number, settlement, decided_at, state, code,
             field, message, decided_by, plan_hash, document_hash)
         select system, store, kind, record_id, epoch, number, n, decided_at, state, code, field, message, decided_by,
             plan_hash, document_hash
         from decision, generate_series(2, 4500) as n",
    )
    .execute(bench.pool())
    .await
    .unwrap();
    bench.let_days_pass(31).await;
    bench.hear(order(2).cancelled().with_line("TEE", 1, "24.00").at_revision(1)).await;
    bench.round().await;
    assert_eq!(bench.prune(30 * A_DAY).await, 4500);
    let page = bench.list_decisions(all_of_time("", 0)).await;
    assert_eq!(page.decisions.iter().map(told).collect::<Vec<_>>(), ["2 r1 ignored cancelled-before-applied by plan"]);
    let told_since = page.complete_since.unwrap();
    let days_later = told_since.seconds - (installed / 1_000_000 - 31 * 86_400);
    assert!((86_400..86_500).contains(&days_later), "it is 30 days ago, not 31: {days_later} s");
}
