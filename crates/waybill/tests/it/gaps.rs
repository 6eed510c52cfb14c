//! The accounting line can fail: what is taken out of it is seen, paged, and named.

use std::time::Duration;

use serde_json::Value;
use waybill_testkit::wait_for_async;

use crate::{deployment::said, running::Suite};

/// A gap that stands for half a minute is paged within a minute more.
const WITHIN: Duration = Duration::from_secs(90);

impl Suite {
    fn sql(&self, sql: &str) -> String {
        self.deployment.database.url().run(sql).unwrap()
    }

    /// The open incident about a gap, once it is paged.
    async fn until_gap_is_paged(&self) -> Value {
        let incident = wait_for_async("the gap to be paged", WITHIN, async || {
            let listed: Value = serde_json::from_slice(&self.run(&["incidents", "--json"]).stdout).ok()?;
            let all = listed["incidents"].as_array().or_else(|| listed.as_array())?.clone();
            all.into_iter().find(|incident| incident["code"] == "gap" && !incident["paged_at"].is_null())
        });
        incident.await
    }

    /// An order that waits at the paused ERP.
    async fn sell_to_a_paused_erp(&self) -> u64 {
        said(&self.run(&["setup", "--plan", "plan.toml"]));
        // A service says what it serves a moment after it is ready.
        let pause = async || self.run(&["pause", "erp", "--reason", "stocktaking"]).status.success().then_some(());
        wait_for_async("the ERP to be paused", WITHIN, pause).await;
        let order = self.sell("TEE-WHITE-S").await;
        let heard = format!("select count(*) from alerter.line where system = 'erp' and record_id = '{order}'");
        wait_for_async("the watch to hear of the order", WITHIN, async || {
            (self.sql(&heard).trim() == "1").then_some(())
        })
        .await;
        let queued = format!("select count(*) from erp_sync.delivery where record_id = '{order}'");
        wait_for_async("the order in the queue", WITHIN, async || (self.sql(&queued).trim() == "1").then_some(()))
            .await;
        order
    }
}

fn names(incident: &Value, order: u64) -> bool {
    incident["records"].to_string().contains(&format!("main/order/{order}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_vanished_is_a_gap_that_names_its_record() {
    let Some(suite) = Suite::start().await else { return };
    let order = suite.sell_to_a_paused_erp().await;
    suite.sql(&format!("delete from erp_sync.delivery where record_id = '{order}'"));
    let incident = suite.until_gap_is_paged().await;
    assert!(names(&incident, order), "{incident}");
    assert_eq!(suite.stop().await, Some(0));
}
