//! Parcels become fulfilments.

use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use serde_json::Value;
use waybill_connector::{
    Failure, Finding, Known, Look, LookCall, Sink,
    contract::{Bench, Trouble, drive},
};
use waybill_domain::{
    Kind, ObjectKey, RecordKey,
    document::{ShipmentDocument, ShippedLine},
};
use waybill_simulator::kit::FaultKind;

use crate::shop::{Shop, fault};

/// Kept in Vienna and in Graz; kept in Graz only.
const TEE: &str = "TEE-WHITE-S";
const PRINT: &str = "PRINT-A2";

fn record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::Shipment, id: format!("se-{n}").parse().unwrap() }
}

/// A parcel with these SKUs.
fn parcel(n: usize, order: u64, lines: &[(&str, i64)]) -> ShipmentDocument {
    let order_record =
        RecordKey { store: "main".parse().unwrap(), kind: Kind::Order, id: order.to_string().parse().unwrap() };
    ShipmentDocument {
        key: ObjectKey::new(&record(n), "shipment"),
        order_key: ObjectKey::new(&order_record, "order"),
        order_source_id: order_record.id,
        order_name: "#1001".to_owned(),
        carrier: "ups".to_owned(),
        tracking_number: format!("1Z{n:08}"),
        tracking_url: format!("https://track.example.com/1Z{n:08}"),
        shipped_at: None,
        voided: false,
        lines: lines
            .iter()
            .map(|(sku, quantity)| ShippedLine {
                source_id: String::new(),
                sku: (*sku).to_owned(),
                quantity: *quantity,
            })
            .collect(),
        fields: Default::default(),
        policy: Default::default(),
    }
}

impl Shop {
    async fn ship(&self, n: usize, parcel: &ShipmentDocument, known: Known) -> Result<Known, Failure> {
        drive(&self.connector, &record(n), parcel, known).await
    }
}

/// Numbers and quantities of all lines, sorted.
fn contents(fulfilments: &[Value]) -> Vec<(String, i64)> {
    let mut contents: Vec<_> = fulfilments
        .iter()
        .flat_map(|one| one["line_items"].as_array().unwrap())
        .map(|line| (line["sku"].as_str().unwrap().to_owned(), line["quantity"].as_i64().unwrap()))
        .collect();
    contents.sort();
    contents
}

struct Parcels {
    shop: Shop,
    /// The order of each number: one parcel, one order.
    orders: Mutex<HashMap<usize, u64>>,
}

impl Parcels {
    async fn open() -> Self {
        Self { shop: Shop::open().await, orders: Mutex::default() }
    }

    fn of(&self, document: &ShipmentDocument) -> Vec<Value> {
        self.shop.fulfilments(document.order_source_id.as_str().parse().unwrap())
    }
}

#[async_trait]
impl Bench<ShipmentDocument> for Parcels {
    fn sink(&self) -> &dyn Sink<ShipmentDocument> {
        &self.shop.connector
    }

    fn record(&self, n: usize) -> RecordKey {
        record(n)
    }

    fn document(&self, n: usize) -> ShipmentDocument {
        let order = *self.orders.lock().unwrap().entry(n).or_insert_with(|| self.shop.place(&[(TEE, 2)]));
        parcel(n, order, &[(TEE, 2)])
    }

    fn changed(&self, document: &ShipmentDocument) -> ShipmentDocument {
        ShipmentDocument { tracking_number: format!("{}-B", document.tracking_number), ..document.clone() }
    }

    fn refused(&self, n: usize) -> Option<ShipmentDocument> {
        Some(ShipmentDocument { tracking_url: "no address".to_owned(), ..self.document(n) })
    }

    async fn objects(&self, document: &ShipmentDocument) -> usize {
        self.of(document).len()
    }

    async fn holds(&self, document: &ShipmentDocument) -> bool {
        let fulfilments = self.of(document);
        contents(&fulfilments) == [(TEE.to_owned(), 2)]
            && fulfilments[0]["tracking_number"] == document.tracking_number
            && fulfilments[0]["tracking_company"] == "UPS"
    }

    async fn writes(&self) -> usize {
        self.shop.vendor.journal.entries().len()
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        self.shop.inject(fault(trouble), skip, "");
    }

    async fn pending(&self) -> bool {
        self.shop.vendor.faults.pending()
    }

