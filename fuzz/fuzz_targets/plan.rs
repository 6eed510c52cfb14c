//! Any text as a plan: it is checked, told, and where it passes decided with.

#![no_main]

use libfuzzer_sys::fuzz_target;
use waybill_plan::{Connectors, DeliveryFacts, Facts, Plan, Remote, decide};
use waybill_testkit::records::order;

#[path = "../../crates/waybill-plan/tests/it/fixture.rs"]
#[allow(dead_code)]
mod fixture;

fuzz_target!(|text: &str| {
    let connectors = fixture::connectors();
    match Plan::parse(text, Connectors::All(&connectors)) {
        Ok(plan) => {
            let order = order(1001).paid().with_line("TEE", 2, "24.00").shipped_for("5.00").at_revision(1);
            for flow in plan.flows.iter().filter(|flow| flow.kind == order.key.kind) {
                let (facts, delivery) = (Facts::default(), DeliveryFacts::default());
                let _ = decide(&plan, flow, &order, &delivery, &facts, &Remote::NotRead);
            }
        }
        Err(problems) => {
            assert!(!problems.problems.is_empty(), "refused without a problem");
            let _ = problems.render("plan.toml");
        }
    }
});
