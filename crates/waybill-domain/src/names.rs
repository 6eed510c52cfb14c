//! Names of stores, systems and records.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a name or id is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// A store's or system's name outside `[a-z0-9-]{1,32}`.
    #[error("'{0}' is not a name: use 1 to 32 of a-z, 0-9 and -")]
    Name(String),
    /// A record id outside `[A-Za-z0-9_-]{1,128}`.
    #[error("'{0}' is not a record id: use 1 to 128 of A-Z, a-z, 0-9, _ and -")]
    Id(String),
    /// An unknown kind of record.
    #[error(
        "'{0}' is not a kind of record: use one of order, customer, product, inventory-level, fulfilment, refund, shipment, stock-level, price, incident"
    )]
    Kind(String),
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $error:ident, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err(NameError::$error(text.to_owned())) }
            }
        }
        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn plan_name(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

name!(
    /// One Shopify shop, by the short name that the plan gives it. Never changes: keys are made of it.
    StoreName, Name, plan_name
);
name!(
    /// An outside party, by its name in the plan.
    SystemName, Name, plan_name
);
name!(
    /// A record's id at its source; for Shopify the decimal digits of its 64-bit id.
    RecordId,
    Id,
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
);

impl From<u64> for RecordId {
    fn from(id: u64) -> Self {
        Self(id.to_string())
    }
}

impl RecordId {
    /// An id made of a merchant's own code: the code behind the prefix where it fits an id, else its bytes in hexadecimal
    /// digits.
    pub fn of_code(prefix: &str, code: &str) -> Self {
        format!("{prefix}{code}").parse().unwrap_or_else(|_| {
            let hex: String = code.bytes().map(|byte| format!("{byte:02x}")).collect();
            let id: String = format!("{prefix}x{hex}").chars().take(128).collect();
            id.parse().unwrap_or_else(|_| Self::from(0))
        })
    }
}

/// A kind of record. Each kind has one source service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The store's order.
    Order,
    /// The store's customer.
    Customer,
    /// The store's product with its variants.
    Product,
    /// The store's stock of one item at one location.
    InventoryLevel,
    /// The store's fulfilment of some lines of an order.
    Fulfilment,
    /// The store's refund of an order.
    Refund,
    /// A parcel that the shipping system has sent; source: fulfilment-sync.
    Shipment,
    /// What the stock system holds of one item at one location; source: inventory-router.
    StockLevel,
    /// What an item costs in a catalogue; source: erp-sync.
    Price,
    /// What people are told of; source: alerter.
    Incident,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 10] = [
        Self::Order,
        Self::Customer,
        Self::Product,
        Self::InventoryLevel,
        Self::Fulfilment,
        Self::Refund,
        Self::Shipment,
        Self::StockLevel,
        Self::Price,
        Self::Incident,
    ];

    /// The word used in plans, subjects and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Customer => "customer",
            Self::Product => "product",
            Self::InventoryLevel => "inventory-level",
            Self::Fulfilment => "fulfilment",
            Self::Refund => "refund",
            Self::Shipment => "shipment",
            Self::StockLevel => "stock-level",
            Self::Price => "price",
            Self::Incident => "incident",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| NameError::Kind(text.to_owned()))
    }
}

/// Which record: store, kind, id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordKey {
    /// The store that the record belongs to.
    pub store: StoreName,
    /// Its kind.
    pub kind: Kind,
    /// Its id at the source.
    pub id: RecordId,
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.store, self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, RecordId, StoreName};

    #[test]
    fn names_are_checked() {
        assert!("main".parse::<StoreName>().is_ok());
        for wrong in ["", "Main", "a.b", "a b", &"x".repeat(33)] {
            assert!(wrong.parse::<StoreName>().is_err(), "{wrong}");
        }
        assert!("a.b".parse::<RecordId>().is_err());
        assert_eq!(RecordId::from(u64::MAX).as_str(), "18446744073709551615");
    }

    #[test]
    fn any_code_gives_a_record_id() {
        let id = |prefix: &str, code: &str| RecordId::of_code(prefix, code).to_string();
        assert_eq!(id("main-warehouse_", "TEE-M"), "main-warehouse_TEE-M");
        assert_eq!(id("main-warehouse_", "A B"), "main-warehouse_x412042");
        assert_eq!([id("", "TEE-M"), id("", "A/B"), id("", "")], ["TEE-M", "x412f42", "x"]);
        assert_eq!(id("", &"ö".repeat(200)).len(), 128);
    }

    #[test]
    fn kinds_round_trip() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
