//! What the account holds.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{account::CARRIERS, shape::exact};
use crate::kit::now_ms;

const MINUTE_MS: i64 = 60_000;

/// A shipment's status, as the document has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Processing,
    LabelPurchased,
    Cancelled,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::LabelPurchased => "label_purchased",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Processing, Self::LabelPurchased, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// What people call an order.
#[derive(Debug, Clone)]
pub(super) struct Shipment {
    pub(super) id: String,
    pub(super) external_id: String,
    pub(super) number: String,
    pub(super) sales_order_id: Option<String>,
    pub(super) status: Status,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
    /// The accepted values, by the vendor's names.
    pub(super) values: Map<String, Value>,
}

/// A purchased label: a parcel.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) shipment_id: String,
    pub(super) external_shipment_id: String,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
    pub(super) voided_ms: Option<i64>,
    pub(super) carrier_id: String,
    pub(super) service_code: String,
    pub(super) tracking_number: String,
    pub(super) weight: Value,
    pub(super) ship_to: Value,
}

/// One account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) shipments: Vec<Shipment>,
    pub(super) labels: Vec<Label>,
    pub(super) requests_per_minute: usize,
    /// Ids by the ids from outside, which never change.
    by_external_id: HashMap<String, String>,
    /// Where a shipment with an id was put; it may have moved towards the front since, as others were lost.
    places: HashMap<String, usize>,
    requests: VecDeque<i64>,
    last_id: u64,
    last_ms: i64,
}

impl Account {
    pub(super) fn new(requests_per_minute: usize) -> Self {
        Self {
            shipments: Vec::new(),
            labels: Vec::new(),
            requests_per_minute,
            by_external_id: HashMap::new(),
            places: HashMap::new(),
            requests: VecDeque::new(),
            last_id: 28_529_000,
            last_ms: 0,
        }
    }

    /// Counts a request; the seconds to wait if it is one too many for the last 60 s. A refused one does not count.
    pub(super) fn over_the_limit(&mut self) -> Option<u64> {
        let now = now_ms();
        while self.requests.front().is_some_and(|at| *at <= now - MINUTE_MS) {
            self.requests.pop_front();
        }
        if self.requests.len() < self.requests_per_minute {
            self.requests.push_back(now);
            return None;
        }
        let first = self.requests.front().copied().unwrap_or(now);
        Some(u64::try_from((first + MINUTE_MS - now + 999) / 1000).unwrap_or(1).max(1))
    }

    /// A fresh id. Ids only grow.
    pub(super) fn next_id(&mut self) -> String {
        self.last_id += 1;
        format!("se-{}", self.last_id)
    }

    /// The time, never the same twice, so that what is sorted by time has one order.
    pub(super) fn tick(&mut self) -> i64 {
        self.last_ms = now_ms().max(self.last_ms + 1);
        self.last_ms
    }

    fn place(&self, id: &str) -> Option<usize> {
        let put = *self.places.get(id)?;
        (0..=put.min(self.shipments.len().checked_sub(1)?)).rev().find(|at| self.shipments[*at].id == id)
    }

    pub(super) fn shipment(&self, id: &str) -> Option<&Shipment> {
        self.place(id).map(|at| &self.shipments[at])
    }

    pub(super) fn shipment_mut(&mut self, id: &str) -> Option<&mut Shipment> {
        self.place(id).map(|at| &mut self.shipments[at])
    }

    pub(super) fn by_external_id(&self, external_id: &str) -> Option<&Shipment> {
        self.shipment(self.by_external_id.get(external_id)?)
    }

    /// Whether a shipment has a label that was not voided.
    pub(super) fn has_label(&self, shipment_id: &str) -> bool {
        self.labels.iter().any(|label| label.shipment_id == shipment_id && label.voided_ms.is_none())
    }

    /// Adds a shipment with the accepted values; makes up what the vendor makes up.
    pub(super) fn add_shipment(&mut self, mut values: Map<String, Value>, sales_order_id: Option<String>) -> &Shipment {
        let id = self.next_id();
        let external_id = text(&values, "external_shipment_id").unwrap_or_else(|| id.clone());
        let status = text(&values, "shipment_status").as_deref().and_then(Status::from_word);
        for name in ["external_shipment_id", "shipment_status", "create_sales_order", "validate_address"] {
            values.remove(name);
        }
        if let Some(items) = values.get_mut("items").and_then(Value::as_array_mut) {
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                item.insert("item_id".to_owned(), self.next_id().into());
                if let Some(order) = &sales_order_id {
                    item.insert("sales_order_id".to_owned(), order.clone().into());
                }
            }
        }
        let now = self.tick();
        self.by_external_id.insert(external_id.clone(), id.clone());
        self.places.insert(id.clone(), self.shipments.len());
        self.shipments.push(Shipment {
            id,
            number: external_id.clone(),
            external_id,
            sales_order_id,
            status: status.unwrap_or(Status::Pending),
            created_ms: now,
            modified_ms: now,
            values,
        });
        self.shipments.last().expect("one was pushed")
    }

    /// Marks a shipment as changed now.
    pub(super) fn touch(&mut self, shipment_id: &str) {
        let now = self.tick();
        if let Some(shipment) = self.shipment_mut(shipment_id) {
            shipment.modified_ms = now;
        }
    }
}

