//! Webhooks that come together share commits.

use reqwest::StatusCode;

use crate::{
    bench::Bench,
    webhook::{order, webhook},
};

const TOGETHER: u64 = 200;

#[tokio::test]
async fn webhooks_that_come_together_share_commits_and_none_is_lost() {
    let Some(bench) = Bench::open().await else { return };
    let sent: Vec<_> =
        (1..=TOGETHER).map(|id| webhook("orders/create", &order(id, "2026-07-01T12:00:00+02:00"))).collect();
    let answers = futures::future::join_all(sent.iter().map(|one| bench.send(one))).await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK));
    bench.settled().await;
    assert_eq!(bench.count("select count(*) from inbox where outcome = 'applied'").await, 200);
    assert_eq!(bench.count("select count(*) from record").await, 200);
    // now() is the transaction's, so that rows of one commit have one time.
    let commits = bench.count("select count(distinct received_at) from inbox").await;
    assert!(commits < 100, "{commits} commits");
    bench.close().await;
}
