//! The accounting line can fail: what is taken out of it, or put into it, is seen, paged, and named.

use std::time::Duration;

use prost::Message as _;
use serde_json::Value;
use waybill_bus::{Bus, Outgoing, subjects};
use waybill_domain::RecordKey;
use waybill_proto::wire;
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
        said(&self.run(&["pause", "erp", "--reason", "stocktaking"]));
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

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_receipt_is_a_gap_that_names_its_record() {
    let Some(suite) = Suite::start().await else { return };
    let order = suite.sell_to_a_paused_erp().await;
    let key = RecordKey { store: "main".parse().unwrap(), kind: "order".parse().unwrap(), id: order.into() };
    let revision = suite.sql(&format!("select desired_epoch from erp_sync.delivery where record_id = '{order}'"));
    let receipt = wire::Receipt {
        service: "erp-sync".to_owned(),
        system: "erp".to_owned(),
        key: Some((&key).into()),
        from: 1,
        to: Some(wire::Revision { epoch: revision.trim().parse().unwrap(), number: 1 }),
        state: wire::State::Applied.into(),
        settlement: 1,
        ..Default::default()
    };
    let password = suite.deployment.variable("erp-sync", "WAYBILL_NATS_PASSWORD");
    let bus = Bus::connect(&suite.deployment.nats.url(), "erp-sync", &password).await.unwrap();
    wait_for_async("NATS", WITHIN, async || bus.connected().then_some(())).await;
    let subject = subjects::receipt("erp-sync", &"erp".parse().unwrap(), &key);
    let forged = Outgoing { subject, headers: Vec::new(), payload: receipt.encode_to_vec().into() };
    assert!(bus.publish(vec![forged]).await.iter().all(Result::is_ok));
    let incident = suite.until_gap_is_paged().await;
    assert!(names(&incident, order), "{incident}");
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_was_never_said_is_a_gap_that_names_its_record() {
    let Some(mut suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    // Nothing is published while NATS is away, and the comparison with the source is a minute off.
    suite.deployment.nats.stop().unwrap();
    let order = suite.sell("TEE-WHITE-S").await;
    let unsaid =
        format!("delete from shopify_ingest.outbox where subject like 'store.v1.order.main.{order}' returning id");
    wait_for_async("the snapshot in the outbox", WITHIN, async || {
        (!suite.sql(&unsaid).trim().is_empty()).then_some(())
    })
    .await;
    suite.deployment.nats.restart().unwrap();
    let incident = suite.until_gap_is_paged().await;
    assert!(names(&incident, order), "{incident}");
    assert_eq!(suite.stop().await, Some(0));
}
