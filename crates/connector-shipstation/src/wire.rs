//! ShipStation's JSON as it is.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use waybill_domain::Personal;

/// `create_shipments_request_body`
#[derive(Debug, Serialize)]
pub(crate) struct CreateShipments<'a> {
    pub(crate) shipments: &'a [&'a NewShipment],
}

/// `create_shipment_request`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NewShipment {
    pub(crate) external_shipment_id: String,
    pub(crate) create_sales_order: bool,
    pub(crate) amount_paid: Money,
    pub(crate) shipping_paid: Money,
    pub(crate) tax_paid: Money,
    pub(crate) ship_to: Address,
    pub(crate) ship_from: Address,
    pub(crate) items: Vec<NewItem>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) packages: Vec<Package>,
    /// Mapped fields.
    #[serde(flatten)]
    pub(crate) fields: Map<String, Value>,
}

/// `monetary_value`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Money {
    pub(crate) currency: String,
    pub(crate) amount: Number,
}

/// `shipping_address_to`, `shipping_address`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Address {
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) name: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) phone: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) company_name: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) address_line1: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) address_line2: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) address_line3: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) city_locality: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) state_province: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) postal_code: Option<Personal>,
    #[serde(skip_serializing_if = "is_absent")]
    pub(crate) country_code: Option<Personal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address_residential_indicator: Option<String>,
}

fn is_absent(part: &Option<Personal>) -> bool {
    part.as_ref().is_none_or(|part| part.expose().is_empty())
}

impl Address {
    /// Every part that a person wrote, in one order.
    pub(crate) fn parts(&self) -> [&str; 10] {
        [
            &self.name,
            &self.phone,
            &self.company_name,
            &self.address_line1,
            &self.address_line2,
            &self.address_line3,
            &self.city_locality,
            &self.state_province,
            &self.postal_code,
            &self.country_code,
        ]
        .map(|part| part.as_ref().map_or("", Personal::expose))
    }
}

/// `shipment_item`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewItem {
    pub(crate) external_order_id: String,
    pub(crate) external_order_item_id: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) sku: String,
    pub(crate) quantity: i64,
    pub(crate) unit_price: Number,
    pub(crate) tax_amount: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<Weight>,
}

/// `package`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Package {
    pub(crate) weight: Weight,
}

/// `weight`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Weight {
    pub(crate) value: Number,
    pub(crate) unit: &'static str,
}

impl Weight {
    pub(crate) fn grams(grams: i64) -> Self {
        Self { value: grams.into(), unit: "gram" }
    }
}

/// `create_shipments_response_body`
#[derive(Debug, Deserialize)]
pub(crate) struct CreatedShipments {
    pub(crate) shipments: Vec<CreatedShipment>,
}

/// `create_shipment_response`, as far as it is read. A shipment that was refused has `errors`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreatedShipment {
    pub(crate) shipment_id: Option<String>,
    pub(crate) external_shipment_id: Option<String>,
    #[serde(default)]
    pub(crate) errors: Vec<Value>,
}

/// `shipment`, with all its properties as they came.
#[derive(Debug, Clone)]
pub(crate) struct Shipment {
    pub(crate) id: String,
    pub(crate) external_id: String,
    pub(crate) status: String,
    pub(crate) items: Vec<Item>,
    pub(crate) all: Map<String, Value>,
}

/// `shipment_item`, as far as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) order: String,
    pub(crate) line: String,
    pub(crate) sku: String,
    pub(crate) quantity: i64,
}

impl TryFrom<Value> for Shipment {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let Value::Object(all) = value else {
            return Err("a shipment is no object".to_owned());
        };
        let text = |name: &str| all.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = text("shipment_id");
        let status = text("shipment_status");
        if id.is_empty() || status.is_empty() {
            return Err("a shipment without shipment_id or shipment_status".to_owned());
        }
        let items = all.get("items").and_then(Value::as_array).into_iter().flatten();
        let items = items.map(Item::read).collect::<Result<_, _>>()?;
        Ok(Self { id, external_id: text("external_shipment_id"), status, items, all })
    }
}

impl Item {
    fn read(item: &Value) -> Result<Self, String> {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let quantity = match &item["quantity"] {
            Value::Null => 0,
            quantity => decimal(quantity)
                .filter(|quantity| quantity.fract().is_zero())
                .and_then(|quantity| i64::try_from(quantity).ok())
                .ok_or("an item's quantity is no whole number")?,
        };
        Ok(Self { order: text("external_order_id"), line: text("external_order_item_id"), sku: text("sku"), quantity })
    }
}

/// `list_labels_response_body`
#[derive(Debug, Deserialize)]
pub(crate) struct LabelPage {
    pub(crate) labels: Vec<Label>,
    pub(crate) page: u32,
    pub(crate) pages: u32,
}

/// `label`, as far as it is read.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Label {
    pub(crate) label_id: String,
    pub(crate) status: String,
    pub(crate) shipment_id: String,
    pub(crate) created_at: String,
    pub(crate) tracking_number: Option<String>,
    pub(crate) tracking_url: Option<String>,
    pub(crate) carrier_code: Option<String>,
    pub(crate) ship_date: Option<String>,
    pub(crate) voided: Option<bool>,
    pub(crate) voided_at: Option<String>,
    pub(crate) is_return_label: Option<bool>,
}

/// `list_warehouses_response_body`
#[derive(Debug, Deserialize)]
pub(crate) struct Warehouses {
    pub(crate) warehouses: Vec<Warehouse>,
}

/// `warehouse`
#[derive(Debug, Deserialize)]
pub(crate) struct Warehouse {
    pub(crate) warehouse_id: String,
    #[serde(default)]
    pub(crate) is_default: Option<bool>,
    pub(crate) origin_address: Option<Address>,
}

/// `error_response_body`
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) errors: Vec<ErrorEntry>,
}

/// `error`, with the properties that only some errors have (docs.shipstation.com, "Error Codes").
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ErrorEntry {
    pub(crate) error_code: String,
    pub(crate) message: String,
    pub(crate) field_name: Option<String>,
    pub(crate) field_value: Option<Value>,
    /// Some of the guides' examples have `field` instead of `field_name`.
    pub(crate) field: Option<String>,
}

/// A JSON number with these digits.
pub(crate) fn number(number: Decimal) -> Number {
    number.to_string().parse().expect("a decimal's digits are a JSON number")
}

/// A JSON number by its digits.
pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}
