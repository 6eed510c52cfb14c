//! How long a simulation of 10,000 orders takes: `cargo run --release -p waybill-plan --example simulate_pace`.

use std::{io::Write as _, time::Duration};

use waybill_domain::descriptor::{Budget, Capability, Descriptor};
use waybill_plan::{
    Connectors, Plan,
    recorded::Line,
    simulate::{simulate, summary},
};
use waybill_testkit::records::order;

const ORDERS: u64 = 10_000;

const PLAN: &str = r#"
since = 2020-01-01
[stores.main]
shop = "example.myshopify.com"
system = "shop"
webhook_secrets = ["env:SECRET"]
[systems.shop]
connector = "shop"
[systems.erp]
connector = "takes-orders"
[systems.crm]
connector = "takes-orders"
[systems.shipping]
connector = "takes-orders"
[tables.tax]
"AT VAT" = "AT VAT"
[[flows]]
name = "orders-to-erp"
kind = "order"
to = "erp"
when = "order.captured"
[flows.lines]
item = "line.sku"
tax = 'lookup("tax", tax.title)'
charges = { shipping = "SHIPPING" }
[flows.fields]
description = "order.name"
[[flows]]
name = "orders-to-crm"
kind = "order"
to = "crm"
[flows.fields]
status = "order.financial_status"
total = "order.current_total"
[flows.customer_fields]
firstname = "customer.first_name"
orders = "totals.orders"
spent = "totals.spent"
[[flows]]
name = "orders-to-shipping"
kind = "order"
to = "shipping"
when = "order.captured and order.requires_shipping"
after = ["erp"]
"#;

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

fn main() -> std::io::Result<()> {
    let connectors = [
        connector("shop", &[Capability::StoreSource]),
        connector("takes-orders", &[Capability::OrderSink, Capability::CustomerSink]),
    ];
    let plan = Plan::parse(PLAN, Connectors::All(&connectors)).expect("the plan passes");
    let lines: Vec<Line> = (0..ORDERS)
        .map(|number| {
            let order = order(1001 + number)
                .by(&format!("buyer-{}@example.com", number % (ORDERS / 3)))
                .paid()
                .with_line("TEE-M", 2, "24.00")
                .taxed("AT VAT", "0.2", "9.60")
                .with_line("MUG-BLUE", 1, "12.50")
                .taxed("AT VAT", "0.2", "2.50")
                .shipped_for("5.00");
            Line::Snapshot(Box::new(order.at_revision(1)))
        })
        .collect();
    let begun = std::time::Instant::now();
    let outcomes = simulate(&plan, &lines);
    let counts = summary(&outcomes);
    let seconds = begun.elapsed().as_secs_f64();
    writeln!(std::io::stdout(), "{ORDERS} orders, {} deliveries: {seconds:.2} s; {:?}", outcomes.len(), counts.states)
}
