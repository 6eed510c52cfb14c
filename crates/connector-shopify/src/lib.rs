#![doc = include_str!("../README.md")]

mod amount;
pub mod body;
pub mod bulk;
pub mod changes;
mod client;
mod gid;
mod looks;
#[cfg(test)]
mod parity;
mod prices;
mod reads;
pub mod setup;
mod shipments;
mod stock;
pub mod webhook;
mod wire;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use async_trait::async_trait;
use rust_decimal::Decimal;
use waybill_connector::{Failure, SystemSettings, settings::SettingsError, sink::Check};
use waybill_domain::{
    Currency, Kind, RecordId,
    descriptor::{Budget, Capability, Descriptor, Field, Setting},
    document::VariantRef,
};

pub use client::{API_VERSION, DOCUMENTS, Document};
pub use reads::Fetched;

/// What this connector can do, and what it needs to be told.
pub const DESCRIPTOR: Descriptor = Descriptor {
    connector: "shopify",
    title: "Shopify",
    capabilities: &[Capability::StoreSource, Capability::ShipmentSink, Capability::StockSink, Capability::PriceSink],
    settings: &[
        Setting { name: "shop", required: true, secret: false, about: "the shop's own domain: example.myshopify.com" },
        Setting { name: "token", required: true, secret: true, about: "an Admin API access token of the app" },
        Setting {
            name: "webhook_secret",
            required: false,
            secret: true,
            about: "the app's client secret, which signs webhooks; needed where webhooks are received",
        },
        Setting {
            name: "webhook_secret_previous",
            required: false,
            secret: true,
            about: "the client secret before a rotation, as long as Shopify may still sign with it",
        },
        Setting { name: "api_version", required: false, secret: false, about: "the Admin API's version: 2026-07" },
        Setting {
            name: "url",
            required: false,
            secret: false,
            about: "where the API is instead of https://<shop>, such as a simulator's address",
        },
    ],
    fields: &[
        Field { of: Capability::ShipmentSink, name: "notify_customer", required: false, max_chars: 0 },
        Field { of: Capability::ShipmentSink, name: "tracking_company", required: false, max_chars: 0 },
        Field { of: Capability::PriceSink, name: "price", required: true, max_chars: 0 },
    ],
    reads: &[],
    adopts: &[],
    amends: &[],
    custom_fields: false,
    // 100 points a second on the standard plan; a call costs at least one. What is left of the bucket is told by each
    // answer.
    budget: Budget { requests: 100, per: Duration::from_secs(1) },
    budget_is_published: true,
    find_lag: Duration::from_secs(2),
    call_timeout: client::TIMEOUT,
};

/// See [`DESCRIPTOR`].
pub const fn descriptor() -> Descriptor {
    DESCRIPTOR
}

/// One Shopify shop.
#[derive(Debug, Clone)]
pub struct Shopify {
    client: client::Client,
    /// How many sets of quantities have succeeded: part of their keys, so that the same change made again after one
    /// that succeeded is another request, and one sent again after a cut is the same.
    sets: Arc<AtomicU64>,
}

impl Shopify {
    /// A shop by its settings.
    ///
    /// # Errors
    /// A setting that is missing or has an impossible value.
    pub fn new(settings: &SystemSettings) -> Result<Self, SettingsError> {
        Ok(Self { client: client::Client::new(settings)?, sets: Arc::default() })
    }

    /// Reads a record by API: orders, customers, products and inventory levels. `None` if the shop has none such, or
    /// none such any more.
    ///
    /// # Errors
    /// Those of a read; [`Failure::Rejected`] with code `kind` for a kind of record that is not read by API.
    pub async fn fetch(&self, kind: Kind, id: &RecordId) -> Result<Option<Fetched>, Failure> {
        match kind {
            Kind::Order => self.client.order(id).await?.map(reads::order).transpose(),
            Kind::Customer => self.client.customer(id).await?.map(reads::customer).transpose(),
            Kind::Product => self.client.product(id).await?.map(reads::product).transpose(),
            Kind::InventoryLevel => self.fetch_level(id).await,
            Kind::Fulfilment | Kind::Refund | Kind::Shipment | Kind::StockLevel | Kind::Price | Kind::Incident => {
                Err(Failure::rejected("kind", "", format!("a {kind} is not read from Shopify by itself")))
            }
        }
    }

