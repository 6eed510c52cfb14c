//! Prices change during the day: some in the ERP, where they belong, and one in the store by hand, which is not to stay.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;
use rust_decimal::Decimal;
use serde_json::json;

use super::Progress;
use crate::{
    erp_session::{ErpAccess, Session},
    shopify::Store,
};

/// A change: after so many per cent of the day's orders, of which item, to how many cents.
struct Change {
    after_percent: u64,
    item: &'static str,
    cents: i64,
    at: At,
}

#[derive(Clone, Copy)]
enum At {
    Erp,
    Store,
}

/// Two of one product, so that one call can carry both; and one by hand between them and a later one.
const CHANGES: [Change; 4] = [
    Change { after_percent: 20, item: "MUG-300", cents: 1395, at: At::Erp },
    Change { after_percent: 20, item: "MUG-500", cents: 1695, at: At::Erp },
    Change { after_percent: 35, item: "CAP-GREEN", cents: 1790, at: At::Store },
    Change { after_percent: 50, item: "SCARF-WOOL", cents: 4150, at: At::Erp },
];

/// Makes every change in its time, then ends.
pub(super) async fn work(access: ErpAccess, store: Store, progress: Arc<Progress>) {
    for Change { after_percent, item, cents, at } in CHANGES {
        let is_due = || {
            let (placed, planned) = (progress.placed.load(Ordering::SeqCst), progress.planned.load(Ordering::SeqCst));
            planned > 0 && placed * 100 >= planned * after_percent
        };
        while !is_due() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let price = Decimal::new(cents, 2);
        match at {
            At::Store => store.set_price(item, price),
            At::Erp => {
                if let Err(error) = set_list_price(&access, item, price).await {
                    tracing::warn!(%error, item, "the list price was not changed");
                }
            }
        }
    }
}

async fn set_list_price(access: &ErpAccess, item: &str, price: Decimal) -> anyhow::Result<()> {
    let session = Session::open(access).await?;
    let found = session.all("product.product", &["template"], &json!([["code", "=", item]])).await?;
    let template = found.first().map(|row| row["template"].clone()).context("no such product")?;
    let price = json!({"__class__": "Decimal", "decimal": price.to_string()});
    session.call("product.template", "write", vec![json!([template]), json!({"list_price": price})]).await?;
    Ok(())
}
