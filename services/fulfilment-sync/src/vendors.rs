//! From the plan's connector name to its capabilities.

use std::sync::Arc;

use connector_shipstation::ShipStation;
use connector_shopify::Shopify;
use waybill_connector::{SystemSettings, source::ShipmentSource};
use waybill_delivery::{Frame, SystemPort};
use waybill_domain::{Kind, SystemName, descriptor::Descriptor};

/// The connectors that this service offers.
pub(crate) fn descriptors() -> Vec<Descriptor> {
    vec![connector_shipstation::descriptor(), connector_shopify::descriptor()]
}

/// Whether a kind of records for a connector's systems is this service's business.
pub(crate) fn ours(connector: &str, kind: Kind) -> bool {
    matches!((connector, kind), ("shipstation", Kind::Order) | ("shopify", Kind::Shipment))
}

/// A system of the plan, if its connector is one of ours.
pub(crate) fn port(
    connector: &str,
    settings: &dyn Fn(&Descriptor) -> anyhow::Result<SystemSettings>,
) -> anyhow::Result<Option<SystemPort>> {
    match connector {
        "shipstation" => {
            let descriptor = connector_shipstation::descriptor();
            let shipstation = Arc::new(ShipStation::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort { orders: Some(shipstation.clone()), ..SystemPort::new(descriptor, shipstation) }))
        }
        "shopify" => {
            let descriptor = connector_shopify::descriptor();
            let shopify = Arc::new(Shopify::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort { shipments: Some(shopify.clone()), ..SystemPort::new(descriptor, shopify) }))
        }
        _ => Ok(None),
    }
}

/// Where a system's parcels are asked for, if it gives some.
pub(crate) fn parcels(frame: &Frame, system: &SystemName) -> anyhow::Result<Option<Arc<dyn ShipmentSource>>> {
    let connector = frame.plan.borrow().systems.get(system).map(|system| system.connector.clone());
    match connector.as_deref() {
        Some("shipstation") => {
            let settings = frame.system_settings(system, &connector_shipstation::descriptor())?;
            Ok(Some(Arc::new(ShipStation::new(&settings)?)))
        }
        _ => Ok(None),
    }
}
