//! What the plan says of people, of stock and of alerts.

use waybill_domain::{
    Kind,
    document::{OnMatch, Severity, StockQuantity},
};

use super::{Names, Section, Table, maps::match_rows, words};
use crate::plan::{Catalog, Customers, Expected, Hold, Pager, Stock};

fn fact(name: &str, text: impl Into<String>) -> Vec<String> {
    vec![name.to_owned(), text.into()]
}

fn facts(rows: Vec<Vec<String>>) -> Table {
    Table { title: String::new(), headings: Vec::new(), rows }
}

pub(super) fn customers(names: &Names<'_>) -> Section {
    let Customers { counts, matching, on_match, phone_prefix } = &names.plan.customers;
    let mut rows = match_rows(matching);
    if rows.is_empty() {
        let by = "no rule: by our key, and by what the vendor itself keeps unique, such as an e-mail";
        rows.push(fact("people are recognised", by));
    } else {
        rows.push(fact("several are found", "parked for a person: the first rule that finds anybody decides"));
    }
    let found = match on_match {
        OnMatch::Merge => "adopted: written like one of ours from then on".to_owned(),
        OnMatch::CreateSecond => "left alone, and a second one is created".to_owned(),
        OnMatch::Fields(fields) => {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            format!("adopted, and only these fields are ever written: {}", words::list(&fields))
        }
    };
    rows.push(fact("who is found", found));
    let phones = match phone_prefix {
        Some(prefix) => format!("with the prefix {prefix}"),
        None => "not compared: the plan has no phone_prefix".to_owned(),
    };
    rows.push(fact("national phone numbers", phones));
    rows.push(fact("a buyer's totals count", format!("orders with {}", counts.source())));
    Section { title: "How people are recognised", tables: vec![facts(rows)], of: &[Kind::Order, Kind::Customer] }
}

pub(super) fn stock(names: &Names<'_>) -> Section {
    let mut tables = Vec::new();
    if let Some(Stock { from, quantity, safety, holds, sells, every }) = &names.plan.stock {
        let quantity = match quantity {
            StockQuantity::OnHand => "on hand: Shopify subtracts what it has committed itself",
            StockQuantity::Available => {
                "available: orders on the way to the stock system are subtracted here, those that it has taken are not"
            }
        };
        let mut rows = vec![
            fact("read from", format!("{}, every {}", names.system(from), words::duration(*every))),
            fact("the store's quantity", quantity),
            fact(
                "held back",
                format!("{safety} of each item at each location{}", if holds.is_empty() { "" } else { ", but:" }),
            ),
        ];
        for (channel, locations) in sells {
            let locations = if locations.is_empty() { "no location".to_owned() } else { words::list(locations) };
            rows.push(fact(&format!("channel {channel}"), format!("sells from {locations} alone")));
        }
        let (others, sell) = if sells.is_empty() { ("every channel", "sells") } else { ("other channels", "sell") };
        rows.push(fact(others, format!("{sell} from all locations")));
        tables.push(facts(rows));
        tables.push(held_back(holds));
    }
    tables.retain(|table| !table.rows.is_empty());
    Section { title: "Stock", tables, of: &[Kind::StockLevel] }
}

pub(super) fn prices(names: &Names<'_>) -> Section {
    let read_from = |Catalog { from, every }: &Catalog| {
        let system = names.system(from);
        facts(vec![fact("read from", format!("{system}, every {}", words::duration(*every)))])
    };
    let tables = names.plan.catalog.iter().map(read_from).collect();
    Section { title: "Prices", tables, of: &[Kind::Price] }
}

fn held_back(holds: &[Hold]) -> Table {
    let row = |hold: &Hold| {
        let Hold { location, sku, units } = hold;
        let sku = match sku.as_deref() {
            None => "any".to_owned(),
            Some(sku) => sku.strip_suffix('*').map_or_else(|| sku.to_owned(), |start| format!("{start}…")),
        };
        vec![location.clone().unwrap_or_else(|| "any".to_owned()), sku, units.to_string()]
    };
    Table {
        title: "Held back, the first that fits".to_owned(),
        headings: vec!["Location", "SKU", "Units"],
        rows: holds.iter().map(row).collect(),
    }
}

pub(super) fn alerts(names: &Names<'_>) -> Section {
    let pager = |pager: &Pager| {
        let Pager { system, from } = pager;
        let of = match from {
            Severity::Info => "every incident",
            Severity::Warning => "warnings and worse: what is late, a system that does not answer, what is parked",
            Severity::Error => "errors and worse: what is parked, refused credentials; not of what is late",
            Severity::Critical => {
                "the worst: refused credentials, a system that nobody serves, records unaccounted for"
            }
        };
        vec![names.system(system), of.to_owned()]
    };
    let pagers = Table {
        title: "Who is told".to_owned(),
        headings: vec!["System", "Of"],
        rows: names.plan.pagers.iter().map(pager).collect(),
    };
    let expected = |expected: &Expected| {
        let Expected { stores, from, to, zone, orders_per_hour } = expected;
        let (from, to) = (words::time_of_day(*from), words::time_of_day(*to));
        let zone = zone.iana_name().unwrap_or("a zone without a name");
        vec![names.stores(stores), format!("{from} to {to} {zone}"), format!("{orders_per_hour} orders an hour")]
    };
    let silence = Table {
        title: "Fewer is silence, and told".to_owned(),
        headings: vec!["Of", "Between", "At least"],
        rows: names.plan.expected.iter().map(expected).collect(),
    };
    let nobody = facts(vec![fact("who is told", "nobody: the plan names no pager; the console shows what is wrong")]);
    let pagers = if pagers.rows.is_empty() { nobody } else { pagers };
    let tables = [pagers, silence].into_iter().filter(|table| !table.rows.is_empty()).collect();
    Section { title: "Alerts", tables, of: &[] }
}
