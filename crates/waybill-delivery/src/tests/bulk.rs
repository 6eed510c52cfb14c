//! What a person does to many at once: retries at a rate, discards, and the pause of a flow.

use tonic::{Code, Request};
use waybill_connector::Failure;
use waybill_domain::Snapshot;
use waybill_proto::wire::{
    DiscardDeliveriesRequest, PauseRequest, SelectDeliveriesRequest, SystemsRequest, deliveries_server::Deliveries as _,
};
use waybill_testkit::records::order;

use super::bench::Bench;

fn bought(number: u64) -> Snapshot {
    let email = format!("{number}@example.com");
    order(number).paid().by(&email).with_line("TEE", 1, "24.00").at_revision(1)
}

fn all_invalid() -> SelectDeliveriesRequest {
    SelectDeliveriesRequest {
        code: "invalid".to_owned(),
        actor: "ada".to_owned(),
        reason: "mended there".to_owned(),
        ..SelectDeliveriesRequest::default()
    }
}

impl Bench {
    async fn with_parked(numbers: std::ops::RangeInclusive<u64>) -> Option<Self> {
        let bench = Self::start().await?;
        let (code, field, message) = ("invalid".to_owned(), String::new(), "not allowed".to_owned());
        bench.answer_always(Failure::Rejected { code, field, message });
        for number in numbers {
            bench.hear(bought(number)).await;
        }
        bench.round().await;
        bench.answer_well();
        assert!(bench.states().await.iter().all(|state| state == "parked invalid"));
        Some(bench)
    }

    async fn pause_flow(&self, flow: &str, paused: bool) -> Result<String, tonic::Status> {
        let (flow, actor) = (flow.to_owned(), "ada".to_owned());
        let request = PauseRequest { flow, actor, paused, ..PauseRequest::default() };
        let systems = self.people().pause(Request::new(request)).await?.into_inner().systems;
        Ok(systems.into_iter().find(|report| report.system == "erp").map(|report| report.message).unwrap_or_default())
    }

    async fn discard_some(&self, limit: i64, dry_run: bool) -> i64 {
        let select = Some(SelectDeliveriesRequest { limit, dry_run, ..all_invalid() });
        let request = Request::new(DiscardDeliveriesRequest { select });
        self.people().discard(request).await.unwrap().into_inner().changed
    }

    fn count(states: &[String], state: &str) -> usize {
        states.iter().filter(|one| *one == state).count()
    }
}

#[tokio::test]
async fn a_retry_at_a_rate_lets_as_many_a_second_go_and_each_has_its_audit_row() {
    let Some(bench) = Bench::with_parked(1..=5).await else { return };
    let slowly = SelectDeliveriesRequest { rate: 0.001, limit: 4, ..all_invalid() };
    let dry = SelectDeliveriesRequest { dry_run: true, ..slowly.clone() };
    assert_eq!(bench.people().retry(Request::new(dry)).await.unwrap().into_inner().changed, 4);
    assert_eq!(bench.people().retry(Request::new(slowly)).await.unwrap().into_inner().changed, 4);
    bench.round().await;
    let states = bench.states().await;
    assert_eq!((Bench::count(&states, "applied"), Bench::count(&states, "pending invalid")), (1, 3), "{states:?}");
    let due: Vec<f64> = sqlx::query_scalar(
        "select extract(epoch from due_at - now())::double precision from delivery where state = 'pending' order by 1",
    )
    .fetch_all(bench.pool())
    .await
    .unwrap();
    assert!(due.windows(2).all(|pair| (pair[1] - pair[0] - 1000.0).abs() < 1.0), "a thousand seconds apart: {due:?}");
    assert_eq!(bench.audited().await, ["retry"; 4]);
    let wrong = SelectDeliveriesRequest { rate: -1.0, ..all_invalid() };
    assert_eq!(bench.people().retry(Request::new(wrong)).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn many_are_discarded_page_by_page_those_that_were_parked_first_first() {
    let Some(bench) = Bench::with_parked(1..=5).await else { return };
    sqlx::query("update delivery set changed_at = now() - record_id::int * interval '1 minute'")
        .execute(bench.pool())
        .await
        .unwrap();
    assert_eq!((bench.discard_some(0, true).await, bench.discard_some(2, true).await), (5, 2));
    assert_eq!(bench.discard_some(2, false).await, 2);
    let states = bench.states().await;
    assert_eq!(states[3..], ["ignored discarded", "ignored discarded"], "{states:?}");
    assert_eq!(bench.discard_some(0, false).await, 3);
    assert_eq!(bench.audited().await, ["discard"; 5]);
}

#[tokio::test]
async fn a_paused_flow_waits_and_goes_on_where_it_was() {
    let bench = bench!();
    assert_eq!(bench.pause_flow("orders", true).await.unwrap(), "paused flows: orders");
    bench.hear(bought(1)).await;
    bench.round().await;
    assert_eq!((bench.states().await, bench.calls()), (vec!["waiting paused".to_owned()], 0));
    assert_eq!(bench.in_flight().await, 1);
    assert_eq!(bench.pause_flow("orders", false).await.unwrap(), "");
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
    assert_eq!(bench.audited().await, ["pause flow orders", "resume flow orders"]);
    let unknown = bench.pause_flow("nope", true).await.unwrap_err();
    assert!(unknown.code() == Code::NotFound && unknown.message().contains("'nope'"), "{unknown}");
    let other = bench.pause_flow("orders-to-books", true).await.unwrap_err();
    assert_eq!(other.code(), Code::NotFound, "another service's");
}

#[tokio::test]
async fn a_flow_that_is_resumed_while_a_record_is_about_to_wait_lets_it_go() {
    let bench = bench!();
    bench.pause_flow("orders", true).await.unwrap();
    bench.hear(bought(1)).await;
    bench.late_when("exists (select from erp_sync.flow_state where paused)").await;
    tokio::join!(bench.round(), async {
        waybill_testkit::wait_for_async("the claim", std::time::Duration::from_secs(20), async || {
            (bench.states().await == ["applying"]).then_some(())
        })
        .await;
        bench.pause_flow("orders", false).await.unwrap();
    });
    bench.round().await;
    assert_eq!(bench.states().await, ["applied"]);
    let systems = bench.people().systems(Request::new(SystemsRequest {})).await.unwrap().into_inner().systems;
    assert!(systems.iter().all(|report| report.message.is_empty()), "{systems:?}");
}
