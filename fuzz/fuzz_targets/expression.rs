//! Any text as an expression: as a condition and as a field's value, of an order with much in it and of a bare one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use waybill_domain::{Body, Kind};
use waybill_plan::{Connectors, DeliveryFacts, Facts, Plan, Remote, decide};
use waybill_testkit::records::{order, snapshot};

#[path = "../../crates/waybill-plan/tests/it/fixture.rs"]
#[allow(dead_code)]
mod fixture;

use fixture::PROBE;

fuzz_target!(|expression: &str| {
    let literal = toml::Value::String(expression.to_owned()).to_string();
    let fields = format!("[flows.fields]\na = {literal}\nb = {{ value = {literal}, missing = \"skip\" }}\n");
    let connectors = fixture::connectors();
    for text in [format!("{PROBE}when = {literal}\n"), format!("{PROBE}{fields}")] {
        let plan = match Plan::parse(&text, Connectors::All(&connectors)) {
            Ok(plan) => plan,
            Err(problems) => {
                let _ = problems.render("plan.toml");
                continue;
            }
        };
        let full = order(1001).paid().with_line("TEE", 2, "24.00").taxed("AT VAT", "0.2", "8.00").shipped_for("5.00");
        let mut bare = order(1002).with_line("TEE", 1, "24.00").build();
        (bare.customer, bare.shipping_address, bare.billing_address) = (None, None, None);
        let bare = snapshot(Kind::Order, bare.id.clone(), 1, Body::Order(Box::new(bare)));
        for order in [full.at_revision(1), bare] {
            let (facts, delivery) = (Facts::default(), DeliveryFacts::default());
            let _ = decide(&plan, &plan.flows[0], &order, &delivery, &facts, &Remote::NotRead);
        }
    }
});
