//! What Tryton calls things: the ids of items, taxes, countries, the currency and the warehouse.
//!
//! Ids that were found are kept for a while; what was not found is asked again each time, so that an item that a person
//! has just created is found by the next retry.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::json;
use tokio::time::Instant;
use waybill_connector::Failure;

use crate::{
    client::{Client, Query},
    mapping::{address::PostalAddress, lines::SaleLine, sale::LineIds},
    session,
    wire::{Id, Named, ProductRow, SubdivisionRow, SubdivisionTypesRow},
};

/// How long an id is believed.
const KEPT: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
struct Page {
    items: HashMap<String, (Id, Option<Id>)>,
    taxes: HashMap<String, Id>,
    countries: HashMap<String, Id>,
    /// `None` for a code that an address cannot name.
    subdivisions: HashMap<String, Option<Id>>,
    currencies: HashMap<String, Id>,
    warehouse: Option<Id>,
}

/// The ids that were found.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Option<(Instant, Page)>>);

impl Book {
    /// Forgets all ids: Tryton has refused something that was made of them.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Page)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, read: impl FnOnce(&mut Page) -> T) -> T {
        let mut held = self.lock();
        let now = Instant::now();
        if held.as_ref().is_none_or(|(since, _)| now.duration_since(*since) > KEPT) {
            *held = Some((now, Page::default()));
        }
        let (_, page) = held.get_or_insert_with(|| (now, Page::default()));
        read(page)
    }

    fn missing<'a>(
        &self,
        wanted: impl IntoIterator<Item = &'a str>,
        known: impl Fn(&Page, &str) -> bool,
    ) -> BTreeSet<&'a str> {
        self.with(|page| wanted.into_iter().filter(|name| !name.is_empty() && !known(page, name)).collect())
    }

    /// Looks up the items and taxes of lines, all at once.
    pub(crate) async fn learn_lines(&self, client: &Client, lines: &[&SaleLine]) -> Result<(), Failure> {
        let items =
            self.missing(lines.iter().map(|line| line.item.as_str()), |page, code| page.items.contains_key(code));
        if !items.is_empty() {
            let query = Query::new(json!([["code", "in", items]]), &["code", "sale_uom", "salable"]);
            let rows: Vec<ProductRow> = client.find("product.product", &query).await?;
            self.with(|page| {
                for row in rows.into_iter().filter(|row| row.salable) {
                    page.items.entry(row.code).or_insert((row.id, row.sale_uom));
                }
            });
        }
        let taxes = self.missing(lines.iter().flat_map(|line| line.taxes.iter().map(String::as_str)), |page, name| {
            page.taxes.contains_key(name)
        });
        if !taxes.is_empty() {
            let company = client.company().await?;
            let domain = json!([["name", "in", taxes], ["company", "=", company], ["parent", "=", null]]);
            let rows: Vec<Named> = client.find("account.tax", &Query::new(domain, &["name"])).await?;
            let mut by_name: BTreeMap<String, Vec<Id>> = BTreeMap::new();
            for row in rows {
                by_name.entry(row.name.unwrap_or_default()).or_default().push(row.id);
            }
            // Two taxes of one name cannot be told apart: neither is taken.
            by_name.retain(|_, ids| ids.len() == 1);
            self.with(|page| page.taxes.extend(by_name.into_iter().map(|(name, ids)| (name, ids[0]))));
        }
        Ok(())
    }

    /// The ids of lines that were learnt.
    ///
    /// # Errors
    /// `unknown_item` and `unmapped` with the line concerned.
    pub(crate) fn line_ids(&self, lines: &[SaleLine]) -> Result<Vec<LineIds>, Failure> {
        self.with(|page| lines.iter().map(|line| ids_of(page, line)).collect())
    }

    /// The id of a currency.
    pub(crate) async fn currency(&self, client: &Client, code: &str) -> Result<Id, Failure> {
        if let Some(id) = self.with(|page| page.currencies.get(code).copied()) {
            return Ok(id);
        }
        let query = Query::new(json!([["code", "=", code]]), &["code"]);
        let rows: Vec<Named> = client.find("currency.currency", &query).await?;
        let row = rows.first().ok_or_else(|| {
            Failure::rejected("unmapped", "currency", format!("Tryton has no currency {code}: create it there"))
        })?;
        self.with(|page| page.currencies.insert(code.to_owned(), row.id));
        Ok(row.id)
    }

    /// The id of the warehouse of this code.
    pub(crate) async fn warehouse(&self, client: &Client, code: &str) -> Result<Id, Failure> {
        if let Some(id) = self.with(|page| page.warehouse) {
            return Ok(id);
        }
        let query = Query::new(json!([["type", "=", "warehouse"], ["code", "=", code]]), &["code"]);
        let rows: Vec<Named> = client.find("stock.location", &query).await?;
        let row = rows.first().ok_or_else(|| session::settings("warehouse", "Tryton has no warehouse of this code"))?;
        self.with(|page| page.warehouse = Some(row.id));
        Ok(row.id)
    }

    /// Looks up the countries and subdivisions of addresses, all at once.
    pub(crate) async fn learn_places(&self, client: &Client, addresses: &[&PostalAddress]) -> Result<(), Failure> {
        let countries = self.missing(addresses.iter().map(|address| address.country.as_str()), |page, code| {
            page.countries.contains_key(code)
        });
        if !countries.is_empty() {
            let query = Query::new(json!([["code", "in", countries]]), &["code"]);
            let rows: Vec<Named> = client.find("country.country", &query).await?;
            self.with(|page| page.countries.extend(rows.into_iter().filter_map(|row| Some((row.code?, row.id)))));
        }
        let codes = self.missing(addresses.iter().map(|address| address.subdivision.as_str()), |page, code| {
            page.subdivisions.contains_key(code)
        });
        if codes.is_empty() {
            return Ok(());
        }
        let query = Query::new(json!([["code", "in", codes]]), &["code", "type"]);
        let rows: Vec<SubdivisionRow> = client.find("country.subdivision", &query).await?;
        let listed: BTreeSet<_> =
            rows.iter().filter_map(|row| row.code.split_once('-')).map(|(code, _)| code).collect();
        let mut types: Vec<SubdivisionTypesRow> = Vec::new();
        if !listed.is_empty() {
            let query = Query::new(json!([["country_code", "in", listed]]), &["country_code", "types"]);
            types = client.find("party.address.subdivision_type", &query).await?;
        }
        self.with(|page| {
            for code in codes {
                let row = rows.iter().find(|row| row.code == code && may_be_named(row, &types));
                page.subdivisions.insert(code.to_owned(), row.map(|row| row.id));
            }
        });
        Ok(())
    }

    /// An address as Tryton can hold it, with the ids of its country and subdivision.
    ///
    /// # Errors
    /// `unmapped` for a country that Tryton does not have.
    pub(crate) fn place(
        &self,
        address: PostalAddress,
        field: &str,
    ) -> Result<(PostalAddress, Option<Id>, Option<Id>), Failure> {
        let (country, subdivision) = self.with(|page| {
            let subdivision = page.subdivisions.get(&address.subdivision).copied().flatten();
            (page.countries.get(&address.country).copied(), subdivision)
        });
        if country.is_none() && !address.country.is_empty() {
            let message = format!(
                "Tryton has no country {}: import the countries there (trytond_import_countries)",
                address.country
            );
            return Err(Failure::rejected("unmapped", format!("{field}.country_code"), message));
        }
        let address = if subdivision.is_none() { address.without_subdivision() } else { address };
        Ok((address, country, subdivision))
    }
}

/// Tryton refuses an address that names a subdivision of another kind than it lists for the country.
fn may_be_named(row: &SubdivisionRow, types: &[SubdivisionTypesRow]) -> bool {
    let country = row.code.split_once('-').map_or("", |(country, _)| country);
    let listed = types.iter().find(|types| types.country_code == country).and_then(|types| types.types.as_ref());
    listed.is_none_or(|types| types.is_empty() || row.kind.as_ref().is_some_and(|kind| types.contains(kind)))
}

fn ids_of(page: &Page, line: &SaleLine) -> Result<LineIds, Failure> {
    let Some((product, unit)) = page.items.get(&line.item).copied() else {
        let message = format!("Tryton has no salable product with the code '{}'", line.item);
        return Err(Failure::rejected("unknown_item", format!("{}.item", line.origin), message));
    };
    let taxes = line
        .taxes
        .iter()
        .map(|name| {
            page.taxes.get(name).copied().ok_or_else(|| {
                let message = format!("Tryton's company has not exactly one tax with the name '{name}'");
                Failure::rejected("unmapped", format!("{}.tax_codes", line.origin), message)
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(LineIds { product, unit, taxes })
}
