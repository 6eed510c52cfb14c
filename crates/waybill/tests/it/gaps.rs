//! The accounting line can fail: what is taken out of it, or put into it, is seen, paged, and named.

use std::time::Duration;

use prost::Message as _;
use serde_json::Value;
use waybill_bus::{headers, subjects};
use waybill_domain::RecordKey;
use waybill_proto::wire;
use waybill_testkit::wait_for_async;

use crate::{deployment::said, running::Suite};

/// A gap that stands for half a minute is paged within a minute more.
const WITHIN: Duration = Duration::from_secs(90);

impl Suite {
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.deployment.database.url().run(sql).unwrap()
    }

    /// The open incidents about gaps.
    fn gaps(&self) -> Option<Vec<Value>> {
        let listed: Value = serde_json::from_slice(&self.run(&["incidents", "--json"]).stdout).ok()?;
        let all = listed["incidents"].as_array().or_else(|| listed.as_array())?.clone();
        Some(all.into_iter().filter(|incident| incident["code"] == "gap").collect())
    }

    /// The open incident about a gap, once it is paged.
    async fn until_gap_is_paged(&self) -> Value {
        let incident = wait_for_async("the gap to be paged", WITHIN, async || {
            self.gaps()?.into_iter().find(|incident| !incident["paged_at"].is_null())
        });
        incident.await
    }

    /// An order that waits at the paused ERP.
    async fn sell_to_a_paused_erp(&self) -> u64 {
        said(&self.run(&["setup", "--plan", "plan.toml"]));
        // A service says what it serves a moment after it is ready.
        // The stock of the ERP is served by another one, which may be sooner.
        let is_paused = "select count(*) from erp_sync.system_state where system = 'erp' and paused";
        let pause = async || {
            self.run(&["pause", "erp", "--reason", "stocktaking"]);
            (self.sql(is_paused).trim() == "1").then_some(())
        };
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

/// Who compares itself with the store's source, and where each has come to.
const COMPARED_TO: &str = "
    select 'alerter', string_agg(position, ' ' order by source) from alerter.source_cursor
        where source like 'shopify-ingest %'
    union all select 'crm-sync', string_agg(position, ' ' order by source) from crm_sync.source_cursor
        where source like 'shopify-ingest %'
    union all select 'erp-sync', string_agg(position, ' ' order by source) from erp_sync.source_cursor
        where source like 'shopify-ingest %'
    union all select 'fulfilment-sync', string_agg(position, ' ' order by source) from fulfilment_sync.source_cursor
        where source like 'shopify-ingest %'
    order by 1";

impl Suite {
    /// Sells an order that all who listen to the store have compared: the next comparison is most of a minute away.
    async fn until_all_have_compared(&self) {
        let before = self.sql(COMPARED_TO);
        self.sell("TEE-WHITE-S").await;
        wait_for_async("the comparisons with the source", 2 * WITHIN, async || {
            let now = self.sql(COMPARED_TO);
            let moved = now.lines().count() == 4 && now.lines().all(|line| !before.contains(line));
            moved.then_some(())
        })
        .await;
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
    let record = format!("main/order/{order}");
    let heard = said(&suite.run(&["hear", &record, "--reason", "the page says so"]));
    assert_eq!(heard, format!("{record}: 1 delivery has something to do\n"));
    let delivery = format!(
        "select state || ' ' || again || ' ' || (settlement > 1000000) from erp_sync.delivery where record_id = '{order}'"
    );
    // Looked for at the ERP before it is written; and its receipts are newer than any of the row that is gone.
    assert_eq!(suite.sql(&delivery).trim(), "pending true true");
    said(&suite.run(&["resume", "erp", "--reason", "back"]));
    wait_for_async("the order's line to close", WITHIN, async || {
        (suite.sql(&delivery).trim() == "applied false true").then_some(())
    })
    .await;
    let heard = said(&suite.run(&["hear", &record, "--reason", "to be sure"]));
    assert!(heard.contains("no delivery of it is gone or behind"), "{heard}");
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_receipt_is_a_gap_that_names_its_record() {
    let Some(suite) = Suite::start().await else { return };
    let order = suite.sell_to_a_paused_erp().await;
    let key = RecordKey { store: "main".parse().unwrap(), kind: "order".parse().unwrap(), id: order.into() };
    let epoch = suite.sql(&format!("select desired_epoch from erp_sync.delivery where record_id = '{order}'"));
    let receipt = wire::Receipt {
        service: "erp-sync".to_owned(),
        system: "erp".to_owned(),
        key: Some((&key).into()),
        from: 1,
        to: Some(wire::Revision { epoch: epoch.trim().parse().unwrap(), number: 1 }),
        state: wire::State::Applied.into(),
        settlement: 1,
        ..Default::default()
    };
    let subject = subjects::receipt("erp-sync", &"erp".parse().unwrap(), &key);
    let payload: String = receipt.encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
    // The service's own voice says it: nobody else may.
    suite.sql(&format!(
        r#"insert into erp_sync.outbox (subject, headers, payload)
           values ('{subject}', '[["{}", "waybill.v1.Receipt"]]', decode('{payload}', 'hex'))"#,
        headers::SCHEMA
    ));
    let incident = suite.until_gap_is_paged().await;
    assert!(names(&incident, order), "{incident}");
    assert_eq!(suite.stop().await, Some(0));
}

/// What is to be said of new orders is lost on its way into the outbox.
const LOSES_ORDERS: &str = "
    create function shopify_ingest.lose() returns trigger language plpgsql as 'begin return null; end';
    create trigger lose before insert on shopify_ingest.outbox
    for each row when (new.subject like 'store.v1.order.%') execute function shopify_ingest.lose()";

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_was_never_said_is_a_gap_that_names_its_record_until_the_comparison_finds_it() {
    let Some(suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.until_all_have_compared().await;
    suite.sql(LOSES_ORDERS);
    let order = suite.sell("TEE-WHITE-S").await;
    let incident = suite.until_gap_is_paged().await;
    assert!(names(&incident, order), "{incident}");
    let resolved = async || suite.gaps()?.is_empty().then_some(());
    wait_for_async("the comparison with the source", 2 * WITHIN, resolved).await;
    assert!(suite.is_settled("order", "erp").is_some());
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_is_put_back_hears_of_what_came_without_it_and_is_no_gap() {
    let Some(suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    let plan = suite.plan();
    let flow = plan.find("[[flows]]\nname = \"orders-to-crm\"").unwrap();
    let next = flow + 1 + plan[flow + 1..].find("[[flows]]").unwrap();
    suite.obey(&format!("{}{}", &plan[..flow], &plan[next..])).await;
    let order = suite.sell("TEE-WHITE-S").await;
    suite.until_all_have_compared().await;
    let of_order = format!("where kind = 'order' and system = 'crm' and record_id = '{order}'");
    assert_eq!(suite.sql(&format!("select count(*) from crm_sync.delivery {of_order}")).trim(), "0");

    suite.obey(&plan).await;
    wait_for_async("the order in the CRM, and its line to close", WITHIN, async || {
        let ends = format!("select applied from alerter.line {of_order}");
        (suite.sql(&ends).trim() == "1").then_some(())
    })
    .await;
    assert_eq!(suite.gaps().unwrap(), Vec::<Value>::new());
    assert_eq!(suite.stop().await, Some(0));
}
