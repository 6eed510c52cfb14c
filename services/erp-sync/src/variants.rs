//! The store's variants: what carries which SKU, and what it costs there.

use std::collections::BTreeSet;

use connector_shopify::PricedVariant;
use sqlx::PgConnection;
use waybill_domain::{Currency, RecordId, Revision, StoreName, document::VariantRef, product::Product};
use waybill_plan::StoreVariant;

/// How long a SKU that the store does not have is not asked for again. Products tell of new ones at once; a catalogue may
/// list many that the store never sells, and each question costs the shop's budget.
const ASK_AGAIN: &str = "6 hours";

/// A variant as its row has it: SKU, product, variant, price.
type Row = (String, String, String, String);

/// Takes a product as it was heard; `None` once it is gone. Gives the SKUs of which anything is new: another price,
/// another variant. An older revision than the one heard before changes nothing.
pub(crate) async fn heard(
    db: &mut PgConnection,
    store: &StoreName,
    product_id: &RecordId,
    revision: Revision,
    product: Option<&Product>,
) -> sqlx::Result<BTreeSet<String>> {
    if !is_newer(db, store, product_id, revision).await? {
        return Ok(BTreeSet::new());
    }
    let before: Vec<Row> = sqlx::query_as(
        "delete from variant where store = $1 and product_id = $2 returning sku, product_id, variant_id, price",
    )
    .bind(store.as_str())
    .bind(product_id.as_str())
    .fetch_all(&mut *db)
    .await?;
    let variants = product.map(|product| product.variants.as_slice()).unwrap_or_default();
    let row = |variant: &waybill_domain::product::Variant| {
        let id = |id: &RecordId| id.as_str().to_owned();
        (variant.sku.clone(), id(product_id), id(&variant.id), variant.price.to_string())
    };
    let now: Vec<Row> = variants.iter().filter(|variant| !variant.sku.is_empty()).map(row).collect();
    for row in &now {
        write(db, store, row).await?;
    }
    let (before, now): (BTreeSet<Row>, BTreeSet<Row>) = (before.into_iter().collect(), now.into_iter().collect());
    Ok(before.symmetric_difference(&now).map(|(sku, ..)| sku.clone()).collect())
}

async fn is_newer(
    db: &mut PgConnection,
    store: &StoreName,
    product_id: &RecordId,
    revision: Revision,
) -> sqlx::Result<bool> {
    let noted = sqlx::query(
        "insert into product_heard as p (store, product_id, epoch, number) values ($1, $2, $3, $4)
         on conflict (store, product_id) do update set epoch = excluded.epoch, number = excluded.number
         where (excluded.epoch, excluded.number) > (p.epoch, p.number)",
    )
    .bind(store.as_str())
    .bind(product_id.as_str())
    .bind(revision.epoch)
    .bind(revision.number)
    .execute(db)
    .await?;
    Ok(noted.rows_affected() > 0)
}

/// A variant that moved to another product has one row all the same.
async fn write(db: &mut PgConnection, store: &StoreName, (sku, product, variant, price): &Row) -> sqlx::Result<()> {
    sqlx::query(
        "insert into variant (store, sku, product_id, variant_id, price) values ($1, $2, $3, $4, $5)
         on conflict (store, variant_id) do update
             set sku = excluded.sku, product_id = excluded.product_id, price = excluded.price",
    )
    .bind(store.as_str())
    .bind(sku)
    .bind(product)
    .bind(variant)
    .bind(price)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes what the store answered about a SKU. A product that was heard meanwhile knows better.
pub(crate) async fn answered(
    db: &mut PgConnection,
    store: &StoreName,
    sku: &str,
    found: &[PricedVariant],
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into sku_asked (store, sku) values ($1, $2) on conflict (store, sku) do update set asked_at = now()",
    )
    .bind(store.as_str())
    .bind(sku)
    .execute(&mut *db)
    .await?;
    for PricedVariant { variant, price } in found {
        sqlx::query(
            "insert into variant (store, sku, product_id, variant_id, price)
             select $1, $2, $3, $4, $5
             where not exists (select from product_heard where store = $1 and product_id = $3)
             on conflict do nothing",
        )
        .bind(store.as_str())
        .bind(sku)
        .bind(variant.product_id.as_str())
        .bind(variant.variant_id.as_str())
        .bind(price.to_string())
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// The variants with a SKU, in the order of their ids.
pub(crate) async fn of_sku(db: &mut PgConnection, store: &StoreName, sku: &str) -> sqlx::Result<Vec<StoreVariant>> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("select product_id, variant_id, price from variant where store = $1 and sku = $2")
            .bind(store.as_str())
            .bind(sku)
            .fetch_all(db)
            .await?;
    let variant = |(product_id, variant_id, price): (String, String, String)| {
        let variant = VariantRef { product_id: product_id.parse().ok()?, variant_id: variant_id.parse().ok()? };
        Some(StoreVariant { variant, price: price.parse().ok()? })
    };
    let mut variants: Vec<StoreVariant> = rows.into_iter().filter_map(variant).collect();
    variants.sort_by(|one, other| one.variant.cmp(&other.variant));
    Ok(variants)
}

/// The SKUs that the store sells.
pub(crate) async fn sold(db: &mut PgConnection, store: &StoreName) -> sqlx::Result<BTreeSet<String>> {
    let skus: Vec<String> = sqlx::query_scalar("select distinct sku from variant where store = $1")
        .bind(store.as_str())
        .fetch_all(db)
        .await?;
    Ok(skus.into_iter().collect())
}

/// The SKUs that the store was asked for lately.
pub(crate) async fn asked(db: &mut PgConnection, store: &StoreName) -> sqlx::Result<BTreeSet<String>> {
    let skus: Vec<String> =
        sqlx::query_scalar("select sku from sku_asked where store = $1 and asked_at > now() - $2::interval")
            .bind(store.as_str())
            .bind(ASK_AGAIN)
            .fetch_all(db)
            .await?;
    Ok(skus.into_iter().collect())
}

/// What a store sells in, if it has said so.
pub(crate) async fn currency(db: &mut PgConnection, store: &StoreName) -> sqlx::Result<Option<Currency>> {
    let currency: Option<String> = sqlx::query_scalar("select currency from store_currency where store = $1")
        .bind(store.as_str())
        .fetch_optional(db)
        .await?;
    Ok(currency.and_then(|currency| currency.parse().ok()))
}

/// Keeps what a store sells in.
pub(crate) async fn keep_currency(db: &mut PgConnection, store: &StoreName, currency: Currency) -> sqlx::Result<()> {
    sqlx::query(
        "insert into store_currency (store, currency) values ($1, $2)
         on conflict (store) do update set currency = excluded.currency",
    )
    .bind(store.as_str())
    .bind(currency.as_str())
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
