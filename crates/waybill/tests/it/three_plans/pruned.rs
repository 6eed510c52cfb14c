//! What is old goes, and what is left still adds up and can still change.

use rust_decimal::Decimal;
use waybill_simulator::seeding;
use waybill_testkit::wait_for_async;

use super::{
    MINUTES,
    business::{Business, order_of},
    colleagues::Books,
    written,
};
use crate::deployment::said;

/// A year passes for all that stands in the tables.
const A_YEAR_PASSES: [&str; 4] = [
    "update shopify_ingest.inbox set received_at = received_at - interval '365 days'",
    "update erp_sync.delivery set changed_at = changed_at - interval '365 days'",
    "update crm_sync.delivery set changed_at = changed_at - interval '365 days'",
    "update fulfilment_sync.delivery set changed_at = changed_at - interval '365 days'",
];

/// What is left of an order.
const LEFT: &str = "select (select count(*) from shopify_ingest.inbox)
    + (select count(*) from erp_sync.delivery where kind = 'order' and octet_length(desired) > 0)
    + (select count(*) from crm_sync.delivery where kind = 'order' and octet_length(desired) > 0)
    + (select count(*) from fulfilment_sync.delivery where kind = 'order' and octet_length(desired) > 0)";

impl Business {
    /// How many webhooks came to what.
    fn webhooks(&self) -> String {
        let told = said(&self.suite.run(&["webhooks"]));
        told.split("\n\n").next().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_last_year_is_counted_and_its_refund_reaches_the_erp() {
    let Some(shop) = Business::with_plan(&written("example"), &seeding::erp()).await else { return };
    let order = shop.suite.vendors.store.place(order_of("TEE-WHITE-S", 2));
    let record = format!("main/order/{order}");
    for system in ["erp", "crm", "shipping"] {
        shop.until_applied(system, &record, 1).await;
    }
    shop.at_rest().await;
    let before = shop.webhooks();
    assert!(before.contains("orders/create"), "{before}");

    let shop = shop
        .closed_for(async |deployment, _| {
            for sql in A_YEAR_PASSES {
                deployment.database.url().run(sql).unwrap();
            }
        })
        .await;
    wait_for_async("what is old to go", MINUTES, async || {
        (shop.suite.deployment.database.url().run(LEFT).unwrap() == "0").then_some(())
    })
    .await;
    assert_eq!(shop.webhooks(), before);
    wait_for_async("the line to close", MINUTES, async || shop.all_is_settled().then_some(())).await;
    assert!(said(&shop.suite.run(&["trace", &record])).contains("body removed"));

    shop.suite.vendors.store.refund_money(order, Decimal::new(5_00, 2), "a year late");
    wait_for_async("the return in the books", MINUTES, async || {
        let refunds = "select count(*) from erp_sync.delivery where kind = 'refund' and state = 'applied'";
        (shop.suite.deployment.database.url().run(refunds).unwrap() == "1").then_some(())
    })
    .await;
    shop.until_applied("crm", &record, 2).await;
    wait_for_async("the line to close", MINUTES, async || shop.all_is_settled().then_some(())).await;
    assert_eq!(Books::open(&shop).await.sales().await.len(), 2);
    shop.close().await;
}
