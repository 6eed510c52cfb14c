//! Reads by API, against what the shop's webhooks tell of the same state.

use std::time::{Duration, Instant};

use connector_shopify::{
    body::{self, Parsed, content_hash},
    webhook::Topic,
};
use rust_decimal::Decimal;
use waybill_connector::{Failure, sink::Check};
use waybill_domain::{Body, Kind, order::Refund};
use waybill_simulator::{
    kit::FaultKind,
    shopify::{
        Address, DiscountKind, DiscountValue, EmailConsent, NewCustomer, NewDiscount, NewOrder, NewShipping, Payment,
        Settings,
    },
};

use crate::shop::{Shop, connector, line, until};

fn address() -> Address {
    Address {
        first_name: Some("Jo".to_owned()),
        last_name: Some("Doe".to_owned()),
        address1: "Ring 1".to_owned(),
        city: "Wien".to_owned(),
        zip: "1010".to_owned(),
        country: "Austria".to_owned(),
        country_code: "AT".to_owned(),
        ..Address::default()
    }
}

/// An order with a bit of everything.
pub(crate) fn order(customer: Option<u64>) -> NewOrder {
    NewOrder {
        customer,
        email: Some("jo@example.com".to_owned()),
        billing: Some(address()),
        shipping_address: Some(address()),
        lines: vec![line("TEE-WHITE-S", 2), line("BOOK-ALPS", 1), line("PRINT-A2", 1)],
        shipping: vec![NewShipping {
            title: "Standard".to_owned(),
            code: "std".to_owned(),
            price: Decimal::new(490, 2),
            taxes: vec![("AT VAT".to_owned(), Decimal::new(2, 1))],
        }],
        discounts: vec![NewDiscount {
            kind: DiscountKind::Code,
            name: "TEN".to_owned(),
            value: DiscountValue::Fixed(Decimal::TEN),
            lines: vec![(0, Decimal::new(600, 2)), (1, Decimal::new(400, 2))],
            shipping: Decimal::ZERO,
        }],
        tags: vec!["gift".to_owned(), "vip".to_owned()],
        note: Some("Ring twice".to_owned()),
        payment: Payment::Paid,
        ..NewOrder::default()
    }
}

