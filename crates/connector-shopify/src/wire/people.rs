//! Customers, addresses, products.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use waybill_domain::Personal;

use super::{Page, Ref, exact, given};

#[derive(Debug, Deserialize)]
pub(crate) struct CustomerData {
    pub(crate) customer: Option<Customer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    #[serde(flatten)]
    pub(crate) person: OrderCustomer,
    pub(crate) updated_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) verified_email: bool,
    pub(crate) state: String,
    pub(crate) note: Option<Personal>,
    pub(crate) tax_exempt: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) default_address: Option<Address>,
}

/// A customer as an order shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderCustomer {
    pub(crate) id: String,
    #[serde(deserialize_with = "given")]
    pub(crate) first_name: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) last_name: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) default_email_address: Option<EmailAddress>,
    #[serde(deserialize_with = "given")]
    pub(crate) default_phone_number: Option<PhoneNumber>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailAddress {
    pub(crate) email_address: Personal,
    /// Asked for on customers only.
    #[serde(default)]
    pub(crate) marketing_state: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhoneNumber {
    pub(crate) phone_number: Personal,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Address {
    #[serde(deserialize_with = "given")]
    pub(crate) first_name: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) last_name: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) company: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) address1: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) address2: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) city: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) zip: Option<Personal>,
    #[serde(deserialize_with = "given")]
    pub(crate) province: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) province_code: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) country: Option<String>,
    #[serde(rename = "countryCodeV2", deserialize_with = "given")]
    pub(crate) country_code_v2: Option<String>,
    #[serde(deserialize_with = "given")]
    pub(crate) phone: Option<Personal>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ProductData {
    pub(crate) product: Option<Product>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) title: String,
    pub(crate) status: String,
    pub(crate) vendor: String,
    pub(crate) tags: Vec<String>,
    pub(crate) variants: Page<Variant>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variant {
    pub(crate) id: String,
    pub(crate) sku: Option<String>,
    pub(crate) title: String,
    #[serde(deserialize_with = "exact")]
    pub(crate) price: Decimal,
    pub(crate) inventory_item: Ref,
}
