//! What an update writes: three-way, so that what people changed in ShipStation survives unless the store changed it
//! too. Pure.

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use waybill_connector::{Failure, Known};

use crate::{
    mapping::Wanted,
    wire::{Address, Shipment, Weight, decimal},
};

const ITEMS: &str = "items";
const SHIP_TO: &str = "ship_to";
const GRAMS: &str = "grams";
/// An instruction for the call, not a value that is kept.
const VALIDATE: &str = "validate_address";
const AMOUNTS: [&str; 3] = ["amount_paid", "shipping_paid", "tax_paid"];

/// What was last written of the parts that people in the warehouse change too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Baseline {
    /// The contents.
    items: Option<String>,
    /// A digest of the recipient's address, which itself stays out of our tables.
    ship_to: Option<String>,
    /// The weight of the one package.
    grams: Option<String>,
}

impl Baseline {
    pub(crate) fn from_known(known: &Known) -> Self {
        let text = |name: &str| known.get(name).cloned();
        Self { items: text(ITEMS), ship_to: text(SHIP_TO), grams: text(GRAMS) }
    }

    /// The baseline after a create.
    pub(crate) fn of_wanted(wanted: &Wanted) -> Self {
        Self {
            items: Some(wanted.contents()),
            ship_to: Some(digest(&wanted.shipment.ship_to)),
            grams: (wanted.grams > 0).then(|| wanted.grams.to_string()),
        }
    }

    /// The baseline of a shipment that was created by us and not looked at since.
    pub(crate) fn of_shipment(shipment: &Shipment) -> Self {
        Self {
            items: Some(shipment.contents()),
            ship_to: Some(digest(&shipment.ship_to())),
            grams: shipment.grams().map(|grams| grams.to_string()),
        }
    }

    /// Whether the shipment's contents are still what was written; true if nothing is known of that.
    pub(crate) fn holds_items_of(&self, shipment: &Shipment) -> bool {
        self.items.as_ref().is_none_or(|items| *items == shipment.contents())
    }

    pub(crate) fn into_known(self, known: &mut Known) {
        for (name, value) in [(ITEMS, self.items), (SHIP_TO, self.ship_to), (GRAMS, self.grams)] {
            if let Some(value) = value {
                known.insert(name.to_owned(), value);
            }
        }
    }
}

/// An update.
#[derive(Debug)]
pub(crate) struct Amendment {
    /// What to send; `None` if the shipment holds it all.
    pub(crate) body: Option<Map<String, Value>>,
    /// Whether it changes amounts alone, which say nothing to whoever packs.
    pub(crate) amounts_only: bool,
    /// What is then known to have been written.
    pub(crate) baseline: Baseline,
}

/// What is sent back as it was read. The guides do not agree on whether a field that is left out keeps its value
/// (docs.shipstation.com/shipments/update) or the whole shipment must be sent (the vendor's own MCP server), so all of
/// it is.
const KEPT: [&str; 34] = [
    "external_shipment_id",
    "external_order_id",
    "shipment_number",
    "carrier_id",
    "service_code",
    "requested_shipment_service",
    "shipping_rule_id",
    "store_id",
    "notes_from_buyer",
    "notes_for_gift",
    "is_gift",
    "zone",
    "display_scheme",
    "assigned_user",
    "ship_date",
    "ship_by_date",
    "hold_until_date",
    "is_return",
    "confirmation",
    "insurance_provider",
    "order_source_code",
    "comparison_rate_type",
    "retail_rate",
    "amount_paid",
    "shipping_paid",
    "tax_paid",
    "customs",
    "advanced_options",
    "tax_identifiers",
    "ship_to",
    "ship_from",
    "return_to",
    "items",
    "packages",
];

