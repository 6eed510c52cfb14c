//! Stock from the ERP to the store, with the ERP's own intake standing still.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bench;

use bench::Bench;

/// The only unit is sold while no order reaches the ERP, which goes on saying that it has one. The store must not
/// offer it again.
#[tokio::test]
async fn the_last_unit_is_sold_once_while_the_erp_is_paused() {
    let Some(bench) = Bench::start("on_hand").await else { return };
    bench.until_store_has(1, 1).await;
    bench.sell_one().await;
    assert_eq!(bench.store_has().await, (1, 0), "Shopify has committed it");
    bench.read_again().await;
    assert_eq!(bench.store_has().await, (1, 0), "the ERP still says one, and it is the committed one");
    bench.stop().await;
}

/// The same where the plan has the sellable quantity written: what is on the way to the ERP is subtracted.
#[tokio::test]
async fn the_last_unit_is_sold_once_where_available_is_written() {
    let Some(bench) = Bench::start("available").await else { return };
    bench.until_store_has(1, 1).await;
    bench.sell_one().await;
    bench.tell_the_order().await;
    bench.until_held_back(1).await;
    bench.read_again().await;
    assert_eq!(bench.store_has().await.1, 0, "an order without the ERP's receipt holds the unit back");
    bench.stop().await;
}
