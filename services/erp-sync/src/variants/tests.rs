use std::collections::BTreeSet;

use connector_shopify::PricedVariant;
use sqlx::PgConnection;
use waybill_domain::{
    RecordId, Revision, StoreName,
    document::VariantRef,
    product::{Product, Variant},
};
use waybill_runtime::database;
use waybill_testkit::TestDatabase;

use super::{answered, heard, of_sku, sold};
use crate::{SERVICE, migrator};

const PRODUCT: u64 = 7;

/// The service's own schema in a database of the test's own; `None` after a skip line.
struct Shelf {
    db: PgConnection,
    store: StoreName,
    _database: TestDatabase,
}

impl Shelf {
    async fn open() -> Option<Self> {
        let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap()?;
        let admin = database.url().expose();
        // Roles belong to the whole cluster, which tests share: one password for all.
        database::provision(&admin, SERVICE, "waybill-test", &migrator()).await.unwrap();
        let url = database::service_url(&admin, SERVICE, "waybill-test").unwrap();
        let db = database::pool(&url, 1).unwrap().acquire().await.unwrap().detach();
        Some(Self { db, store: "main".parse().unwrap(), _database: database })
    }

    /// A product is heard with these variants: id, SKU, price. Gives the SKUs of which anything is new.
    async fn hear(&mut self, number: i64, variants: &[(u64, &str, &str)]) -> Vec<String> {
        let product = product(variants);
        self.take(number, Some(&product)).await
    }

    async fn take(&mut self, number: i64, product: Option<&Product>) -> Vec<String> {
        let revision = Revision { epoch: 1, number };
        let skus = heard(&mut self.db, &self.store, &PRODUCT.into(), revision, product).await.unwrap();
        skus.into_iter().collect()
    }

    async fn ask(&mut self, sku: &str, product: u64, variant: u64, price: &str) {
        let variant = VariantRef { product_id: product.into(), variant_id: variant.into() };
        let found = PricedVariant { variant, price: price.parse().unwrap() };
        answered(&mut self.db, &self.store, sku, &[found]).await.unwrap();
    }

    /// Variants with a SKU and what they cost: `1 12.95`.
    async fn costs(&mut self, sku: &str) -> Vec<String> {
        let variants = of_sku(&mut self.db, &self.store, sku).await.unwrap();
        variants.into_iter().map(|one| format!("{} {}", one.variant.variant_id, one.price)).collect()
    }
}

fn product(variants: &[(u64, &str, &str)]) -> Product {
    let variant = |(id, sku, price): &(u64, &str, &str)| Variant {
        id: RecordId::from(*id),
        sku: (*sku).to_owned(),
        title: String::new(),
        price: price.parse().unwrap(),
        inventory_item_id: None,
    };
    Product {
        id: PRODUCT.into(),
        title: String::new(),
        status: "active".to_owned(),
        vendor: String::new(),
        tags: Vec::new(),
        variants: variants.iter().map(variant).collect(),
    }
}

#[tokio::test]
async fn a_product_tells_of_which_skus_anything_is_new() {
    let Some(mut shelf) = Shelf::open().await else { return };
    assert_eq!(shelf.hear(1, &[(1, "MUG", "12.95"), (2, "CAP", "19.00"), (3, "", "1.00")]).await, ["CAP", "MUG"]);
    assert_eq!(shelf.hear(2, &[(1, "MUG", "12.95"), (2, "CAP", "17.90")]).await, ["CAP"]);
    assert_eq!(shelf.hear(3, &[(1, "MUG", "12.95"), (2, "CAP", "17.90")]).await, [""; 0]);
    assert_eq!(shelf.hear(4, &[(1, "MUG-300", "12.95"), (2, "CAP", "17.90")]).await, ["MUG", "MUG-300"]);
    assert_eq!(shelf.costs("CAP").await, ["2 17.90"]);
}

#[tokio::test]
async fn a_revision_that_is_heard_late_changes_nothing() {
    let Some(mut shelf) = Shelf::open().await else { return };
    shelf.hear(2, &[(1, "MUG", "9.99")]).await;
    // It would hide that somebody changed the price since.
    assert_eq!(shelf.hear(1, &[(1, "MUG", "12.95")]).await, [""; 0]);
    assert_eq!(shelf.costs("MUG").await, ["1 9.99"]);
}

#[tokio::test]
async fn a_product_that_is_gone_sells_nothing() {
    let Some(mut shelf) = Shelf::open().await else { return };
    shelf.hear(1, &[(1, "MUG", "12.95")]).await;
    assert_eq!(shelf.take(2, None).await, ["MUG"]);
    assert_eq!(sold(&mut shelf.db, &shelf.store).await.unwrap(), BTreeSet::new());
}

#[tokio::test]
async fn several_variants_with_one_sku_are_all_known() {
    let Some(mut shelf) = Shelf::open().await else { return };
    shelf.hear(1, &[(2, "MUG", "12.95"), (1, "MUG", "13.95")]).await;
    assert_eq!(shelf.costs("MUG").await, ["1 13.95", "2 12.95"]);
}

#[tokio::test]
async fn what_the_store_answers_counts_until_its_product_is_heard() {
    let Some(mut shelf) = Shelf::open().await else { return };
    shelf.ask("MUG", PRODUCT, 1, "12.95").await;
    assert_eq!(shelf.costs("MUG").await, ["1 12.95"]);
    shelf.hear(1, &[(1, "MUG", "13.95")]).await;
    shelf.ask("MUG", PRODUCT, 1, "12.95").await;
    assert_eq!(shelf.costs("MUG").await, ["1 13.95"]);
}
