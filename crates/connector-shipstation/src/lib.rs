#![doc = include_str!("../README.md")]

mod amendment;
mod client;
mod cursor;
mod look;
mod mapping;
mod orders;
mod parcels;
mod refusal;
mod times;
pub mod webhook;
mod wire;

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use waybill_connector::{Failure, SystemSettings, settings::SettingsError, sink::Check, source::ParcelNews};
use waybill_domain::descriptor::{Budget, Capability, Descriptor, Field, Setting};

use crate::{
    client::Client,
    wire::{Address, Warehouse},
};

const fn field(name: &'static str, max_chars: usize) -> Field {
    Field { of: Capability::OrderSink, name, required: false, max_chars }
}

const DESCRIPTOR: Descriptor = Descriptor {
    connector: "shipstation",
    title: "ShipStation",
    capabilities: &[Capability::OrderSink, Capability::ShipmentSource],
    settings: &[
        Setting { name: "api_key", required: true, secret: true, about: "the V2 API key: Settings > Account > API" },
        Setting {
            name: "url",
            required: false,
            secret: false,
            about: "where the API is; https://api.shipstation.com unless given",
        },
        Setting {
            name: "warehouse_id",
            required: false,
            secret: false,
            about: "the warehouse that parcels leave from, such as se-1951; the account's default warehouse unless given",
        },
        Setting {
            name: "fallback_phone",
            required: false,
            secret: false,
            about: "the phone on parcels of buyers who gave none, usually the shop's; without it such orders are refused",
        },
    ],
    fields: &[
        field("carrier_id", 25),
        field("service_code", 0),
        field("requested_shipment_service", 0),
        field("confirmation", 0),
        field("shipment_number", 50),
        field("store_id", 0),
        field("assigned_user", 0),
        field("notes_from_buyer", 0),
        field("notes_for_gift", 0),
        field("is_gift", 0),
        field("ship_by_date", 0),
        field("hold_until_date", 0),
        field("validate_address", 0),
    ],
    reads: &[],
    adopts: &[],
    amends: &[],
    custom_fields: false,
    budget: Budget { requests: 200, per: Duration::from_secs(60) },
    budget_is_published: true,
    find_lag: Duration::ZERO,
    call_timeout: client::TIMEOUT,
};

/// What the connector says of itself.
pub const fn descriptor() -> Descriptor {
    DESCRIPTOR
}

/// One ShipStation account.
pub struct ShipStation {
    client: Client,
    warehouse_id: Option<String>,
    fallback_phone: Option<String>,
    /// Where parcels leave from, once it has been read.
    origin: Mutex<Option<Address>>,
    /// Parcels told lately, by label, so that the overlap of sweeps does not read their shipments again.
    told: Mutex<HashMap<String, Vec<ParcelNews>>>,
}

impl fmt::Debug for ShipStation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShipStation")
            .field("client", &self.client)
            .field("warehouse_id", &self.warehouse_id)
            .finish_non_exhaustive()
    }
}

impl ShipStation {
    /// An account with checked settings. Nothing is sent.
    ///
    /// # Errors
    /// If `api_key` is missing or cannot be a header, or `url` is no URL.
    pub fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        let text = |name| settings.get(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self {
            client: Client::new(settings)?,
            warehouse_id: text("warehouse_id"),
            fallback_phone: text("fallback_phone"),
            origin: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// The address that parcels leave from. Read once: a create takes no `warehouse_id`, only the address itself.
    async fn origin(&self) -> Result<Address, Failure> {
        let known = self.origin.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(address) => Ok(address),
            None => self.read_origin().await,
        }
    }

    async fn read_origin(&self) -> Result<Address, Failure> {
        let warehouses = self.client.warehouses().await?;
        let chosen = match &self.warehouse_id {
            Some(id) => warehouses.into_iter().find(|warehouse| warehouse.warehouse_id == *id),
            None => default_of(warehouses),
        };
        let Some(address) = chosen.and_then(|warehouse| warehouse.origin_address) else {
            let message = match &self.warehouse_id {
                Some(id) => format!("the account has no warehouse {id} with an address; correct the system's setting"),
                None => {
                    "the account has no default warehouse with an address; name one in the system's setting".to_owned()
                }
            };
            return Err(Failure::rejected("settings", "warehouse_id", message));
        };
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = Some(address.clone());
        Ok(address)
    }
}

fn default_of(mut warehouses: Vec<Warehouse>) -> Option<Warehouse> {
    if warehouses.len() == 1 {
        return warehouses.pop();
    }
    warehouses.into_iter().find(|warehouse| warehouse.is_default == Some(true))
}

#[async_trait]
impl Check for ShipStation {
    /// Reads the warehouses: the key works, and the one that parcels leave from is there.
    async fn check(&self) -> Result<(), Failure> {
        self.read_origin().await.map(drop)
    }
}
