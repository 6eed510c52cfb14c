//! What was said, told again to one who asks.

use tonic::Request;
use waybill_connector::Failure;
use waybill_domain::Snapshot;
use waybill_proto::wire::{ListReceiptsRequest, State, deliveries_server::Deliveries as _};
use waybill_testkit::records::order;

use super::bench::Bench;

fn bought(units: i64, number: i64) -> Snapshot {
    order(1001).paid().with_line("TEE", units, "24.00").at_revision(number)
}

impl Bench {
    /// State, revision and settlement of each receipt.
    async fn told_of(&self, system: &str) -> Vec<(State, i64, i64)> {
        let keys = vec![(&bought(1, 1).key).into()];
        let request = Request::new(ListReceiptsRequest { system: system.to_owned(), keys });
        let receipts = self.people().list_receipts(request).await.unwrap().into_inner().receipts;
        receipts.iter().map(|receipt| (receipt.state(), receipt.to.unwrap().number, receipt.settlement)).collect()
    }
}

#[tokio::test]
async fn what_the_system_holds_is_told_beside_how_the_newest_revision_ended() {
    let Some(bench) = Bench::start().await else { return };
    bench.hear(bought(1, 1)).await;
    assert_eq!(bench.told_of("erp").await, [], "nothing became of it yet");
    bench.round().await;
    assert_eq!(bench.told_of("erp").await, [(State::Applied, 1, 1)]);
    assert_eq!(bench.told_of("books").await, [], "another system's");
    let (code, field, message) = ("invalid".to_owned(), String::new(), "not allowed".to_owned());
    bench.answer_always(Failure::Rejected { code, field, message });
    bench.hear(bought(2, 2)).await;
    assert_eq!(bench.told_of("erp").await, [(State::Applied, 1, 0)], "the newest is not settled");
    bench.round().await;
    assert_eq!(bench.told_of("erp").await, [(State::Parked, 2, 2), (State::Applied, 1, 0)]);
    bench.answer_well();
    bench.hear(bought(3, 3)).await;
    bench.round().await;
    assert_eq!(bench.told_of("erp").await, [(State::Applied, 3, 3)]);
    // What an audit writes down of a record that the system lost.
    let lost = "update delivery set again = true, state = 'pending'";
    sqlx::query(lost).execute(bench.pool()).await.unwrap();
    assert_eq!(bench.told_of("erp").await, [], "the system holds it no more");
}
