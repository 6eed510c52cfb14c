//! GraphQL answers as they are. Never leaves the crate.

mod bulk;
mod changes;
mod order;
mod people;
mod prices;
mod shipping;
mod shop;
mod stock;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Number;
use waybill_domain::Currency;

pub(crate) use bulk::{BulkCancelData, BulkOperation, BulkOperationData, BulkRunData};
pub(crate) use changes::{ChangedData, ChangedLevelsData, ChangedRecord, LocationsData, PresentData};
pub(crate) use order::{
    Allocation, LineItem, Order, OrderData, OrderLinesData, Refund, RefundLineItem, RefundLinesData, ShippingLine,
    TaxLine, WeightUnit,
};
pub(crate) use people::{Address, Customer, CustomerData, OrderCustomer, Product, ProductData, Variant};
pub(crate) use prices::{UpdatePricesData, VariantPrice, VariantPricesData, VariantsBySkuData};
pub(crate) use shipping::{
    Fulfillment, FulfillmentCancelData, FulfillmentCreateData, FulfillmentLine, FulfillmentLinesData,
    FulfillmentMutation, FulfillmentOrder, FulfillmentOrderLinesData, FulfillmentTrackingData, FulfillmentWorkData,
    LineRef, TrackingInfo,
};
#[cfg(test)]
pub(crate) use shop::ApiVersion;
pub(crate) use shop::{
    InstallationData, Shop, ShopData, Subscription, SubscriptionCreateData, SubscriptionMutation,
    SubscriptionUpdateData, SubscriptionsData,
};
pub(crate) use stock::{
    InventoryLevelData, ItemsBySkuData, Level, SetQuantitiesData, SkuItem, SkuLevel, StockItem, StockLevelsData,
};

/// A global id.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ref {
    pub(crate) id: String,
}

/// A page of a connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) nodes: Vec<T>,
    pub(crate) page_info: PageInfo,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    pub(crate) has_next_page: bool,
    #[serde(default)]
    pub(crate) end_cursor: Option<String>,
}

impl PageInfo {
    /// Where the next page begins; `None` after the last.
    pub(crate) fn next(&self) -> Option<&str> {
        self.end_cursor.as_deref().filter(|_| self.has_next_page)
    }
}

/// What Shopify found wrong with a mutation's input.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct UserError {
    /// Only some mutations have it.
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) field: Option<Vec<String>>,
    pub(crate) message: String,
}

impl UserError {
    /// `input.quantities.3.locationId`
    pub(crate) fn path(&self) -> String {
        self.field.as_deref().unwrap_or_default().join(".")
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MoneyBag {
    pub(crate) shop_money: MoneyV2,
    pub(crate) presentment_money: MoneyV2,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MoneyV2 {
    #[serde(deserialize_with = "exact")]
    pub(crate) amount: Decimal,
    pub(crate) currency_code: Currency,
}

/// The scalars `Decimal` and `Money`: a text.
pub(crate) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    Decimal::from_str_exact(&text).map_err(|_| D::Error::custom("not an exact decimal"))
}

/// A value that may be null and must be there: without it nothing would tell what was not asked for from what is not set.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// The scalar `Float`, from its own text.
pub(crate) fn float(number: &Number) -> Option<Decimal> {
    let text = number.to_string();
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}
