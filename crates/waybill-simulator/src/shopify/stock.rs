//! Stock: what can be sold, what is promised, what is there.
//!
//! Selling moves units from available to committed; sending takes committed units off; on hand is both together.
//! The rules and texts of `inventorySetQuantities` are those of recorded answers of API version 2026-04.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    clock::Moment,
    state::{About, Remembered, State},
};

/// Which quantity is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    Available,
    OnHand,
}

/// A change of one quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) item: u64,
    pub(crate) location: u64,
    pub(crate) name: &'static str,
    pub(crate) delta: i64,
}

/// What is to be set at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) item: u64,
    pub(crate) location: u64,
    pub(crate) quantity: i64,
    /// What the caller expects there now; `None` if it does not care.
    pub(crate) change_from: Option<i64>,
}

/// A user error of `inventorySetQuantities`: path, text, code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetError {
    pub(crate) field: Vec<String>,
    pub(crate) message: String,
    pub(crate) code: &'static str,
}

/// What `inventorySetQuantities` answers: the id and changes of an adjustment, none if nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetOutcome {
    pub(crate) group: Option<(u64, Moment, Vec<Change>)>,
    /// Item and location of those that were set to what is there.
    pub(crate) unchanged: Vec<(u64, u64)>,
    pub(crate) errors: Vec<SetError>,
}

impl SetOutcome {
    fn refused(errors: Vec<SetError>) -> Self {
        Self { group: None, unchanged: Vec::new(), errors }
    }
}

/// The reasons that Shopify takes.
pub(crate) const REASONS: &[&str] = &[
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
];

const BILLION: i64 = 1_000_000_000;

impl State {
    /// Where to send units of an item from: the first place that has them all, else the first that keeps it.
    pub(crate) fn source_of(&self, item: u64, units: i64) -> Option<u64> {
        let mut places = self.levels.iter().filter(|((one, _), _)| *one == item);
        places
            .clone()
            .find(|(_, level)| level.available >= units)
            .or_else(|| places.next())
            .map(|((_, location), _)| *location)
    }

    /// Promises units (or gives them back, if negative): available becomes committed.
    pub(crate) fn commit_stock(&mut self, item: u64, location: u64, units: i64) {
        if let Some(level) = self.levels.get_mut(&(item, location)) {
            level.available -= units;
            level.committed += units;
            level.updated_at = Moment::now();
            self.tell("inventory_levels/update", About::Level(item, location));
        }
    }

    /// Sends promised units, or takes a parcel back, if negative. What can be sold stays, so that no one is told.
    pub(crate) fn send_stock(&mut self, item: u64, location: u64, units: i64) {
        if let Some(level) = self.levels.get_mut(&(item, location)) {
            level.committed -= units;
            level.updated_at = Moment::now();
        }
    }

    /// Takes units in that can be sold again.
    pub(crate) fn restock(&mut self, item: u64, location: u64, units: i64) {
        if let Some(level) = self.levels.get_mut(&(item, location)) {
            level.available += units;
            level.updated_at = Moment::now();
            self.tell("inventory_levels/update", About::Level(item, location));
        }
    }

    /// `inventorySetQuantities` with its idempotency key.
    pub(crate) fn set_quantities(
        &mut self,
        key: &str,
        parameters: Value,
        name: &str,
        reason: &str,
        targets: &[Target],
    ) -> SetOutcome {
        if let Some(earlier) = self.remembered.get(key) {
            if earlier.parameters == parameters {
                return earlier.outcome.clone();
            }
            // The text is the schema's description of the code.
            return SetOutcome::refused(vec![SetError {
                field: Vec::new(),
                message: "The same idempotency key cannot be used with different operation parameters.".into(),
                code: "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
            }]);
        }
        let outcome = self.set_once(name, reason, targets);
        self.remembered.insert(key.to_owned(), Remembered { parameters, outcome: outcome.clone() });
        outcome
    }

