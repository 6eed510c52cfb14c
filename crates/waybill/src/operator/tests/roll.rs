//! `waybill plan roll`.

use clap::Parser;
use waybill_proto::wire::State;

use super::{
    Ran,
    people::{FLOW, PLAN, People},
    suite::Suite,
    typed,
};
use crate::operator::roll;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    command: roll::PlanRoll,
}

async fn roll(suite: &Suite, options: &[&str]) -> Ran {
    let command = Line::parse_from(["roll"].iter().chain(options)).command;
    typed(suite, async |place, terminal| roll::run(command, place, terminal).await).await
}

/// Five settled orders, of which three would change.
fn five() -> Suite {
    let name = [("description", Some("#1001"), "Order #1001")];
    let people = People::default()
        .staying("1000")
        .becoming("1001", State::Applied, &name)
        .becoming("1002", State::Applied, &[("description", None, "Order #1002")])
        .staying("1003")
        .becoming("1004", State::Parked, &[]);
    Suite::default().for_people(people)
}

#[tokio::test]
async fn a_dry_run_tells_how_many_would_change_and_in_which_fields_and_changes_nothing() {
    let suite = five().start().await;
    let ran = roll(&suite, &[FLOW, "--dry-run"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for expected in [
        "flow 'orders-to-erp' under the plan b1946ac92492, as erp-sync decides it",
        "        2  stay as they are",
        "        2  would be written",
        "        1  would be parked",
        "#1001  main/order/1001  applied → written",
        "  order.description: '#1001' → 'Order #1001'",
        "  order.description: never sent → 'Order #1002'",
    ] {
        ran.must_say(expected);
    }
    assert!(suite.changes().is_empty());
}

#[tokio::test]
async fn no_more_examples_are_shown_than_asked_for() {
    let ran = roll(&five().start().await, &[FLOW, "--dry-run", "--examples", "1"]).await;
    ran.must_say("and 2 more");
    assert!(!ran.out.contains("#1002"), "{}", ran.out);
}

#[tokio::test]
async fn what_is_agreed_to_is_rolled_so_many_a_second() {
    let suite = five().answered("y\n").start().await;
    let started = tokio::time::Instant::now();
    let ran = roll(&suite, &[FLOW, "--per-second", "1"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(suite.changes(), ["roll #1001", "roll #1002", "roll #1004"]);
    assert!(started.elapsed().as_secs_f64() > 1.9, "the second and the third wait for a second of their own");
    assert!(ran.err.contains("roll 3 deliveries? [y/N]"), "{}", ran.err);
    ran.must_say("3 deliveries rolled");
}

#[tokio::test]
async fn without_a_yes_nothing_is_rolled() {
    for suite in [five(), five().answered("\n"), five().answered("what?\n")] {
        let suite = suite.start().await;
        let ran = roll(&suite, &[FLOW]).await;
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert!(ran.err.contains("nothing was rolled"), "{}", ran.err);
        assert!(suite.changes().is_empty());
    }
}

#[tokio::test]
async fn a_roll_in_json_has_the_stable_names() {
    let suite = five().start().await;
    let ran = roll(&suite, &[FLOW, "--json", "--yes", "--per-second", "500", "--examples", "1"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let field = serde_json::json!({
        "role": "order", "field": "description", "was": "#1001", "would_be": "Order #1001",
    });
    let example = serde_json::json!({
        "store": "main", "kind": "order", "id": "1001", "name": "#1001", "state": "applied", "would_be": "applied",
        "code": "", "message": "", "fields": [field],
    });
    let expected = serde_json::json!({
        "flow": FLOW, "service": "erp-sync", "plan": PLAN, "unchanged": 2, "written": 2, "ignored": 0, "parked": 1,
        "waiting": 0, "read_first": 0, "rolled": 3, "examples": [example],
    });
    assert_eq!(json, expected);
}

#[tokio::test]
async fn a_flow_that_nobody_has_is_said_and_a_silent_service_is_not_taken_for_nobody() {
    let ran = roll(&five().start().await, &["nope", "--yes"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no service that answers has the flow 'nope'"), "{}", ran.err);
    let ran = roll(&five().without("erp-sync").start().await, &["nope", "--yes"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("erp-sync at http://127.0.0.1:1 does not answer"), "{}", ran.err);
}
