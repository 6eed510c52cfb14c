//! A plan run on recorded records.

use jiff::{SignedDuration, Timestamp};
use waybill_domain::{RecordKey, Snapshot};
use waybill_plan::{
    Plan,
    recorded::{By, Line, RecordedDecision, Settled},
    simulate::{Outcome, State, diff, simulate, summary},
};
use waybill_testkit::records::order;

use crate::fixture::{changed, plan};

fn said(snapshot: Snapshot) -> Line {
    Line::Snapshot(Box::new(snapshot))
}

/// The same, observed so much later.
fn later(mut snapshot: Snapshot, minutes: i64) -> Snapshot {
    snapshot.observed_at = snapshot.observed_at.checked_add(SignedDuration::from_mins(minutes)).unwrap();
    snapshot
}

fn outcome<'a>(outcomes: &'a [Outcome], name: &str, system: &str) -> &'a Outcome {
    let found = outcomes.iter().find(|one| one.name == name && one.system.as_str() == system);
    found.unwrap_or_else(|| panic!("no {name} for {system} in {outcomes:#?}"))
}

fn ends(plan: &Plan, lines: &[Line], name: &str, system: &str) -> (&'static str, String) {
    let outcomes = simulate(plan, lines);
    let state = &outcome(&outcomes, name, system).state;
    (state.word(), state.reason().to_owned())
}

fn decided(key: RecordKey, system: &str, revision: waybill_domain::Revision, at: Timestamp) -> RecordedDecision {
    RecordedDecision {
        system: system.parse().unwrap(),
        key,
        revision,
        settlement: 1,
        decided_at: at,
        state: Settled::Applied,
        code: String::new(),
        field: String::new(),
        message: String::new(),
        by: By::Plan,
        plan_hash: String::new(),
        document_hash: String::new(),
        delivery: waybill_plan::DeliveryFacts::default(),
        facts: None,
    }
}

#[test]
fn each_order_is_written_ignored_or_parked_and_the_summary_counts_it() {
    let lines = [
        said(order(1).paid().with_line("TEE", 2, "24.00").at_revision(1)),
        said(order(2).with_line("TEE", 1, "24.00").at_revision(1)),
        said(order(3).paid().with_line("", 1, "24.00").at_revision(1)),
    ];
    let outcomes = simulate(&plan(), &lines);
    let written = outcome(&outcomes, "#1", "erp");
    assert_eq!((written.state.clone(), written.writes), (State::Applied, 1));
    assert_eq!(written.fields["lines.0.item"], "TEE");
    assert_eq!(written.fields["fields.name"], "#1");
    assert_eq!(ends(&plan(), &lines, "#2", "erp"), ("ignored", "when:orders-to-erp".to_owned()));
    assert_eq!(ends(&plan(), &lines, "#3", "erp"), ("parked", "missing_sku".to_owned()));
    // What waits for a parked one waits.
    assert_eq!(ends(&plan(), &lines, "#3", "shipping"), ("waiting", "after".to_owned()));
    let counts = summary(&outcomes);
    assert_eq!(counts.records, 3);
    assert_eq!(counts.flows["orders-to-erp"]["parked"], 1);
    assert!(counts.reasons.iter().any(|(reason, count)| reason == "ignored erp when:orders-to-erp" && *count == 1));
}

#[test]
fn what_comes_after_another_system_follows_it() {
    let lines = [
        said(order(1).with_line("TEE", 1, "24.00").at_revision(1)),
        said(later(order(1).paid().with_line("TEE", 1, "24.00").at_revision(2), 5)),
    ];
    let outcomes = simulate(&plan(), &lines);
    assert_eq!(outcome(&outcomes, "#1", "shipping").state, State::Applied);
}

#[test]
fn without_a_recorded_pace_each_revision_is_decided_and_with_one_only_those_that_were() {
    let first = order(1).paid().with_line("TEE", 1, "24.00").at_revision(1);
    let cancelled = later(order(1).paid().cancelled().with_line("TEE", 1, "24.00").at_revision(2), 1);
    let lines = vec![said(first.clone()), said(cancelled.clone())];
    let outcomes = simulate(&plan(), &lines);
    assert_eq!(outcome(&outcomes, "#1", "erp").writes, 2, "written, then cancelled");
    // On the day both came before anybody looked.
    let decision = decided(cancelled.key.clone(), "erp", cancelled.revision, cancelled.observed_at);
    let mut paced = lines;
    paced.push(Line::Decision(Box::new(decision)));
    assert_eq!(ends(&plan(), &paced, "#1", "erp"), ("ignored", "cancelled-before-applied".to_owned()));
}

#[test]
fn a_recorded_refusal_is_repeated_for_the_same_document_only_and_said_to_be_so() {
    let snapshot = order(1).paid().with_line("TEE", 1, "24.00").at_revision(1);
    let refused = |hash: &str| {
        let decision = RecordedDecision {
            state: Settled::Parked,
            code: "unknown_item".to_owned(),
            by: By::System,
            document_hash: hash.to_owned(),
            ..decided(snapshot.key.clone(), "erp", snapshot.revision, snapshot.observed_at)
        };
        vec![said(snapshot.clone()), Line::Decision(Box::new(decision))]
    };
    assert_eq!(ends(&plan(), &refused(""), "#1", "erp"), ("parked", "unknown_item".to_owned()));
    let outcomes = simulate(&plan(), &refused("00"));
    let other = outcome(&outcomes, "#1", "erp");
    assert_eq!(other.state, State::Applied);
    assert!(other.assumed.iter().any(|assumed| assumed.starts_with("accepted: on the recorded day")), "{other:?}");
}

#[test]
fn fields_that_would_have_to_be_read_are_assumed_and_said_to_be() {
    let asks = changed("owner = \"store\"\nfields = { phone = \"crm\" }", "owner = \"store\"\non_conflict = \"park\"");
    let asks_orders = order(1).paid().with_line("TEE", 1, "24.00").at_revision(1);
    let outcomes = simulate(&asks, &[said(asks_orders)]);
    let crm = outcome(&outcomes, "#1", "crm");
    assert_eq!(crm.state, State::Applied);
    assert!(crm.assumed.iter().any(|assumed| assumed.contains("firstname")), "{:?}", crm.assumed);
}

#[test]
fn two_plans_differ_by_what_their_rules_say() {
    let lines = [
        said(order(1).paid().with_line("TEE", 1, "24.00").at_revision(1)),
        said(order(2).paid().with_line("TEE", 100, "24.00").at_revision(1)),
    ];
    let stricter = changed("decimal('1.00')\"", "decimal('1.00')\"\napproval = \"order.total > decimal('1000')\"");
    let difference = diff(&simulate(&plan(), &lines), &simulate(&stricter, &lines));
    let kinds: Vec<String> =
        difference.changes.iter().map(|change| format!("{} {}", change.system, change.kind())).collect();
    assert_eq!(kinds, ["erp applied → waiting (approval)", "shipping applied → waiting (after)"]);
    let renamed = changed("name = \"order.name\"", "name = \"'WEB ' ~ order.name\"");
    let difference = diff(&simulate(&plan(), &lines), &simulate(&renamed, &lines));
    assert_eq!(difference.changes.len(), 2);
    assert_eq!(difference.changes[0].fields["fields.name"], (Some("#1".to_owned()), Some("WEB #1".to_owned())));
}