impl Shipment {
    pub(super) fn items(&self) -> &[Value] {
        self.values.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(super) fn packages(&self) -> &[Value] {
        self.values.get("packages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// `shipment` of the document.
    pub(super) fn json(&self) -> Value {
        let value = |name: &str| self.values.get(name).cloned().unwrap_or(Value::Null);
        let or = |name: &str, otherwise: Value| self.values.get(name).cloned().unwrap_or(otherwise);
        let money = |name: &str| or(name, json!({ "currency": "usd", "amount": 0 }));
        json!({
            "shipment_id": self.id,
            "external_shipment_id": self.external_id,
            "shipment_number": self.number,
            "external_order_id": value("external_order_id"),
            "shipment_status": self.status.as_str(),
            "created_at": rfc3339(self.created_ms),
            "modified_at": rfc3339(self.modified_ms),
            "carrier_id": value("carrier_id"),
            "service_code": value("service_code"),
            "requested_shipment_service": value("requested_shipment_service"),
            "shipping_rule_id": value("shipping_rule_id"),
            "store_id": or("store_id", "se-1".into()),
            "warehouse_id": value("warehouse_id"),
            "items": or("items", json!([])),
            "notes_from_buyer": value("notes_from_buyer"),
            "notes_for_gift": value("notes_for_gift"),
            "is_gift": or("is_gift", false.into()),
            "assigned_user": value("assigned_user"),
            "amount_paid": money("amount_paid"),
            "shipping_paid": money("shipping_paid"),
            "tax_paid": money("tax_paid"),
            "ship_date": value("ship_date"),
            "ship_by_date": value("ship_by_date"),
            "hold_until_date": value("hold_until_date"),
            "ship_to": value("ship_to"),
            "ship_from": value("ship_from"),
            "return_to": or("return_to", value("ship_from")),
            "is_return": or("is_return", false.into()),
            "confirmation": or("confirmation", "none".into()),
            "customs": value("customs"),
            "advanced_options": or("advanced_options", json!({})),
            "insurance_provider": or("insurance_provider", "none".into()),
            "tags": [],
            "packages": or("packages", json!([])),
            "total_weight": self.total_weight(),
        })
    }

    fn total_weight(&self) -> Value {
        let grams: Decimal = self.packages().iter().filter_map(grams).sum();
        json!({ "value": number(grams), "unit": "gram" })
    }
}

impl Label {
    /// `label` of the document.
    pub(super) fn json(&self) -> Value {
        let carrier = CARRIERS.iter().find(|carrier| carrier.id == self.carrier_id);
        let carrier_code = carrier.map_or("", |carrier| carrier.code);
        json!({
            "label_id": self.id,
            "status": if self.voided_ms.is_some() { "voided" } else { "completed" },
            "shipment_id": self.shipment_id,
            "external_shipment_id": self.external_shipment_id,
            "external_order_id": null,
            "ship_date": rfc3339(self.created_ms - self.created_ms.rem_euclid(86_400_000)),
            "created_at": rfc3339(self.created_ms),
            "shipment_cost": { "currency": "usd", "amount": number(Decimal::new(795, 2)) },
            "insurance_cost": { "currency": "usd", "amount": 0 },
            "tracking_number": self.tracking_number,
            "is_return_label": false,
            "rma_number": null,
            "is_international": false,
            "batch_id": "",
            "carrier_id": self.carrier_id,
            "carrier_code": carrier_code,
            "service_code": self.service_code,
            "package_code": "package",
            "charge_event": "on_creation",
            "voided": self.voided_ms.is_some(),
            "voided_at": self.voided_ms.map(rfc3339),
            "label_format": "pdf",
            "label_layout": "4x6",
            "trackable": true,
            "confirmation": "none",
            "tracking_status": "in_transit",
            "tracking_url": self.tracking_url(),
            "label_download": { "href": format!("https://api.shipstation.com/v2/downloads/1/{}/label.pdf", self.id) },
            "form_download": null,
            "insurance_claim": null,
            "ship_to": self.ship_to,
            "packages": [{
                "package_id": 1,
                "package_code": "package",
                "weight": self.weight,
                "tracking_number": self.tracking_number,
                "sequence": 1,
            }],
        })
    }

    pub(super) fn tracking_url(&self) -> String {
        let base = CARRIERS
            .iter()
            .find(|carrier| carrier.id == self.carrier_id)
            .map_or("https://example.com/track/", |carrier| carrier.tracking_url);
        format!("{base}{}", self.tracking_number)
    }
}

/// A package's weight.
fn grams(package: &Value) -> Option<Decimal> {
    let value = exact(&package["weight"]["value"])?;
    let each = match package["weight"]["unit"].as_str()? {
        "gram" => Decimal::ONE,
        "kilogram" => Decimal::from(1000),
        "ounce" => Decimal::new(28_349_523_125, 9),
        "pound" => Decimal::new(45_359_237, 5),
        _ => return None,
    };
    Some((value * each).normalize())
}

/// A JSON number with exactly these digits.
pub(super) fn number(number: Decimal) -> Value {
    serde_json::from_str(&number.to_string()).unwrap_or(Value::Null)
}

/// A text that is there and not empty.
pub(super) fn text(values: &Map<String, Value>, name: &str) -> Option<String> {
    values.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An instant as the vendor writes it: `2018-09-23T15:00:00.000Z`.
pub(super) fn rfc3339(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default()
}
