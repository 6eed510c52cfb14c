//! What no webhook told the suite reaches the systems all the same.

use std::time::Duration;

use rust_decimal::Decimal;
use waybill_simulator::shopify::{Address, NewLine, NewOrder, Payment};
use waybill_testkit::wait_for_async;

use crate::{deployment::said, running::Suite};

/// What is found may be too young to be missed for half a minute; then it has a minute.
const FOUND_AND_APPLIED: Duration = Duration::from_secs(30 + 60);

impl Suite {
    /// A paid order of one unit, of which no webhook comes: nothing is subscribed to.
    fn sell_unheard(&self) -> u64 {
        let address = Address {
            first_name: Some("Ada".to_owned()),
            last_name: Some("Lind".to_owned()),
            address1: "Ring 1".to_owned(),
            city: "Wien".to_owned(),
            zip: "1010".to_owned(),
            country: "Austria".to_owned(),
            country_code: "AT".to_owned(),
            ..Address::default()
        };
        let line = NewLine {
            sku: Some("TEE-WHITE-S".to_owned()),
            title: String::new(),
            quantity: 1,
            price: Decimal::new(24_00, 2),
            taxes: Vec::new(),
            duty: Decimal::ZERO,
        };
        self.vendors.store.place(NewOrder {
            email: Some("ada@waldgang.at".to_owned()),
            billing: Some(address.clone()),
            shipping_address: Some(address),
            lines: vec![line],
            payment: Payment::Paid,
            ..NewOrder::default()
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_webhook_was_lost_is_in_the_erp_after_one_reconciliation() {
    let Some(suite) = Suite::start().await else { return };
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.sell_unheard();
    let compared = said(&suite.run(&["reconcile", "--store", "main"]));
    assert!(compared.contains("inventory-level"), "{compared}");
    wait_for_async("the order in the ERP", FOUND_AND_APPLIED, async || suite.is_settled("order", "erp")).await;
    let webhooks = said(&suite.run(&["webhooks"]));
    let found: Vec<&str> = webhooks.lines().find(|line| line.contains(" order ")).unwrap().split_whitespace().collect();
    assert_eq!((found[1], found[3]), ("order", "1"), "{webhooks}");
    assert!(webhooks.contains("WAYBILL_CALLBACK"), "{webhooks}");

    // Nothing is found a second time, however far back it is asked for.
    let again = said(&suite.run(&["reconcile", "--since", "2020-01-01T00:00:00Z"]));
    let orders: Vec<&str> = again.lines().find(|line| line.contains(" order ")).unwrap().split_whitespace().collect();
    assert_eq!(orders[2..5], ["1", "0", "0"], "{again}");
    assert_eq!(suite.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stores_history_is_imported_and_its_progress_told() {
    let Some(suite) = Suite::start().await else { return };
    for _ in 0..3 {
        suite.sell_unheard();
    }
    let done =
        said(&suite.run(&["backfill", "--store", "main", "--since", "2020-01-01", "--kinds", "orders", "--wait"]));
    let line: Vec<&str> = done.lines().find(|line| line.contains(" order ")).unwrap().split_whitespace().collect();
    assert!(line.contains(&"done"), "{done}");
    let told = said(&suite.run(&["backfill", "status"]));
    assert!(told.contains("done") && told.contains("order"), "{told}");
    let unknown = suite.run(&["backfill", "--store", "elsewhere", "--since", "2020-01-01"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("the plan has no store 'elsewhere'"), "{unknown:?}");
    let kinds = suite.run(&["backfill", "--store", "main", "--since", "2020-01-01", "--kinds", "refunds"]);
    assert!(!kinds.status.success());
    assert_eq!(suite.stop().await, Some(0));
}
