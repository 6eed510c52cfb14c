//! What the suite writes to a store comes back as webhooks, and is no work anywhere.

use std::collections::BTreeMap;

use waybill_simulator::{catalogue, seeding, shopify::Shares};
use waybill_testkit::wait_for_async;

use super::{
    business::{Business, order_of},
    colleagues::{on_hand, tracking_numbers, writes},
    written,
};
use crate::deployment::{DEADLINE, said};

/// What is open anywhere: heard and not decided, to be read, to be said, to be written.
const OPEN_WORK: &str = "select (select count(*) from shopify_ingest.inbox where outcome = 'new')
    + (select count(*) from shopify_ingest.refetch) + (select count(*) from shopify_ingest.outbox)
    + (select count(*) from crm_sync.outbox) + (select count(*) from erp_sync.outbox)
    + (select count(*) from fulfilment_sync.outbox) + (select count(*) from inventory_router.outbox)
    + (select count(*) from crm_sync.delivery where state in ('pending', 'applying'))
    + (select count(*) from erp_sync.delivery where state in ('pending', 'applying'))
    + (select count(*) from fulfilment_sync.delivery where state in ('pending', 'applying'))
    + (select count(*) from inventory_router.delivery where state in ('pending', 'applying'))";

impl Business {
    /// Waits until all that was told has come to its end.
    pub(super) async fn at_rest(&self) {
        let mut database = self.database().await;
        wait_for_async("an end of all work", DEADLINE, async || {
            let open: i64 = sqlx::query_scalar(OPEN_WORK).fetch_one(&mut database).await.unwrap();
            (open == 0 && self.suite.vendors.store.deliveries().pending == 0 && self.all_is_settled()).then_some(())
        })
        .await;
    }

    /// How many webhooks told of stock.
    async fn told_levels(&self) -> i64 {
        let told = "select count(*) from shopify_ingest.inbox where topic = 'inventory_levels/update'";
        sqlx::query_scalar(told).fetch_one(&mut self.database().await).await.unwrap()
    }

    /// What was written to each vendor, and how often exactly so.
    fn written(&self) -> BTreeMap<(&'static str, String, String), usize> {
        let mut counts = BTreeMap::new();
        for (vendor, journal) in self.suite.vendors.journals() {
            // What `setup` makes at the CRM is no record.
            for entry in journal.entries().into_iter().filter(|entry| !entry.object.starts_with("property")) {
                let what = format!("{} {}", entry.action, entry.object);
                *counts.entry((vendor, what, entry.body.to_string())).or_default() += 1;
            }
        }
        counts
    }

    /// Nothing was written a second time, and nothing is when all that the store has is compared once more.
    async fn writes_nothing_again(&self) {
        let before = self.written();
        let twice: Vec<_> = before.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        said(&self.suite.run(&["reconcile", "--since", "2020-01-01T00:00:00Z"]));
        self.at_rest().await;
        assert_eq!(self.written(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_that_comes_back_as_webhooks_causes_no_write_anywhere() {
    let Some(shop) = Business::with_plan(&written("owned"), &seeding::erp()).await else { return };
    let vendors = &shop.suite.vendors;
    vendors.store.set_shares(Shares { duplicates_per_mille: Some(1000), ..Shares::default() });
    let (item, place) = (catalogue::ITEMS[0], catalogue::LOCATIONS[0].name);
    let shown = || on_hand(&vendors.store)[&(item.code.to_owned(), place.to_owned())];
    wait_for_async("the ERP's stock in the store", DEADLINE, async || (shown() == item.stock[0] - 1).then_some(()))
        .await;
    shop.at_rest().await;
    let told = shop.told_levels().await;
    assert!(told > 0, "the store told of its stock");
    assert!(shop.written().keys().all(|(vendor, ..)| *vendor == "store"), "{:?}", shop.written());
    shop.writes_nothing_again().await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parcels_that_come_back_as_webhooks_cause_no_write_anywhere() {
    let Some(shop) = Business::with_plan(&written("simple"), &seeding::erp()).await else { return };
    let vendors = &shop.suite.vendors;
    // Each webhook comes twice.
    vendors.store.set_shares(Shares { duplicates_per_mille: Some(1000), ..Shares::default() });
    let order = vendors.store.place(order_of("TEE-WHITE-S", 2));
    let record = format!("main/order/{order}");
    shop.until_applied("crm", &record, 1).await;
    shop.until("held", "shipping", &record, |delivery| delivery.code == "time").await;
    shop.pass(10, order).await;
    shop.until_applied("shipping", &record, 1).await;
    let numbers = shop.ship().await;
    let number = &numbers[0];
    let told_to_crm = || {
        let entries = vendors.crm.journal.entries();
        entries.iter().any(|entry| entry.object == "order" && entry.body.to_string().contains(number.as_str()))
    };
    wait_for_async("the parcel in the store and in the CRM", DEADLINE, async || {
        (tracking_numbers(&vendors.store, order) == numbers && told_to_crm()).then_some(())
    })
    .await;
    shop.at_rest().await;
    assert_eq!(writes(&vendors.parcels, "shipment"), ["create"]);
    let parcels = vendors.store.journal().entries().into_iter().filter(|entry| entry.object == "fulfillment");
    assert_eq!(parcels.map(|entry| entry.action).collect::<Vec<_>>(), ["create"]);
    shop.writes_nothing_again().await;
    shop.close().await;
}
