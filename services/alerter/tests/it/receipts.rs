//! Receipts that come together.

use waybill_proto::wire::State;

use crate::bench::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_one_line_that_come_together_count_each_in_its_order() {
    let Some(bench) = Bench::with_plan("").await else { return };
    let ends = [(1, State::Parked), (2, State::Applied), (4, State::Ignored), (5, State::Applied)];
    bench.hear_receipts(1, "erp", &ends).await;
    let line: (i64, i64, i64, i64, String) = sqlx::query_as(
        "select applied, superseded, ignored, parked, state from line where record_id = '1' and system = 'erp'",
    )
    .fetch_one(bench.db())
    .await
    .unwrap();
    // The parked first revision is superseded by the second, and the third by the fourth.
    assert_eq!(line, (2, 2, 1, 0, "applied".to_owned()));
}
