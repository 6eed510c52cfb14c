//! Prices are set.

use async_trait::async_trait;
use rust_decimal::Decimal;
use waybill_connector::{
    Failure, Known, Sink,
    contract::{Bench, Trouble, drive},
    sink::Applied,
};
use waybill_domain::{
    Kind, ObjectKey, RecordKey,
    document::{PriceDocument, VariantRef},
};
use waybill_simulator::kit::FaultKind;

use crate::shop::{Shop, fault};

fn record(n: usize) -> RecordKey {
    RecordKey { store: "main".parse().unwrap(), kind: Kind::Price, id: format!("price-{n}").parse().unwrap() }
}

/// A variant of the shop: its SKU, and where it is.
#[derive(Clone)]
struct Sold {
    sku: String,
    variant: VariantRef,
}

impl Shop {
    fn sold(&self) -> Vec<Sold> {
        let mut sold = Vec::new();
        for product in self.records("product") {
            let product_id = product["body"]["id"].to_string();
            for variant in product["body"]["variants"].as_array().unwrap() {
                let (product_id, variant_id) = (product_id.parse().unwrap(), variant["id"].to_string());
                sold.push(Sold {
                    sku: variant["sku"].as_str().unwrap().to_owned(),
                    variant: VariantRef { product_id, variant_id: variant_id.parse().unwrap() },
                });
            }
        }
        sold
    }

    /// The one with a SKU, to cost so many cents.
    fn priced(&self, sku: &str, cents: i64) -> PriceDocument {
        let sold = self.sold().into_iter().find(|sold| sold.sku == sku).unwrap();
        document(0, &sold, cents)
    }

    async fn set_price(&self, document: &PriceDocument) -> Result<Known, Failure> {
        drive(&self.connector, &record(0), document, Known::new()).await
    }

    fn price(&self, sku: &str) -> Decimal {
        self.store.prices().into_iter().find(|(known, _)| known == sku).unwrap().1
    }

    /// What became of each write: `update`, or `unchanged` if it was one for nothing.
    fn written(&self) -> Vec<String> {
        self.vendor.journal.entries().into_iter().map(|entry| entry.action).collect()
    }
}

fn document(n: usize, sold: &Sold, cents: i64) -> PriceDocument {
    PriceDocument {
        key: ObjectKey::new(&record(n), "price"),
        sku: sold.sku.clone(),
        variants: vec![sold.variant.clone()],
        price: Decimal::new(cents, 2),
    }
}

#[async_trait]
impl Bench<PriceDocument> for Shop {
    fn sink(&self) -> &dyn Sink<PriceDocument> {
        &self.connector
    }

    fn record(&self, n: usize) -> RecordKey {
        record(n)
    }

    fn document(&self, n: usize) -> PriceDocument {
        let sold = self.sold();
        document(n, &sold[n % sold.len()], 20_000 + n as i64)
    }

    fn changed(&self, document: &PriceDocument) -> PriceDocument {
        PriceDocument { price: document.price + Decimal::ONE, ..document.clone() }
    }

    fn refused(&self, n: usize) -> Option<PriceDocument> {
        Some(PriceDocument { price: Decimal::new(-1, 2), ..self.document(n) })
    }

    async fn objects(&self, document: &PriceDocument) -> usize {
        self.store.prices().iter().filter(|(sku, _)| *sku == document.sku).count()
    }

