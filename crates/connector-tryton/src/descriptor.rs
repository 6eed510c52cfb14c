//! What the connector says of itself.

use std::time::Duration;

use waybill_domain::descriptor::{Budget, Capability, Descriptor, Field, Setting};

/// The connector's descriptor.
pub fn descriptor() -> Descriptor {
    Descriptor {
        connector: "tryton",
        title: "Tryton",
        capabilities: &[
            Capability::OrderSink,
            Capability::CustomerSink,
            Capability::RefundSink,
            Capability::StockSource,
            Capability::CatalogSource,
        ],
        settings: SETTINGS,
        fields: FIELDS,
        reads: &[],
        adopts: &[Capability::OrderSink, Capability::CustomerSink],
        amends: &[Capability::OrderSink],
        custom_fields: true,
        // Tryton publishes no limit. A server process answers some 60 to 100 of our requests a second.
        budget: Budget { requests: 50, per: Duration::from_secs(1) },
        budget_is_published: false,
        find_lag: Duration::ZERO,
        call_timeout: crate::client::TIMEOUT,
    }
}

const fn setting(name: &'static str, required: bool, secret: bool, about: &'static str) -> Setting {
    Setting { name, required, secret, about }
}

const SETTINGS: &[Setting] = &[
    setting("url", true, false, "the server's address, such as https://tryton.example.com"),
    setting("database", true, false, "the database's name"),
    setting("user", true, false, "the login of a user with the groups named in the connector's README"),
    setting("password", true, true, "the user's password"),
    setting("company", false, false, "the company's name, for a user of several; default: the user's own"),
    setting("warehouse", false, false, "the code of the warehouse that sales ship from; default: the user's own"),
    setting(
        "price_digits",
        false,
        false,
        "digits of a unit price after the point, as in Tryton's [product] price_decimal; default: 4",
    ),
];

const fn field(of: Capability, name: &'static str) -> Field {
    Field { of, name, required: false, max_chars: 0 }
}

const FIELDS: &[Field] = &[
    field(Capability::OrderSink, "comment"),
    field(Capability::OrderSink, "description"),
    field(Capability::OrderSink, "sale_date"),
    field(Capability::OrderSink, "shipping_date"),
    field(Capability::RefundSink, "comment"),
    field(Capability::RefundSink, "description"),
    field(Capability::RefundSink, "sale_date"),
];