impl Shop {
    /// Reads a record by API and compares it with the webhook body of the same state.
    async fn same_on_both_ways(&self, kind: Kind, topic: &str, id: &str, what: &str) {
        let fetched = self.connector.fetch(kind, &id.parse().unwrap()).await.unwrap().unwrap();
        let webhook = self.record(kind.as_str(), id).to_string();
        match body::parse(Topic::parse(topic), webhook.as_bytes()) {
            Ok(Parsed::Whole(mut whole)) => {
                whole.carry_over(&fetched.body);
                assert_eq!(whole.body, fetched.body, "{what}");
                assert_eq!(content_hash(&whole.body), content_hash(&fetched.body), "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }

    /// Compares each refund of an order, read by API, with what its own webhook tells; gives what was compared.
    async fn refunds_same_on_both_ways(&self, order: u64) -> Vec<Refund> {
        let fetched = self.connector.fetch(Kind::Order, &order.to_string().parse().unwrap()).await.unwrap().unwrap();
        let Body::Order(order) = fetched.body else { panic!("an order") };
        for refund in &order.refunds {
            let webhook = self.record("refund", refund.id.as_str()).to_string();
            let parsed = body::parse(Topic::parse("refunds/create"), webhook.as_bytes());
            let Ok(Parsed::Several(parts)) = &parsed else { panic!("{parsed:?}") };
            let [Parsed::Whole(alone), Parsed::Refetch { kind: Kind::Order, .. }] = parts.as_slice() else {
                panic!("{parsed:?}");
            };
            let by_api = Body::Refund(refund.clone());
            assert_eq!(alone.body, by_api);
            assert_eq!(content_hash(&alone.body), content_hash(&by_api));
        }
        order.refunds
    }
}

#[tokio::test]
async fn an_order_is_the_same_on_both_ways_through_its_whole_life() {
    let shop = Shop::open().await;
    let customer = shop.store.add_customer(NewCustomer {
        first_name: Some("Jo".to_owned()),
        email: Some("jo@example.com".to_owned()),
        address: Some(address()),
        ..NewCustomer::default()
    });
    let id = shop.store.place(NewOrder { payment: Payment::Authorized, ..order(Some(customer)) });
    let compare = |what: &'static str| {
        let (shop, id) = (&shop, id.to_string());
        async move { shop.same_on_both_ways(Kind::Order, "orders/updated", &id, what).await }
    };
    compare("placed").await;
    shop.store.capture(id);
    compare("paid").await;
    let lines = shop.store.order(id).unwrap().lines;
    shop.store.edit(id, &[(lines[0].id, 1)], vec![line("CAP-GREEN", 1)]);
    compare("edited").await;
    shop.store.refund_money(id, Decimal::new(500, 2), "late");
    compare("refunded in part").await;
    shop.store.refund_units(id, lines[1].id, 1, "damaged");
    compare("a line taken back").await;
    shop.store.refund_shipping(id, "late");
    compare("shipping refunded").await;
    assert_eq!(shop.refunds_same_on_both_ways(id).await.len(), 3);
    let cancelled = shop.store.place(order(None));
    shop.store.cancel(cancelled, "customer", false);
    shop.same_on_both_ways(Kind::Order, "orders/updated", &cancelled.to_string(), "cancelled").await;
}

#[tokio::test]
async fn an_order_in_two_currencies_is_the_same_on_both_ways() {
    let shop = Shop::open().await;
    let new = NewOrder { presentment: Some(("CAD".to_owned(), Decimal::new(148, 2))), ..order(None) };
    let id = shop.store.place(NewOrder { lines: vec![line("TEE-WHITE-S", 3)], discounts: Vec::new(), ..new });
    shop.same_on_both_ways(Kind::Order, "orders/updated", &id.to_string(), "two currencies").await;
}

#[tokio::test]
async fn an_order_with_duties_and_a_tip_is_the_same_on_both_ways() {
    let shop = Shop::open().await;
    let mut new = NewOrder { tip: Decimal::new(250, 2), ..order(None) };
    new.lines[0].duty = Decimal::new(700, 2);
    let id = shop.store.place(new);
    shop.same_on_both_ways(Kind::Order, "orders/updated", &id.to_string(), "duties and a tip").await;
}

#[tokio::test]
async fn an_order_of_more_lines_than_a_page_is_read_whole() {
    let shop = Shop::open().await;
    let skus = ["TEE-WHITE-S", "TEE-WHITE-M", "HOODIE-S", "CAP-GREEN", "MUG-300"];
    let lines = (0..320).map(|n| line(skus[n % skus.len()], 1)).collect();
    let id = shop.store.place(NewOrder { lines, ..NewOrder::default() });
    shop.same_on_both_ways(Kind::Order, "orders/updated", &id.to_string(), "320 lines").await;
}

#[tokio::test]
async fn an_order_that_changes_between_two_pages_is_read_from_the_start() {
    let shop = Shop::open().await;
    let lines = (0..60).map(|_| line("CAP-GREEN", 2)).collect();
    let id = shop.store.place(NewOrder { lines, ..NewOrder::default() });
    let placed = Instant::now();
    shop.inject(FaultKind::Slow { delay_ms: 1500 }, 0, "query OrderLines");
    let edit = async {
        // `updatedAt` counts seconds: the edit comes in another one than the order, while the second page is on its way.
        until(|| !shop.vendor.faults.pending() && placed.elapsed() > Duration::from_millis(1100)).await;
        let first = shop.store.order(id).unwrap().lines[0].id;
        shop.store.edit(id, &[(first, 1)], Vec::new());
    };
    let record = id.to_string().parse().unwrap();
    let (fetched, ()) = tokio::join!(shop.connector.fetch(Kind::Order, &record), edit);
    let Body::Order(order) = fetched.unwrap().unwrap().body else { panic!("an order") };
    assert_eq!(order.lines[0].current_quantity, 1);
    assert_eq!(order.lines.len(), 60);
}

#[tokio::test]
async fn a_customer_a_product_and_a_level_are_the_same_on_both_ways() {
    let shop = Shop::open().await;
    let customer = shop.store.add_customer(NewCustomer {
        last_name: Some("Doe".to_owned()),
        phone: Some("+431234567".to_owned()),
        tags: vec!["vip".to_owned()],
        ..NewCustomer::default()
    });
    shop.same_on_both_ways(Kind::Customer, "customers/update", &customer.to_string(), "customer").await;
    for (kind, topic) in [(Kind::Product, "products/update"), (Kind::InventoryLevel, "inventory_levels/update")] {
        for record in shop.records(kind.as_str()) {
            let id = record["id"].as_str().unwrap();
            shop.same_on_both_ways(kind, topic, id, id).await;
        }
    }
}

#[tokio::test]
async fn a_customers_consent_is_read_in_shopifys_word() {
    let shop = Shop::open().await;
    let customer = shop.store.add_customer(NewCustomer {
        email: Some("jo@example.com".to_owned()),
        email_consent: EmailConsent::Pending,
        ..NewCustomer::default()
    });
    let consent = async || {
        let fetched = shop.connector.fetch(Kind::Customer, &customer.to_string().parse().unwrap()).await;
        let Body::Customer(customer) = fetched.unwrap().unwrap().body else { panic!("a customer") };
        customer.email_consent
    };
    assert_eq!(consent().await, "pending");
    shop.store.set_email_consent(customer, EmailConsent::Subscribed);
    assert_eq!(consent().await, "subscribed");
    shop.same_on_both_ways(Kind::Customer, "customers/update", &customer.to_string(), "subscribed").await;
}

#[tokio::test]
async fn a_customer_without_an_email_has_no_consent() {
    let shop = Shop::open().await;
    let phone = Some("+431234567".to_owned());
    let customer = shop.store.add_customer(NewCustomer { phone, ..NewCustomer::default() });
    let fetched = shop.connector.fetch(Kind::Customer, &customer.to_string().parse().unwrap()).await;
    let Body::Customer(customer) = fetched.unwrap().unwrap().body else { panic!("a customer") };
    assert_eq!(customer.email_consent, "");
}

#[tokio::test]
async fn a_record_that_is_not_there_is_none() {
    let shop = Shop::open().await;
    for kind in [Kind::Order, Kind::Customer, Kind::Product] {
        assert_eq!(shop.connector.fetch(kind, &"1".parse().unwrap()).await, Ok(None), "{kind}");
    }
    assert_eq!(shop.connector.fetch(Kind::InventoryLevel, &"1-2".parse().unwrap()).await, Ok(None));
}

#[tokio::test]
async fn an_order_reads_its_refunds_with_what_came_back() {
    let shop = Shop::open().await;
    let id = shop.place(&[("MUG-300", 1), ("TEE-WHITE-S", 2)]);
    let line = shop.store.order(id).unwrap().lines[1].id;
    shop.store.refund_units(id, line, 1, "damaged");
    let refunds = shop.refunds_same_on_both_ways(id).await;
    let back = &refunds[0].lines[0];
    assert_eq!((back.line_id.to_string(), back.sku.as_str(), back.quantity), (line.to_string(), "TEE-WHITE-S", 1));
    assert_eq!((back.title.as_str(), back.taxes[0].title.as_str()), ("Organic Tee", "AT VAT"));
    // Of one came back what one bore; the line's own taxes are those of both.
    assert_eq!(
        (back.tax.shop.to_string(), back.taxes[0].amount.shop.to_string()),
        ("3.99 EUR".into(), "7.98 EUR".into())
    );
}

#[tokio::test]
async fn a_refund_in_two_currencies_tells_what_came_back_by_api_alone() {
    let shop = Shop::open().await;
    let new = NewOrder { presentment: Some(("CAD".to_owned(), Decimal::new(148, 2))), ..order(None) };
    let id = shop.store.place(NewOrder { discounts: Vec::new(), ..new });
    let line = shop.store.order(id).unwrap().lines[1].id;
    shop.store.refund_units(id, line, 1, "damaged");
    let record = id.to_string().parse().unwrap();
    let fetched = shop.connector.fetch(Kind::Order, &record).await.unwrap().unwrap();
    let Body::Order(order) = fetched.body else { panic!("an order") };
    let refund = &order.refunds[0];
    let refunded = refund.refunded.unwrap();
    assert_eq!((refunded.shop.currency.as_str(), refunded.presentment.currency.as_str()), ("EUR", "CAD"));
    assert_eq!(refund.lines[0].sku, "BOOK-ALPS");
    let webhook = shop.record("refund", refund.id.as_str()).to_string();
    let parsed = body::parse(Topic::parse("refunds/create"), webhook.as_bytes());
    assert_eq!(parsed, Ok(Parsed::Refetch { kind: Kind::Order, id: record }));
}

#[tokio::test]
async fn items_are_found_by_their_exact_sku() {
    let shop = Shop::open().await;
    let items = shop.connector.items_with_sku("CAP-GREEN").await.unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].levels.len(), 2);
    assert_eq!(items[0].levels.iter().map(|level| level.on_hand).sum::<i64>(), 3200);
    assert!(shop.connector.items_with_sku("CAP").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_empty_bucket_says_how_long_to_wait() {
    let shop = Shop::with(Settings { bucket: 100, restore_rate: 1, ..Settings::default() }).await;
    let id = shop.place(&[("TEE-WHITE-S", 1)]).to_string().parse().unwrap();
    let mut outcome = Ok(None);
    for _ in 0..20 {
        outcome = shop.connector.fetch(Kind::Order, &id).await;
        if outcome.is_err() {
            break;
        }
    }
    let Err(Failure::RateLimited { retry_after }) = outcome else { panic!("{outcome:?}") };
    assert!((1..=100).contains(&retry_after.as_secs()), "{retry_after:?}");
}

#[tokio::test]
async fn a_wrong_token_does_not_pass_the_check() {
    let shop = Shop::open().await;
    assert_eq!(shop.connector.check().await, Ok(()));
    let outcome = connector(&shop.vendor.url(), "shpat_wrong").check().await;
    assert!(matches!(outcome, Err(Failure::Unauthorized { .. })), "{outcome:?}");
}
