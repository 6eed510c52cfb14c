//! What the connector says of itself.

use std::time::Duration;

use waybill_domain::descriptor::{Budget, Capability, Descriptor, Field, Setting};

const fn contact(name: &'static str) -> Field {
    Field { of: Capability::CustomerSink, name, required: false, max_chars: LONGEST_TEXT }
}

const fn order(name: &'static str) -> Field {
    Field { of: Capability::OrderSink, name, required: false, max_chars: LONGEST_TEXT }
}

const fn shipment(name: &'static str) -> Field {
    Field { of: Capability::ShipmentSink, name, required: false, max_chars: LONGEST_TEXT }
}

/// Longest text of a property (properties guide).
const LONGEST_TEXT: usize = 65_536;

/// HubSpot's own properties that stores have values for. Sources: the guides of contacts and orders, and the names that
/// HubSpot's Shopify integration fills.
static FIELDS: &[Field] = &[
    contact("address"),
    contact("city"),
    contact("company"),
    contact("country"),
    contact("email"),
    contact("firstname"),
    contact("hs_language"),
    contact("jobtitle"),
    contact("lastname"),
    contact("lifecyclestage"),
    contact("mobilephone"),
    contact("phone"),
    contact("state"),
    contact("website"),
    contact("zip"),
    order("hs_billing_address_city"),
    order("hs_billing_address_country"),
    order("hs_billing_address_email"),
    order("hs_billing_address_firstname"),
    order("hs_billing_address_lastname"),
    order("hs_billing_address_phone"),
    order("hs_billing_address_postal_code"),
    order("hs_billing_address_state"),
    order("hs_billing_address_street"),
    order("hs_currency_code"),
    order("hs_discount_codes"),
    order("hs_external_created_date"),
    order("hs_external_modified_date"),
    order("hs_external_order_id"),
    order("hs_external_order_status"),
    order("hs_external_order_url"),
    order("hs_fulfillment_status"),
    order("hs_order_discount"),
    order("hs_order_name"),
    order("hs_order_note"),
    order("hs_payment_status"),
    order("hs_pipeline"),
    order("hs_pipeline_stage"),
    order("hs_shipping_address_city"),
    order("hs_shipping_address_country"),
    order("hs_shipping_address_name"),
    order("hs_shipping_address_phone"),
    order("hs_shipping_address_postal_code"),
    order("hs_shipping_address_state"),
    order("hs_shipping_address_street"),
    order("hs_shipping_cost"),
    order("hs_source_store"),
    order("hs_subtotal_price"),
    order("hs_tags"),
    order("hs_tax"),
    order("hs_total_price"),
    shipment("hs_external_order_status"),
    shipment("hs_fulfillment_status"),
    shipment("hs_pipeline_stage"),
    shipment("hs_shipping_method"),
    shipment("hs_shipping_status_url"),
    shipment("hs_shipping_tracking_number"),
];

static DESCRIPTOR: Descriptor = Descriptor {
    connector: "hubspot",
    title: "HubSpot",
    capabilities: &[Capability::OrderSink, Capability::CustomerSink, Capability::ShipmentSink],
    settings: &[
        Setting { name: "token", required: true, secret: true, about: "the private app's access token" },
        Setting {
            name: "url",
            required: false,
            secret: false,
            about: "where HubSpot's API is; https://api.hubapi.com unless said otherwise",
        },
        Setting {
            name: "order_key_property",
            required: false,
            secret: false,
            about: "the unique property of orders that holds our key; waybill_key unless said otherwise",
        },
    ],
    fields: FIELDS,
    reads: &[Capability::OrderSink, Capability::CustomerSink],
    adopts: &[Capability::OrderSink, Capability::CustomerSink],
    amends: &[],
    custom_fields: true,
    budget: Budget { requests: 100, per: Duration::from_secs(10) },
    // Look-ups read by id or unique property, which sees a write at once.
    budget_is_published: true,
    find_lag: Duration::ZERO,
    call_timeout: crate::client::TIMEOUT,
};

/// What the connector says of itself.
pub fn descriptor() -> &'static Descriptor {
    &DESCRIPTOR
}
