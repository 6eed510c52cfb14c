//! People and their addresses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Personal, names::RecordId};

/// A postal address. Absent parts are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Given name.
    pub first_name: Personal,
    /// Family name.
    pub last_name: Personal,
    /// Company.
    pub company: Personal,
    /// Street and number.
    pub address1: Personal,
    /// Flat, floor.
    pub address2: Personal,
    /// City.
    pub city: Personal,
    /// Postal code.
    pub zip: Personal,
    /// State or province, as a word.
    pub province: String,
    /// State or province, as a code such as `CA`.
    pub province_code: String,
    /// Country, as a word.
    pub country: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// Phone.
    pub phone: Personal,
}

/// The customer as an order carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Shopify's customer id.
    pub id: RecordId,
    /// Given name.
    pub first_name: Personal,
    /// Family name.
    pub last_name: Personal,
    /// E-mail.
    pub email: Personal,
    /// Phone.
    pub phone: Personal,
}

/// The store's customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Shopify's id.
    pub id: RecordId,
    /// When the record was made.
    pub created_at: Option<Timestamp>,
    /// Given name.
    pub first_name: Personal,
    /// Family name.
    pub last_name: Personal,
    /// E-mail.
    pub email: Personal,
    /// Whether the e-mail may be used for marketing, in Shopify's word: `subscribed`, `not_subscribed`, `pending`,
    /// `unsubscribed`, `invalid`, `redacted`. Empty if it is not known.
    #[serde(default)]
    pub email_consent: String,
    /// Phone.
    pub phone: Personal,
    /// Whether the e-mail is verified.
    pub verified_email: bool,
    /// Account state in Shopify's word: `disabled`, `invited`, `enabled`, `declined`.
    pub state: String,
    /// Staff's note.
    pub note: Personal,
    /// Whether no tax is charged.
    pub tax_exempt: bool,
    /// The merchant's labels.
    pub tags: Vec<String>,
    /// The default address.
    pub default_address: Option<Address>,
}

impl Customer {
    /// As an order names its buyer.
    pub fn person(&self) -> Person {
        Person {
            id: self.id.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
        }
    }
}