    async fn holds(&self, document: &PriceDocument) -> bool {
        self.price(&document.sku) == document.price
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
    use waybill_domain::document::PriceDocument;

    use crate::shop::Shop;

    waybill_connector::contract_tests!(PriceDocument, Shop::open().await);
}

async fn together(shop: &Shop, documents: &[PriceDocument]) -> Vec<Result<Applied, Failure>> {
    shop.together("price", documents, |document| &document.key).await
}

#[tokio::test]
async fn what_costs_that_already_is_not_written() {
    let shop = Shop::open().await;
    let outcome = together(&shop, &[shop.priced("MUG-300", 12_95)]).await.remove(0).unwrap();
    assert!(!outcome.wrote);
    assert!(shop.vendor.journal.entries().is_empty());
}

#[tokio::test]
async fn a_price_that_was_changed_back_and_forth_is_set_each_time() {
    let shop = Shop::open().await;
    for cents in [13_95, 12_95, 13_95] {
        shop.set_price(&shop.priced("MUG-300", cents)).await.unwrap();
        assert_eq!(shop.price("MUG-300"), Decimal::new(cents, 2));
    }
    assert_eq!(shop.written(), ["update"; 3]);
}

#[tokio::test]
async fn one_call_carries_all_variants_of_a_product_that_differ() {
    let shop = Shop::open().await;
    let documents =
        [("MUG-300", 13_95), ("MUG-500", 16_95), ("TEE-WHITE-S", 25_00)].map(|(sku, cents)| shop.priced(sku, cents));
    // A third call would be in trouble.
    shop.inject(FaultKind::ServerError, 2, "productVariantsBulkUpdate");
    let outcomes = together(&shop, &documents).await;
    assert!(outcomes.iter().flatten().filter(|applied| applied.wrote).count() == 3, "{outcomes:?}");
    assert_eq!(shop.written(), ["update"; 3]);
    assert!(shop.vendor.faults.pending());
}

#[tokio::test]
async fn variants_that_are_refused_do_not_hold_up_their_product() {
    let shop = Shop::open().await;
    let mut documents: Vec<_> = ["TEE-WHITE-S", "TEE-WHITE-M", "TEE-WHITE-L", "TEE-BLACK-M"]
        .iter()
        .map(|sku| shop.priced(sku, 26_00))
        .collect();
    documents[1].price = Decimal::new(-1, 2);
    documents[2].variants[0].variant_id = 1.into();
    let outcomes = together(&shop, &documents).await;
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(applied) => {
                if applied.wrote {
                    "written"
                } else {
                    ""
                }
            }
            Err(Failure::Rejected { code, .. }) => code.as_str(),
            Err(other) => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, ["written", "GREATER_THAN_OR_EQUAL_TO", "PRODUCT_VARIANT_DOES_NOT_EXIST", "written"]);
    assert_eq!(
        (shop.price("TEE-WHITE-S"), shop.price("TEE-WHITE-M")),
        (Decimal::new(26_00, 2), Decimal::new(24_00, 2))
    );
}

#[tokio::test]
async fn every_variant_of_a_document_is_set_and_one_that_is_gone_is_told() {
    let shop = Shop::open().await;
    let mut document = shop.priced("MUG-300", 14_00);
    document.variants.extend(shop.priced("CAP-GREEN", 0).variants);
    shop.set_price(&document).await.unwrap();
    assert_eq!([shop.price("MUG-300"), shop.price("CAP-GREEN")], [Decimal::new(14_00, 2); 2]);

    document.variants[1].variant_id = 1.into();
    document.price = Decimal::new(15_00, 2);
    let Err(Failure::Rejected { code, .. }) = shop.set_price(&document).await else { panic!("it was not refused") };
    assert_eq!(code, "PRODUCT_VARIANT_DOES_NOT_EXIST");
    // The other one has its price all the same.
    assert_eq!(shop.price("MUG-300"), Decimal::new(15_00, 2));
}

#[tokio::test]
async fn variants_are_found_by_their_exact_sku_with_what_they_cost() {
    let shop = Shop::open().await;
    let found = shop.connector.variants_with_sku("MUG-300").await.unwrap();
    let expected = shop.priced("MUG-300", 0).variants;
    assert_eq!(found.iter().map(|one| one.variant.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(found[0].price.to_string(), "12.95");
    assert!(shop.connector.variants_with_sku("MUG").await.unwrap().is_empty());
    assert_eq!(shop.connector.currency().await.unwrap().as_str(), "EUR");
}
