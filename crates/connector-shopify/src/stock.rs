//! Stock levels → Shopify's quantities: the capability `stock-sink`.
//!
//! A level is read, compared and set with what was read as `changeFromQuantity`, so that a sale in between is seen and
//! not overwritten. Shopify asks for distinct keys for distinct requests
//! (<https://shopify.dev/docs/api/usage/implementing-idempotency>): the key is made of the calls' keys, of the state that
//! was read, and of how many sets have succeeded before. Setting 5 → 3 twice, with a change back to 5 between, is two
//! requests, even within the second that `updatedAt` counts; sending one twice after a cut is one.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use async_trait::async_trait;
use waybill_connector::{Applied, Failure, Known, Look, LookCall, Sink, Step, StepCall};
use waybill_domain::{
    CallKey,
    document::{StockDocument, StockQuantity},
};

use crate::{
    Shopify, body,
    client::{
        redacted,
        stock::{QuantityInput, SetQuantitiesInput},
    },
    gid::gid,
    wire,
};

pub(crate) const ROLE: &str = "stock";
/// Items in one call. Shopify takes 250 in an input; fewer keep what one refusal sends again small.
const BATCH: usize = 100;
/// Reads and writes of one batch: the first, again for what a refusal or a stale quantity left, and a last time.
const ROUNDS: usize = 3;
/// Shopify refuses quantities past a thousand million, on both sides of zero.
const MOST: i64 = 1_000_000_000;

type Call<'a> = StepCall<'a, StockDocument>;
type Outcomes = Vec<Option<Result<Applied, Failure>>>;

#[async_trait]
impl Sink<StockDocument> for Shopify {
    fn steps(&self, _document: &StockDocument, _known: &Known) -> Vec<Step> {
        vec![Step::idempotent("set", ROLE)]
    }

    fn batch_size(&self, _step: &str) -> usize {
        BATCH
    }

    async fn apply(&self, calls: &[Call<'_>]) -> Vec<Result<Applied, Failure>> {
        let mut outcomes: Outcomes = calls.iter().map(|call| out_of_range(call).map(Err)).collect();
        for round in 0..ROUNDS {
            let changes = self.changes(calls, &mut outcomes).await;
            for name in [StockQuantity::OnHand, StockQuantity::Available] {
                let changes: Vec<_> =
                    changes.iter().filter(|change| calls[change.call].document.name == name).collect();
                if !changes.is_empty() {
                    self.set(name, round, calls, &changes, &mut outcomes).await;
                }
            }
            if outcomes.iter().all(Option::is_some) {
                break;
            }
        }
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(kept_changing()))).collect()
    }

    async fn find(&self, call: &Call<'_>) -> Result<Option<Applied>, Failure> {
        let document = call.document;
        let level = self.client.inventory_level(&document.inventory_item_id, &document.location_id).await?;
        let there = level.and_then(|level| level.quantity(name(document.name)));
        Ok((there == Some(document.quantity)).then(|| Applied::unchanged(ROLE, level_id(document))))
    }

    async fn look(&self, calls: &[LookCall<'_, StockDocument>]) -> Vec<Result<Look, Failure>> {
        self.look_at_stock(calls).await
    }
}

/// A quantity to be set, and the state that it was decided on.
struct Change {
    /// Which of the calls.
    call: usize,
    from: i64,
    /// When the level last changed.
    level_updated_at: jiff::Timestamp,
}

impl Shopify {
    /// Reads the levels of all calls without an outcome; what needs no write gets its outcome here.
    async fn changes(&self, calls: &[Call<'_>], outcomes: &mut Outcomes) -> Vec<Change> {
        let mut by_location: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, call) in calls.iter().enumerate().filter(|(at, _)| outcomes[*at].is_none()) {
            by_location.entry(call.document.location_id.as_str()).or_default().push(at);
        }
        let mut changes = Vec::new();
        for (location, members) in by_location {
            let items: Vec<_> =
                members.iter().map(|at| gid("InventoryItem", &calls[*at].document.inventory_item_id)).collect();
            match self.client.stock_levels(&items, &gid("Location", location)).await {
                Err(failure) => members.iter().for_each(|at| outcomes[*at] = Some(Err(failure.clone()))),
                Ok(levels) => {
                    for (at, level) in members.into_iter().zip(levels) {
                        match compare(at, calls[at].document, level) {
                            Ok(change) => changes.push(change),
                            Err(outcome) => outcomes[at] = Some(outcome),
                        }
                    }
                }
            }
        }
        changes
    }