    fn set_once(&mut self, name: &str, reason: &str, targets: &[Target]) -> SetOutcome {
        let input = |field: &str| vec!["input".to_owned(), field.to_owned()];
        let quantity = match name {
            "available" => Quantity::Available,
            "on_hand" => Quantity::OnHand,
            _ => {
                return SetOutcome::refused(vec![SetError {
                    field: input("name"),
                    message: "The quantity name must be either 'available' or 'on_hand'.".into(),
                    code: "INVALID_NAME",
                }]);
            }
        };
        if !REASONS.contains(&reason) {
            return SetOutcome::refused(vec![SetError {
                field: input("reason"),
                message: format!("The specified reason is invalid. Valid values are: {}.", REASONS.join(", ")),
                code: "INVALID_REASON",
            }]);
        }
        let errors = self.set_errors(quantity, targets);
        if !errors.is_empty() {
            return SetOutcome::refused(errors);
        }
        let now = Moment::now();
        let (mut changes, mut unchanged) = (Vec::new(), Vec::new());
        for target in targets {
            let Some(level) = self.levels.get_mut(&(target.item, target.location)) else { continue };
            let before = match quantity {
                Quantity::Available => level.available,
                Quantity::OnHand => level.on_hand(),
            };
            let delta = target.quantity - before;
            if delta == 0 {
                unchanged.push((target.item, target.location));
                continue;
            }
            level.available += delta;
            level.updated_at = now;
            for name in ["available", "on_hand"] {
                changes.push(Change { item: target.item, location: target.location, name, delta });
            }
            self.tell("inventory_levels/update", About::Level(target.item, target.location));
        }
        // Recorded: setting what is there already answers no group and no error.
        let group = (!changes.is_empty()).then(|| (self.ids.next("InventoryAdjustmentGroup"), now, changes));
        SetOutcome { group, unchanged, errors: Vec::new() }
    }

    fn set_errors(&self, quantity: Quantity, targets: &[Target]) -> Vec<SetError> {
        let mut seen: HashMap<(u64, u64), usize> = HashMap::new();
        for target in targets {
            *seen.entry((target.item, target.location)).or_default() += 1;
        }
        let mut errors = Vec::new();
        for (index, target) in targets.iter().enumerate() {
            let mut refuse = |field: &str, message: &str, code| {
                let field = ["input", "quantities", &index.to_string(), field].map(str::to_owned).to_vec();
                errors.push(SetError { field, message: message.to_owned(), code });
            };
            let known_item = self.variant(|variant| variant.inventory_item_id == target.item).is_some();
            let known_place = self.locations.contains_key(&target.location);
            if !known_item {
                refuse("inventoryItemId", "The specified inventory item could not be found.", "INVALID_INVENTORY_ITEM");
            }
            if !known_place {
                refuse("locationId", "The specified location could not be found.", "INVALID_LOCATION");
            }
            if seen[&(target.item, target.location)] > 1 {
                refuse(
                    "locationId",
                    "The combination of inventoryItemId and locationId must be unique.",
                    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
                );
            }
            match target.quantity {
                units if units > BILLION => {
                    refuse("quantity", "The quantity can't be higher than 1,000,000,000.", "INVALID_QUANTITY_TOO_HIGH")
                }
                units if units < -BILLION => {
                    refuse("quantity", "The quantity can't be lower than -1,000,000,000.", "INVALID_QUANTITY_TOO_LOW")
                }
                units if units < 0 && quantity == Quantity::OnHand => {
                    refuse("quantity", "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE");
                }
                _ => {}
            }
            if !known_item || !known_place {
                continue;
            }
            let Some(level) = self.levels.get(&(target.item, target.location)) else {
                refuse(
                    "locationId",
                    "The specified inventory item is not stocked at the location.",
                    "ITEM_NOT_STOCKED_AT_LOCATION",
                );
                continue;
            };
            let there = match quantity {
                Quantity::Available => level.available,
                Quantity::OnHand => level.on_hand(),
            };
            if target.change_from.is_some_and(|expected| expected != there) {
                refuse(
                    "changeFromQuantity",
                    "The changeFromQuantity argument no longer matches the persisted quantity.",
                    "CHANGE_FROM_QUANTITY_STALE",
                );
            }
        }
        errors
    }
}
