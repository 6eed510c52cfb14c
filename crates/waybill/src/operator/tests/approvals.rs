//! `waybill approvals` and `waybill release`.

use clap::Parser as _;

use super::{
    Line,
    people::{FLOW, People},
    run,
    suite::Suite,
};

fn two_waiting() -> Suite {
    Suite::default().for_people(People::default().approving("1001", "512.40 EUR").approving("1002", "1999.00 EUR"))
}

#[tokio::test]
async fn approvals_are_listed_with_what_they_come_to_and_why_they_wait() {
    let suite = two_waiting().start().await;
    let ran = run(&suite, &["approvals"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.must_say("#1001  main/order/1001  erp      512.40 EUR  now    orders-to-erp: order.total > decimal(\"500\")");
    let ran = run(&suite, &["approvals", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let expected = serde_json::json!({
        "store": "main", "kind": "order", "id": "1002", "name": "#1002", "system": "erp", "service": "erp-sync",
        "flow": FLOW, "condition": "order.total > decimal(\"500\")", "total": "1999.00 EUR", "revision": 1,
        "since": "1970-01-01T00:00:00Z",
    });
    assert_eq!(json["approvals"][1], expected);
    assert_eq!((&json["more"], &json["unreachable"]), (&0.into(), &serde_json::json!([])));
}

#[tokio::test]
async fn a_silent_service_is_not_listed_as_nothing_to_approve() {
    let ran = run(&two_waiting().without("erp-sync").start().await, &["approvals"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
}

#[tokio::test]
async fn an_approval_is_given_by_name_and_a_refusal_with_its_reason() {
    let suite = two_waiting().start().await;
    let ran = run(&suite, &["approvals", "give", "#1001", "--system", "erp"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "main/order/1001 goes to erp\n"));
    let line = ["approvals", "refuse", "main/order/1002", "--system", "erp", "--reason", "a fraud"];
    assert_eq!(run(&suite, &line).await.code, 0);
    assert_eq!(suite.changes(), ["approve 1001", "refuse 1002 a fraud"]);
}

#[tokio::test]
async fn a_word_on_what_does_not_wait_says_so() {
    let suite = two_waiting().start().await;
    let ran = run(&suite, &["approvals", "give", "#1003", "--system", "erp"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (1, "#1003 does not wait for an approval for erp\n"));
    assert!(suite.changes().is_empty());
}

#[test]
fn a_refusal_without_a_reason_is_refused() {
    let line = ["waybill", "approvals", "refuse", "#1001", "--system", "erp", "--reason", ""];
    assert!(Line::try_parse_from(line).is_err());
}

#[tokio::test]
async fn a_system_that_asks_is_not_well_until_it_is_released() {
    let message = "would create 2,431 records; `waybill release crm` lets them go";
    let suite = Suite::default().for_people(People::default().first_run_of("crm", message)).start().await;
    let ran = run(&suite, &["status"]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    ran.must_say("crm would create 2,431 records; `waybill release crm` lets them go");
    let ran = run(&suite, &["release", "crm", "--reason", "counted"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.must_say("serving");
    assert_eq!(suite.changes(), ["release crm counted"]);
    assert_eq!(run(&suite, &["status"]).await.code, 0);
    assert_eq!(run(&suite, &["release", "nope"]).await.code, 1);
}
