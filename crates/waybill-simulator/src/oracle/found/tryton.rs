//! Tryton's sales, stock and list prices, over JSON-RPC. The same calls are answered by a real Tryton.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::compare::Found;
use crate::{
    catalogue::SHIPPING_ITEM,
    erp_session::{ErpAccess, Session, number},
};

/// What Tryton holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    pub(crate) sales: Vec<Found>,
    /// Units by item and warehouse code.
    pub(crate) stock: HashMap<(String, String), Decimal>,
    /// List price by item.
    pub(crate) prices: HashMap<String, Decimal>,
}

/// All sales, the stock of all items at all warehouses, and all list prices.
pub(crate) async fn read(ready: &Value) -> anyhow::Result<Books> {
    let access: ErpAccess = serde_json::from_value(ready["tryton"].clone()).context("tryton's address and user")?;
    let session = Session::open(&access).await?;
    let products = session.all("product.product", &["code", "list_price_used"], &json!([])).await?;
    let codes: HashMap<i64, String> = by_id(&products, |row| part(row, "code"));
    let price = |row: &Value| Some((part(row, "code"), number(&row["list_price_used"])?));
    let prices = products.iter().filter_map(price).collect();
    Ok(Books { sales: sales(&session, &codes).await?, stock: stock(&session).await?, prices })
}

fn part(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

fn by_id<T>(rows: &[Value], value: impl Fn(&Value) -> T) -> HashMap<i64, T> {
    rows.iter().filter_map(|row| Some((row["id"].as_i64()?, value(row)))).collect()
}

async fn sales(session: &Session, codes: &HashMap<i64, String>) -> anyhow::Result<Vec<Found>> {
    let taxes = by_id(&session.all("account.tax", &["name"], &json!([])).await?, |row| part(row, "name"));
    let parties = by_id(&session.all("party.party", &["name"], &json!([])).await?, |row| part(row, "name"));
    let countries = by_id(&session.all("country.country", &["code"], &json!([])).await?, |row| part(row, "code"));
    let currencies = by_id(&session.all("currency.currency", &["code"], &json!([])).await?, |row| part(row, "code"));
    let mut emails: HashMap<i64, Vec<String>> = HashMap::new();
    for row in session.all("party.contact_mechanism", &["party", "type", "value"], &json!([])).await? {
        if let (Some(party), "email") = (row["party"].as_i64(), part(&row, "type").as_str()) {
            emails.entry(party).or_default().push(part(&row, "value").to_lowercase());
        }
    }
    let address_fields = ["party_name", "street_unstructured", "postal_code", "city", "country"];
    // An address that was replaced is kept, inactive, for the sales that were sent there.
    let active_or_not = json!([["active", "in", [true, false]]]);
    let addresses = by_id(&session.all("party.address", &address_fields, &active_or_not).await?, Value::clone);
    let mut lines: HashMap<i64, Vec<Value>> = HashMap::new();
    let line_fields = ["sale", "type", "product", "quantity", "amount", "taxes"];
    for row in session.all("sale.line", &line_fields, &json!([])).await? {
        lines.entry(row["sale"].as_i64().unwrap_or_default()).or_default().push(row);
    }
    let sale_fields =
        ["description", "state", "currency", "total_amount", "party", "invoice_address", "shipment_address"];
    let mut found = Vec::new();
    for sale in session.all("sale.sale", &sale_fields, &json!([])).await? {
        let party = sale["party"].as_i64().unwrap_or_default();
        let mut object = Found::new("erp", "sale", part(&sale, "description"))
            .with("description", part(&sale, "description"))
            .with("state", part(&sale, "state"))
            .with("currency", sale["currency"].as_i64().and_then(|id| currencies.get(&id)).cloned().unwrap_or_default())
            .with("total", number(&sale["total_amount"]).map_or(String::new(), |total| total.to_string()))
            .with("party", parties.get(&party).cloned().unwrap_or_default())
            .with("e-mail", emails.get(&party).map(|all| all.join(", ")).unwrap_or_default());
        for role in ["invoice", "shipment"] {
            let id = sale[format!("{role}_address")].as_i64().unwrap_or_default();
            let absent = Value::Null;
            let address = addresses.get(&id).unwrap_or(&absent);
            let country = address["country"].as_i64().and_then(|id| countries.get(&id));
            object = object
                .with(format!("{role} name"), part(address, "party_name"))
                .with(format!("{role} street"), part(address, "street_unstructured"))
                .with(format!("{role} city"), part(address, "city"))
                .with(format!("{role} postal code"), part(address, "postal_code"))
                .with(format!("{role} country"), country.cloned().unwrap_or_default());
        }
        let id = sale["id"].as_i64().unwrap_or_default();
        found.push(with_lines(object, lines.get(&id).map(Vec::as_slice).unwrap_or_default(), codes, &taxes));
    }
    Ok(found)
}

async fn stock(session: &Session) -> anyhow::Result<HashMap<(String, String), Decimal>> {
    let warehouses = session.all("stock.location", &["code"], &json!([["type", "=", "warehouse"]])).await?;
    let mut stock = HashMap::new();
    for warehouse in &warehouses {
        let goods = json!([["type", "!=", "service"]]);
        for (code, units) in session.stock_at(&warehouse["id"], &goods).await? {
            stock.insert((code, part(warehouse, "code")), units);
        }
    }
    Ok(stock)
}

fn with_lines(mut object: Found, lines: &[Value], codes: &HashMap<i64, String>, taxes: &HashMap<i64, String>) -> Found {
    let mut items: BTreeMap<String, (Decimal, Decimal, String)> = BTreeMap::new();
    for line in lines.iter().filter(|line| line["type"] == "line") {
        let code = line["product"].as_i64().and_then(|id| codes.get(&id)).cloned().unwrap_or_default();
        let mut names: Vec<&str> = line["taxes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tax| taxes.get(&tax.as_i64()?).map(String::as_str))
            .collect();
        names.sort_unstable();
        let item = items.entry(code).or_insert((Decimal::ZERO, Decimal::ZERO, names.join(" + ")));
        item.0 += number(&line["quantity"]).unwrap_or_default();
        item.1 += number(&line["amount"]).unwrap_or_default();
    }
    let listed: Vec<&str> = items.keys().map(String::as_str).filter(|code| *code != SHIPPING_ITEM).collect();
    object = object.with("items", listed.join(", "));
    for (code, (units, amount, taxes)) in items {
        object = object
            .with(format!("{code} quantity"), units.to_string())
            .with(format!("{code} amount"), amount.to_string())
            .with(format!("{code} taxes"), taxes);
    }
    object
}
