//! Prices → Shopify's variants: the capability `price-sink`.
//!
//! `productVariantsBulkUpdate` takes variants of one product, so a batch is one call for each product that has something
//! to change. With `allowPartialUpdates` each variant is changed or refused for itself
//! (<https://shopify.dev/changelog/partial-updates-for-bulk-product-variants-mutation>); `userErrors` name the place in
//! the input. The mutation sets values and takes no `@idempotent`: sent twice it has the effect of once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rust_decimal::Decimal;
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::document::{PriceDocument, VariantRef};

use crate::{
    Shopify,
    client::{prices::PriceInput, redacted},
    gid::gid,
    wire,
};

pub(crate) const ROLE: &str = "price";
/// Documents in one batch.
const BATCH: usize = 100;
/// Shopify takes at most so many elements in an array of an input
/// (<https://shopify.dev/docs/api/usage/limits>).
const MOST_ELEMENTS: usize = 250;

type Call<'a> = StepCall<'a, PriceDocument>;

#[async_trait]
impl Sink<PriceDocument> for Shopify {
    fn steps(&self, _document: &PriceDocument, _known: &Known) -> Vec<Step> {
        vec![Step::idempotent("set", ROLE)]
    }

    fn batch_size(&self, _step: &str) -> usize {
        BATCH
    }

    async fn apply(&self, calls: &[Call<'_>]) -> Vec<Result<Applied, Failure>> {
        let mut outcomes: Vec<Outcome> = calls.iter().map(|_| Ok(false)).collect();
        for (product, changes) in self.price_changes(calls, &mut outcomes).await {
            for changes in changes.chunks(MOST_ELEMENTS) {
                self.update_prices(&product, changes, &mut outcomes).await;
            }
        }
        let applied = |(outcome, call): (Outcome, &Call<'_>)| outcome.map(|wrote| applied(call.document, wrote));
        outcomes.into_iter().zip(calls).map(applied).collect()
    }

    async fn find(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let ids: Vec<String> = call.document.variants.iter().map(gid_of).collect();
        let there = self.prices_of(&ids).await?;
        let is_price =
            |one: &Option<wire::VariantPrice>| one.as_ref().is_some_and(|one| one.price == call.document.price);
        Ok(there.iter().all(is_price).then(|| applied(call.document, false)))
    }

    async fn look(&self, calls: &[LookCall<'_, PriceDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_at_prices(calls).await
    }
}

/// Whether anything of a call was written, or why not all of it.
type Outcome = Result<bool, Failure>;

/// A variant whose price is to be set.
struct Change {
    /// Which of the calls.
    call: usize,
    input: PriceInput,
}

impl Shopify {
    /// Reads what all variants cost; gives those that differ, by their product.
    async fn price_changes(&self, calls: &[Call<'_>], outcomes: &mut [Outcome]) -> BTreeMap<String, Vec<Change>> {
        let wanted: Vec<(usize, String, Decimal)> = calls
            .iter()
            .enumerate()
            .flat_map(|(at, call)| call.document.variants.iter().map(move |one| (at, gid_of(one), call.document.price)))
            .collect();
        let mut changes: BTreeMap<String, Vec<Change>> = BTreeMap::new();
        for wanted in wanted.chunks(MOST_ELEMENTS) {
            let ids: Vec<String> = wanted.iter().map(|(_, id, _)| id.clone()).collect();
            let there = match self.client.variant_prices(&ids).await {
                Ok(there) => there,
                Err(failure) => {
                    wanted.iter().for_each(|(call, ..)| outcomes[*call] = Err(failure.clone()));
                    continue;
                }
            };
            for ((call, id, price), there) in wanted.iter().zip(there) {
                match there {
                    None => outcomes[*call] = Err(no_such(id)),
                    Some(there) if there.price == *price => {}
                    Some(there) => {
                        let input = PriceInput { id: id.clone(), price: price.to_string() };
                        changes.entry(there.product.id).or_default().push(Change { call: *call, input });
                    }
                }
            }
        }
        changes
    }

    /// Sets prices of one product. What Shopify refuses is its own call's; the others are written.
    async fn update_prices(&self, product: &str, changes: &[Change], outcomes: &mut [Outcome]) {
        let inputs: Vec<PriceInput> = changes.iter().map(|change| change.input.clone()).collect();
        let errors = match self.client.update_prices(product, &inputs).await {
            Ok(errors) => errors,
            Err(failure) => {
                changes.iter().for_each(|change| outcomes[change.call] = Err(failure.clone()));
                return;
            }
        };
        for (at, change) in changes.iter().enumerate() {
            match errors.iter().find(|error| concerned(error).is_none_or(|place| place == at)) {
                Some(error) => {
                    let code = error.code.as_deref().unwrap_or("user_error");
                    outcomes[change.call] = Err(Failure::rejected(code, error.path(), redacted(&error.message)));
                }
                // Another variant of the same call may have been refused before.
                None => {
                    if let Ok(wrote) = &mut outcomes[change.call] {
                        *wrote = true;
                    }
                }
            }
        }
    }

    pub(crate) async fn prices_of(&self, ids: &[String]) -> Result<Vec<Option<wire::VariantPrice>>, Failure> {
        let mut there = Vec::with_capacity(ids.len());
        for ids in ids.chunks(MOST_ELEMENTS) {
            there.extend(self.client.variant_prices(ids).await?);
        }
        Ok(there)
    }
}

/// Which of the input's variants an error is about: `["variants", "3", "price"]`. One that names none is everyone's.
fn concerned(error: &wire::UserError) -> Option<usize> {
    match error.field.as_deref()? {
        [variants, at, ..] if variants == "variants" => at.parse().ok(),
        _ => None,
    }
}

fn no_such(id: &str) -> Failure {
    Failure::rejected("PRODUCT_VARIANT_DOES_NOT_EXIST", "variants", format!("Shopify has no {id}"))
}

pub(crate) fn gid_of(variant: &VariantRef) -> String {
    gid("ProductVariant", &variant.variant_id)
}

/// What people are shown is the first variant.
fn applied(document: &PriceDocument, wrote: bool) -> Applied {
    let id = document.variants.first().map(|one| one.variant_id.to_string()).unwrap_or_default();
    if wrote { Applied::wrote(ROLE, id) } else { Applied::unchanged(ROLE, id) }
}

#[cfg(test)]
mod tests {
    use super::concerned;
    use crate::wire::UserError;

    #[test]
    fn an_error_names_its_variant_or_is_everyones() {
        let error = |field: &[&str]| UserError {
            code: None,
            field: Some(field.iter().map(|part| (*part).to_owned()).collect()),
            message: "m".to_owned(),
        };
        assert_eq!(concerned(&error(&["variants", "12", "price"])), Some(12));
        assert_eq!([concerned(&error(&["productId"])), concerned(&error(&["variants"]))], [None, None]);
    }
}
