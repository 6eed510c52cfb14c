//! Fewer orders than usual.

use crate::{
    bench::Bench,
    orders::{accepted, placed},
};

/// In Vienna it is an hour later than in UTC.
const TWO_AN_HOUR: &str = "expect = [{ stores = [\"main\"], from = \"08:00\", to = \"20:00\", zone = \"Europe/Vienna\", orders_per_hour = 2 }]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_sells_less_than_usual_is_told_and_it_resolves_with_the_orders() {
    let Some(bench) = Bench::with_plan(TWO_AN_HOUR).await else { return };
    bench.until_swept().await;
    bench.pass(30 * 60);
    bench.hear_order(&placed(1, bench.now())).await;
    let three_days_ago = bench.now() - jiff::SignedDuration::from_hours(72);
    bench.hear_order(&accepted(2, three_days_ago, bench.now())).await;
    bench.pass(29 * 60);
    bench.until_swept().await;
    assert_eq!(bench.incidents("silence").await, [], "nobody has counted for an hour yet");

    bench.pass(2 * 60);
    let incident = bench.until_open("silence").await;
    assert_eq!(incident.system, "main");
    let told = "1 order in the last 60 minutes; at least 2 an hour are usual from 08:00 to 20:00 (Europe/Vienna)";
    assert_eq!(incident.detail, told);
    let page = bench.until_page_is("silence", "triggered").await;
    for expected in ["main: Fewer orders come than usual", "checkout", "waybill webhooks", "shopifystatus.com"] {
        assert!(page.contains(expected), "{expected} in {page}");
    }

    bench.hear_order(&placed(3, bench.now())).await;
    bench.until_resolved("silence").await;
    bench.until_page_is("silence", "resolved").await;

    // Both are more than an hour ago, and the shop has closed.
    bench.pass(7 * 3600);
    bench.until_swept().await;
    assert!(bench.incidents("silence").await.iter().all(|incident| incident.resolved_at.is_some()));
    bench.close().await;
}
