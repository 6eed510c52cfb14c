//! What is shown follows from every key.

mod changes;

use std::time::Duration;

use waybill_domain::descriptor::{Budget, Capability, Descriptor, Setting};

use changes::{CHANGES, PLAN};

use super::{Question, Shown, draw, show};
use crate::{Connectors, Plan};

fn books() -> Descriptor {
    const SETTINGS: &[Setting] = &[
        Setting { name: "token", required: true, secret: true, about: "a token" },
        Setting { name: "company", required: true, secret: false, about: "the company" },
    ];
    Descriptor {
        connector: "books",
        title: "Books & Co",
        capabilities: &[Capability::OrderSink, Capability::StockSource, Capability::CatalogSource],
        settings: SETTINGS,
        fields: &[],
        reads: &[],
        adopts: &[],
        amends: &[],
        custom_fields: true,
        budget: Budget { requests: 200, per: Duration::from_secs(60) },
        budget_is_published: true,
        find_lag: Duration::ZERO,
        call_timeout: Duration::ZERO,
    }
}

fn plan(text: &str) -> Plan {
    Plan::parse(text, Connectors::Some(&[])).unwrap_or_else(|problems| panic!("{problems}"))
}

fn shown(text: &str) -> Shown {
    show(&plan(text), &[books()])
}

/// What is shown of a plan, without its hash, which any change changes.
fn said(text: &str) -> String {
    Shown { hash: String::new(), ..shown(text) }.to_text(120)
}

fn changed(from: &str, to: &str) -> String {
    assert!(PLAN.contains(from), "the plan does not have {from}");
    PLAN.replacen(from, to, 1)
}

fn answer(shown: &Shown, flow: &str, about: &str) -> String {
    let flow = shown.kinds.iter().flat_map(|kind| &kind.flows).find(|shown| shown.name == flow).unwrap();
    flow.answers.iter().find(|answer| answer.about == about).unwrap().text.clone()
}

#[test]
fn every_key_changes_what_is_shown() {
    let before = said(PLAN);
    let unseen: Vec<_> = CHANGES.iter().filter(|(from, to)| said(&changed(from, to)) == before).collect();
    assert!(unseen.is_empty(), "these changes are not seen: {unseen:#?}");
}

#[test]
fn every_line_of_the_plan_is_among_the_changes() {
    let is_changed = |line: usize| {
        CHANGES.iter().any(|(from, _)| {
            let at = PLAN.find(from).unwrap();
            let (first, last) = (PLAN[..at].lines().count().max(1), PLAN[..at + from.trim_end().len()].lines().count());
            (first..=last).contains(&line)
        })
    };
    let keys = PLAN.lines().enumerate().filter(|(_, line)| line.contains(" = "));
    let unchanged: Vec<_> = keys.filter(|(index, _)| !is_changed(index + 1)).map(|(_, line)| line).collect();
    assert!(unchanged.is_empty(), "{unchanged:#?}");
}

#[test]
fn each_question_is_answered_for_each_flow() {
    use Question::{Differ, Fail, Owner, What, When};
    for kind in shown(PLAN).kinds {
        for (question, about, cells) in kind.rows() {
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{question:?} {about}");
        }
        for flow in &kind.flows {
            for question in [What, When, Owner, Differ, Fail] {
                assert!(flow.answers.iter().any(|answer| answer.question == question), "{}: {question:?}", flow.name);
            }
        }
    }
}

#[test]
fn what_is_shown_fits_its_columns() {
    for columns in [80, 120, 200] {
        for line in shown(PLAN).to_text(columns).lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
    }
}

#[test]
fn what_waits_says_for_what() {
    let shown = shown(PLAN);
    assert_eq!(answer(&shown, "orders-to-erp", "written"), "at 02:00 Europe/Vienna");
    assert_eq!(
        answer(&shown, "orders-to-shipping", "after"),
        "erp has accepted this very revision, or a rule keeps it away from there"
    );
    assert_eq!(
        answer(&shown, "orders-to-erp", "approval"),
        "before the first write a person approves, if order.total > decimal('500')"
    );
}

#[test]
fn a_flow_whose_edits_are_ignored_does_not_promise_to_park_what_leaves_the_condition() {
    let text = changed("on_edit = \"amend\"\non_leave = \"cancel\"", "on_edit = \"ignore\"\non_leave = \"park\"");
    assert_eq!(answer(&shown(&text), "orders-to-erp", "condition no longer met"), "erp keeps what it has");
}

