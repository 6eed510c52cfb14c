#![doc = include_str!("../README.md")]

pub mod cause;
pub mod clock;
pub mod customer;
pub mod descriptor;
pub mod document;
pub mod keys;
pub mod money;
pub mod names;
pub mod order;
pub mod personal;
pub mod phone;
pub mod price;
pub mod product;
pub mod revision;
pub mod shipment;
pub mod snapshot;
pub mod stock;
pub mod totals;

pub use clock::Clock;
pub use keys::{CallKey, ObjectKey};
pub use money::{Currency, Money, MoneyPair};
pub use names::{Kind, NameError, RecordId, RecordKey, StoreName, SystemName};
pub use personal::Personal;
pub use revision::Revision;
pub use snapshot::{Body, Snapshot};
