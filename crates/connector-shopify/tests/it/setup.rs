//! Setting up a shop.

use connector_shopify::setup::Line;
use waybill_simulator::shopify::Settings;

use crate::shop::Shop;

const HOOK: &str = "https://hooks.example.com/webhooks/main";

fn done(lines: &[Line]) -> usize {
    lines.iter().filter(|line| matches!(line, Line::Done(_))).count()
}

#[tokio::test]
async fn a_second_set_up_finds_all_as_the_first_left_it() {
    let shop = Shop::open().await;
    let first = shop.connector.set_up(HOOK).await.unwrap();
    assert_eq!(done(&first), 19, "{first:#?}");
    let second = shop.connector.set_up(HOOK).await.unwrap();
    assert_eq!(done(&second), 0, "{second:#?}");
    assert_eq!(shop.vendor.journal.entries().len(), 19);
}

#[tokio::test]
async fn after_a_move_the_same_subscriptions_lead_to_the_new_host() {
    let shop = Shop::open().await;
    shop.connector.set_up("https://old.example.com/webhooks/main").await.unwrap();
    let moved = shop.connector.set_up(HOOK).await.unwrap();
    assert_eq!(done(&moved), 19, "{moved:#?}");
    let again = shop.connector.set_up(HOOK).await.unwrap();
    assert_eq!(done(&again), 0, "{again:#?}");
}

#[tokio::test]
async fn a_scope_that_is_not_granted_is_named() {
    let settings = Settings::default();
    let scopes = settings.scopes.iter().filter(|scope| *scope != "read_customers").cloned().collect();
    let shop = Shop::with(Settings { scopes, bucket: 10_000_000, ..settings }).await;
    let lines = shop.connector.set_up(HOOK).await.unwrap();
    let missing = lines.iter().filter(|line| matches!(line, Line::Missing(text) if text.contains("read_customers")));
    assert_eq!(missing.count(), 1, "{lines:#?}");
}
