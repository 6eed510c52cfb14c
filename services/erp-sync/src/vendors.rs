//! From the plan's connector name to its capabilities.

use std::{collections::BTreeMap, sync::Arc};

use connector_shopify::Shopify;
use connector_tryton::Tryton;
use waybill_connector::{SystemSettings, source::CatalogSource};
use waybill_delivery::{Frame, SystemPort};
use waybill_domain::{Kind, StoreName, SystemName, descriptor::Descriptor};

/// The connectors that this service offers.
pub(crate) fn descriptors() -> Vec<Descriptor> {
    vec![connector_tryton::descriptor(), connector_shopify::descriptor()]
}

/// Whether a kind of records for a connector's systems is this service's business.
pub(crate) fn ours(connector: &str, kind: Kind) -> bool {
    matches!((connector, kind), ("tryton", Kind::Order | Kind::Customer | Kind::Refund) | ("shopify", Kind::Price))
}

/// A system of the plan, if its connector is one of ours.
pub(crate) fn port(
    connector: &str,
    settings: &dyn Fn(&Descriptor) -> anyhow::Result<SystemSettings>,
) -> anyhow::Result<Option<SystemPort>> {
    match connector {
        "tryton" => {
            let descriptor = connector_tryton::descriptor();
            let tryton = Arc::new(Tryton::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort {
                orders: Some(tryton.clone()),
                customers: Some(tryton.clone()),
                refunds: Some(tryton.clone()),
                ..SystemPort::new(descriptor, tryton)
            }))
        }
        "shopify" => {
            let descriptor = connector_shopify::descriptor();
            let shopify = Arc::new(Shopify::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort { prices: Some(shopify.clone()), ..SystemPort::new(descriptor, shopify) }))
        }
        _ => Ok(None),
    }
}

/// The system that list prices are read from.
pub(crate) fn catalogue(frame: &Frame, system: &SystemName) -> anyhow::Result<Arc<dyn CatalogSource>> {
    let connector = frame.plan.borrow().systems.get(system).map(|system| system.connector.clone());
    match connector.as_deref() {
        Some("tryton") => Ok(Arc::new(Tryton::new(&frame.system_settings(system, &connector_tryton::descriptor())?)?)),
        other => anyhow::bail!("catalog.from: connector '{}' gives no list prices", other.unwrap_or_default()),
    }
}

/// Each store's API, to ask for variants that no product told of.
pub(crate) fn shops(frame: &Frame) -> anyhow::Result<BTreeMap<StoreName, Shopify>> {
    frame.for_each_store(&connector_shopify::descriptor(), Shopify::new)
}