#[test]
fn a_field_that_the_system_owns_is_said_to_be_written_at_creation_only() {
    let text = changed("{ note = \"crm\" }", "{ note = \"erp\" }");
    let rows = |text: &str| shown(text).kinds[0].flows[0].maps[0].rows.clone();
    assert_eq!(
        rows(&text)[0],
        ["comment", "order.note", "left as it is", "erp", "at creation, or where erp has none; then erp's own stays"]
    );
    assert_eq!(rows(PLAN)[0][3..], ["crm", "when it changes"]);
}

#[test]
fn who_is_told_follows_from_how_bad_it_is() {
    let shown = shown(&changed("from = \"warning\"", "from = \"error\""));
    assert_eq!(answer(&shown, "orders-to-crm", "told of parked"), "phone and chat");
    assert_eq!(answer(&shown, "orders-to-crm", "told of late"), "phone");
}

#[test]
fn a_setting_that_may_be_a_secret_is_not_shown() {
    let text = PLAN.replace("connector = \"people\"", "connector = \"people\"\nkey = \"s3cret\"");
    let said = serde_json::to_string(&shown(&text)).unwrap();
    assert!(said.contains("key (not shown)") && !said.contains("s3cret"), "{said}");
    assert!(said.contains("company = Waldgang, token = env:TOKEN"), "{said}");
}

#[test]
fn one_kind_is_shown_with_what_it_needs_and_no_more() {
    let stock = shown(PLAN).of_kind("stock-level");
    let titles: Vec<_> = stock.sections.iter().map(|section| section.title).collect();
    assert_eq!((stock.kinds.len(), titles), (1, vec!["Stock", "Locations"]));
    let refunds = shown(PLAN).of_kind("refund");
    assert_eq!(refunds.kinds[0].rules, ["The plan does not name them: none moves."]);
}

#[test]
fn a_kind_without_a_flow_is_said_not_to_move() {
    let shown = shown(PLAN);
    assert_eq!(shown.unmoved, ["customer", "refund"]);
    let product = shown.kinds.iter().find(|kind| kind.kind == "product").unwrap();
    assert_eq!(product.rules[1], "Their owner is erp.");
}

#[test]
fn a_store_and_the_system_that_it_is_read_through_are_one_box() {
    let drawing = draw(&plan(PLAN), &[books()]);
    let boxes: Vec<_> = drawing.nodes.iter().map(|node| (node.name.as_str(), node.marks.clone())).collect();
    let expected: Vec<(&str, Vec<&str>)> = vec![
        ("main", vec![]),
        ("trade", vec![]),
        ("crm", vec![]),
        ("erp", vec!["shadow", "paused"]),
        ("shipping", vec![]),
        ("the watch", vec![]),
        ("chat", vec![]),
        ("phone", vec![]),
    ];
    assert_eq!(boxes, expected);
    let ends = |flow: &str| {
        let arrow = drawing.arrows.iter().find(|arrow| arrow.flow == flow).unwrap();
        (arrow.from.clone(), arrow.to.clone())
    };
    assert_eq!(ends("orders-to-erp"), (vec![0], vec![3]));
    assert_eq!(ends("orders-to-crm"), (vec![0, 1], vec![2]));
    assert_eq!(ends("stock-to-store"), (vec![3], vec![0]));
    assert_eq!((drawing.waits[0].from.clone(), drawing.waits[0].to.clone()), (vec![3], vec![4]));
}

#[test]
fn one_kind_is_drawn_with_the_boxes_that_it_touches() {
    let drawing = draw(&plan(PLAN), &[books()]).of_kind("shipment");
    let boxes: Vec<_> = drawing.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(boxes, ["crm", "shipping"]);
    assert_eq!((drawing.arrows.len(), &drawing.arrows[0].from, &drawing.arrows[0].to), (1, &vec![1], &vec![0]));
    let orders = draw(&plan(PLAN), &[books()]).of_kind("order");
    assert_eq!((orders.arrows.len(), orders.waits.len()), (3, 1));
}

#[test]
fn a_flow_of_every_store_begins_at_all_of_them() {
    let text = draw(&plan(PLAN), &[books()]).to_mermaid();
    for line in [
        "  n0 -->|\"order if order.captured, at 02:00 Europe/Vienna, approved\"| n3",
        "  n0 & n1 -->|\"order, every 15 min\"| n2",
        "  n3 -.->|\"orders-to-shipping waits for this revision\"| n4",
        "  n3[\"erp<br/>Books #38; Co<br/>shadow<br/>paused\"]",
        "  class n3 shadow",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
