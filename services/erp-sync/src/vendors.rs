//! From the plan's connector name to its capabilities.

use std::sync::Arc;

use connector_tryton::Tryton;
use waybill_connector::SystemSettings;
use waybill_delivery::SystemPort;
use waybill_domain::{Kind, descriptor::Descriptor};

/// The connectors that this service offers.
pub(crate) fn descriptors() -> Vec<Descriptor> {
    vec![connector_tryton::descriptor()]
}

/// Whether a kind of records for a connector's systems is this service's business.
pub(crate) fn ours(connector: &str, kind: Kind) -> bool {
    matches!((connector, kind), ("tryton", Kind::Order | Kind::Customer | Kind::Refund))
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
        _ => Ok(None),
    }
}
