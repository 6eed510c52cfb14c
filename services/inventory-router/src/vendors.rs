//! From the plan's connector name to its capabilities.

use std::{collections::BTreeMap, sync::Arc};

use connector_shopify::Shopify;
use connector_tryton::Tryton;
use waybill_connector::{SystemSettings, source::StockSource};
use waybill_delivery::{Frame, SystemPort};
use waybill_domain::{Kind, StoreName, SystemName, descriptor::Descriptor};

/// The connectors that this service offers.
pub(crate) fn descriptors() -> Vec<Descriptor> {
    vec![connector_tryton::descriptor(), connector_shopify::descriptor()]
}

/// Whether a kind of records for a connector's systems is this service's business.
pub(crate) fn ours(connector: &str, kind: Kind) -> bool {
    matches!((connector, kind), ("shopify", Kind::StockLevel))
}

/// A system of the plan, if its connector is one of ours.
pub(crate) fn port(
    connector: &str,
    settings: &dyn Fn(&Descriptor) -> anyhow::Result<SystemSettings>,
) -> anyhow::Result<Option<SystemPort>> {
    match connector {
        "shopify" => {
            let descriptor = connector_shopify::descriptor();
            let shopify = Arc::new(Shopify::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort { stock: Some(shopify.clone()), ..SystemPort::new(descriptor, shopify) }))
        }
        // It gives stock and takes nothing here; it is served so that its credentials are watched.
        "tryton" => {
            let descriptor = connector_tryton::descriptor();
            let tryton = Arc::new(Tryton::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort::new(descriptor, tryton)))
        }
        _ => Ok(None),
    }
}

/// The system that stock is read from.
pub(crate) fn stock(frame: &Frame, system: &SystemName) -> anyhow::Result<Arc<dyn StockSource>> {
    let connector = frame.plan.borrow().systems.get(system).map(|system| system.connector.clone());
    match connector.as_deref() {
        Some("tryton") => Ok(Arc::new(Tryton::new(&frame.system_settings(system, &connector_tryton::descriptor())?)?)),
        other => anyhow::bail!("stock.from: connector '{}' gives no stock levels", other.unwrap_or_default()),
    }
}

/// Each store's API, to ask for items that no webhook told of.
pub(crate) fn shops(frame: &Frame) -> anyhow::Result<BTreeMap<StoreName, Shopify>> {
    frame.for_each_store(&connector_shopify::descriptor(), Shopify::new)
}
