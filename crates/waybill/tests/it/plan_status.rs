//! Every running service says which plan it obeys, and a changed file is followed from one to the next.

use serde_json::Value;
use waybill_bus::topology::SERVICES;
use waybill_testkit::wait_for_async;

use crate::{
    deployment::{DEADLINE, said},
    running::Suite,
};

/// `waybill plan status --json`: its exit code and what it says.
fn status(suite: &Suite) -> (Option<i32>, Value) {
    let output = suite.run(&["plan", "status", "--plan", "plan.toml", "--json"]);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// Waits for an exit code and gives the status then.
async fn until_it_ends_with(suite: &Suite, code: i32, what: &str) -> Value {
    wait_for_async(what, DEADLINE, async || {
        let (ended, status) = status(suite);
        (ended == Some(code)).then_some(status)
    })
    .await
}

fn all<'a>(status: &'a Value, key: &str) -> Vec<&'a Value> {
    status["replicas"].as_array().unwrap().iter().map(|replica| &replica[key]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_says_which_plan_it_obeys_and_why_it_refuses_a_changed_one() {
    let Some(suite) = Suite::start().await else { return };
    let path = suite.plan_file();
    let first = until_it_ends_with(&suite, 0, "all to obey the plan").await;
    let mut services: Vec<_> = SERVICES.to_vec();
    services.sort_unstable();
    assert_eq!(all(&first, "service"), services);
    let hash = first["file"]["hash"].as_str().unwrap();
    assert!(said(&suite.run(&["plan", "check", "plan.toml"])).contains(hash), "{first}");
    assert!(all(&first, "hash").iter().all(|said| **said == hash), "{first}");

    let plan = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, plan.replace("to = \"erp\"", "to = \"epr\"")).unwrap();
    let refused = wait_for_async("all to refuse the changed plan", DEADLINE, async || {
        let (code, status) = status(&suite);
        let refuses = |problem: &&Value| problem.as_str().is_some_and(|text| text.contains("epr"));
        (code == Some(1) && all(&status, "problem").iter().all(refuses)).then_some(status)
    })
    .await;
    assert!(all(&refused, "hash").iter().all(|said| **said == hash), "the old plan stays: {refused}");

    std::fs::write(&path, format!("{plan}\n# Another one.\n")).unwrap();
    let mended = until_it_ends_with(&suite, 0, "all to obey the mended plan").await;
    assert_ne!(mended["file"]["hash"], hash);
    assert!(all(&mended, "obeys_file").iter().all(|obeys| **obeys == true), "{mended}");
    assert_eq!(suite.stop().await, Some(0));
}
