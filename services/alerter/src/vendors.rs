//! From the plan's connector name to its capabilities.

use std::sync::Arc;

use connector_pagerduty::PagerDuty;
use connector_slack::Slack;
use connector_webhook::Webhook;
use waybill_connector::SystemSettings;
use waybill_delivery::SystemPort;
use waybill_domain::{Kind, descriptor::Descriptor};
use waybill_runtime::SystemClock;

/// The connectors that this service offers.
pub(crate) fn descriptors() -> Vec<Descriptor> {
    vec![connector_pagerduty::descriptor(), connector_slack::descriptor(), connector_webhook::descriptor()]
}

/// Whether a kind of records for a connector's systems is this service's business.
pub(crate) fn ours(connector: &str, kind: Kind) -> bool {
    matches!((connector, kind), ("pagerduty" | "slack" | "webhook", Kind::Incident))
}

/// A system of the plan, if its connector is one of ours.
pub(crate) fn port(
    connector: &str,
    settings: &dyn Fn(&Descriptor) -> anyhow::Result<SystemSettings>,
) -> anyhow::Result<Option<SystemPort>> {
    match connector {
        "pagerduty" => {
            let descriptor = connector_pagerduty::descriptor();
            let pager = Arc::new(PagerDuty::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort { pager: Some(pager.clone()), ..SystemPort::new(descriptor, pager) }))
        }
        "slack" => {
            let descriptor = connector_slack::descriptor();
            let slack = Arc::new(Slack::new(&settings(&descriptor)?)?);
            Ok(Some(SystemPort { pager: Some(slack.clone()), ..SystemPort::new(descriptor, slack) }))
        }
        "webhook" => {
            let descriptor = connector_webhook::descriptor();
            let webhook = Arc::new(Webhook::new(&settings(&descriptor)?, Arc::new(SystemClock))?);
            Ok(Some(SystemPort { pager: Some(webhook.clone()), ..SystemPort::new(descriptor, webhook) }))
        }
        _ => Ok(None),
    }
}
