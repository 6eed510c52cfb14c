//! The store's webhook subscriptions, looked at and repaired.

use waybill_simulator::shopify::Settings;
use waybill_testkit::wait_for_async;

use crate::bench::{Bench, DEADLINE};

const HERE: &str = "callback_url = \"https://hooks.example.com/webhooks\"\nsubscriptions_seconds = 1";

fn shop() -> Settings {
    Settings { bucket: 10_000_000, ..Settings::default() }
}

impl Bench {
    async fn audited(&self, what: &str, sql: &'static str) {
        wait_for_async(what, DEADLINE, async || (self.count(sql).await > 0).then_some(())).await;
    }

    async fn metrics(&self) -> String {
        self.http.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap()
    }

    async fn ready(&self) -> String {
        let answer = self.http.get(format!("{}/readyz", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), reqwest::StatusCode::OK);
        answer.text().await.unwrap()
    }
}

#[tokio::test]
async fn subscriptions_that_are_missing_are_made() {
    let Some(bench) = Bench::with(HERE, shop()).await else { return };
    bench.audited("an audit", "select count(*) from subscription_audit where well = 19 and message = ''").await;
    assert_eq!(bench.shop.subscribed("https://hooks.example.com/webhooks/main"), 19);
    bench.close().await;
}

#[tokio::test]
async fn a_subscription_that_shopify_deleted_is_made_again_and_counted() {
    let Some(bench) = Bench::with(HERE, shop()).await else { return };
    bench.audited("an audit", "select count(*) from subscription_audit where well = 19").await;
    bench.shop.unsubscribe("orders/updated");
    bench.audited("a repair", "select count(*) from subscription_audit where repaired = 20").await;
    assert_eq!(bench.shop.subscribed("https://hooks.example.com/webhooks/main"), 19);
    let metrics = bench.metrics().await;
    assert!(metrics.contains("waybill_subscriptions_repaired_total{store=\"main\"} 20"), "{metrics}");
    bench.close().await;
}

#[tokio::test]
async fn without_a_callback_nothing_is_repaired_and_it_is_said() {
    let Some(bench) = Bench::with("subscriptions_seconds = 1", shop()).await else { return };
    bench.audited("a word", "select count(*) from subscription_audit where message like '%WAYBILL_CALLBACK%'").await;
    assert_eq!(bench.shop.journal().entries().len(), 0);
    bench.close().await;
}

#[tokio::test]
async fn a_token_that_is_refused_is_said_and_stops_nothing() {
    let Some(bench) = Bench::with(HERE, shop()).await else { return };
    bench.audited("an audit", "select count(*) from subscription_audit where well = 19").await;
    let (path, body) = (String::new(), "query WebhookSubscriptions".to_owned());
    let kind = waybill_simulator::kit::FaultKind::Unauthorized;
    bench.vendor.faults.add_after(0, waybill_simulator::kit::Fault { kind, times: 1000, path, body });
    bench.audited("a failure", "select count(*) from subscription_audit where attempts > 0").await;
    wait_for_async("a remark", DEADLINE, async || {
        bench.ready().await.contains("webhook subscriptions: main: ").then_some(())
    })
    .await;
    bench.close().await;
}
