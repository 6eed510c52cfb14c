//! A plan for tests, and connectors that can do what it asks.

use std::time::Duration;

use waybill_domain::descriptor::{Budget, Capability, Descriptor, Field, Setting};
use waybill_plan::{Connectors, Plan, Problems};

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

[systems.crm]
connector = "people"

[systems.shipping]
connector = "parcels"

[locations.vienna]
erp = "vienna"
shop = "1"

[locations.graz]
erp = "graz"
shop = "2"

[tables.tax]
"AT VAT" = "V20"

[kinds.customer]
owner = "store"
fields = { phone = "crm" }

[kinds.stock-level]
owner = "erp"

[customers]
match = ["email", { by = "phone", ask = true }]
phone_prefix = "+43"

[stock]
from = "erp"

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

[[flows]]
name = "orders-to-crm"
kind = "order"
to = "crm"
[flows.fields]
status = "order.financial_status"
[flows.customer_fields]
firstname = "customer.first_name"
phone = "customer.phone"

[[flows]]
name = "refunds-to-erp"
kind = "refund"
to = "erp"
timing = { at = "02:00", zone = "Europe/Vienna" }
[flows.lines]
item = "line.sku"
tax = 'lookup("tax", tax.title)'
charges = { adjustment = "ALLOWANCE" }

[[flows]]
name = "stock-to-store"
kind = "stock-level"
to = "shop"
"#;

const PARCEL_FIELDS: &[Field] = &[Field { of: Capability::OrderSink, name: "service", required: false, max_chars: 0 }];
const TOKEN: &[Setting] = &[Setting { name: "token", required: true, secret: true, about: "a token" }];

fn connector(connector: &'static str, capabilities: &'static [Capability]) -> Descriptor {
    Descriptor {
        connector,
        title: connector,
        capabilities,
        settings: &[],
        fields: &[],
        reads: &[],
        adopts: &[],
        amends: &[],
        custom_fields: true,
        budget: Budget { requests: 100, per: Duration::from_secs(10) },
        budget_is_published: true,
        find_lag: Duration::ZERO,
        call_timeout: Duration::ZERO,
    }
}

pub(crate) fn connectors() -> Vec<Descriptor> {
    use Capability::{
        CatalogSource, CustomerSink, OrderSink, PriceSink, RefundSink, ShipmentSink, ShipmentSource, StockSink,
        StockSource, StoreSource,
    };
    vec![
        connector("shop", &[StoreSource, ShipmentSink, StockSink, PriceSink]),
        Descriptor {
            settings: TOKEN,
            amends: &[OrderSink],
            ..connector("books", &[OrderSink, CustomerSink, RefundSink, StockSource, CatalogSource])
        },
        Descriptor {
            reads: &[OrderSink, CustomerSink],
            adopts: &[OrderSink, CustomerSink],
            ..connector("people", &[OrderSink, CustomerSink])
        },
        Descriptor {
            fields: PARCEL_FIELDS,
            custom_fields: false,
            ..connector("parcels", &[OrderSink, ShipmentSource])
        },
    ]
}

pub(crate) fn parse(text: &str) -> Result<Plan, Problems> {
    Plan::parse(text, Connectors::All(&connectors()))
}

pub(crate) fn plan() -> Plan {
    changed("", "")
}

/// The plan with one change to its text.
pub(crate) fn changed(from: &str, to: &str) -> Plan {
    assert!(PLAN.contains(from), "the plan does not have {from}");
    parse(&PLAN.replacen(from, to, 1)).unwrap_or_else(|problems| panic!("{}", problems.render("plan")))
}

/// A plan that ends within its one flow: what is to be tried is added.
pub(crate) const PROBE: &str = r#"
[stores.main]
shop = "example.myshopify.com"
system = "shop"
webhook_secrets = ["env:SECRET"]

[systems.shop]
connector = "shop"

[systems.crm]
connector = "people"

[tables.tax]
"AT VAT" = "V20"

[[flows]]
name = "probe"
kind = "order"
to = "crm"
"#;
