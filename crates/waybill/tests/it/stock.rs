//! What the store may sell, where the sellable quantity itself is written.

use std::time::Duration;

use waybill_simulator::{
    seeding,
    shopify::{Payment, Settings},
};
use waybill_testkit::wait_for_async;

use crate::{
    deployment::{Deployment, example_plan, said},
    running::{Suite, vendors},
};

const WITHIN: Duration = Duration::from_secs(60);
const SKU: &str = "TEE-WHITE-S";

/// The example plan with stock's sellable quantity written, and the same before anything waits for what the ERP says.
fn plans() -> (String, String) {
    let plan = std::fs::read_to_string(example_plan()).unwrap();
    let with_stock = plan.replace("quantity = \"on_hand\"", "quantity = \"available\"");
    assert_ne!(plan, with_stock);
    let without = without(&plan, "[stock]\n", "\n# ── ");
    let without = self::without(&without, "[[flows]]\nname = \"stock-to-store\"", "\n# Of a list price");
    (with_stock, without.replace("after = [\"erp\"]\n", ""))
}

/// A text without what is between two marks, the first included.
fn without(text: &str, from: &str, to: &str) -> String {
    let (before, rest) = text.split_once(from).unwrap();
    let end = rest.find(to).unwrap();
    format!("{before}{}", &rest[end..])
}

#[tokio::test(flavor = "multi_thread")]
async fn of_orders_from_before_anybody_waited_for_receipts_only_those_that_the_erp_took_hold_nothing_back() {
    let Some(deployment) = Deployment::empty() else { return };
    let (with_stock, without_stock) = plans();
    std::fs::write(deployment.folder.path().join("plan.toml"), without_stock).unwrap();
    let vendors = vendors(Settings::default(), &seeding::erp()).await;
    let mut suite = Suite::with(deployment, vendors, &[], &[]).await;
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.sell(SKU).await;
    wait_for_async("the order in the ERP", WITHIN, async || suite.is_settled("order", "erp")).await;
    let unpaid = suite.sell_for(SKU, Payment::None).await;
    let ignored = format!("select state from erp_sync.delivery where record_id = '{unpaid}'");
    wait_for_async("the other one not to be for the ERP", WITHIN, async || {
        (suite.sql(&ignored).trim() == "ignored").then_some(())
    })
    .await;
    let taken = "select count(*) from inventory_router.order_demand";
    wait_for_async("what the orders take", WITHIN, async || (suite.sql(taken).trim() == "2").then_some(())).await;
    assert_eq!(suite.sql("select count(*) from inventory_router.fact").trim(), "0", "nothing waits for it");
    // The receipt is nowhere but at the service that gave it.
    let nats = &mut suite.deployment.nats;
    nats.kill();
    nats.wipe_store().unwrap();
    nats.restart().unwrap();

    suite.obey(&with_stock).await;
    let heard = "select string_agg(state, ' ' order by state) from inventory_router.fact";
    wait_for_async("both receipts", WITHIN, async || (suite.sql(heard).trim() == "applied ignored").then_some(()))
        .await;
    let held = format!("select units from inventory_router.held_back where sku = '{SKU}'");
    wait_for_async("the unpaid one's unit to be held back", WITHIN, async || {
        (suite.sql(&held).trim() == "1").then_some(())
    })
    .await;
    assert_eq!(suite.stop().await, Some(0));
}