    async fn clear(&self) {
        self.shop.vendor.faults.clear();
    }
}

mod contract {
    use waybill_domain::document::ShipmentDocument;

    waybill_connector::contract_tests!(ShipmentDocument, super::Parcels::open().await);
}

#[tokio::test]
async fn a_parcel_of_two_locations_is_one_fulfilment_each_with_the_same_number() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1), (PRINT, 1)]);
    let parcel = parcel(1, order, &[(TEE, 1), (PRINT, 1)]);
    let known = shop.ship(1, &parcel, Known::new()).await.unwrap();
    let fulfilments = shop.fulfilments(order);
    assert_eq!(contents(&fulfilments), [(PRINT.to_owned(), 1), (TEE.to_owned(), 1)]);
    assert!(fulfilments.iter().all(|one| one["tracking_number"] == parcel.tracking_number), "{fulfilments:?}");
    assert_eq!(fulfilments.len(), known["shipment"].split(',').count());
}

#[tokio::test]
async fn a_parcel_cut_between_its_locations_is_completed_and_not_doubled() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1), (PRINT, 1)]);
    shop.inject(FaultKind::CutAfter, 0, "fulfillmentCreate");
    let parcel = parcel(1, order, &[(TEE, 1), (PRINT, 1)]);
    shop.ship(1, &parcel, Known::new()).await.unwrap();
    assert_eq!(contents(&shop.fulfilments(order)), [(PRINT.to_owned(), 1), (TEE.to_owned(), 1)]);
}

#[tokio::test]
async fn two_parcels_of_one_line_are_two_fulfilments() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 3)]);
    shop.ship(1, &parcel(1, order, &[(TEE, 1)]), Known::new()).await.unwrap();
    shop.ship(2, &parcel(2, order, &[(TEE, 2)]), Known::new()).await.unwrap();
    let fulfilments = shop.fulfilments(order);
    assert_eq!(contents(&fulfilments), [(TEE.to_owned(), 1), (TEE.to_owned(), 2)]);
    assert_eq!(shop.store.order(order).unwrap().fulfillment_status, Some("fulfilled"));
}

#[tokio::test]
async fn two_parcels_without_numbers_are_not_taken_for_one() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 2)]);
    for n in [1, 2] {
        let parcel = ShipmentDocument {
            tracking_number: String::new(),
            tracking_url: String::new(),
            ..parcel(n, order, &[(TEE, 1)])
        };
        shop.ship(n, &parcel, Known::new()).await.unwrap();
        shop.ship(n, &parcel, Known::new()).await.unwrap();
    }
    assert_eq!(contents(&shop.fulfilments(order)), [(TEE.to_owned(), 1), (TEE.to_owned(), 1)]);
}

#[tokio::test]
async fn a_line_is_found_by_its_id() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1), (TEE, 1)]);
    let second = shop.store.order(order).unwrap().lines[1].id.to_string();
    let mut parcel = parcel(1, order, &[(TEE, 1)]);
    parcel.lines[0].source_id = second.clone();
    shop.ship(1, &parcel, Known::new()).await.unwrap();
    let fulfilments = shop.fulfilments(order);
    assert_eq!(fulfilments[0]["line_items"][0]["id"].to_string(), second);
}

#[tokio::test]
async fn a_voided_parcel_is_cancelled_once_and_can_be_sent_again() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1)]);
    let parcel = parcel(1, order, &[(TEE, 1)]);
    let known = shop.ship(1, &parcel, Known::new()).await.unwrap();
    let voided = ShipmentDocument { voided: true, ..parcel.clone() };
    let known = shop.ship(1, &voided, known).await.unwrap();
    assert!(shop.fulfilments(order).is_empty());
    let known = shop.ship(1, &voided, known).await.unwrap();
    shop.ship(1, &parcel, known).await.unwrap();
    assert_eq!(shop.fulfilments(order).len(), 1);
}

#[tokio::test]
async fn a_parcel_that_was_never_sent_is_voided_without_a_write() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1)]);
    let voided = ShipmentDocument { voided: true, ..parcel(1, order, &[(TEE, 1)]) };
    shop.ship(1, &voided, Known::new()).await.unwrap();
    assert!(shop.vendor.journal.entries().is_empty());
}

