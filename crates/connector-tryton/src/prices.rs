//! List prices by item.
//!
//! `product.product.list_price_used` is the variant's own list price or, where it has none, its template's, for the
//! company of the context and in that company's currency (`trytond/modules/product/product.py`, `get_list_price_used`;
//! `product.list_price` is a `CompanyValueMixin`). It is without tax: taxes come from the account category
//! (`trytond/modules/account_product`), which the module `sale` depends on. No two active products have one code
//! (`product_code_unique`).

use async_trait::async_trait;
use serde_json::{Map, json};
use waybill_connector::{
    Failure,
    source::{CatalogSource, PriceReading},
};
use waybill_domain::Currency;

use crate::{
    Tryton,
    client::Query,
    wire::{CompanyRow, Id, PriceRow},
};

/// Products asked at once.
const PAGE: usize = 500;

#[async_trait]
impl CatalogSource for Tryton {
    async fn prices(&self) -> Result<Vec<PriceReading>, Failure> {
        let currency = self.currency().await?;
        let mut readings = Vec::new();
        let mut last: Id = 0;
        loop {
            let rows = self.price_page(last).await?;
            let Some(next) = rows.last().map(|row| row.id) else { break };
            last = next;
            let whole = rows.len() == PAGE;
            readings.extend(rows.into_iter().filter_map(|row| reading(row, currency)));
            if !whole {
                break;
            }
        }
        Ok(readings)
    }
}

impl Tryton {
    async fn currency(&self) -> Result<Currency, Failure> {
        let company = self.client.company().await?;
        let rows: Vec<CompanyRow> = self.client.read("company.company", &[company], &["currency.code"]).await?;
        let code = rows.into_iter().next().and_then(|row| row.currency.code).unwrap_or_default();
        code.parse().map_err(|_| Failure::malformed("the company's currency has no code of ISO 4217", code.as_bytes()))
    }

    async fn price_page(&self, after: Id) -> Result<Vec<PriceRow>, Failure> {
        let fields = ["code", "list_price_used", "account_category.name"];
        let query = Query { limit: Some(PAGE), ..Query::new(json!([["id", ">", after]]), &fields) };
        self.client.search_read("product.product", &query, &Map::new()).await
    }
}

/// A product without a code cannot be named, one without a price is not for sale.
fn reading(row: PriceRow, currency: Currency) -> Option<PriceReading> {
    let item = row.code.filter(|code| !code.is_empty())?;
    let category = row.account_category.and_then(|category| category.name);
    Some(PriceReading { item, currency, amount: row.list_price_used?, category })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::reading;

    #[test]
    fn a_product_without_a_code_or_a_price_is_not_told() {
        let told = |code: serde_json::Value, price: serde_json::Value| {
            let row = json!({"id": 1, "code": code, "list_price_used": price, "account_category.": null});
            reading(serde_json::from_value(row).unwrap(), "EUR".parse().unwrap())
        };
        let price = json!({"__class__": "Decimal", "decimal": "7.9900"});
        for (code, price) in [(json!(null), &price), (json!(""), &price), (json!("MUG"), &json!(null))] {
            assert_eq!(told(code, price.clone()), None);
        }
        let whole = told(json!("MUG"), price).unwrap();
        assert_eq!((whole.amount.to_string().as_str(), whole.category), ("7.9900", None));
    }
}
