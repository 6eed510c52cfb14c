//! Postal addresses, as the store keeps them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A postal address. Absent parts are `None`, never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Street and number.
    pub address1: String,
    /// Flat, floor.
    pub address2: Option<String>,
    /// City.
    pub city: String,
    /// Postal code.
    pub zip: String,
    /// State or province, as a word.
    pub province: Option<String>,
    /// State or province, as a code such as `BC`.
    pub province_code: Option<String>,
    /// Country, as a word.
    pub country: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// Phone.
    pub phone: Option<String>,
}

impl Address {
    /// Given and family name.
    pub(crate) fn name(&self) -> String {
        full_name(self.first_name.as_deref(), self.last_name.as_deref())
    }

    /// As webhook bodies write it on an order.
    pub(crate) fn on_order(&self) -> Value {
        json!({
            "first_name": self.first_name,
            "address1": self.address1,
            "phone": self.phone,
            "city": self.city,
            "zip": self.zip,
            "province": self.province,
            "country": self.country,
            "last_name": self.last_name,
            "address2": self.address2,
            "company": self.company,
            "latitude": null,
            "longitude": null,
            "name": self.name(),
            "country_code": self.country_code,
            "province_code": self.province_code,
        })
    }

    /// As webhook bodies write it in a customer's address book.
    pub(crate) fn in_book(&self, id: u64, customer: u64, default: bool) -> Value {
        json!({
            "id": id,
            "customer_id": customer,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "company": self.company,
            "address1": self.address1,
            "address2": self.address2,
            "city": self.city,
            "province": self.province,
            "country": self.country,
            "zip": self.zip,
            "phone": self.phone,
            "name": self.name(),
            "province_code": self.province_code,
            "country_code": self.country_code,
            "country_name": self.country,
            "default": default,
        })
    }
}

/// Given and family name with one space between, what there is of them.
pub(crate) fn full_name(first: Option<&str>, last: Option<&str>) -> String {
    format!("{} {}", first.unwrap_or_default(), last.unwrap_or_default()).trim().to_owned()
}