#[tokio::test]
async fn a_corrected_number_updates_the_same_fulfilment() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1)]);
    let first = parcel(1, order, &[(TEE, 1)]);
    let known = shop.ship(1, &first, Known::new()).await.unwrap();
    let id = shop.fulfilments(order)[0]["id"].clone();
    let corrected = ShipmentDocument { tracking_number: "1Z-NEW".to_owned(), ..first };
    shop.ship(1, &corrected, known).await.unwrap();
    let fulfilments = shop.fulfilments(order);
    assert_eq!((fulfilments.len(), &fulfilments[0]["id"]), (1, &id));
    assert_eq!(fulfilments[0]["tracking_number"], "1Z-NEW");
}

#[tokio::test]
async fn what_is_fulfilled_under_another_number_is_not_fulfilled_again() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1)]);
    shop.ship(1, &parcel(1, order, &[(TEE, 1)]), Known::new()).await.unwrap();
    let failure = shop.ship(2, &parcel(2, order, &[(TEE, 1)]), Known::new()).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Rejected { code, message, .. } if code == "unfulfillable" && message.contains("CLOSED")),
        "{failure:?}"
    );
    assert_eq!(shop.fulfilments(order).len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_unless_all_of_the_parcel_can_be() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1)]);
    let failure = shop.ship(1, &parcel(1, order, &[(TEE, 1), ("HOODIE-M", 1)]), Known::new()).await.unwrap_err();
    assert!(matches!(&failure, Failure::Rejected { code, .. } if code == "unfulfillable"), "{failure:?}");
    assert!(shop.fulfilments(order).is_empty());
}

#[tokio::test]
async fn a_parcel_that_names_no_contents_is_refused_and_not_taken_for_done() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1)]);
    let failure = shop.ship(1, &parcel(1, order, &[]), Known::new()).await.unwrap_err();
    assert!(matches!(&failure, Failure::Rejected { field, .. } if field == "lines"), "{failure:?}");
}

#[tokio::test]
async fn a_fulfilment_that_was_cancelled_in_shopify_is_not_made_again() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 1)]);
    let parcel = parcel(1, order, &[(TEE, 1)]);
    let known = shop.ship(1, &parcel, Known::new()).await.unwrap();
    // The same call as a person's in the admin.
    let voided = ShipmentDocument { voided: true, ..parcel.clone() };
    shop.ship(1, &voided, known.clone()).await.unwrap();
    let failure = shop.ship(1, &parcel, known).await.unwrap_err();
    assert!(matches!(&failure, Failure::Rejected { code, .. } if code == "not_amendable"), "{failure:?}");
}

#[tokio::test]
async fn an_order_that_shopify_does_not_have_is_named() {
    let shop = Shop::open().await;
    let failure = shop.ship(1, &parcel(1, 999, &[(TEE, 1)]), Known::new()).await.unwrap_err();
    assert!(matches!(&failure, Failure::Rejected { code, .. } if code == "not_found"), "{failure:?}");
}

#[tokio::test]
async fn a_look_tells_of_units_that_were_sent_twice_and_of_a_fulfilment_that_was_cancelled() {
    let shop = Shop::open().await;
    let order = shop.place(&[(TEE, 4)]);
    let sent = parcel(1, order, &[(TEE, 2)]);
    let known = shop.ship(1, &sent, Known::new()).await.unwrap();
    let look = async || {
        let sink: &dyn Sink<ShipmentDocument> = &shop.connector;
        sink.look(&[LookCall { document: &sent, known: &known }]).await.remove(0).unwrap()
    };
    assert_eq!(look().await, Look::whole());
    // The same number once more, on another fulfilment.
    shop.ship(1, &parcel(1, order, &[(TEE, 4)]), known.clone()).await.unwrap();
    let before = shop.vendor.journal.entries().len();
    let Look::Seen(seen) = look().await else { panic!("Shopify can be asked") };
    let [Finding::Doubled { ids, .. }] = seen.findings.as_slice() else { panic!("{seen:?}") };
    assert_eq!((ids.len(), shop.fulfilments(order).len()), (2, 2));
    assert_eq!(shop.vendor.journal.entries().len(), before, "a look has written");
    // All of it is cancelled in the shop: that is the shop's to say.
    let voided = ShipmentDocument { voided: true, ..sent.clone() };
    shop.ship(1, &voided, known.clone()).await.unwrap();
    assert_eq!(look().await, Look::found(Finding::cancelled("shipment", false, false)));
}
