//! The road can be lost: what JetStream keeps is a copy.

use std::time::Duration;

use waybill_testkit::wait_for_async;

use crate::{deployment::said, running::Suite};

/// Streams are made again within seconds, and sources are compared with each minute.
const WITHIN: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_wiped_while_everything_runs_are_made_again_and_nothing_is_missing() {
    let Some(mut suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.sell("TEE-WHITE-S").await;
    let nats = &mut suite.deployment.nats;
    nats.kill();
    nats.wipe_store().unwrap();
    // Taken without a road, and said on one that has no streams yet.
    suite.sell("TEE-WHITE-S").await;
    suite.deployment.nats.restart().unwrap();
    suite.sell("TEE-WHITE-S").await;
    wait_for_async("three orders in the ERP", WITHIN, async || {
        suite.is_settled("order", "erp")?;
        (suite.accepted("order", "erp") >= 3).then_some(())
    })
    .await;
    assert_eq!(suite.stop().await, Some(0));
}
