//! From the plan's connector name to its capabilities.

use std::sync::Arc;

use connector_hubspot::HubSpot;
use waybill_connector::SystemSettings;
use waybill_delivery::SystemPort;
use waybill_domain::{Kind, descriptor::Descriptor};

/// The connectors that this service offers.
pub(crate) fn descriptors() -> Vec<Descriptor> {
    vec![connector_hubspot::descriptor().clone()]
}

/// Whether a kind of records for a connector's systems is this service's business.
pub(crate) fn ours(connector: &str, kind: Kind) -> bool {
    matches!((connector, kind), ("hubspot", Kind::Order | Kind::Customer | Kind::Shipment))
}

/// A system of the plan, if its connector is one of ours.
pub(crate) fn port(
    connector: &str,
    settings: &dyn Fn(&Descriptor) -> anyhow::Result<SystemSettings>,
) -> anyhow::Result<Option<SystemPort>> {
    match connector {
        "hubspot" => {
            let descriptor = connector_hubspot::descriptor().clone();
            let hubspot = Arc::new(HubSpot::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort {
                orders: Some(hubspot.clone()),
                customers: Some(hubspot.clone()),
                shipments: Some(hubspot.clone()),
                order_fields: Some(hubspot.clone()),
                customer_fields: Some(hubspot.clone()),
                ..SystemPort::new(descriptor, hubspot)
            }))
        }
        _ => Ok(None),
    }
}