    /// Sets quantities of one name. Shopify makes all of the changes or none: what it refuses gets its outcome, what
    /// is stale or was held up by another's refusal stays without one.
    async fn set(
        &self,
        quantity: StockQuantity,
        round: usize,
        calls: &[Call<'_>],
        changes: &[&Change],
        outcomes: &mut Outcomes,
    ) {
        let first = &calls[changes[0].call];
        let input = SetQuantitiesInput {
            name: name(quantity),
            reason: "correction",
            reference_document_uri: format!("gid://waybill/StockLevel/{}", first.object_key),
            quantities: changes.iter().map(|change| input(calls[change.call].document, change.from)).collect(),
        };
        let key = key(self.sets.load(Ordering::Relaxed), round, quantity, calls, changes);
        match self.client.set_quantities(&input, key.as_str()).await {
            Err(failure) => changes.iter().for_each(|change| outcomes[change.call] = Some(Err(failure.clone()))),
            Ok(errors) if errors.is_empty() => {
                self.sets.fetch_add(1, Ordering::Relaxed);
                for change in changes {
                    outcomes[change.call] = Some(Ok(Applied::wrote(ROLE, level_id(calls[change.call].document))));
                }
            }
            Ok(errors) => judge(&errors, changes, outcomes),
        }
    }
}

/// Gives each refused change its outcome.
fn judge(errors: &[wire::UserError], changes: &[&Change], outcomes: &mut Outcomes) {
    for error in errors {
        let code = error.code.as_deref().unwrap_or("user_error");
        let failure = match code {
            // Both are sent again after another read, the second under the next round's key.
            "CHANGE_FROM_QUANTITY_STALE" | "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" => continue,
            "IDEMPOTENCY_CONCURRENT_REQUEST" => Failure::Transient { message: code.to_owned() },
            _ => Failure::rejected(code, error.path(), redacted(&error.message)),
        };
        match concerned(error).and_then(|at| changes.get(at)) {
            Some(change) => outcomes[change.call] = Some(Err(failure)),
            None => changes.iter().for_each(|change| outcomes[change.call] = Some(Err(failure.clone()))),
        }
    }
}

/// Which of the input's quantities an error is about: `["input", "quantities", "3", "locationId"]`.
fn concerned(error: &wire::UserError) -> Option<usize> {
    match error.field.as_deref()? {
        [_, quantities, at, ..] if quantities == "quantities" => at.parse().ok(),
        _ => None,
    }
}

fn compare(
    call: usize,
    document: &StockDocument,
    item: Option<wire::StockItem>,
) -> Result<Change, Result<Applied, Failure>> {
    let Some(item) = item else {
        let message = format!("Shopify has no inventory item {}", document.inventory_item_id);
        return Err(Err(Failure::rejected("INVALID_INVENTORY_ITEM", "inventory_item_id", message)));
    };
    let Some(level) = item.inventory_level.filter(|level| level.is_active) else {
        // Not stocked there is what none there comes to.
        if document.quantity == 0 {
            return Err(Ok(Applied::unchanged(ROLE, level_id(document))));
        }
        let message = format!("the item is not stocked at location {}", document.location_id);
        return Err(Err(Failure::rejected("ITEM_NOT_STOCKED_AT_LOCATION", "location_id", message)));
    };
    match level.quantity(name(document.name)) {
        Some(there) if there == document.quantity => Err(Ok(Applied::unchanged(ROLE, level_id(document)))),
        Some(from) => Ok(Change { call, from, level_updated_at: level.updated_at }),
        None => Err(Err(Failure::malformed(format!("the level has no quantity {}", name(document.name)), b""))),
    }
}

/// Refused here, because a number past 32 bits would make Shopify refuse the whole batch.
fn out_of_range(call: &Call<'_>) -> Option<Failure> {
    let (code, word) = match call.document.quantity {
        quantity if quantity > MOST => ("INVALID_QUANTITY_TOO_HIGH", "higher than 1,000,000,000"),
        quantity if quantity < -MOST => ("INVALID_QUANTITY_TOO_LOW", "lower than -1,000,000,000"),
        _ => return None,
    };
    Some(Failure::rejected(code, "quantity", format!("the quantity can't be {word}")))
}

fn key(sets: u64, round: usize, quantity: StockQuantity, calls: &[Call<'_>], changes: &[&Change]) -> CallKey {
    let mut payload = format!("{sets} {round} {}", name(quantity));
    for change in changes {
        let call = &calls[change.call];
        payload.push_str(&format!(
            "\n{} {} {} {} {}",
            call.call_key,
            level_id(call.document),
            change.from,
            change.level_updated_at,
            call.document.quantity
        ));
    }
    CallKey::new(calls[changes[0].call].object_key, "set", payload.as_bytes())
}

fn input(document: &StockDocument, from: i64) -> QuantityInput {
    QuantityInput {
        inventory_item_id: gid("InventoryItem", &document.inventory_item_id),
        location_id: gid("Location", &document.location_id),
        quantity: document.quantity,
        change_from_quantity: from,
    }
}

pub(crate) fn name(quantity: StockQuantity) -> &'static str {
    match quantity {
        StockQuantity::OnHand => "on_hand",
        StockQuantity::Available => "available",
    }
}

fn level_id(document: &StockDocument) -> String {
    body::level_id(&document.inventory_item_id, &document.location_id).to_string()
}

fn kept_changing() -> Failure {
    Failure::Transient { message: "the quantity changed each time between reading and setting it".to_owned() }
}

#[cfg(test)]
mod tests;
