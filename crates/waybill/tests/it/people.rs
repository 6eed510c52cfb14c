//! What waits for a person: an approval, a first run, a roll; each by the commands that a person types.

use serde_json::Value;
use waybill_simulator::{seeding, shopify::Settings};
use waybill_testkit::wait_for_async;

use crate::{
    deployment::{DEADLINE, Deployment, example_plan, said},
    running::{Suite, vendors},
};

impl Suite {
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.run(arguments).stdout).unwrap_or_default()
    }

    /// How the ERP is, as `waybill status` says it: its condition and message.
    fn erp(&self) -> Option<(String, String)> {
        let status = self.json(&["status", "--json"]);
        let erp = status["systems"].as_array()?.iter().find(|one| one["service"] == "erp-sync")?;
        Some((erp["condition"].as_str()?.to_owned(), erp["message"].as_str()?.to_owned()))
    }

    /// How many deliveries of a flow would be written, and how many stay, once the services obey the file.
    async fn until_rolled(&self, flow: &str, written: i64, unchanged: i64) -> Value {
        let what = format!("{written} of {flow} to be written and {unchanged} to stay");
        wait_for_async(&what, DEADLINE, async || {
            let told = self.json(&["plan", "roll", flow, "--dry-run", "--json"]);
            (told["written"] == written && told["unchanged"] == unchanged).then_some(told)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_approves_an_order_releases_the_first_run_and_rolls_a_changed_map() {
    let Some(deployment) = Deployment::empty() else { return };
    let plan = std::fs::read_to_string(example_plan()).unwrap();
    let asking = plan
        .replace("\nshares = { erp-sync", "\nask_above = 0\nshares = { erp-sync")
        .replace("when = \"order.captured\"\non_leave", "approval = \"order.captured\"\non_leave");
    assert!(asking.contains("\nask_above = 0\n") && asking.contains("\napproval = \"order.captured\"\n"), "{asking}");
    std::fs::write(deployment.folder.path().join("plan.toml"), &asking).unwrap();
    let vendors = vendors(Settings::default(), &seeding::erp()).await;
    let suite = Suite::with(deployment, vendors, &[], &[]).await;
    said(&suite.run(&["setup", "--plan", "plan.toml"]));
    suite.sell("TEE-WHITE-S").await;

    // A person approves the order.
    let approval = wait_for_async("the order to wait for a person", DEADLINE, async || {
        let listed = suite.json(&["approvals", "--json"]);
        listed["approvals"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!((&approval["system"], &approval["condition"]), (&"erp".into(), &"order.captured".into()));
    assert!(approval["total"].as_str().unwrap().ends_with(" EUR"), "{approval}");
    let name = approval["name"].as_str().unwrap();
    said(&suite.run(&["approvals", "give", name, "--system", "erp"]));

    // Then its system asks, as it would create a record.
    let message = wait_for_async("the ERP to ask", DEADLINE, async || {
        suite.erp().and_then(|(condition, message)| (condition == "asking").then_some(message))
    })
    .await;
    assert_eq!(message, "would create 1 record; `waybill release erp` lets them go");
    suite.until_page_is("first_run", "triggered").await;
    said(&suite.run(&["release", "erp", "--reason", "looked at it"]));
    wait_for_async("the order in the ERP", DEADLINE, async || suite.is_settled("order", "erp")).await;
    suite.until_page_is("first_run", "resolved").await;

    // A changed map reaches what is settled.
    wait_for_async("the order in the CRM", DEADLINE, async || suite.is_settled("order", "crm")).await;
    let in_words = asking.replace("hs_order_name = \"order.name\"", "hs_order_name = \"'Order ' ~ order.name\"");
    assert_ne!(asking, in_words);
    std::fs::write(suite.plan_file(), in_words).unwrap();
    let told = suite.until_rolled("orders-to-crm", 1, 0).await;
    let field = &told["examples"][0]["fields"][0];
    assert_eq!((&field["field"], &field["was"]), (&"hs_order_name".into(), &name.into()), "{told}");
    assert_eq!(field["would_be"], format!("Order {name}"));
    let rolled = said(&suite.run(&["plan", "roll", "orders-to-crm", "--yes"]));
    assert!(rolled.contains("1 delivery rolled"), "{rolled}");
    suite.until_rolled("orders-to-crm", 0, 1).await;
    assert_eq!(suite.stop().await, Some(0));
}
