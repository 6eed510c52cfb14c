//! Every connector that there is, for checking plans.

use waybill_domain::descriptor::Descriptor;

/// What each says of itself.
pub(crate) fn all() -> Vec<Descriptor> {
    vec![
        connector_shopify::descriptor(),
        connector_hubspot::descriptor().clone(),
        connector_tryton::descriptor().clone(),
        connector_shipstation::descriptor(),
        connector_pagerduty::descriptor(),
        connector_slack::descriptor(),
        connector_webhook::descriptor(),
    ]
}
