//! Stock levels are set.

use async_trait::async_trait;
use serde_json::Value;
use waybill_connector::{
    Failure, Known, Sink,
    contract::{Bench, Trouble, drive},
    sink::Applied,
};
use waybill_domain::{
    Kind, ObjectKey, RecordKey,
    document::{StockDocument, StockQuantity},
};
use waybill_simulator::kit::FaultKind;

use crate::shop::{Shop, fault, until};

fn record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::StockLevel, id: format!("level-{n}").parse().unwrap() }
}

impl Shop {
    /// The level with this number, as the shop holds it.
    fn level(&self, n: usize) -> Value {
        let mut levels = self.records("inventory-level");
        levels.retain(|level| level["body"]["on_hand"].as_i64() > Some(0));
        levels.remove(n % levels.len())["body"].take()
    }

    /// The level of an item at the first place that has it.
    fn level_of(&self, sku: &str) -> Value {
        let levels = self.records("inventory-level");
        levels.into_iter().map(|mut level| level["body"].take()).find(|level| level["sku"] == sku).unwrap()
    }

    async fn set(&self, document: &StockDocument) -> Result<Known, Failure> {
        drive(&self.connector, &record(0), document, Known::new()).await
    }

    /// What the shop holds of a document's level.
    fn now(&self, document: &StockDocument) -> Value {
        self.record("inventory-level", &format!("{}-{}", document.inventory_item_id, document.location_id))
    }
}

/// A level to be set.
fn document(n: usize, level: &Value, quantity: i64) -> StockDocument {
    StockDocument {
        key: ObjectKey::new(&record(n), "stock"),
        sku: level["sku"].as_str().unwrap_or_default().to_owned(),
        inventory_item_id: level["inventory_item_id"].to_string().parse().unwrap(),
        location_id: level["location_id"].to_string().parse().unwrap(),
        name: StockQuantity::OnHand,
        quantity,
    }
}

#[async_trait]
impl Bench<StockDocument> for Shop {
    fn sink(&self) -> &dyn Sink<StockDocument> {
        &self.connector
    }

    fn record(&self, n: usize) -> RecordKey {
        record(n)
    }

    fn document(&self, n: usize) -> StockDocument {
        document(n, &self.level(n), 20_000 + n as i64)
    }

    fn changed(&self, document: &StockDocument) -> StockDocument {
        StockDocument { quantity: document.quantity + 1, ..document.clone() }
    }

    fn refused(&self, n: usize) -> Option<StockDocument> {
        Some(StockDocument { quantity: -1, ..self.document(n) })
    }

    async fn objects(&self, document: &StockDocument) -> usize {
        usize::from(self.now(document).is_object())
    }

    async fn holds(&self, document: &StockDocument) -> bool {
        self.now(document)["on_hand"] == document.quantity
    }

    async fn writes(&self) -> usize {
        self.vendor.journal.entries().len()
    }

    async fn inject(&self, trouble: Trouble, skip: usize) {
        Shop::inject(self, fault(trouble), skip, "");
    }

    async fn pending(&self) -> bool {
        self.vendor.faults.pending()
    }

    async fn clear(&self) {
        self.vendor.faults.clear();
    }
}

mod contract {
    use waybill_domain::document::StockDocument;

    use crate::shop::Shop;

    waybill_connector::contract_tests!(StockDocument, Shop::open().await);
}

async fn together(shop: &Shop, documents: &[StockDocument]) -> Vec<Result<Applied, Failure>> {
    shop.together("stock", documents, |document| &document.key).await
}

#[tokio::test]
async fn the_same_change_a_second_time_is_made_a_second_time() {
    let shop = Shop::open().await;
    let level = shop.level_of("CAP-GREEN");
    // Back and forth: the third is the first again, from the same quantity to the same quantity.
    for quantity in [5, 7, 5, 7, 5] {
        let document = document(0, &level, quantity);
        shop.set(&document).await.unwrap();
        assert_eq!(shop.now(&document)["on_hand"], quantity);
    }
}

#[tokio::test]
async fn what_is_there_already_is_not_written() {
    let shop = Shop::open().await;
    let level = shop.level_of("CAP-GREEN");
    let document = document(0, &level, level["on_hand"].as_i64().unwrap());
    let outcome = together(&shop, std::slice::from_ref(&document)).await.remove(0).unwrap();
    assert!(!outcome.wrote);
    assert!(shop.vendor.journal.entries().is_empty());
}

#[tokio::test]
async fn on_hand_leaves_what_is_promised_to_buyers_out_of_what_can_be_sold() {
    let shop = Shop::open().await;
    shop.place(&[("CAP-GREEN", 2)]);
    let document = document(0, &shop.level_of("CAP-GREEN"), 10);
    shop.set(&document).await.unwrap();
    let now = shop.now(&document);
    assert_eq!((&now["on_hand"], &now["committed"], &now["available"]), (&10.into(), &2.into(), &8.into()));
}

#[tokio::test]
async fn available_is_set_where_the_plan_chooses_it() {
    let shop = Shop::open().await;
    shop.place(&[("CAP-GREEN", 2)]);
    let document = StockDocument { name: StockQuantity::Available, ..document(0, &shop.level_of("CAP-GREEN"), 10) };
    shop.set(&document).await.unwrap();
    assert_eq!(shop.now(&document)["available"], 10);
}

#[tokio::test]
async fn a_sale_between_reading_and_setting_is_not_overwritten() {
    let shop = Shop::open().await;
    let document = StockDocument { name: StockQuantity::Available, ..document(0, &shop.level_of("CAP-GREEN"), 10) };
    shop.inject(FaultKind::Slow { delay_ms: 300 }, 0, "inventorySetQuantities");
    let sale = async {
        until(|| !shop.vendor.faults.pending()).await;
        shop.place(&[("CAP-GREEN", 1)]);
    };
    let (outcome, ()) = tokio::join!(shop.set(&document), sale);
    outcome.unwrap();
    let stale = shop.vendor.journal.entries();
    assert_eq!(stale.len(), 1, "the stale request took effect: {stale:?}");
    assert_eq!(shop.now(&document)["available"], 10);
}

#[tokio::test]
async fn refused_items_do_not_hold_up_their_batch() {
    let shop = Shop::open().await;
    let levels: Vec<_> = (0..50).map(|n| shop.level(n)).collect();
    let mut documents: Vec<_> =
        levels.iter().enumerate().map(|(n, level)| document(n, level, 30_000 + n as i64)).collect();
    documents[3].quantity = -1;
    documents[4].inventory_item_id = "1".parse().unwrap();
    documents[5].location_id = "1".parse().unwrap();
    documents[6].quantity = i64::MAX;
    let outcomes = together(&shop, &documents).await;
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(_) => "",
            Err(Failure::Rejected { code, .. }) => code.as_str(),
            Err(other) => panic!("{other:?}"),
        })
        .filter(|code| !code.is_empty())
        .collect();
    assert_eq!(
        codes,
        [
            "INVALID_QUANTITY_NEGATIVE",
            "INVALID_INVENTORY_ITEM",
            "ITEM_NOT_STOCKED_AT_LOCATION",
            "INVALID_QUANTITY_TOO_HIGH"
        ]
    );
    for (document, _) in documents.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
        assert_eq!(shop.now(document)["on_hand"], document.quantity);
    }
}