    async fn fetch_level(&self, id: &RecordId) -> Result<Option<Fetched>, Failure> {
        let (item, location) = id
            .as_str()
            .split_once('-')
            .and_then(|(item, location)| Some((gid::digits(item)?, gid::digits(location)?)))
            .ok_or_else(|| Failure::rejected("id", "", format!("'{id}' is not <inventory item>-<location>")))?;
        let level = self.client.inventory_level(&item, &location).await?;
        Ok(level.map(|level| reads::inventory_level(&item, &location, &level)))
    }

    /// The inventory items with exactly this SKU and their stock. Shopify allows the same SKU on several items.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn items_with_sku(&self, sku: &str) -> Result<Vec<StockedItem>, Failure> {
        let found = self.client.items_by_sku(sku).await?;
        found.into_iter().filter(|item| item.sku.as_deref() == Some(sku)).map(stocked).collect()
    }

    /// The variants with exactly this SKU and what they cost, in the order of their ids.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn variants_with_sku(&self, sku: &str) -> Result<Vec<PricedVariant>, Failure> {
        let found = self.client.variants_by_sku(sku).await?;
        let ours = found.into_iter().filter(|variant| variant.sku.as_deref() == Some(sku));
        let mut variants: Vec<PricedVariant> = ours.map(priced).collect::<Result<_, Failure>>()?;
        variants.sort_by(|one, other| one.variant.cmp(&other.variant));
        Ok(variants)
    }

    /// The currency that the shop's prices are in.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn currency(&self) -> Result<Currency, Failure> {
        let code = self.client.shop().await?.currency_code;
        code.parse().map_err(|_| Failure::malformed("the shop's currency is no code of ISO 4217", code.as_bytes()))
    }
}

#[async_trait]
impl Check for Shopify {
    async fn check(&self) -> Result<(), Failure> {
        self.client.shop().await.map(drop)
    }
}

/// A variant and what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedVariant {
    /// Which.
    pub variant: VariantRef,
    /// In the shop's currency.
    pub price: Decimal,
}

fn priced(variant: wire::VariantPrice) -> Result<PricedVariant, Failure> {
    let variant_id = reads::id("ProductVariant", &variant.id)?;
    let product_id = reads::id("Product", &variant.product.id)?;
    Ok(PricedVariant { variant: VariantRef { product_id, variant_id }, price: amount::price(variant.price) })
}

/// An inventory item and where it is stocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockedItem {
    /// Shopify's inventory item.
    pub id: RecordId,
    /// Whether Shopify keeps count of it.
    pub tracked: bool,
    /// Its stock, one row per location.
    pub levels: Vec<StockedAt>,
}

/// An item's stock at a location, in whole units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockedAt {
    /// Shopify's location.
    pub location_id: RecordId,
    /// What can be sold.
    pub available: i64,
    /// What is there.
    pub on_hand: i64,
}

fn stocked(item: wire::SkuItem) -> Result<StockedItem, Failure> {
    if item.inventory_levels.page_info.has_next_page {
        return Err(Failure::malformed("an item is stocked at more than 20 locations", b""));
    }
    let level = |level: wire::SkuLevel| {
        let quantity = |name| {
            level.quantity(name).ok_or_else(|| Failure::malformed(format!("a level has no quantity {name}"), b""))
        };
        Ok(StockedAt {
            location_id: reads::id("Location", &level.location.id)?,
            available: quantity("available")?,
            on_hand: quantity("on_hand")?,
        })
    };
    Ok(StockedItem {
        id: reads::id("InventoryItem", &item.id)?,
        tracked: item.tracked,
        levels: item.inventory_levels.nodes.into_iter().map(level).collect::<Result<_, Failure>>()?,
    })
}
