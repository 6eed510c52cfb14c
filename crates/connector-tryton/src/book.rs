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

/// Names and what they stand for, each with the generation in which Tryton was asked.
#[derive(Debug)]
struct Shelf<T>(HashMap<String, (u64, T)>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Copy> Shelf<T> {
    /// What a name stands for, as it was found last. A call that has just learnt it finds it, whatever others forget
    /// meanwhile.
    fn get(&self, name: &str) -> Option<T> {
        self.0.get(name).map(|(_, found)| *found)
    }

    fn is_fresh(&self, name: &str, generation: u64) -> bool {
        self.0.get(name).is_some_and(|(asked, _)| *asked == generation)
    }

    /// Takes over what Tryton answered about these names; those that it does not have are gone.
    fn renew<'a>(
        &mut self,
        generation: u64,
        asked: impl IntoIterator<Item = &'a str>,
        found: impl IntoIterator<Item = (String, T)>,
    ) {
        for name in asked {
            self.0.remove(name);
        }
        for (name, value) in found {
            self.0.entry(name).or_insert((generation, value));
        }
    }
}

/// A product and the unit that it is sold in.
#[derive(Debug, Clone, Copy)]
struct Item {
    product: Id,
    unit: Option<Id>,
    salable: bool,
}

#[derive(Debug, Default)]
struct Page {
    /// Grows when ids are no longer believed: each is asked again before it is next relied on.
    generation: u64,
    since: Option<Instant>,
    items: Shelf<Item>,
    taxes: Shelf<Id>,
    countries: Shelf<Id>,
    /// `None` for a code that an address cannot name.
    subdivisions: Shelf<Option<Id>>,
    currencies: Shelf<Id>,
    warehouses: Shelf<Id>,
}

/// The ids that were found.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Page>);

impl Book {
    /// Believes no id any longer: Tryton has refused something that was made of them. Calls that are between learning
    /// and using keep what they learnt.
    pub(crate) fn forget(&self) {
        self.lock().generation += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Page> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, read: impl FnOnce(&mut Page) -> T) -> T {
        let mut page = self.lock();
        let now = Instant::now();
        if page.since.is_none_or(|since| now.duration_since(since) > KEPT) {
            page.since = Some(now);
            page.generation += 1;
        }
        read(&mut page)
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
        let items = self.missing(lines.iter().map(|line| line.item.as_str()), |page, code| {
            page.items.is_fresh(code, page.generation)
        });
        if !items.is_empty() {
            let query = Query::new(json!([["code", "in", items]]), &["code", "default_uom", "sale_uom", "salable"]);
            let rows: Vec<ProductRow> = client.find("product.product", &query).await?;
            let found = rows.into_iter().map(|row| {
                let item = Item { product: row.id, unit: row.sale_uom.or(row.default_uom), salable: row.salable };
                (row.code, item)
            });
            self.with(|page| page.items.renew(page.generation, items.iter().copied(), found));
        }
        let taxes = self.missing(lines.iter().flat_map(|line| line.taxes.iter().map(String::as_str)), |page, name| {
            page.taxes.is_fresh(name, page.generation)
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
            let found = by_name.into_iter().map(|(name, ids)| (name, ids[0]));
            self.with(|page| page.taxes.renew(page.generation, taxes.iter().copied(), found));
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
        let fresh =
            |page: &mut Page| page.currencies.get(code).filter(|_| page.currencies.is_fresh(code, page.generation));
        if let Some(id) = self.with(fresh) {
            return Ok(id);
        }
        let query = Query::new(json!([["code", "=", code]]), &["code"]);
        let rows: Vec<Named> = client.find("currency.currency", &query).await?;
        let row = rows.first().ok_or_else(|| {
            Failure::rejected("unmapped", "currency", format!("Tryton has no currency {code}: create it there"))
        })?;
        self.with(|page| page.currencies.renew(page.generation, [code], [(code.to_owned(), row.id)]));
        Ok(row.id)
    }

    /// The id of the warehouse of this code.
    pub(crate) async fn warehouse(&self, client: &Client, code: &str) -> Result<Id, Failure> {
        let fresh =
            |page: &mut Page| page.warehouses.get(code).filter(|_| page.warehouses.is_fresh(code, page.generation));
        if let Some(id) = self.with(fresh) {
            return Ok(id);
        }
        let query = Query::new(json!([["type", "=", "warehouse"], ["code", "=", code]]), &["code"]);
        let rows: Vec<Named> = client.find("stock.location", &query).await?;
        let row = rows.first().ok_or_else(|| session::settings("warehouse", "Tryton has no warehouse of this code"))?;
        self.with(|page| page.warehouses.renew(page.generation, [code], [(code.to_owned(), row.id)]));
        Ok(row.id)
    }

    /// Looks up the countries and subdivisions of addresses, all at once.
    pub(crate) async fn learn_places(&self, client: &Client, addresses: &[&PostalAddress]) -> Result<(), Failure> {
        let countries = self.missing(addresses.iter().map(|address| address.country.as_str()), |page, code| {
            page.countries.is_fresh(code, page.generation)
        });
        if !countries.is_empty() {
            let query = Query::new(json!([["code", "in", countries]]), &["code"]);
            let rows: Vec<Named> = client.find("country.country", &query).await?;
            let found = rows.into_iter().filter_map(|row| Some((row.code?, row.id)));
            self.with(|page| page.countries.renew(page.generation, countries.iter().copied(), found));
        }
        let codes = self.missing(addresses.iter().map(|address| address.subdivision.as_str()), |page, code| {
            page.subdivisions.is_fresh(code, page.generation)
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
        let found = codes.iter().map(|&code| {
            let row = rows.iter().find(|row| row.code == code && may_be_named(row, &types));
            (code.to_owned(), row.map(|row| row.id))
        });
        self.with(|page| page.subdivisions.renew(page.generation, codes.iter().copied(), found));
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
            let subdivision = page.subdivisions.get(&address.subdivision).flatten();
            (page.countries.get(&address.country), subdivision)
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
    // What is no longer sold can still come back.
    let item = page.items.get(&line.item).filter(|item| item.salable || line.quantity < 0);
    let Some(Item { product, unit, .. }) = item else {
        let message = format!("Tryton has no salable product with the code '{}'", line.item);
        return Err(Failure::rejected("unknown_item", format!("{}.item", line.origin), message));
    };
    let taxes = line
        .taxes
        .iter()
        .map(|name| {
            page.taxes.get(name).ok_or_else(|| {
                let message = format!("Tryton's company has not exactly one tax with the name '{name}'");
                Failure::rejected("unmapped", format!("{}.tax_codes", line.origin), message)
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(LineIds { product, unit, taxes })
}

#[cfg(test)]
mod tests {
    use super::Book;

    #[test]
    fn what_another_call_forgets_is_asked_again_and_still_found_by_whoever_has_learnt_it() {
        let book = Book::default();
        let known =
            |name: &str| book.missing([name], |page, name| page.countries.is_fresh(name, page.generation)).is_empty();
        assert!(!known("AT"));
        book.with(|page| page.countries.renew(page.generation, ["AT"], [("AT".to_owned(), 7)]));
        assert!(known("AT"));
        book.forget();
        assert!(!known("AT"), "the next call asks again");
        assert_eq!(book.with(|page| page.countries.get("AT")), Some(7), "a call that has just asked goes on");
        book.with(|page| page.countries.renew(page.generation, ["AT"], []));
        assert_eq!(book.with(|page| page.countries.get("AT")), None, "what Tryton no longer has is gone");
    }
}
