//! A plan for tests, and connectors that can do what it asks.

use std::time::Duration;

use waybill_domain::descriptor::{Budget, Capability, Descriptor, Field, Setting};
use waybill_plan::{Connectors, Plan, PlanError};

pub(crate) const PLAN: &str = r#"
[stores.main]
shop = "example.myshopify.com"
system = "shop"
webhook_secrets = ["env:SECRET"]

[systems.shop]
connector = "shop"

[systems.erp]
connector = "books"
token = "env:TOKEN"

[systems.shipping]
connector = "parcels"

[tables.tax]
"AT VAT" = "V20"

[[flows]]
name = "orders-to-erp"
kind = "order"
to = "erp"
when = "order.captured and order.total > decimal('1.00')"
[flows.lines]
item = "line.sku"
tax = 'lookup("tax", tax.title)'
charges = { shipping = "SHIP" }
[flows.fields]
name = "order.name"
comment = { value = "order.note or none", missing = "skip" }

[[flows]]
name = "orders-to-shipping"
kind = "order"
to = "shipping"
when = "order.captured and order.requires_shipping"
after = ["erp"]
"#;

const PARCEL_FIELDS: &[Field] = &[Field { of: Capability::OrderSink, name: "service", required: false, max_chars: 0 }];

fn connector(
    connector: &'static str,
    capabilities: &'static [Capability],
    settings: &'static [Setting],
    fields: &'static [Field],
) -> Descriptor {
    Descriptor {
        connector,
        title: connector,
        capabilities,
        settings,
        fields,
        reads: &[],
        adopts: &[],
        amends: &[],
        custom_fields: connector == "books",
        budget: Budget { requests: 100, per: Duration::from_secs(10) },
        find_lag: Duration::ZERO,
    }
}

pub(crate) fn connectors() -> Vec<Descriptor> {
    vec![
        connector("shop", &[Capability::StoreSource, Capability::ShipmentSink], &[], &[]),
        connector(
            "books",
            &[Capability::OrderSink, Capability::CustomerSink],
            &[Setting { name: "token", required: true, secret: true, about: "a token" }],
            &[],
        ),
        connector("parcels", &[Capability::OrderSink], &[], PARCEL_FIELDS),
    ]
}

pub(crate) fn parse(text: &str) -> Result<Plan, PlanError> {
    Plan::parse(text, Connectors::All(&connectors()))
}

pub(crate) fn plan() -> Plan {
    parse(PLAN).expect("the plan passes")
}
