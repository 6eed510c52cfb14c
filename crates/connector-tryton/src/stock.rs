//! Physical stock by item and location.

use std::collections::HashMap;

use async_trait::async_trait;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, json};
use waybill_connector::{
    Failure,
    source::{StockReading, StockSource},
};

use crate::{
    Tryton,
    client::Query,
    wire::{Id, Named, StockRow},
};

/// Products asked at once.
const PAGE: usize = 500;

#[async_trait]
impl StockSource for Tryton {
    /// `product.product.quantity` of done moves, at each location by its code; of a warehouse, all of its zones.
    async fn stock(&self, locations: &[String]) -> Result<Vec<StockReading>, Failure> {
        let ids = self.location_ids(locations).await?;
        let mut readings = Vec::new();
        for location in locations {
            let id = ids.get(location).ok_or_else(|| {
                let message = format!("Tryton has not exactly one location with the code '{location}'");
                Failure::rejected("unmapped", "location", message)
            })?;
            let mut last: Id = 0;
            loop {
                let rows = self.stock_page(*id, last).await?;
                let Some(next) = rows.last().map(|row| row.id) else { break };
                last = next;
                let whole = rows.len() == PAGE;
                readings.extend(rows.into_iter().filter_map(|row| reading(row, location)));
                if !whole {
                    break;
                }
            }
        }
        Ok(readings)
    }
}

impl Tryton {
    async fn location_ids(&self, codes: &[String]) -> Result<HashMap<String, Id>, Failure> {
        let query = Query::new(json!([["code", "in", codes]]), &["code"]);
        let rows: Vec<Named> = self.client.find("stock.location", &query).await?;
        let mut ids: HashMap<String, Vec<Id>> = HashMap::new();
        for row in rows {
            ids.entry(row.code.unwrap_or_default()).or_default().push(row.id);
        }
        Ok(ids.into_iter().filter(|(_, ids)| ids.len() == 1).map(|(code, ids)| (code, ids[0])).collect())
    }

    async fn stock_page(&self, location: Id, after: Id) -> Result<Vec<StockRow>, Failure> {
        let domain = json!([["type", "!=", "service"], ["id", ">", after]]);
        let query = Query { limit: Some(PAGE), ..Query::new(domain, &["code", "quantity"]) };
        let context =
            Map::from_iter([("locations".to_owned(), json!([location])), ("with_childs".to_owned(), json!(true))]);
        self.client.search_read("product.product", &query, &context).await
    }
}

/// Whole units, rounded down: half a unit cannot be sold. A product without a code cannot be named.
fn reading(row: StockRow, location: &str) -> Option<StockReading> {
    let item = row.code.filter(|code| !code.is_empty())?;
    Some(StockReading { item, location: location.to_owned(), quantity: row.quantity.floor().to_i64()? })
}