/// The update that brings a shipment to what is wanted.
///
/// - The recipient's address is written if the store changed it since it was last written; a correction made in
///   ShipStation stays otherwise.
/// - The items likewise; changed on both sides (split, merged, edited there) they are a conflict.
/// - The weight of the package follows the items while it is the weight that we wrote.
/// - Amounts and mapped fields are the store's.
///
/// # Errors
/// [`Failure::Conflict`] for the items.
pub(crate) fn amendment(shipment: &Shipment, wanted: &Wanted, base: &Baseline) -> Result<Amendment, Failure> {
    let mut ours: Map<String, Value> = match serde_json::to_value(&wanted.shipment) {
        Ok(Value::Object(fields)) => fields,
        _ => {
            return Err(Failure::malformed("the order cannot be written as JSON", b""));
        }
    };
    for name in ["create_sales_order", "ship_from", "items", "packages", "ship_to"] {
        ours.remove(name);
    }
    ours.extend(wanted.later.clone());
    ours.extend(wanted.cleared.iter().map(|name| ((*name).to_owned(), Value::Null)));
    let (wants, has) = (wanted.contents(), shipment.contents());
    let mut baseline = Baseline::of_wanted(wanted);
    if wants != has && base.items.as_ref() != Some(&wants) {
        if base.items.as_ref().is_some_and(|base| *base != has) {
            return Err(Failure::Conflict {
                field: ITEMS.to_owned(),
                base: base.items.clone().unwrap_or_default(),
                ours: wants,
                theirs: has,
            });
        }
        ours.insert(ITEMS.to_owned(), json(&wanted.shipment.items));
        let weighs_as_written = match &base.grams {
            Some(grams) => shipment.grams().is_some_and(|weight| weight.to_string() == *grams),
            None => shipment.packages().is_empty(),
        };
        if weighs_as_written && wanted.grams > 0 {
            ours.insert("packages".to_owned(), reweighed(shipment, wanted));
        } else {
            baseline.grams.clone_from(&base.grams);
        }
    } else {
        baseline.grams.clone_from(&base.grams);
    }
    let ship_to = digest(&wanted.shipment.ship_to);
    if base.ship_to.as_ref() != Some(&ship_to) && digest(&shipment.ship_to()) != ship_to {
        ours.insert(SHIP_TO.to_owned(), json(&wanted.shipment.ship_to));
    }
    let changed: Vec<&str> = ours
        .iter()
        .filter(|(name, value)| *name != VALIDATE && !is_held(value, shipment.all.get(*name)))
        .map(|(name, _)| name.as_str())
        .collect();
    let amounts_only = changed.iter().all(|name| AMOUNTS.contains(name));
    let body = (!changed.is_empty()).then(|| whole(shipment, ours.clone()));
    Ok(Amendment { body, amounts_only, baseline })
}

fn json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("the vendor's types have string keys only")
}

/// What is kept, with ours over it. "Either `ship_from` or `warehouse_id`", not both.
fn whole(shipment: &Shipment, ours: Map<String, Value>) -> Map<String, Value> {
    let warehouse = shipment.all.get("warehouse_id").filter(|id| id.is_string());
    let mut body = Map::new();
    for name in KEPT {
        if let Some(value) = shipment.all.get(name)
            && !(name == "ship_from" && warehouse.is_some())
            && let Some(value) = without_nulls(value)
        {
            body.insert(name.to_owned(), value);
        }
    }
    if let Some(id) = warehouse {
        body.insert("warehouse_id".to_owned(), id.clone());
    }
    body.extend(ours);
    body
}

/// A value as a request may hold it: where an answer says `null`, a request leaves out.
fn without_nulls(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(object) => Some(Value::Object(
            object.iter().filter_map(|(name, value)| Some((name.clone(), without_nulls(value)?))).collect(),
        )),
        Value::Array(list) => Some(Value::Array(list.iter().filter_map(without_nulls).collect())),
        other => Some(other.clone()),
    }
}

/// Whether a value that we want is there: numbers by their value, objects by the properties that we want.
fn is_held(wanted: &Value, held: Option<&Value>) -> bool {
    let held = held.unwrap_or(&Value::Null);
    match (wanted, held) {
        (Value::Number(_), Value::Number(_)) => decimal(wanted) == decimal(held),
        (Value::Object(wanted), Value::Object(held)) => {
            wanted.iter().all(|(name, value)| match (value, held.get(name)) {
                (Value::String(wanted), Some(Value::String(held))) if name == "currency" => {
                    wanted.eq_ignore_ascii_case(held)
                }
                (value, held) => is_held(value, held),
            })
        }
        (Value::Array(wanted), Value::Array(held)) => {
            wanted.len() == held.len() && wanted.iter().zip(held).all(|(wanted, held)| is_held(wanted, Some(held)))
        }
        (wanted, held) => wanted == held,
    }
}

fn reweighed(shipment: &Shipment, wanted: &Wanted) -> Value {
    let package = shipment.packages().first().filter(|package| package.is_object());
    let mut package = package.and_then(without_nulls).unwrap_or_else(|| Value::Object(Map::new()));
    package["weight"] = json(&Weight::grams(wanted.grams));
    Value::Array(vec![package])
}

/// Eight bytes of SHA-256 over an address: enough to tell a change, too little to be an address.
fn digest(address: &Address) -> String {
    let mut hash = Sha256::new();
    for part in address.parts() {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Shipment {
    fn ship_to(&self) -> Address {
        self.all.get(SHIP_TO).and_then(|address| serde_json::from_value(address.clone()).ok()).unwrap_or_default()
    }

    fn packages(&self) -> &[Value] {
        self.all.get("packages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The weight, if there is one package and it is weighed in grams.
    fn grams(&self) -> Option<Decimal> {
        match self.packages() {
            [package] if package["weight"]["unit"] == "gram" => {
                decimal(&package["weight"]["value"]).map(|grams| grams.normalize())
            }
            _ => None,
        }
    }
}
