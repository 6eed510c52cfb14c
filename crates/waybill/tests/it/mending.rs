//! Something goes wrong, people are told within a minute, it is mended, and the page resolves.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::Sha256;
use waybill_simulator::{
    catalogue,
    kit::{Fault, FaultKind},
    seeding,
    shopify::{Address, NewLine, NewOrder, Payment, Settings},
};
use waybill_testkit::wait_for_async;

use crate::{
    deployment::{Deployment, example_plan, said},
    running::{Suite, vendors},
};

/// What the product promises.
const A_MINUTE: Duration = Duration::from_secs(60);

impl Suite {
    /// A paid order of one unit of an item, told to the suite by a webhook.
    pub(crate) async fn sell(&self, sku: &str) -> u64 {
        self.sell_for(sku, Payment::Paid).await
    }

    /// The same, paid or not.
    pub(crate) async fn sell_for(&self, sku: &str, payment: Payment) -> u64 {
        let address = Address {
            first_name: Some("Ada".to_owned()),
            last_name: Some("Lind".to_owned()),
            address1: "Ring 1".to_owned(),
            city: "Wien".to_owned(),
            zip: "1010".to_owned(),
            country: "Austria".to_owned(),
            country_code: "AT".to_owned(),
            phone: Some("+43 1 5550101".to_owned()),
            ..Address::default()
        };
        let order = self.vendors.store.place(NewOrder {
            email: Some("ada@waldgang.at".to_owned()),
            billing: Some(address.clone()),
            shipping_address: Some(address),
            lines: vec![NewLine {
                sku: Some(sku.to_owned()),
                title: String::new(),
                quantity: 1,
                price: Decimal::new(24_00, 2),
                taxes: Vec::new(),
                duty: Decimal::ZERO,
            }],
            payment,
            ..NewOrder::default()
        });
        // Says that the order changed and not how: the suite reads it from the store.
        let body = json!({ "order_edit": { "id": 1, "order_id": order } }).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(Settings::default().webhook_secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let answer = reqwest::Client::new()
            .post(self.webhooks())
            .header("X-Shopify-Topic", "orders/edited")
            .header("X-Shopify-Shop-Domain", Settings::default().domain)
            .header("X-Shopify-Webhook-Id", format!("test-{order}"))
            .header("X-Shopify-Hmac-Sha256", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        order
    }

    /// The status of the page about a cause, at the pager.
    async fn page(&self, code: &str) -> Option<String> {
        let state: Value =
            reqwest::get(format!("{}/_state", self.vendors.pager.url())).await.unwrap().json().await.unwrap();
        let alerts = state["alerts"].as_array().unwrap();
        let summary = |alert: &Value| alert["event"]["payload"]["summary"].as_str().unwrap_or_default().to_owned();
        let about = alerts.iter().rev().find(|alert| summary(alert).contains(&format!("[{code}]")))?;
        Some(about["status"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn until_page_is(&self, code: &str, status: &str) {
        let what = format!("the page about {code} to be {status}");
        wait_for_async(&what, A_MINUTE, async || (self.page(code).await.as_deref() == Some(status)).then_some(()))
            .await;
    }

    /// Whether every record of a kind has reached a system, by the accounting.
    pub(crate) fn is_settled(&self, kind: &str, system: &str) -> Option<()> {
        let status: Value = serde_json::from_slice(&self.run(&["status", "--json"]).stdout).unwrap();
        let lines = status["accounting"].as_array()?;
        let line = lines.iter().find(|line| line["kind"] == kind && line["system"] == system)?;
        let all = line["applied"].as_i64() > Some(0) && line["applied"] == line["accepted"] && line["gap"] == 0;
        all.then_some(())
    }

    /// How many revisions of a kind the accounting knows for a system.
    pub(crate) fn accepted(&self, kind: &str, system: &str) -> i64 {
        let status: Value = serde_json::from_slice(&self.run(&["status", "--json"]).stdout).unwrap();
        let lines = status["accounting"].as_array().unwrap();
        let line = lines.iter().find(|line| line["kind"] == kind && line["system"] == system);
        line.and_then(|line| line["accepted"].as_i64()).unwrap_or_default()
    }

    /// How many deliveries are parked.
    fn parked(&self) -> usize {
        let listed: Value = serde_json::from_slice(&self.run(&["parked", "list", "--json"]).stdout).unwrap();
        let all = listed.as_array().or_else(|| listed["parked"].as_array()).unwrap();
        all.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_is_paged_within_a_minute_and_its_page_resolves_once_it_is_mended_and_retried() {
    let Some(suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.sell(catalogue::UNKNOWN_ITEM.code).await;
    suite.until_page_is("unknown_item", "triggered").await;
    assert_eq!(suite.parked(), 1);

    // One trace from the webhook to the delivery, across the read by API, the outbox and NATS.
    let traces = suite
        .deployment
        .database
        .url()
        .run(
            "select distinct split_part(traceparent, '-', 2) from (
                 select traceparent from shopify_ingest.inbox
                 union all select traceparent from erp_sync.delivery where kind = 'order'
                 union all select traceparent from crm_sync.delivery where kind = 'order') t",
        )
        .unwrap();
    assert_eq!(traces.lines().map(str::len).collect::<Vec<_>>(), [32], "{traces}");

    // Mended in the plan, while the suite runs: the item has another code in the ERP.
    let path = suite.plan_file();
    let plan = std::fs::read_to_string(&path).unwrap();
    let mended =
        plan.replace("item = \"line.sku\"", "item = \"'TEE-WHITE-S' if line.sku == 'LIMITED-XMAS-26' else line.sku\"");
    assert_ne!(plan, mended);
    std::fs::write(&path, mended).unwrap();
    wait_for_async("the retry under the changed plan to pass", A_MINUTE, async || {
        // Until the changed plan is read, a retry parks it again.
        suite.run(&["parked", "retry", "--system", "erp", "--code", "unknown_item"]);
        suite.is_settled("order", "erp")
    })
    .await;
    suite.until_page_is("unknown_item", "resolved").await;
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_paged_within_a_minute_parks_nothing_and_resumes_by_itself() {
    let Some(suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.vendors.crm.faults.add(Fault {
        kind: FaultKind::Unauthorized,
        times: 100_000,
        path: String::new(),
        body: String::new(),
    });
    suite.sell("TEE-WHITE-S").await;
    suite.until_page_is("unauthorized", "triggered").await;
    assert_eq!(suite.parked(), 0);
    suite.vendors.crm.faults.clear();
    suite.until_page_is("unauthorized", "resolved").await;
    wait_for_async("the order at the CRM", A_MINUTE, async || suite.is_settled("order", "crm")).await;
    assert_eq!(suite.parked(), 0);
    assert_eq!(suite.stop().await, Some(0));
}

/// How long a system may be silent before it counts as not served, and a minute to be told of it.
const SILENCE_AND_A_MINUTE: Duration = Duration::from_secs(45 + 60);

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_no_process_serves_is_paged() {
    let Some(suite) = Suite::start_for("shop,erp,shipping,pagerduty,slack,hook").await else { return };
    let what = "the page about the CRM that nobody serves";
    wait_for_async(what, SILENCE_AND_A_MINUTE, async || {
        (suite.page("unserved").await.as_deref() == Some("triggered")).then_some(())
    })
    .await;
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_systems_changed_settings_are_taken_without_a_restart_and_what_waited_goes_out() {
    let Some(deployment) = Deployment::empty() else { return };
    let wrong = deployment.folder.path().join("old-token");
    std::fs::write(&wrong, "pat-of-last-year").unwrap();
    let path = deployment.folder.path().join("plan.toml");
    let plan = std::fs::read_to_string(example_plan()).unwrap();
    let with_wrong = plan.replace("token = \"env:HUBSPOT_TOKEN\"", &format!("token = \"file:{}\"", wrong.display()));
    assert_ne!(plan, with_wrong);
    std::fs::write(&path, with_wrong).unwrap();
    let vendors = vendors(Settings::default(), &seeding::erp()).await;
    let suite = Suite::with(deployment, vendors, &[], &[]).await;
    said(&suite.run(&["setup", "--plan", example_plan().to_str().unwrap()]));
    suite.sell("TEE-WHITE-S").await;
    wait_for_async("the order in the ERP", A_MINUTE, async || suite.is_settled("order", "erp")).await;
    assert_eq!(suite.is_settled("order", "crm"), None, "the CRM knows no such token");

    std::fs::write(&path, plan).unwrap();
    wait_for_async("the order in the CRM", A_MINUTE, async || suite.is_settled("order", "crm")).await;
    let agree = async || suite.run(&["plan", "status"]).status.success().then_some(());
    wait_for_async("all services to obey the mended plan", A_MINUTE, agree).await;
    assert_eq!(suite.stop().await, Some(0));
}
