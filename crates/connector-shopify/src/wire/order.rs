//! Orders and refunds.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Number;
use waybill_domain::{Currency, Personal};

use super::{Address, MoneyBag, OrderCustomer, Page, Ref, given};

#[derive(Debug, Deserialize)]
pub(crate) struct OrderData {
    pub(crate) order: Option<Order>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) processed_at: Timestamp,
    #[serde(deserialize_with = "given")]
    pub(crate) cancelled_at: Option<Timestamp>,
    #[serde(deserialize_with = "given")]
    pub(crate) cancel_reason: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) currency_code: Currency,
    pub(crate) presentment_currency_code: Currency,
    #[serde(deserialize_with = "given")]
    pub(crate) display_financial_status: Option<String>,
    pub(crate) display_fulfillment_status: String,
    pub(crate) taxes_included: bool,
    pub(crate) test: bool,
    #[serde(deserialize_with = "given")]
    pub(crate) source_name: Option<String>,
    pub(crate) tags: Vec<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) note: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) customer_locale: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) email: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) phone: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) customer: Option<OrderCustomer>,
    #[serde(deserialize_with = "given")]
    pub(crate) billing_address: Option<Address>,
    #[serde(deserialize_with = "given")]
    pub(crate) shipping_address: Option<Address>,
    #[serde(deserialize_with = "given")]
    pub(crate) total_discounts_set: Option<MoneyBag>,
    #[serde(deserialize_with = "given")]
    pub(crate) total_tax_set: Option<MoneyBag>,
    #[serde(deserialize_with = "given")]
    pub(crate) original_total_duties_set: Option<MoneyBag>,
    pub(crate) total_tip_received_set: MoneyBag,
    #[serde(deserialize_with = "given")]
    pub(crate) original_total_additional_fees_set: Option<MoneyBag>,
    pub(crate) total_cash_rounding_adjustment: CashRounding,
    pub(crate) total_shipping_price_set: MoneyBag,
    pub(crate) total_price_set: MoneyBag,
    pub(crate) current_total_price_set: MoneyBag,
    pub(crate) shipping_lines: Page<ShippingLine>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) line_items: Page<LineItem>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CashRounding {
    pub(crate) payment_set: MoneyBag,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineItem {
    pub(crate) id: String,
    #[serde(deserialize_with = "given")]
    pub(crate) sku: Option<String>,
    pub(crate) title: String,
    pub(crate) quantity: i64,
    pub(crate) current_quantity: i64,
    pub(crate) unfulfilled_quantity: i64,
    pub(crate) requires_shipping: bool,
    pub(crate) is_gift_card: bool,
    #[serde(deserialize_with = "given")]
    pub(crate) weight: Option<Weight>,
    #[serde(deserialize_with = "given")]
    pub(crate) variant: Option<Ref>,
    #[serde(deserialize_with = "given")]
    pub(crate) product: Option<Ref>,
    pub(crate) original_unit_price_set: MoneyBag,
    pub(crate) total_discount_set: MoneyBag,
    pub(crate) discount_allocations: Vec<Allocation>,
    pub(crate) tax_lines: Vec<TaxLine>,
    pub(crate) duties: Vec<Duty>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Weight {
    pub(crate) unit: WeightUnit,
    pub(crate) value: Number,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum WeightUnit {
    Grams,
    Kilograms,
    Ounces,
    Pounds,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Allocation {
    pub(crate) allocated_amount_set: MoneyBag,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaxLine {
    pub(crate) title: String,
    #[serde(deserialize_with = "given")]
    pub(crate) rate: Option<Number>,
    pub(crate) price_set: MoneyBag,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Duty {
    pub(crate) price: MoneyBag,
    pub(crate) tax_lines: Vec<TaxLine>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShippingLine {
    #[serde(deserialize_with = "given")]
    pub(crate) id: Option<String>,
    pub(crate) title: String,
    #[serde(deserialize_with = "given")]
    pub(crate) code: Option<String>,
    pub(crate) is_removed: bool,
    pub(crate) original_price_set: MoneyBag,
    pub(crate) discounted_price_set: MoneyBag,
    pub(crate) tax_lines: Vec<TaxLine>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refund {
    pub(crate) id: String,
    #[serde(deserialize_with = "given")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(deserialize_with = "given")]
    pub(crate) note: Option<String>,
    pub(crate) total_refunded_set: MoneyBag,
    /// Read by a document of its own.
    #[serde(default)]
    pub(crate) lines: Vec<RefundLineItem>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefundLineItem {
    pub(crate) line_item: Ref,
    pub(crate) quantity: i64,
    pub(crate) subtotal_set: MoneyBag,
    pub(crate) total_tax_set: MoneyBag,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OrderLinesData {
    pub(crate) order: Option<OrderLines>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderLines {
    pub(crate) updated_at: Timestamp,
    pub(crate) line_items: Page<LineItem>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RefundLinesData {
    pub(crate) refund: Option<RefundLines>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefundLines {
    pub(crate) refund_line_items: Page<RefundLineItem>,
}
