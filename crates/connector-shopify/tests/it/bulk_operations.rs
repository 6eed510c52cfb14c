//! Bulk operations of the simulated shop, and what their files tell against reads by API.

use std::time::Duration;

use connector_shopify::bulk::{
    Reading, Told,
    operation::{Begun, Operation, Standing},
};
use jiff::Timestamp;
use waybill_connector::Failure;
use waybill_domain::Kind;
use waybill_simulator::shopify::{BulkFailure, NewCustomer, NewOrder, Settings};

use crate::{
    records::order,
    shop::{Shop, line},
};

fn generous() -> Settings {
    Settings { bucket: 10_000_000, ..Settings::default() }
}

impl Shop {
    async fn begun(&self, kind: Kind) -> Operation {
        match self.connector.bulk_begin(kind, Timestamp::UNIX_EPOCH).await.unwrap() {
            Begun::Running(operation) => operation,
            Begun::Full => panic!("others are running"),
        }
    }

    async fn standing(&self, operation: &Operation) -> Standing {
        self.connector.bulk_operation(&operation.id).await.unwrap().unwrap().standing
    }

    /// What a bulk operation tells of all records of a kind.
    async fn told(&self, kind: Kind) -> Vec<Told> {
        let begun = self.begun(kind).await;
        let Standing::Done { url: Some(url) } = self.standing(&begun).await else { panic!("a file") };
        let piece = self.connector.bulk_piece(&url, 0).await.unwrap();
        assert!(piece.last);
        let mut reading = Reading::of(kind, 0);
        let mut told = Vec::new();
        for line in piece.bytes.split_inclusive(|byte| *byte == b'\n') {
            told.extend(reading.line(line).unwrap().map(Result::unwrap));
        }
        told.extend(reading.end().map(Result::unwrap));
        told
    }
}

#[tokio::test]
async fn records_are_the_same_by_bulk_operation_and_by_api() {
    let shop = Shop::open().await;
    let given_back = shop.store.place(order(None));
    let lines = shop.store.order(given_back).unwrap().lines;
    shop.store.refund_units(given_back, lines[1].id, 1, "damaged");
    shop.store.place(NewOrder { lines: vec![line("MUG-300", 2)], ..NewOrder::default() });
    for name in ["Ann", "Bo"] {
        let (first_name, email) = (Some(name.to_owned()), Some(format!("{name}@example.com")));
        shop.store.add_customer(NewCustomer { first_name, email, ..NewCustomer::default() });
    }
    for kind in [Kind::Order, Kind::Customer, Kind::Product] {
        let told = shop.told(kind).await;
        assert!(told.len() >= 2, "{kind}: {}", told.len());
        for (id, body, updated_at) in told {
            let fetched = shop.connector.fetch(kind, &id).await.unwrap().unwrap();
            assert_eq!((&body, updated_at), (&fetched.body, fetched.source_updated_at));
        }
    }
}

#[tokio::test]
async fn only_what_changed_since_is_in_the_file() {
    let shop = Shop::open().await;
    shop.place(&[("MUG-300", 1)]);
    let later = "2999-01-01T00:00:00Z".parse().unwrap();
    let Begun::Running(begun) = shop.connector.bulk_begin(Kind::Order, later).await.unwrap() else { panic!("begun") };
    assert_eq!(shop.standing(&begun).await, Standing::Done { url: None });
}

#[tokio::test]
async fn a_file_is_fetched_from_a_place_on_and_its_end_is_known() {
    let shop = Shop::open().await;
    shop.place(&[("MUG-300", 1)]);
    let begun = shop.begun(Kind::Order).await;
    let Standing::Done { url: Some(url) } = shop.standing(&begun).await else { panic!("a file") };
    let whole = shop.connector.bulk_piece(&url, 0).await.unwrap().bytes;
    let rest = shop.connector.bulk_piece(&url, 100).await.unwrap();
    assert_eq!((rest.bytes.as_slice(), rest.last), (&whole[100..], true));
    let after = shop.connector.bulk_piece(&url, whole.len() as u64).await.unwrap();
    assert_eq!((after.bytes.as_slice(), after.last), (&[][..], true));
}

#[tokio::test]
async fn an_operation_goes_on_until_it_is_done_or_ended() {
    let shop = Shop::with(Settings { bulk_takes: Duration::from_secs(3600), ..generous() }).await;
    let begun = shop.begun(Kind::Product).await;
    assert_eq!(begun.standing, Standing::GoesOn);
    shop.connector.bulk_cancel(&begun.id).await.unwrap();
    let ended = Standing::Failed { code: "CANCELED".to_owned(), partial: false };
    assert_eq!(shop.standing(&begun).await, ended);
    // What has ended is left as it is.
    shop.connector.bulk_cancel(&begun.id).await.unwrap();
}

#[tokio::test]
async fn a_sixth_operation_has_to_wait() {
    let shop = Shop::with(Settings { bulk_takes: Duration::from_secs(3600), ..generous() }).await;
    for _ in 0..5 {
        shop.begun(Kind::Product).await;
    }
    let sixth = shop.connector.bulk_begin(Kind::Product, Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(sixth, Begun::Full);
}

#[tokio::test]
async fn a_failed_operation_says_why_and_whether_a_part_is_there() {
    let shop = Shop::open().await;
    for (failure, code, partial) in
        [(BulkFailure::Timeout, "TIMEOUT", true), (BulkFailure::AccessDenied, "ACCESS_DENIED", false)]
    {
        shop.store.fail_next_bulk(failure);
        let begun = shop.begun(Kind::Product).await;
        assert_eq!(shop.standing(&begun).await, Standing::Failed { code: code.to_owned(), partial });
    }
}

#[tokio::test]
async fn a_missing_scope_fails_the_operation() {
    let scopes = Settings::default().scopes.into_iter().filter(|scope| scope != "read_customers").collect();
    let shop = Shop::with(Settings { scopes, ..generous() }).await;
    let begun = shop.begun(Kind::Customer).await;
    let denied = Standing::Failed { code: "ACCESS_DENIED".to_owned(), partial: false };
    assert_eq!(shop.standing(&begun).await, denied);
}

#[tokio::test]
async fn a_file_that_is_kept_no_more_is_told_apart() {
    let shop = Shop::with(Settings { bulk_kept: Duration::from_millis(300), ..generous() }).await;
    let begun = shop.begun(Kind::Product).await;
    let Standing::Done { url: Some(url) } = shop.standing(&begun).await else { panic!("a file") };
    let expired = Standing::Failed { code: "EXPIRED".to_owned(), partial: false };
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while shop.standing(&begun).await != expired {
        assert!(std::time::Instant::now() < deadline, "it is kept for too long");
    }
    let gone = shop.connector.bulk_piece(&url, 0).await;
    assert!(matches!(&gone, Err(Failure::Rejected { code, .. }) if code == "file"), "{gone:?}");
}

#[tokio::test]
async fn stock_levels_are_not_read_in_bulk() {
    let shop = Shop::open().await;
    let refused = shop.connector.bulk_begin(Kind::InventoryLevel, Timestamp::UNIX_EPOCH).await;
    assert!(matches!(&refused, Err(Failure::Rejected { code, .. }) if code == "kind"), "{refused:?}");
}
